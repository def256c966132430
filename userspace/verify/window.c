/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * window - from the root's start to the last end: what was replayed is cut to it, and put in
 * order by task.
 */
#include "verify/replay.h"

#include "util/minmax.h"

#define REASON_EXIT 1

static uint64_t last_death_ns(const struct facts *f)
{
	uint64_t last_ns = 0;

	for (size_t i = 0; i < f->task_cnt; i++) {
		if (f->tasks[i].phase != DEAD)
			return f->now_ns;
		last_ns = max_u64(last_ns, f->tasks[i].death_ns);
	}
	return last_ns;
}

void window_set(struct facts *f)
{
	const struct circumstances *a = f->about;

	if (a->attach_tgid)
		f->start_ns = max_u64(a->armed_ns, f->last_seed_ns);
	else
		f->start_ns = f->release_ns == NEVER ? f->now_ns : f->release_ns;
	f->start_ns = min_u64(f->start_ns, STAMP_MAX);
	if (a->end_ns > STAMP_MAX)
		f->end_ns = f->now_ns;
	else
		f->end_ns = a->reason == REASON_EXIT ? last_death_ns(f) : a->end_ns;
	f->end_ns = max_u64(f->end_ns, f->start_ns);
}

/* Cut to the window. False: nothing is left. */
static bool clip(struct facts *f, struct stretch *s)
{
	if (s->end_ns <= f->start_ns || s->start_ns >= f->end_ns)
		return false;
	s->least_ns = max_u64(s->least_ns, f->start_ns);
	if (s->start_ns < f->start_ns) {
		s->start_ns = f->start_ns;
		s->marks |= M_CUT_START;
	}
	if (s->end_ns > f->end_ns) {	/* and what ended it was later */
		s->end_ns = f->end_ns;
		s->marks |= M_CUT_END;
		s->marks &= (uint16_t)~(M_BY_IRQ | M_BY_EXIT | M_BY_KNOWN | M_BY_TASK | M_BY_END);
	}
	if (s->sort == RUNS) {
		f->cpus[s->cpu].ran = true;
		if (replay_gap(f, s->cpu, s->start_ns, s->end_ns))
			s->marks |= M_GAP;
	}
	return true;
}

/* What is in the window, task by task; a task's stretches are in order already. */
static void cut_all(struct facts *f)
{
	struct stretch *all = f->stretches, *kept;
	size_t cnt = 0;

	for (size_t i = 0; i < f->stretch_cnt; i++) {
		if (clip(f, &all[i]))
			f->tasks[all[i].task].cnt++;
		else
			all[i].task = NOBODY;
	}
	for (size_t i = 0; i < f->task_cnt; i++) {
		f->tasks[i].first = cnt;
		cnt += f->tasks[i].cnt;
		f->tasks[i].cnt = 0;
	}
	kept = xcalloc(cnt + 1, sizeof(*kept));
	for (size_t i = 0; i < f->stretch_cnt; i++) {
		struct task *t = all[i].task == NOBODY ? NULL : &f->tasks[all[i].task];

		if (!t)
			continue;
		kept[t->first + t->cnt++] = all[i];
	}
	free(all);
	f->stretches = kept;
	f->stretch_cnt = f->stretch_cap = cnt;
}

/* Number all tasks so that who descends from one comes right behind it. Parents have lower places. */
static void number_families(struct facts *f)
{
	uint32_t roots = 0;

	for (size_t i = f->task_cnt; i > 0; i--) {
		struct task *t = &f->tasks[i - 1];

		t->family++;
		if (t->parent != NOBODY)
			f->tasks[t->parent].family += t->family;
	}
	for (size_t i = 0; i < f->task_cnt; i++) {
		struct task *t = &f->tasks[i];
		uint32_t *next = t->parent == NOBODY ? &roots : &f->tasks[t->parent].next_child;

		t->place = *next;
		*next += t->family;
		t->next_child = t->place + 1;
	}
}

void window_cut(struct facts *f)
{
	cut_all(f);
	number_families(f);
}

static bool is_below(const struct facts *f, uint32_t low, uint32_t high)
{
	const struct task *t = &f->tasks[high];

	return f->tasks[low].place > t->place && f->tasks[low].place < t->place + t->family;
}

/* From a task, or from the first one of its process where that is another process. */
static bool comes_from(const struct facts *f, uint32_t low, uint32_t high)
{
	uint32_t leader = f->tasks[high].leader;

	return is_below(f, low, high) ||
	       (f->tasks[low].leader != leader && is_below(f, low, leader));
}

bool replay_by_kin(const struct facts *f, const struct stretch *s)
{
	uint32_t waker = s->marks & M_BY_KNOWN ? map_get(&f->by_id, s->waker, 0) : MAP_NONE;

	if (s->marks & M_BY_END)
		return true;
	return waker != MAP_NONE && (comes_from(f, waker, s->task) || comes_from(f, s->task, waker));
}

void replay_release(struct facts *f)
{
	for (uint32_t i = 0; i < CPU_NUMBERS; i++) {
		free(f->cpus[i].holes);
		free(f->cpus[i].late);
	}
	free(f->by_id.keys);
	free(f->by_tid.keys);
	free(f->had_tid);
	free(f->threads.keys);
	free(f->group_mms.keys);
	free(f->edge_of.keys);
	free(f->leader_of.keys);
	free(f->leaders);
	free(f->fds.keys);
	free(f->data.keys);
	free(f->tasks);
	free(f->mm_of_group);
	free(f->stretches);
	free(f->edges);
	free(f->totals);
	free(f->regs);
	free(f->users);
	free(f->ops);
	free(f->process_of.keys);
	free(f->processes);
	free(f->texts.keys);
	free(f->mark_of.keys);
	free(f->marks);
	free(f->faults);
}
