/* SPDX-License-Identifier: GPL-2.0-only */
/* witness - the evidence that a certificate names, held against the records (section 12). */
#include <inttypes.h>
#include <stdio.h>

#include "verify/certificate.h"

#define NEEDED_NS 1000

/* What is checked of one part. */
struct holding {
	const struct certificate *c;
	const struct facts *f;
	const struct figures *g;
	struct complaints *to;
	size_t part;
};

static void wrong(const struct holding *h, const char *what)
{
	complain(h->to, "part %zu of the witness: %s", h->part + 1, what);
}

/* A field of the part against what the records say. */
static void expect(const struct holding *h, int field, bool there, uint64_t v)
{
	static const char *const names[P_CNT] = {
		"task", "operation", "CPU that it opens on", "record that opens it",
		"CPU that it closes on", "record that closes it", "start_ns", "end_ns", "tid",
	};
	struct maybe stored = h->c->parts.v[h->part].f[field];
	char text[2][24] = { "-", "-" };

	if (stored.there == there && (!there || stored.v == v))
		return;
	if (stored.there)
		snprintf(text[0], sizeof(text[0]), "%" PRIu64, stored.v);
	if (there)
		snprintf(text[1], sizeof(text[1]), "%" PRIu64, v);
	complain(h->to, "part %zu of the witness: %s: stored %s, derived %s", h->part + 1,
		 names[field], text[0], text[1]);
}

static void expect_times(const struct holding *h, uint64_t start_ns, uint64_t end_ns, uint32_t tid)
{
	expect(h, P_START, true, start_ns);
	expect(h, P_END, true, end_ns);
	expect(h, P_TID, true, tid);
}

/* The task of a part; NONE, and a complaint. */
static uint32_t task_of(const struct holding *h)
{
	struct maybe id = h->c->parts.v[h->part].f[P_TASK];
	uint32_t task = id.there ? map_get(&h->f->by_id, id.v, 0) : NONE;

	if (task == NONE)
		wrong(h, "there is no such task");
	return task;
}

/* ---- slices ---- */

static void hold_slice(const struct holding *h, uint32_t task, uint64_t *start_ns, uint64_t *end_ns)
{
	const struct part *p = &h->c->parts.v[h->part];
	const struct maybe *v = p->f;
	const struct cpu *cpu;
	uint64_t behind;

	if (!v[P_CPU_IN].there || !v[P_SEQ_IN].there || v[P_CPU_IN].v >= CPU_NUMBERS) {
		wrong(h, "it names no record that opens it");
		return;
	}
	cpu = &h->f->cpus[v[P_CPU_IN].v];
	behind = v[P_SEQ_OUT].there ? v[P_SEQ_OUT].v : max_u64(cpu->expected, cpu->seq_end);
	*start_ns = p->opened_ns;
	*end_ns = v[P_SEQ_OUT].there ? p->closed_ns : h->f->end_ns;
	if (v[P_CPU_OUT].there != v[P_SEQ_OUT].there ||
	    (v[P_CPU_OUT].there && v[P_CPU_OUT].v != v[P_CPU_IN].v))
		wrong(h, "it ends on another CPU than it begins");
	if (!p->opened)
		wrong(h, "the record that opens it says something else");
	if (v[P_SEQ_OUT].there && (!p->closed || v[P_SEQ_OUT].v <= v[P_SEQ_IN].v))
		wrong(h, "the record that closes it says something else");
	if (p->between != behind - v[P_SEQ_IN].v - 1 && in_gap(cpu, *start_ns, *end_ns))
		wrong(h, "records between those that it names are missing");
	if (p->other_ns < *end_ns)
		wrong(h, "its CPU was given to others in between");
	expect_times(h, *start_ns, *end_ns, h->f->tasks.v[task].tid);
}

