/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/antagonists.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/minmax.h"

struct holder {
	uint64_t ns;
	uint32_t task_id;	/* ours, or 0 */
	uint32_t tid;		/* foreign */
	uint32_t comm_idx;	/* foreign */
};

struct holding {
	struct holder *v;
	size_t cnt, cap;
	uint64_t idle_ns;
};

/* A change in how many wait for a CPU. */
struct edge {
	uint64_t at_ns;
	uint16_t cpu;
	int8_t step;
};

struct edges {
	struct edge *v;
	size_t cnt, cap;
};

static int edge_cmp(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->cpu != y->cpu)
		return x->cpu - y->cpu;
	return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

static int holder_key_cmp(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	if (x->task_id != y->task_id)
		return x->task_id < y->task_id ? -1 : 1;
	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return (x->comm_idx > y->comm_idx) - (x->comm_idx < y->comm_idx);
}

static int holder_most_cmp(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return holder_key_cmp(a, b);
}

/* What nobody known held is left out: it is what remains of the total. */
static void holding_add(struct holding *h, const struct model_cpu_seg *seg, uint64_t ns)
{
	struct holder holder = { .ns = ns };

	if (!ns)
		return;
	if (seg->class == LAB_CPU_IDLE)
		h->idle_ns += ns;
	if (seg->class == LAB_CPU_OURS) {
		holder.task_id = seg->task_id;
	} else if (seg->class == LAB_CPU_FOREIGN) {
		holder.tid = seg->tid;
		holder.comm_idx = seg->comm_idx;
	}
	if (holder.task_id || holder.tid || holder.comm_idx)
		*vec_push(h->v, h->cnt, h->cap) = holder;
}

/* One entry per holder, most first. */
static void holding_join(struct holding *h)
{
	size_t kept = 0;

	if (!h->cnt)
		return;
	qsort(h->v, h->cnt, sizeof(*h->v), holder_key_cmp);
	for (size_t i = 1; i < h->cnt; i++) {
		if (!holder_key_cmp(&h->v[kept], &h->v[i]))
			h->v[kept].ns += h->v[i].ns;
		else
			h->v[++kept] = h->v[i];
	}
	h->cnt = kept + 1;
	qsort(h->v, h->cnt, sizeof(*h->v), holder_most_cmp);
}

/* Walk one CPU's time and the waits for it together. */
static void holding_walk(struct holding *h, const struct model *m, const struct model_cpu *cpu,
			 const struct edge *edges, size_t edge_cnt)
{
	size_t edge = 0;
	uint64_t level = 0;

	for (size_t i = 0; i < cpu->seg_cnt; i++) {
		const struct model_cpu_seg *seg = &m->cpu_segs[cpu->seg_first + i];
		uint64_t at_ns = seg->start_ns, held_ns = 0;

		while (edge < edge_cnt && edges[edge].at_ns < seg->end_ns) {
			uint64_t next_ns = max_u64(edges[edge].at_ns, at_ns);

			held_ns += level * (next_ns - at_ns);
			at_ns = next_ns;
			level += (uint64_t)(int64_t)edges[edge++].step;
		}
		held_ns += level * (seg->end_ns - at_ns);
		holding_add(h, seg, held_ns);
	}
}

static void edges_add(struct edges *edges, uint64_t at_ns, uint16_t cpu, int8_t step)
{
	*vec_push(edges->v, edges->cnt, edges->cap) = (struct edge){ at_ns, cpu, step };
}

static void edges_collect(const struct model *m, struct edges *out)
{
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];

		for (size_t j = 0; j < t->span_cnt; j++) {
			const struct model_span *s = &m->spans[t->span_first + j];

			if (s->state != SPAN_READY || s->cpu == UINT16_MAX)
				continue;
			edges_add(out, s->start_ns, s->cpu, +1);
			edges_add(out, s->end_ns, s->cpu, -1);
		}
	}
	if (out->cnt)
		qsort(out->v, out->cnt, sizeof(*out->v), edge_cmp);
}

static void antagonist_fill(const struct model *m, const struct holder *h, struct antagonist *out)
{
	const struct model_task *t = h->task_id ? model_task(m, h->task_id) : NULL;

	*out = (struct antagonist){ .task_id = h->task_id, .tid = h->tid, .ns = h->ns };
	if (t)
		memcpy(out->comm, t->comm, sizeof(out->comm));
	else if (!h->task_id && h->comm_idx < m->comm_cnt)
		memcpy(out->comm, m->comms[h->comm_idx], sizeof(out->comm));
}

void antagonists_of_all(const struct model *m, struct report_waits *w)
{
	struct holding holding = { 0 };
	struct edges edges = { 0 };
	uint64_t held_ns = 0;
	size_t first = 0;

	edges_collect(m, &edges);
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		size_t end;

		while (first < edges.cnt && edges.v[first].cpu < m->cpus[i].cpu)
			first++;
		for (end = first; end < edges.cnt && edges.v[end].cpu == m->cpus[i].cpu;)
			end++;
		holding_walk(&holding, m, &m->cpus[i], edges.v + first, end - first);
		first = end;
	}
	holding_join(&holding);
	for (size_t i = 0; i < holding.cnt; i++) {
		held_ns += holding.v[i].ns;
		if (i < ANTAGONIST_MAX)
			antagonist_fill(m, &holding.v[i], &w->antagonists[w->antagonist_cnt++]);
		else
			w->other_antagonists_ns += holding.v[i].ns;
	}
	w->idle_ns = holding.idle_ns;
	w->unknown_ns = w->total_ns - holding.idle_ns - held_ns;
	free(holding.v);
	free(edges.v);
}

void antagonist_of_one(const struct model *m, const struct model_span *s, struct antagonist *out)
{
	const struct edge edges[] = { { s->start_ns, s->cpu, +1 }, { s->end_ns, s->cpu, -1 } };
	struct holding holding = { 0 };

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < m->cpu_cnt; i++)
		if (m->cpus[i].cpu == s->cpu)
			holding_walk(&holding, m, &m->cpus[i], edges, ARRAY_SIZE(edges));
	holding_join(&holding);
	if (holding.cnt)
		antagonist_fill(m, &holding.v[0], out);
	free(holding.v);
}
