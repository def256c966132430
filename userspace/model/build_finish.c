/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * build_finish - the window, and everything cut to it and put in order.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"
#include "model/futex.h"
#include "util/alloc.h"
#include "util/log.h"
#include "util/minmax.h"

static bool has_root(const struct model_builder *b)
{
	const uint32_t *idx = idmap_get(&b->task_by_id, LAB_TASK_ROOT, 0);

	if (b->m.meta.attach_tgid)
		return b->any_seed;
	return idx && b->tasks[*idx].seeded;
}

static uint64_t last_death(const struct model_builder *b)
{
	uint64_t last = 0;

	for (size_t i = 0; i < b->task_cnt; i++) {
		if (b->tasks[i].life != LIFE_DEAD)
			return b->now_ns;	/* the records say otherwise than the recorder */
		last = max_u64(last, b->tasks[i].death_ns);
	}
	return last;
}

int finish_window(struct model_builder *b, const struct trace_end *end)
{
	struct model *m = &b->m;

	/*
	 * Recording that was cut off before the first record was written is a run of which nothing
	 * is known.
	 */
	if (!has_root(b) && (end || m->event_cnt)) {
		log_err("no record of this trace says what its first task was: there is nothing to "
			"tell from it");
		return -EBADMSG;
	}
	if (m->meta.attach_tgid)
		m->start_ns = max_u64(m->meta.armed_ns, b->last_seed_ns);
	else
		m->start_ns = b->release_ns == NEVER ? b->now_ns : b->release_ns;
	if (!end || end->end_ns > STAMP_MAX)
		m->end_ns = b->now_ns;
	else if (end->reason == TRACE_END_EXIT)
		m->end_ns = last_death(b);
	else
		m->end_ns = end->end_ns;
	m->start_ns = min_u64(m->start_ns, STAMP_MAX);
	m->end_ns = max_u64(m->end_ns, m->start_ns);

	for (size_t i = 0; i < b->task_cnt; i++) {
		struct btask *t = &b->tasks[i];

		t->open.flags |= SPAN_CUT_END;
		task_close(b, t, m->end_ns);
	}
	return 0;
}

/* Cut a span that reaches into the window to it. */
static void clip(const struct model *m, struct model_span *span)
{
	if (span->start_ns < m->start_ns) {
		span->start_ns = m->start_ns;
		span->flags |= SPAN_CUT_START;
	}
	if (span->end_ns > m->end_ns) {
		span->end_ns = m->end_ns;
		span->flags |= SPAN_CUT_END;
		/* What ended it came after the cut. */
		span->flags &= (uint16_t)~SPAN_ENDED;
		if (span->state == SPAN_BLOCKED) {
			span->waker_id = span->waker_tid = 0;
			span->with_process = false;
		}
	}
}

/* Cut a task's spans to the window. Return: how many before it are gone. */
static size_t clip_all(const struct model *m, struct model_task *t)
{
	bool no_time = m->start_ns == m->end_ns;
	size_t first = 0;

	while (first < t->span_cnt && (no_time || t->spans[first].end_ns <= m->start_ns))
		first++;
	while (t->span_cnt > first && t->spans[t->span_cnt - 1].start_ns >= m->end_ns)
		t->span_cnt--;
	t->span_cnt -= first;
	if (!t->span_cnt)
		return first;
	memmove(t->spans, t->spans + first, t->span_cnt * sizeof(*t->spans));
	clip(m, &t->spans[0]);
	clip(m, &t->spans[t->span_cnt - 1]);
	/* No stay can have begun before the span before it. */
	for (size_t i = 0; i < 2 && i < t->span_cnt; i++)
		if (t->spans[i].state == SPAN_RUNNING)
			t->spans[i].start_min_ns = max_u64(t->spans[i].start_min_ns, m->start_ns);
	return first;
}

/* Stays that may not have lasted as drawn. */
static void mark_gaps(const struct model *m, struct model_task *t)
{
	for (size_t i = 0; i < t->span_cnt; i++) {
		struct model_span *span = &t->spans[i];

		if (span->state == SPAN_RUNNING &&
		    model_gap_within(m, span->cpu, span->start_ns, span->end_ns))
			span->flags |= SPAN_ACROSS_GAP;
	}
}

