/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * build_cpu - who had each CPU, from what records say of both sides of a switch.
 *
 * A record says who came, and who had the CPU until now, since when. Where the second does not
 * follow from the first of the record before, a switch was hidden, and the
 * time between is nobody's. That weakens foreign and idle time only: stays of
 * tasks of ours come from their own records and are laid over it.
 */

#include <stdlib.h>
#include <string.h>

#include "model/build.h"
#include "model/timeline.h"
#include "util/alloc.h"
#include "util/minmax.h"

struct bcpu *cpu_state(struct model_builder *b, uint16_t cpu)
{
	struct bcpu *state;

	if (cpu >= TRACE_CPUS_MAX) {
		audit_fail(b, "cpu_number", 0, TRACE_CPUS_MAX - 1, cpu);
		return NULL;
	}
	if (cpu >= b->cpu_cnt) {
		b->cpus = xreallocarray(b->cpus, cpu + 1u, sizeof(*b->cpus));
		memset(&b->cpus[b->cpu_cnt], 0, (cpu + 1u - b->cpu_cnt) * sizeof(*b->cpus));
		for (size_t i = b->cpu_cnt; i <= cpu; i++)
			b->cpus[i].cur = NO_TASK;
		b->cpu_cnt = cpu + 1u;
	}
	state = &b->cpus[cpu];
	state->known = true;
	return state;
}

/* The index of a name in model.comms. */
static uint32_t comm_index(struct model_builder *b, const char *raw)
{
	char comm[LAB_COMM_LEN] = { 0 };
	uint64_t key[2];
	uint32_t *idx;

	memcpy(comm, raw, strnlen(raw, LAB_COMM_LEN));
	memcpy(key, comm, sizeof(key));
	idx = idmap_put(&b->comm_idx, key[0], key[1], (uint32_t)b->m.comm_cnt);
	if (*idx == b->m.comm_cnt)
		memcpy(*vec_push(b->m.comms, b->m.comm_cnt, b->m.comm_cap), comm, sizeof(comm));
	return *idx;
}

static void add_seg(struct bcpu *cpu, uint64_t start_ns, uint64_t end_ns, uint8_t class,
		    uint32_t tid, uint32_t comm_idx)
{
	struct model_cpu_seg *last = cpu->seg_cnt ? &cpu->segs[cpu->seg_cnt - 1] : NULL;

	if (end_ns <= start_ns)
		return;
	if (last && last->end_ns == start_ns && last->class == class && last->tid == tid &&
	    last->comm_idx == comm_idx) {
		last->end_ns = end_ns;
		return;
	}
	*vec_push(cpu->segs, cpu->seg_cnt, cpu->seg_cap) = (struct model_cpu_seg){
		.start_ns = start_ns,
		.end_ns = end_ns,
		.tid = tid,
		.comm_idx = comm_idx,
		.class = class,
	};
}

/* What the record before said came next had the CPU until a stay of ours. */
static void until_ours(struct bcpu *cpu, uint64_t ours_from_ns)
{
	/* One hidden switch leads from a foreign task to ours; from an idle CPU none can. */
	if (cpu->stated && cpu->class == LAB_CPU_FOREIGN)
		add_seg(cpu, cpu->since_ns, ours_from_ns, LAB_CPU_FOREIGN, 0, 0);
}

