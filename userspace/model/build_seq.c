/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * build_seq - which records are missing, from the sequence numbers alone.
 *
 * What counts is which numbers arrived; CPU_TOTAL adds the end of the range.
 * Numbers may arrive late (a probe that was interrupted between its stamp and its number), so holes
 * are settled at the end, by sets.
 */

#include <stdlib.h>

#include "model/build.h"
#include "util/alloc.h"
#include "util/minmax.h"

void seq_note(struct model_builder *b, struct bcpu *cpu, const struct lab_ev_head *head)
{
	(void)b;
	cpu->records++;
	if (head->seq < cpu->seq_next || head->seq == UINT64_MAX) {
		*vec_push(cpu->late, cpu->late_cnt, cpu->late_cap) = head->seq;
		return;
	}
	if (head->seq > cpu->seq_next)
		*vec_push(cpu->holes, cpu->hole_cnt, cpu->hole_cap) = (struct hole){
			.first = cpu->seq_next,
			.last = head->seq - 1,
			.from_ns = cpu->seq_next_ns,
			.until_ns = NEVER,
		};
	cpu->seq_next = head->seq + 1;
	cpu->seq_next_ns = head->ts_ns;
}

void seq_on_statement(struct bcpu *cpu, uint64_t ts_ns)
{
	while (cpu->hole_ended_cnt < cpu->hole_cnt)
		cpu->holes[cpu->hole_ended_cnt++].until_ns = ts_ns;
}

void seq_on_total(struct model_builder *b, const struct lab_ev_cpu_total *ev)
{
	struct bcpu *cpu = cpu_state(b, ev->head.cpu);

	if (!cpu)
		return;
	cpu->has_total = true;
	cpu->offline = ev->head.flags & LAB_F_OFFLINE;
	cpu->seq_end = max_u64(cpu->seq_end, ev->seq_end);
	cpu->refused += min_u64(ev->refused, UINT64_MAX - cpu->refused);
	b->m.dropped += min_u64(ev->refused, UINT64_MAX - b->m.dropped);
}

static int seq_cmp(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Holes less the numbers that came late; both ascend. Return: how many numbers are missing. */
static uint64_t settle_holes(struct model_builder *b, struct bcpu *cpu, uint16_t number)
{
	size_t next = 0, twice = 0;
	uint64_t all = 0;

	if (cpu->late_cnt)
		qsort(cpu->late, cpu->late_cnt, sizeof(*cpu->late), seq_cmp);
	for (size_t i = 0; i < cpu->hole_cnt; i++) {
		const struct hole *hole = &cpu->holes[i];
		uint64_t missing = hole->last - hole->first + 1;

		for (; next < cpu->late_cnt && cpu->late[next] <= hole->last; next++) {
			bool again = next && cpu->late[next] == cpu->late[next - 1];

			if (again || cpu->late[next] < hole->first)
				twice++;
			else
				missing--;
		}
		all += missing;
		if (missing)
			*vec_push(b->m.gaps, b->m.gap_cnt, b->m.gap_cap) = (struct model_gap){
				.cpu = number,
				.from_ns = hole->from_ns,
				.until_ns = hole->until_ns,
				.cnt = missing,
			};
	}
	twice += cpu->late_cnt - next;
	if (twice)
		audit_fail(b, "sequence_twice", 0, 0, twice);
	return all;
}

static int gap_cmp(const void *a, const void *b)
{
	const struct model_gap *x = a, *y = b;

	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return x->from_ns < y->from_ns ? -1 : x->from_ns > y->from_ns;
}

void seq_finish(struct model_builder *b, const struct trace_end *end)
{
	struct model *m = &b->m;

	for (size_t i = 0; i < b->cpu_cnt; i++) {
		struct bcpu *cpu = &b->cpus[i];
		uint64_t missing;

		if (cpu->seq_end > cpu->seq_next)
			*vec_push(cpu->holes, cpu->hole_cnt, cpu->hole_cap) = (struct hole){
				.first = cpu->seq_next,
				.last = cpu->seq_end - 1,
				.from_ns = cpu->seq_next_ns,
				.until_ns = NEVER,
			};
		else if (cpu->has_total && cpu->seq_end < cpu->seq_next)
			audit_fail(b, "sequence_end", 0, cpu->seq_end, cpu->seq_next);
		missing = settle_holes(b, cpu, (uint16_t)i);
		/* A recorder that could not write lost records that had found room. */
		if (end && missing != cpu->refused && end->reason != TRACE_END_WRITE_ERROR)
			audit_fail(b, "sequence_missing", 0, cpu->refused, missing);
	}
	if (m->gap_cnt)
		qsort(m->gaps, m->gap_cnt, sizeof(*m->gaps), gap_cmp);
	/* Where one lies in another its end is moved out, so that ends ascend too. */
	for (size_t i = 1; i < m->gap_cnt; i++) {
		if (m->gaps[i].cpu == m->gaps[i - 1].cpu)
			m->gaps[i].until_ns = max_u64(m->gaps[i].until_ns, m->gaps[i - 1].until_ns);
	}
}