/* Counters never fall but in a corrupt file. */
static uint64_t rise(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

static void fill_task(const struct model *m, const struct btask *bt, struct model_task *t)
{
	t->alive = bt->life != LIFE_DEAD || bt->death_ns > m->end_ns;
	t->never_ran = !bt->ran;
	t->cpu_ns = rise(bt->base.sum_exec_ns, bt->last.sum_exec_ns);
	t->voluntary = rise(bt->base.nvcsw, bt->last.nvcsw);
	t->involuntary = rise(bt->base.nivcsw, bt->last.nivcsw);
	t->migrations = bt->migrates;
	/* Where no span is in the window: the instant in it that is nearest to its life. */
	t->start_ns = bt->life == LIFE_DEAD ? bt->death_ns : bt->made_ns;
	t->start_ns = min_u64(max_u64(t->start_ns, m->start_ns), m->end_ns);
	t->end_ns = t->start_ns;
	if (t->span_cnt) {
		t->start_ns = t->spans[0].start_ns;
		t->end_ns = t->spans[t->span_cnt - 1].end_ns;
	}
}

static int task_cmp(const void *a, const void *b)
{
	const struct model_task *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/*
 * Tasks by birth number; so far they stood in the order of first sight. Return: where each stands
 * now, to be freed.
 */
static uint32_t *sort_tasks(struct model_builder *b)
{
	uint32_t *place = xcalloc(b->task_cnt, sizeof(*place));
	struct model *m = &b->m;

	if (m->task_cnt)
		qsort(m->tasks, m->task_cnt, sizeof(*m->tasks), task_cmp);
	for (size_t i = 0; i < m->task_cnt; i++)
		place[*idmap_get(&b->task_by_id, m->tasks[i].id, 0)] = (uint32_t)i;
	return place;
}

static void clip_migrations(struct model *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->migration_cnt; i++) {
		if (m->migrations[i].at_ns >= m->start_ns && m->migrations[i].at_ns <= m->end_ns)
			m->migrations[kept++] = m->migrations[i];
	}
	m->migration_cnt = kept;
}

/* Of the waits that reach into the window, the last one stays. */
static void note_last_wait(const struct model *m, struct model_task *t,
			   const struct futex_link *link)
{
	const struct model_span *wait = &t->spans[link->span];

	if (wait->start_ns >= m->end_ns || wait->end_ns <= m->start_ns)
		return;
	t->wait_start_ns = max_u64(wait->start_ns, m->start_ns);
	t->wait_val = link->val;
	t->wait_owner_tid = link->owner_tid;
}

static void judge_futexes(struct model_builder *b)
{
	struct futex_wait *waits;
	size_t cnt = 0;

	waits = xcalloc(b->futex_link_cnt, sizeof(*waits));
	for (size_t i = 0; i < b->m.task_cnt; i++) {
		struct model_task *t = &b->m.tasks[i];
		uint32_t idx = *idmap_get(&b->task_by_id, t->id, 0);
		size_t link = b->tasks[idx].futex_first;

		for (; link; link = b->futex_links[link - 1].next) {
			waits[cnt++] = (struct futex_wait){
				&t->spans[b->futex_links[link - 1].span], t->id
			};
			note_last_wait(&b->m, t, &b->futex_links[link - 1]);
		}
	}
	futex_judge_together(waits, cnt);
	free(waits);
}

/*
 * What followed the last switch-out that was recorded is known only if the kernel counted no other.
 */
static void doubt_tails(struct model_builder *b)
{
	for (size_t i = 0; i < b->total_cnt; i++) {
		const struct lab_ev_task_total *total = &b->totals[i];
		uint32_t *idx = idmap_get(&b->task_by_id, total->head.task, 0);

		if (idx)
			b->tasks[*idx].tail_whole = total->switch_outs == b->tasks[*idx].outs;
	}
	for (size_t i = 0; i < b->task_cnt; i++)
		if (b->tasks[i].life != LIFE_DEAD && !b->tasks[i].tail_whole)
			task_doubt(&b->tasks[i]);
}

void finish_spans(struct model_builder *b)
{
	struct model *m = &b->m;
	uint32_t *place;
	size_t gone = 0;

	if (m->gap_cnt)
		doubt_tails(b);

	for (size_t i = 0; i < b->task_cnt; i++) {
		struct btask *bt = &b->tasks[i];

		vec_add(m->tasks, m->task_cnt, m->task_cap, bt->t);
		bt->t.spans = NULL;
	}
	place = sort_tasks(b);
	judge_futexes(b);
	for (size_t i = 0; i < m->task_cnt; i++) {
		struct model_task *t = &m->tasks[i];
		struct btask *bt = &b->tasks[*idmap_get(&b->task_by_id, t->id, 0)];

		gone += clip_all(m, t);
		fill_task(m, bt, t);
		m->daemons += t->alive;
		t->span_first = m->span_cnt;
		m->span_cnt += t->span_cnt;
		if (m->gap_cnt)
			mark_gaps(m, t);
	}
	turns_finish(b, place, gone);
	naps_finish(b);
	free(place);
	clip_migrations(m);
}
