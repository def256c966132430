/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * witness - the evidence that a certificate names, held against the records. Any that proves
 * the class is good; it need not be the best.
 */
#include "verify/certificate.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "util/minmax.h"

void complain(struct complaints *to, const char *fmt, ...)
{
	char text[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	to->take(to, text);
}

/* What a witness must say, and does not. */
static void demand(struct complaints *to, uint32_t part, const char *what, struct maybe stored,
		   struct maybe derived)
{
	char is[24] = "none", should[24] = "none";

	if (stored.there == derived.there && (!stored.there || stored.v == derived.v))
		return;
	if (stored.there)
		snprintf(is, sizeof(is), "%" PRIu64, stored.v);
	if (derived.there)
		snprintf(should, sizeof(should), "%" PRIu64, derived.v);
	if (part)
		complain(to, "part %" PRIu32 " of the witness: %s: stored %s, derived %s", part, what, is,
			 should);
	else
		complain(to, "%s: stored %s, derived %s", what, is, should);
}

static struct maybe some(uint64_t v)
{
	return (struct maybe){ v, true };
}

static const struct task *task_of(const struct facts *f, struct maybe id)
{
	uint32_t place = id.there && id.v <= UINT32_MAX ? map_get(&f->by_id, id.v, 0) : MAP_NONE;

	return place == MAP_NONE ? NULL : &f->tasks[place];
}

/* ---- slices ---- */

static bool is_said(struct complaints *to, bool ok, uint32_t part, const char *text)
{
	if (!ok)
		complain(to, "part %" PRIu32 " of the witness: %s", part, text);
	return ok;
}

/* One stay: the records that it names open and close it, and none in between is missing or says otherwise. */
static void check_slice(const struct certificate *c, const struct facts *f, uint32_t i,
			struct complaints *to)
{
	const struct part *p = &c->parts[i];
	const struct maybe *in = &p->f[P_SEQ_IN], *out = &p->f[P_SEQ_OUT], *cpu = &p->f[P_CPU_IN];
	uint64_t end_ns = out->there ? p->closed_ns : f->end_ns, last;

	i++;
	if (!is_said(to, in->there && cpu->there && cpu->v < CPU_NUMBERS, i,
		     "it names no record that opens it") ||
	    !is_said(to, p->f[P_CPU_OUT].there == out->there &&
			 (!out->there || p->f[P_CPU_OUT].v == cpu->v), i,
		     "it ends on another CPU than it begins"))
		return;
	last = out->there ? out->v : f->cpus[cpu->v].next_seq;
	is_said(to, !p->f[P_OP].there, i, "it is an operation");
	is_said(to, p->opened, i, "the record that opens it says something else");
	is_said(to, !out->there || p->closed, i, "the record that closes it says something else");
	/* One that is missing at the very instant of an end takes no time from it. */
	is_said(to, in->v < last && (p->between == last - in->v - 1 ||
				     !replay_gap(f, (uint32_t)cpu->v, p->opened_ns, end_ns)), i,
		"records between those that it names are missing");
	is_said(to, p->other_ns >= end_ns, i, "its CPU was given to others in between");
	demand(to, i, "start_ns", p->f[P_START], some(p->opened_ns));
	demand(to, i, "end_ns", p->f[P_END], some(end_ns));
}

static uint64_t eps_between(const struct figures *g, const struct part *p, const struct part *o)
{
	uint64_t a = p->f[P_CPU_IN].v, b = o->f[P_CPU_IN].v;

	return a < CPU_NUMBERS && b < CPU_NUMBERS ?
	       figures_eps(g, (uint32_t)a, (uint32_t)b) : NEVER;
}

static void check_slices(const struct certificate *c, const struct facts *f,
			 const struct figures *g, struct complaints *to)
{
	uint64_t from_ns = 0, until_ns = NEVER, eps_ns = 0;

	for (uint32_t i = 0; i < c->part_cnt; i++) {
		const struct part *p = &c->parts[i];

		check_slice(c, f, i, to);
		from_ns = max_u64(from_ns, p->f[P_START].v);
		until_ns = min_u64(until_ns, p->f[P_END].v);
		for (uint32_t j = 0; j < i; j++) {
			const struct part *o = &c->parts[j];

			eps_ns = max_u64(eps_ns, eps_between(g, p, o));
			is_said(to, p->f[P_TASK].v != o->f[P_TASK].v &&
				    p->f[P_CPU_IN].v != o->f[P_CPU_IN].v, i + 1,
				"its task or its CPU is that of another part");
		}
	}
	demand(to, 0, number_keys[N_WITNESS_FROM], c->numbers[N_WITNESS_FROM], some(from_ns));
	demand(to, 0, number_keys[N_WITNESS_UNTIL], c->numbers[N_WITNESS_UNTIL], some(until_ns));
	demand(to, 0, number_keys[N_WITNESS_EPS], c->numbers[N_WITNESS_EPS], some(eps_ns));
	if (until_ns <= from_ns || until_ns - from_ns <= max_u64(eps_ns, LEAST_NS))
		complain(to, "the witness's overlap is not longer than the clocks may disagree, and than 1 us");
}

/* ---- an instant ---- */

/* The stretch of progress of one task, or of one operation, around an instant. */
static const struct presence *presence_at(const struct figures *g, uint32_t place, uint64_t at_ns)
{
	for (size_t i = 0; i < g->tasks.cnt; i++) {
		const struct presence *x = &g->tasks.v[i];

		if (x->who == place && at_ns >= x->start_ns && at_ns < x->end_ns)
			return x;
	}
	return NULL;
}

/*
 * The run that opens a stretch, as seen from an instant of it: the first of it, or, if it has none
 * by then, the last before it. The one that closes it: its last, or, if none ends in it after
 * the instant, the next.
 */
static void runs_around(const struct facts *f, const struct presence *x, uint64_t at_ns,
			const struct stretch **first, const struct stretch **last)
{
	const struct task *t = &f->tasks[x->who];

	*first = *last = NULL;
	for (size_t i = t->first; i < t->first + t->cnt; i++) {
		const struct stretch *s = &f->stretches[i];

		if (s->sort != RUNS)
			continue;
		if (s->start_ns <= at_ns && (!*first || (*first)->start_ns < x->start_ns))
			*first = s;
		if (s->end_ns > at_ns && (!*last || s->end_ns <= x->end_ns))
			*last = s;
	}
}

static void check_task(const struct certificate *c, const struct facts *f, const struct figures *g,
		       uint32_t i, struct complaints *to)
{
	const struct part *p = &c->parts[i];
	const struct task *t = task_of(f, p->f[P_TASK]);
	uint64_t at_ns = c->numbers[N_WITNESS_FROM].v;
	const struct presence *x = t ? presence_at(g, (uint32_t)(t - f->tasks), at_ns) : NULL;
	const struct stretch *first, *last;
	bool opens, closes;

	if (!is_said(to, x, ++i, "its task is not in progress at that instant"))
		return;
	runs_around(f, x, at_ns, &first, &last);
	opens = first && !(first->marks & (M_HIDDEN | M_CUT_START));
	closes = last && !(last->marks & M_CUT_END);
	is_said(to, !p->f[P_OP].there, i, "it is an operation");
	demand(to, i, "start_ns", p->f[P_START], some(x->start_ns));
	demand(to, i, "end_ns", p->f[P_END], some(x->end_ns));
	demand(to, i, "CPU that it opens on", p->f[P_CPU_IN],
	       (struct maybe){ opens ? first->cpu : 0, opens });
	demand(to, i, "record that opens it", p->f[P_SEQ_IN],
	       (struct maybe){ opens ? first->seq_in : 0, opens });
	demand(to, i, "CPU that it closes on", p->f[P_CPU_OUT],
	       (struct maybe){ closes ? last->cpu : 0, closes });
	demand(to, i, "record that closes it", p->f[P_SEQ_OUT],
	       (struct maybe){ closes ? last->seq_out : 0, closes });
}

static void check_operation(const struct certificate *c, const struct facts *f, uint32_t i,
			    struct complaints *to)
{
	const struct part *p = &c->parts[i];
	uint64_t id = p->f[P_OP].v, at_ns = c->numbers[N_WITNESS_FROM].v;
	const struct operation *op = id && id <= f->op_cnt ? &f->ops[id - 1] : NULL;

	if (!is_said(to, op, ++i, "there is no such operation"))
		return;
	is_said(to, at_ns >= op->start_ns && at_ns < op->end_ns, i,
		"it is not in progress at that instant");
	is_said(to, !p->f[P_CPU_IN].there && !p->f[P_SEQ_IN].there && !p->f[P_CPU_OUT].there &&
		    !p->f[P_SEQ_OUT].there, i, "an operation has no records");
	demand(to, i, "task", p->f[P_TASK], some(op->task));
	demand(to, i, "start_ns", p->f[P_START], some(op->start_ns));
	demand(to, i, "end_ns", p->f[P_END], some(op->end_ns));
}

static void check_instant(const struct certificate *c, const struct facts *f,
			  const struct figures *g, struct complaints *to)
{
	bool tasks = c->witness == WITNESS_TASK;

	for (uint32_t i = 0; i < c->part_cnt; i++) {
		if (tasks)
			check_task(c, f, g, i, to);
		else
			check_operation(c, f, i, to);
	}
	if (c->part_cnt != 2 ||
	    c->parts[0].f[tasks ? P_TASK : P_OP].v == c->parts[1].f[tasks ? P_TASK : P_OP].v)
		complain(to, "the witness is not two that differ");
	demand(to, 0, number_keys[N_WITNESS_UNTIL], c->numbers[N_WITNESS_UNTIL],
	       c->numbers[N_WITNESS_FROM]);
	demand(to, 0, number_keys[N_WITNESS_EPS], c->numbers[N_WITNESS_EPS], some(0));
}

void certificate_witness(const struct certificate *c, const struct facts *f,
			 const struct figures *g, struct complaints *to)
{
	bool parallel = c->class.v == PARALLEL, concurrent = c->class.v == CONCURRENT;

	if (!parallel && !concurrent) {
		if (c->witness != WITNESS_NONE || c->part_cnt)
			complain(to, "a verdict that is %s has a witness", class_names[c->class.v]);
		return;
	}
	if (c->part_cnt < 2 || parallel != (c->witness == WITNESS_SLICE) ||
	    c->witness == WITNESS_NONE) {
		complain(to, "a verdict that is %s has no witness of its kind",
			 class_names[c->class.v]);
		return;
	}
	for (uint32_t i = 0; i < c->part_cnt; i++) {
		const struct task *t = task_of(f, c->parts[i].f[P_TASK]);

		if (is_said(to, t, i + 1, "there is no such task"))
			demand(to, i + 1, "tid", c->parts[i].f[P_TID], some(t->tid));
	}
	if (parallel)
		check_slices(c, f, g, to);
	else
		check_instant(c, f, g, to);
}
