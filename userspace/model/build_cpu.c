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
		/*
		 * Others went before it: from foreign to foreign needs no record, and nothing else.
		 */
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

/*
 * One CPU's time, laid out so far, and what else is known of it: stretches and gaps, each
 * ascending.
 */
struct lane {
	uint64_t at_ns;
	struct model_cpu_seg *out;	/* model.cpu_segs from first on */
	size_t first, out_cnt;
	const struct model_cpu_seg *segs, *segs_end;
	const struct model_gap *gaps, *gaps_end;
};

static void lane_put(struct lane *l, const struct model_cpu_seg *seg)
{
	struct model_cpu_seg *last = l->out_cnt ? &l->out[l->out_cnt - 1] : NULL;

	l->at_ns = seg->end_ns;
	if (last && last->class == seg->class && last->task_id == seg->task_id &&
	    last->tid == seg->tid && last->comm_idx == seg->comm_idx && !seg->task_id)
		last->end_ns = seg->end_ns;
	else
		l->out[l->out_cnt++] = *seg;
}

/*
 * What the CPU was doing at @t if it was not ours, and until when that is the answer: at most
 * @until.
 */
static struct model_cpu_seg layer_at(struct lane *l, uint64_t t, uint64_t until)
{
	struct model_cpu_seg seg = { .start_ns = t, .class = LAB_CPU_UNKNOWN };

	while (l->segs < l->segs_end && l->segs->end_ns <= t)
		l->segs++;
	while (l->gaps < l->gaps_end && l->gaps->until_ns <= t)
		l->gaps++;
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

static void lane_fill(struct lane *l, uint64_t until_ns)
{
	while (l->at_ns < until_ns) {
		struct model_cpu_seg seg = layer_at(l, l->at_ns, until_ns);

		lane_put(l, &seg);
	}
}

/* Stays come in order of their starts. Where two contradict each other, the first has the CPU. */
static void lane_add_stay(struct lane *l, const struct model_span *stay, uint32_t task_id)
{
	if (stay->end_ns <= l->at_ns)
		return;
	lane_fill(l, stay->start_ns);
	lane_put(l, &(struct model_cpu_seg){
		.start_ns = l->at_ns,
		.end_ns = stay->end_ns,
		.task_id = task_id,
		.class = LAB_CPU_OURS,
	});
}

static bool is_usable(const struct trace_meta *meta, uint16_t cpu)
{
	for (uint32_t i = 0; i < meta->cpus_usable_cnt; i++) {
		if (meta->cpus_usable[i] == cpu)
			return true;
	}
	return false;
}

/*
 * The last statement holds to the end of the window, unless the CPU went away: the tracepoint is
 * mute from before the last switch of a CPU that goes.
 */
static void close_segs(struct model_builder *b, struct bcpu *cpu)
{
	if (cpu->stated && !cpu->offline &&
	    (cpu->class == LAB_CPU_FOREIGN || cpu->class == LAB_CPU_IDLE))
		add_seg(cpu, cpu->since_ns, b->m.end_ns, cpu->class, 0, 0);
}

/*
 * One per CPU number, each with room for all that can come: a segment ends where something else
 * does.
 */
static struct lane *lanes_new(struct model_builder *b)
{
	struct lane *lanes = xcalloc(b->cpu_cnt, sizeof(*lanes));
	struct model *m = &b->m;
	size_t g = 0;

	for (size_t i = 0; i < b->cpu_cnt; i++) {
		struct bcpu *cpu = &b->cpus[i];
		struct lane *l = &lanes[i];

		close_segs(b, cpu);
		*l = (struct lane){ .at_ns = m->start_ns, .segs = cpu->segs };
		l->segs_end = cpu->segs ? cpu->segs + cpu->seg_cnt : NULL;
		l->gaps = m->gaps ? m->gaps + g : NULL;
		while (g < m->gap_cnt && m->gaps[g].cpu == i)
			g++;
		l->gaps_end = m->gaps ? m->gaps + g : NULL;
		l->first = m->cpu_seg_cnt;
		m->cpu_seg_cnt += 1 + 2 * (cpu->stay_cnt + cpu->seg_cnt +
					   (size_t)(l->gaps_end - l->gaps));
	}
	m->cpu_segs = xreallocarray(NULL, m->cpu_seg_cnt, sizeof(*m->cpu_segs));
	for (size_t i = 0; i < b->cpu_cnt; i++)
		lanes[i].out = &m->cpu_segs[lanes[i].first];
	return lanes;
}

void cpu_finish(struct model_builder *b)
{
	struct model *m = &b->m;
	const struct model_task *task;
	const struct model_span *stay;
	struct timeline timeline;
	struct lane *lanes;

	for (uint32_t i = 0; i < m->meta.cpus_usable_cnt; i++)
		cpu_state(b, m->meta.cpus_usable[i]);
	lanes = lanes_new(b);
	timeline_init(&timeline, m);
	while ((stay = timeline_next(&timeline, SPAN_RUNNING, &task))) {
		lane_add_stay(&lanes[stay->cpu], stay, task->id);
		b->cpus[stay->cpu].ran_ours = true;
	}
	timeline_release(&timeline);
	for (size_t i = 0; i < b->cpu_cnt; i++) {
		bool usable = is_usable(&m->meta, (uint16_t)i);
		struct lane *l = &lanes[i];

		if (!usable && !b->cpus[i].ran_ours)
			continue;
		lane_fill(l, m->end_ns);
		*vec_push(m->cpus, m->cpu_cnt, m->cpu_cap) = (struct model_cpu){
			.cpu = (uint16_t)i,
			.usable_at_release = usable,
			.seg_first = l->first,
			.seg_cnt = l->out_cnt,
		};
	}
	free(lanes);
}