/* @prev is foreign or idle, and had the CPU at @ts_ns. */
static void until_theirs(struct model_builder *b, struct bcpu *cpu, uint64_t ts_ns,
			 const struct holder *prev)
{
	bool foreign = prev->class == LAB_CPU_FOREIGN;
	uint32_t comm = foreign && prev->comm ? comm_index(b, prev->comm) : 0;
	uint64_t since = min_u64(prev->since_ns, ts_ns);
	uint32_t tid = foreign ? prev->tid : 0;

	if (!cpu->stated) {
		if (prev->since_ns)
			add_seg(cpu, since, ts_ns, prev->class, tid, comm);
	} else if (since > cpu->since_ns) {
		/* Others went before it: from foreign to foreign needs no record, and nothing else. */
		if (cpu->class == LAB_CPU_FOREIGN)
			add_seg(cpu, cpu->since_ns, since, LAB_CPU_FOREIGN, 0, 0);
		/* So a foreign task came then, and when the CPU became idle was hidden. */
		if (cpu->class != LAB_CPU_FOREIGN || foreign)
			add_seg(cpu, since, ts_ns, prev->class, tid, comm);
	} else if (cpu->class == prev->class) {
		/* Another than the one who came: foreign it was all the same. */
		if (cpu->tid != prev->tid)
			tid = comm = 0;
		add_seg(cpu, cpu->since_ns, ts_ns, prev->class, tid, comm);
	}
}

void cpu_state_change(struct model_builder *b, struct bcpu *cpu, uint64_t ts_ns,
		      const struct holder *prev, uint64_t ours_from_ns, const struct holder *next)
{
	if (prev->class == LAB_CPU_OURS)
		until_ours(cpu, ours_from_ns);
	else if (prev->class != LAB_CPU_UNKNOWN)
		until_theirs(b, cpu, ts_ns, prev);
	cpu->stated = true;
	cpu->class = next->class;
	cpu->tid = next->class == LAB_CPU_FOREIGN ? next->tid : 0;
	cpu->since_ns = ts_ns;
	seq_on_statement(cpu, ts_ns);
}

/* ---- the end ---- */

/* A running span, on its CPU. */
struct stay {
	const struct model_span *span;
	uint32_t task_id;
};

/* All stays of the model, ordered by CPU and start; @first[cpu] is the first of one CPU. */
static struct stay *collect_stays(struct model_builder *b, size_t *first)
{
	const struct model_task *task;
	const struct model_span *span;
	struct timeline timeline;
	struct stay *stays;
	size_t cnt = 0;

	for (size_t i = 0; i < b->m.span_cnt; i++)
		if (b->m.spans[i].state == SPAN_RUNNING)
			first[b->m.spans[i].cpu]++;
	for (size_t i = 0; i < b->cpu_cnt; i++) {
		size_t of_cpu = first[i];

		b->cpus[i].ran_ours |= of_cpu > 0;
		first[i] = cnt;
		cnt += of_cpu;
	}
	first[b->cpu_cnt] = cnt;
	stays = xcalloc(cnt, sizeof(*stays));
	timeline_init(&timeline, &b->m, SPAN_RUNNING);
	while ((span = timeline_next(&timeline, &task)))
		stays[first[span->cpu]++] = (struct stay){ span, task->id };
	timeline_release(&timeline);
	/* Each now stands where the next began. */
	for (size_t i = b->cpu_cnt; i > 0; i--)
		first[i] = first[i - 1];
	first[0] = 0;
	return stays;
}

/* Cursors over one CPU's stays, stretches and gaps, each ascending. */
struct layers {
	const struct stay *stays, *stays_end;
	const struct model_cpu_seg *segs, *segs_end;
	const struct model_gap *gaps, *gaps_end;
};

/* What the CPU was doing at @t, and until when that is the answer: at most @until. */
static struct model_cpu_seg layer_at(struct layers *l, uint64_t t, uint64_t until)
{
	struct model_cpu_seg seg = { .start_ns = t, .class = LAB_CPU_UNKNOWN };

