/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * certificate - the verdict with what it rests on, as lines "key value". docs/trace-format.md
 * names the keys; stored in the trace they are what `lab verify` proves or refutes.
 */
#include <inttypes.h>

#include "render/render.h"

static void put(FILE *out, const char *key, uint64_t value)
{
	fprintf(out, "%s %" PRIu64 "\n", key, value);
}

static void put_sums(FILE *out, const struct report_parallelism *p,
		     const struct report_concurrency *c)
{
	put(out, "run_ns", p->run_ns);
	put(out, "busy_ns", p->busy_ns);
	put(out, "parallel_ns", p->parallel_ns);
	put(out, "parallel_low_ns", p->parallel_lower_ns);
	put(out, "parallel_high_ns", p->parallel_upper_ns);
	put(out, "busy_low_ns", p->busy_lower_ns);
	put(out, "busy_high_ns", p->busy_upper_ns);
	put(out, "active_ns", c->active_ns);
	put(out, "concurrent_ns", c->concurrent_ns);
	put(out, "max_in_progress", c->max_in_progress);
	put(out, "max_operations", c->max_operations);
}

static void put_counts(FILE *out, const struct model_audit *a)
{
	put(out, "births", a->births);
	put(out, "deaths", a->deaths);
	put(out, "alive", a->alive);
	put(out, "switch_outs", a->switches_checked);
	put(out, "switch_outs_counted", a->switches_counted);
	put(out, "hidden_switch_ins", a->hidden_switch_ins);
	put(out, "clock_ahead_ns", a->clock_ahead_ns);
}

/* A space, and the number, or "-" where there is none. */
static void put_field(FILE *out, bool known, uint64_t value)
{
	if (known)
		fprintf(out, " %" PRIu64, value);
	else
		fputs(" -", out);
}

static void put_part(FILE *out, const struct model *m, const struct witness_part *part,
		     bool is_slice)
{
	const struct model_task *task = model_task(m, part->task_id);

	fprintf(out, "part %" PRIu32, part->task_id);
	put_field(out, part->op_id, part->op_id);
	put_field(out, is_slice, part->cpu);
	put_field(out, is_slice, part->seq_in);
	put_field(out, is_slice && !part->cut_out, part->cpu);
	put_field(out, is_slice && !part->cut_out, part->seq_out);
	put_field(out, true, part->start_ns);
	put_field(out, true, part->end_ns);
	put_field(out, task, task ? task->tid : 0);
	fputc('\n', out);
}

static void put_witness(FILE *out, const struct model *m, const struct report *r)
{
	const struct witness *w = NULL;
	const char *kind = "slice";

	if (r->verdict.class == CLASS_PARALLEL) {
		w = &r->parallelism.witness;
	} else if (r->verdict.class == CLASS_CONCURRENT) {
		w = &r->concurrency.witness;
		kind = r->concurrency.witness_is_ops ? "operation" : "task";
	}
	if (!w || !w->part_cnt)
		return;
	fprintf(out, "witness %s\n", kind);
	put(out, "witness_from_ns", w->from_ns);
	put(out, "witness_until_ns", w->until_ns);
	put(out, "witness_eps_ns", w->eps_ns);
	for (uint32_t i = 0; i < w->part_cnt; i++)
		put_part(out, m, &w->parts[i], r->verdict.class == CLASS_PARALLEL);
}

static int certificate_render(const struct model *m, const struct report *r,
			      const struct render_opts *opts, FILE *out)
{
	(void)opts;
	fprintf(out, "class %s\n", verdict_class_name(r->verdict.class));
	put(out, "window_start_ns", m->start_ns);
	put(out, "window_end_ns", m->end_ns);
	for (size_t i = 0; i < m->cpu_cnt; i++)
		put(out, "cpu", m->cpus[i].cpu);
	put(out, "eps_max_ns", r->clocks.eps_max_ns);
	put_sums(out, &r->parallelism, &r->concurrency);
	put(out, "never_two", r->verdict.never_two);
	put_counts(out, &m->audit);
	put_witness(out, m, r);
	return 0;
}

const struct renderer renderer_certificate = {
	.name = "certificate",
	.help = "the verdict and what it rests on, as lab verify proves it",
	.render = certificate_render,
};
