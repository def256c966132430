/* SPDX-License-Identifier: GPL-2.0-only */
#include "capacity_world.h"

#include <ctype.h>
#include <string.h>

#include "util/alloc.h"

static char random_state(struct world *w, const bool *taken)
{
	static const char blocks[] = "LXMCJWEPSINUDFKTGOQ";
	uint32_t cpu = afx_random(&w->seed, w->cpu_cnt);

	switch (afx_random(&w->seed, 4)) {
	case 0:
		return '.';
	case 1:
		return blocks[afx_random(&w->seed, afx_random(&w->seed, 2) ? 19 : 4)];
	default:
		return taken[cpu] ? '.' : (char)('0' + cpu);
	}
}

static void world_lives(struct world *w)
{
	unsigned int keep = 2 + afx_random(&w->seed, 16);

	for (unsigned int u = 0; u < w->unit_cnt; u++) {
		bool taken[CPUS] = { false }, kept[TASKS] = { false };

		for (unsigned int t = 0; u && t < w->task_cnt; t++) {
			char c = w->life[t][u - 1];

			kept[t] = afx_random(&w->seed, keep);
			w->life[t][u] = c;
			if (kept[t] && isdigit((unsigned char)c))
				taken[c - '0'] = true;
		}
		for (unsigned int t = 0; t < w->task_cnt; t++) {
			char c = kept[t] ? w->life[t][u] : random_state(w, taken);

			w->life[t][u] = c;
			if (isdigit((unsigned char)c))
				taken[c - '0'] = true;
		}
	}
}

static void world_tasks(struct world *w)
{
	for (unsigned int t = 0; t < w->task_cnt; t++) {
		unsigned int from = afx_random(&w->seed, 3) ? 0 : afx_random(&w->seed, w->unit_cnt);
		unsigned int until = w->unit_cnt;

		if (!afx_random(&w->seed, 3))
			until = from + afx_random(&w->seed, w->unit_cnt - from);
		memset(w->life[t] + until, ' ', UNITS - until);
		w->life[t][until] = '\0';
		afx_task(&w->f, from, w->life[t] + from);
		w->life[t][until] = ' ';
		memset(w->life[t], ' ', from);
	}
	for (size_t i = 0; i < w->f.m.span_cnt; i++)
		if (afx_any_span(&w->f, i)->state == SPAN_READY && afx_random(&w->seed, 4))
			afx_any_span(&w->f, i)->cpu = (uint16_t)afx_random(&w->seed, w->cpu_cnt);
}

/* Task @t waits until the end, for a lock or a thread; the kernel may have named whose. */
static void world_endless(struct world *w, unsigned int t, struct model_span *s)
{
	struct model_task *task = &w->f.m.tasks[t];

	s->flags |= SPAN_CUT_END;
	if (afx_random(&w->seed, 3))
		return;
	s->flags |= SPAN_FUTEX;
	s->mm_id = afx_random(&w->seed, 4) ? 1 : 0;
	task->wait_start_ns = s->start_ns - !afx_random(&w->seed, 5);
	task->wait_owner_tid = task->wait_val = 101 + afx_random(&w->seed, w->task_cnt + 1);
	task->mm_id = 1 + !afx_random(&w->seed, 5);
}

/* Who ends each wait: mostly a task that runs then, at times one that cannot have done it. */
static void world_wakers(struct world *w)
{
	for (unsigned int t = 0; t < w->task_cnt; t++)
		for (size_t i = 0; i < w->f.m.tasks[t].span_cnt; i++) {
			struct model_span *s = afx_span(&w->f, t, i);
			uint64_t until = s->end_ns - AFX_START_NS;
			unsigned int by = afx_random(&w->seed, w->task_cnt);

			if (s->state != SPAN_BLOCKED || !afx_random(&w->seed, 3))
				continue;
			if (until < w->unit_cnt ? !isdigit((unsigned char)w->life[by][until]) &&
						  afx_random(&w->seed, 8) :
						  afx_random(&w->seed, 4)) {
				if (until == w->unit_cnt)
					world_endless(w, t, s);
				continue;
			}
			s->waker_id = by + 1;
			s->flags |= afx_random(&w->seed, 6) ? 0 : SPAN_WOKEN_BY_IRQ;
		}
}