	while (l->stays < l->stays_end && l->stays->span->end_ns <= t)
		l->stays++;
	while (l->segs < l->segs_end && l->segs->end_ns <= t)
		l->segs++;
	while (l->gaps < l->gaps_end && l->gaps->until_ns <= t)
		l->gaps++;
	if (l->stays < l->stays_end && l->stays->span->start_ns <= t) {
		seg.class = LAB_CPU_OURS;
		seg.task_id = l->stays->task_id;
		seg.end_ns = min_u64(until, l->stays->span->end_ns);
		return seg;
	}
	if (l->stays < l->stays_end)
		until = min_u64(until, l->stays->span->start_ns);
	if (l->gaps < l->gaps_end && l->gaps->from_ns <= t) {
		seg.end_ns = min_u64(until, l->gaps->until_ns);
		return seg;
	}
	if (l->gaps < l->gaps_end)
		until = min_u64(until, l->gaps->from_ns);
	if (l->segs < l->segs_end && l->segs->start_ns <= t) {
		seg.class = l->segs->class;
		seg.tid = l->segs->tid;
		seg.comm_idx = l->segs->comm_idx;
		until = min_u64(until, l->segs->end_ns);
	} else if (l->segs < l->segs_end) {
		until = min_u64(until, l->segs->start_ns);
	}
	seg.end_ns = until;
	return seg;
}

static void lay_out(struct model_builder *b, uint16_t number, bool usable, struct layers *layers)
{
	struct model *m = &b->m;
	struct model_cpu *cpu = vec_push(m->cpus, m->cpu_cnt, m->cpu_cap);
	uint64_t t = m->start_ns;

	cpu->cpu = number;
	cpu->usable_at_release = usable;
	cpu->seg_first = m->cpu_seg_cnt;
	while (t < m->end_ns) {
		struct model_cpu_seg seg = layer_at(layers, t, m->end_ns);
		struct model_cpu_seg *last = m->cpu_seg_cnt > cpu->seg_first ?
			&m->cpu_segs[m->cpu_seg_cnt - 1] : NULL;

		t = seg.end_ns;
		if (last && last->class == seg.class && last->task_id == seg.task_id &&
		    last->tid == seg.tid && last->comm_idx == seg.comm_idx && !seg.task_id)
			last->end_ns = seg.end_ns;
		else
			*vec_push(m->cpu_segs, m->cpu_seg_cnt, m->cpu_seg_cap) = seg;
	}
	cpu->seg_cnt = m->cpu_seg_cnt - cpu->seg_first;
}

static bool is_usable(const struct trace_meta *meta, uint16_t cpu)
{
	for (uint32_t i = 0; i < meta->cpus_usable_cnt; i++) {
		if (meta->cpus_usable[i] == cpu)
			return true;
	}
	return false;
}

/* The last statement holds to the end of the window. */
static void close_segs(struct model_builder *b, struct bcpu *cpu)
{
	if (cpu->stated && (cpu->class == LAB_CPU_FOREIGN || cpu->class == LAB_CPU_IDLE))
		add_seg(cpu, cpu->since_ns, b->m.end_ns, cpu->class, 0, 0);
}

void cpu_finish(struct model_builder *b)
{
	struct model *m = &b->m;
	struct stay *stays;
	size_t *first, g = 0;

	for (uint32_t i = 0; i < m->meta.cpus_usable_cnt; i++)
		cpu_state(b, m->meta.cpus_usable[i]);
	first = xcalloc(b->cpu_cnt + 1, sizeof(*first));
	stays = collect_stays(b, first);
	for (size_t i = 0; i < b->cpu_cnt; i++) {
		struct bcpu *cpu = &b->cpus[i];
		bool usable = is_usable(&m->meta, (uint16_t)i);
		size_t g_first = g;

		while (g < m->gap_cnt && m->gaps[g].cpu == i)
			g++;
		if (!usable && !cpu->ran_ours)
			continue;
		close_segs(b, cpu);
		lay_out(b, (uint16_t)i, usable, &(struct layers){
			.stays = stays + first[i],
			.stays_end = stays + first[i + 1],
			.segs = cpu->segs,
			.segs_end = cpu->segs ? cpu->segs + cpu->seg_cnt : NULL,
			.gaps = m->gaps ? m->gaps + g_first : NULL,
			.gaps_end = m->gaps ? m->gaps + g : NULL,
		});
	}
	free(first);
	free(stays);
}