static void hold_slices(struct holding *h)
{
	uint64_t from_ns = 0, until_ns = NEVER, eps_ns = 0;
	bool cpus[CPU_NUMBERS] = { false };
	struct idmap tasks = { 0 };

	for (h->part = 0; h->part < h->c->parts.cnt; h->part++) {
		const struct maybe *v = h->c->parts.v[h->part].f;
		uint64_t start_ns = NEVER, end_ns = 0;
		uint32_t task = task_of(h), cpu = (uint32_t)min_u64(v[P_CPU_IN].v, CPU_NUMBERS - 1);

		if (v[P_OP].there)
			wrong(h, "it is an operation");
		if (task != NONE)
			hold_slice(h, task, &start_ns, &end_ns);
		if (map_number(&tasks, v[P_TASK].v, 0) < h->part || cpus[cpu])
			wrong(h, "its task or its CPU is that of another part");
		for (uint32_t c = 0; c < CPU_NUMBERS; c++)
			eps_ns = cpus[c] ? max_u64(eps_ns, clocks_eps(h->f, c, cpu)) : eps_ns;
		cpus[cpu] = true;
		from_ns = max_u64(from_ns, start_ns);
		until_ns = min_u64(until_ns, end_ns);
	}
	idmap_release(&tasks);
	compare_number(h->c, N_WITNESS_FROM, from_ns, h->to);
	compare_number(h->c, N_WITNESS_UNTIL, until_ns, h->to);
	compare_number(h->c, N_WITNESS_EPS, eps_ns, h->to);
	if (until_ns <= from_ns || until_ns - from_ns <= max_u64(eps_ns, NEEDED_NS))
		complain(h->to, "the witness's overlap is not longer than the clocks may disagree, "
			 "and than 1 us");
}

/* ---- an instant ---- */

static void hold_operation(const struct holding *h, uint32_t task, uint64_t at_ns)
{
	struct maybe number = h->c->parts.v[h->part].f[P_OP];
	const struct operation *op = NULL;

	for (size_t i = 0; i < h->f->ops.cnt; i++)
		if (h->f->ops.v[i].counts && number.there && h->f->ops.v[i].number == number.v)
			op = &h->f->ops.v[i];
	if (!op) {
		wrong(h, "there is no such operation");
		return;
	}
	if (op->start_ns > at_ns || op->end_ns <= at_ns)
		wrong(h, "it is not in progress at that instant");
	expect(h, P_TASK, true, h->f->tasks.v[op->task].id);
	expect_times(h, op->start_ns, op->end_ns, h->f->tasks.v[task].tid);
}

static void hold_task(const struct holding *h, uint32_t task, uint64_t at_ns)
{
	const struct span *x = NULL;

	for (size_t i = 0; i < h->g->progress.cnt && !x; i++) {
		const struct span *p = &h->g->progress.v[i];

		if (p->of == task && p->from_ns <= at_ns && at_ns < p->until_ns)
			x = p;
	}
	if (h->c->parts.v[h->part].f[P_OP].there)
		wrong(h, "it is an operation");
	if (x)
		expect_times(h, x->from_ns, x->until_ns, h->f->tasks.v[task].tid);
	else
		wrong(h, "its task is not in progress at that instant");
}

static void hold_instant(struct holding *h)
{
	uint64_t at_ns = h->c->numbers[N_WITNESS_FROM].v;
	int key = h->c->witness == WITNESS_TASK ? P_TASK : P_OP;

	compare_number(h->c, N_WITNESS_FROM, at_ns, h->to);
	compare_number(h->c, N_WITNESS_UNTIL, at_ns, h->to);
	compare_number(h->c, N_WITNESS_EPS, 0, h->to);
	if (h->c->parts.v[0].f[key].v == h->c->parts.v[1].f[key].v)
		complain(h->to, "the witness is not two that differ");
	for (h->part = 0; h->part < h->c->parts.cnt; h->part++) {
		uint32_t task = task_of(h);

		for (int field = P_CPU_IN; field <= P_SEQ_OUT; field++)
			expect(h, field, false, 0);
		if (task != NONE && h->c->witness == WITNESS_TASK)
			hold_task(h, task, at_ns);
		else if (task != NONE)
			hold_operation(h, task, at_ns);
	}
}

void witness_hold(const struct certificate *c, const struct facts *f, const struct figures *g,
		  struct complaints *to)
{
	struct holding h = { c, f, g, to, 0 };
	const char *class = class_names[c->class.v];
	bool fits = c->class.v == PARALLEL ? c->witness == WITNESS_SLICE && c->parts.cnt >= 2 :
		    c->parts.cnt == 2 && (c->witness == WITNESS_TASK ||
					  c->witness == WITNESS_OPERATION);

	if (c->class.v != PARALLEL && c->class.v != CONCURRENT) {
		if (c->witness != WITNESS_NONE || c->parts.cnt)
			complain(to, "a verdict that is %s has a witness", class);
	} else if (!fits) {
		complain(to, "a verdict that is %s has no witness of its kind", class);
	} else if (c->class.v == PARALLEL) {
		hold_slices(&h);
	} else {
		hold_instant(&h);
	}
}