/* Where no task of ours runs: idle, foreign or unknown. */
static void world_cpus(struct world *w)
{
	struct model *m = &w->f.m;

	for (unsigned int cpu = 0; cpu < w->cpu_cnt; cpu++) {
		static const uint8_t others[] = {
			LAB_CPU_IDLE, LAB_CPU_IDLE, LAB_CPU_IDLE, LAB_CPU_FOREIGN, LAB_CPU_UNKNOWN,
		};
		uint8_t class = LAB_CPU_IDLE;

		m->cpus[cpu].seg_first = m->cpu_seg_cnt;
		for (unsigned int u = 0; u < w->unit_cnt; u++) {
			struct model_cpu_seg *seg;

			if (!afx_random(&w->seed, 5))
				class = others[afx_random(&w->seed, 5)];
			w->class[cpu][u] = class;
			for (unsigned int t = 0; t < w->task_cnt; t++)
				if (w->life[t][u] == (char)('0' + cpu))
					w->class[cpu][u] = LAB_CPU_OURS;
			seg = m->cpus[cpu].seg_cnt ? &m->cpu_segs[m->cpu_seg_cnt - 1] : NULL;
			if (seg && seg->class == w->class[cpu][u] && afx_random(&w->seed, 3)) {
				seg->end_ns++;
				continue;
			}
			seg = vec_push(m->cpu_segs, m->cpu_seg_cnt, m->cpu_seg_cap);
			seg->start_ns = AFX_START_NS + u;
			seg->end_ns = AFX_START_NS + u + 1;
			seg->class = w->class[cpu][u];
			m->cpus[cpu].seg_cnt++;
		}
	}
}

static void world_masks(struct world *w)
{
	for (unsigned int t = 0; t < w->task_cnt; t++) {
		uint32_t may = (1u << w->cpu_cnt) - 1;

		for (unsigned int u = 0; u < w->unit_cnt; u++) {
			bool news = !u;

			if (w->masks && !afx_random(&w->seed, u ? 12 : 2)) {
				may = afx_random(&w->seed, 1u << w->cpu_cnt);
				news = true;
			}
			w->may[t][u] = may;
			/* Bits beyond the usable CPUs mean nothing. */
			if (news && w->masks)
				afx_allow(&w->f, t, u,
					  may | (uint64_t)afx_random(&w->seed, 4) << 9);
		}
	}
}

static void world_holds(struct world *w)
{
	for (unsigned int t = 0; t < w->task_cnt && w->holds; t++) {
		unsigned int from = 0;

		for (unsigned int u = 0; u < w->unit_cnt; u++) {
			bool ready = w->life[t][u] == '.', before = u && w->held[t][u - 1];

			w->held[t][u] = ready && (afx_random(&w->seed, 4) ? before :
						  afx_random(&w->seed, 2));
			if (w->held[t][u] && !before)
				from = u;
			if (before && !w->held[t][u])
				afx_hold(&w->f, t, from, u);
		}
		if (w->held[t][w->unit_cnt - 1])
			afx_hold(&w->f, t, from, w->unit_cnt);
	}
}

void world_make(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->seed = seed * 104729 + 7;
	afx_random(&w->seed, 2);
	w->cpu_cnt = 1 + afx_random(&w->seed, CPUS);
	w->task_cnt = 1 + afx_random(&w->seed, TASKS);
	w->unit_cnt = 4 + afx_random(&w->seed, UNITS - 4);
	afx_init(&w->f, w->cpu_cnt, 1, w->unit_cnt);
	world_lives(w);
	world_tasks(w);
	world_wakers(w);
	world_cpus(w);
	w->f.m.holds_known = seed % 16 != 0;
	w->masks = seed % 2;
	w->holds = w->f.m.holds_known && !(seed % 3);
	world_masks(w);
	world_holds(w);
	afx_compute(&w->f);
}
