/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * build_finish - the window, and everything cut to it and put in order.
 */

#include <errno.h>
#include <stdlib.h>

#include "model/build.h"
#include "model/futex.h"
#include "util/alloc.h"
#include "util/log.h"
#include "util/minmax.h"

#define SCATTER_STEP 65536	/* spans after which memory is given back */

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

	if (!has_root(b)) {
		log_err("no record of this trace says what its first task was: there is nothing to tell from it");
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

/* Cut to the window. False: nothing is left. */
static bool clip(const struct model *m, struct model_span *span)
{
	if (span->end_ns <= m->start_ns || span->start_ns >= m->end_ns)
		return false;
	span->start_min_ns = max_u64(span->start_min_ns, m->start_ns);
	if (span->start_ns < m->start_ns) {
		span->start_ns = m->start_ns;
		span->flags |= SPAN_CUT_START;
	}
	if (span->end_ns > m->end_ns) {
		span->end_ns = m->end_ns;
		span->flags |= SPAN_CUT_END;
		/* What ended it came after the cut. */
		span->flags &= ~(SPAN_WOKEN_BY_IRQ | SPAN_WAKER_EXITING | SPAN_WAKER_DESCENDANT |
				 SPAN_WOKEN_UNSEEN);
		if (span->state == SPAN_BLOCKED)
			span->waker_id = span->waker_tid = 0;
	}
	if (span->state == SPAN_RUNNING &&
	    seq_gap_within(m, span->cpu, span->start_ns, span->end_ns))
		span->flags |= SPAN_ACROSS_GAP;
	return true;
}

/* Counters never fall but in a corrupt file. */
static uint64_t rise(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

static void fill_task(const struct model *m, const struct btask *bt, struct model_task *t)
{
	*t = bt->t;
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
}

static int task_cmp(const void *a, const void *b)
{
	const struct model_task *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static struct model_task *find_task(const struct model *m, uint32_t id)
{
	struct model_task key = { .id = id };

	return bsearch(&key, m->tasks, m->task_cnt, sizeof(*m->tasks), task_cmp);
}

/* The waits of one task in which an event loop would wait. */
struct loop_waits {
	uint64_t epoll, poll, uring;
};

static void count_wait(struct model *m, struct loop_waits *waits, enum reason reason)
{
	waits->epoll += reason == REASON_EPOLL;
	waits->poll += reason == REASON_POLL;
	waits->uring += reason == REASON_URING;
	m->epoll_waits = max_u64(m->epoll_waits, waits->epoll);
	m->poll_waits = max_u64(m->poll_waits, waits->poll);
	m->uring_waits = max_u64(m->uring_waits, waits->uring);
}

/* How many spans of each task are in the window. b->owners[] becomes the owner's place + 1, or 0. */
static void clip_all(struct model_builder *b)
{
	struct model *m = &b->m;
	struct loop_waits *waits = xcalloc(m->task_cnt, sizeof(*waits));

	for (size_t i = 0; i < m->span_cnt; i++) {
		struct model_task *t;

		if (!clip(m, &m->spans[i])) {
			b->owners[i] = 0;
			continue;
		}
		t = find_task(m, b->owners[i]);
		t->span_cnt++;
		b->owners[i] = (uint32_t)(t - m->tasks) + 1;
		if (m->spans[i].state == SPAN_BLOCKED)
			count_wait(m, &waits[t - m->tasks], m->spans[i].reason);
	}
	free(waits);
}

/*
 * Tasks by birth number, each with its spans in a row. Spans of one task come in order of time. They
 * are the most of a model: last to first, so that what was moved can be given back meanwhile.
 */
static void scatter(struct model_builder *b)
{
	struct model *m = &b->m;
	struct model_span *spans;
	size_t cnt = 0;

	clip_all(b);
	for (size_t i = 0; i < m->task_cnt; i++)
		m->tasks[i].span_first = cnt += m->tasks[i].span_cnt;
	spans = xcalloc(cnt, sizeof(*spans));
	for (size_t i = m->span_cnt; i > 0; i--) {
		if (b->owners[i - 1])
			spans[--m->tasks[b->owners[i - 1] - 1].span_first] = m->spans[i - 1];
		if (i % SCATTER_STEP == 0)
			m->spans = xreallocarray(m->spans, i, sizeof(*spans));
	}
	for (size_t i = 0; i < m->task_cnt; i++) {
		struct model_task *t = &m->tasks[i];

		if (!t->span_cnt)
			continue;
		t->start_ns = spans[t->span_first].start_ns;
		t->end_ns = spans[t->span_first + t->span_cnt - 1].end_ns;
	}
	free(m->spans);
	m->spans = spans;
	m->span_cap = m->span_cnt = cnt;
	free(b->owners);
	b->owners = NULL;
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

void finish_spans(struct model_builder *b)
{
	struct model *m = &b->m;

	futex_judge_together(m->spans, b->owners, m->span_cnt);
	for (size_t i = 0; i < b->task_cnt; i++) {
		const struct btask *bt = &b->tasks[i];

		fill_task(m, bt, vec_push(m->tasks, m->task_cnt, m->task_cap));
		m->daemons += m->tasks[i].alive;
	}
	if (m->task_cnt)
		qsort(m->tasks, m->task_cnt, sizeof(*m->tasks), task_cmp);
	scatter(b);
	clip_migrations(m);
}
