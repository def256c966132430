/* SPDX-License-Identifier: GPL-2.0-only */
#include "oracle_blame.h"

#include <stdlib.h>

#include "util/alloc.h"
#include "util/minmax.h"

struct chain {
	size_t end;		/* the last task; of a circle, the first by index */
	bool circle;
};

static bool waits_on(const struct blame_view *tasks, size_t at)
{
	return tasks[at].blocked && tasks[at].awaited != BLAME_NOBODY;
}

static struct chain follow(const struct blame_view *tasks, size_t cnt, size_t from)
{
	struct chain c = { .end = from };
	size_t at;

	for (size_t steps = 0; waits_on(tasks, c.end); steps++) {
		if (steps > cnt) {
			c.circle = true;
			break;
		}
		c.end = tasks[c.end].awaited;
	}
	if (!c.circle)
		return c;
	/* Once around, and more. */
	at = c.end;
	for (size_t steps = 0; steps <= cnt; steps++) {
		at = tasks[at].awaited;
		c.end = min_u64(c.end, at);
	}
	return c;
}

static bool calls(const struct blame_view *t)
{
	return t->reason == REASON_JOIN || t->reason == REASON_CHILD;
}

static bool gives_up(const struct blame_view *t)
{
	return t->endless && t->reason != REASON_SLEEP && t->reason != REASON_DISK &&
	       t->reason != REASON_PAGEFAULT && t->reason != REASON_KERNEL;
}

static bool is_lock(const struct blame_view *t)
{
	return t->reason == REASON_LOCK || t->reason == REASON_FILELOCK ||
	       t->reason == REASON_SEMAPHORE || t->reason == REASON_KERNEL;
}

/* The tasks whose chains lead to one end, by what is asked of them. */
struct members {
	uint64_t any, work, would_run, work_would_run, at_lock, at[REASON_CNT];
	bool circle;
};

static struct members members_of(const struct blame_view *tasks, const struct chain *chains,
				 size_t cnt, size_t end)
{
	struct members m = { 0 };

	for (size_t i = 0; i < cnt; i++) {
		const struct blame_view *t = &tasks[i];
		bool works = !t->helper || t->reason == REASON_LOCK || t->reason == REASON_FILELOCK;

		if (!t->blocked || chains[i].end != end)
			continue;
		m.any++;
		m.work += works;
		m.would_run += !calls(t);
		m.work_would_run += works && !calls(t);
		m.at_lock += works && is_lock(t);
		m.at[t->reason] += works;
		m.circle |= chains[i].circle;
	}
	return m;
}

static void add(struct blamed *b, uint8_t reason, uint64_t tasks)
{
	b->ends[reason]++;
	b->end_cnt++;
	b->behind[reason] += tasks ? tasks - 1 : 0;
	b->behind_cnt += tasks ? tasks - 1 : 0;
}

/* One of a program before the kernel's own. */
static uint8_t kind_of_lock(const struct members *m)
{
	if (m->at[REASON_LOCK])
		return REASON_LOCK;
	if (m->at[REASON_FILELOCK])
		return REASON_FILELOCK;
	return m->at[REASON_SEMAPHORE] ? REASON_SEMAPHORE : REASON_KERNEL;
}

/* The first question: what keeps those that work. The second: all. The third: callers. */
static void ask(const struct blame_view *end, const struct members *m, int question,
		struct blamed *b)
{
	if (m->circle || !end->blocked) {
		if (question)
			return;
		if (m->circle)
			add(b, REASON_LOCK, m->would_run);
		else if (m->at_lock)
			add(b, kind_of_lock(m), m->at_lock);
		return;
	}
	if (question == 0 && !gives_up(end) && m->work)
		add(b, end->reason, m->work_would_run);
	if (question == 1 && (!gives_up(end) || !calls(end)))
		add(b, end->reason, m->would_run);
	if (question == 2 && gives_up(end) && calls(end))
		add(b, end->reason, m->would_run);
}

struct blamed oracle_blame(const struct blame_view *tasks, size_t cnt, bool busy)
{
	struct chain *chains = xcalloc(cnt + 1, sizeof(*chains));
	struct blamed b = { .end_cnt = 0 };

	for (size_t i = 0; i < cnt; i++)
		chains[i] = follow(tasks, cnt, i);
	for (int question = 0; question < (busy ? 1 : 3) && !b.end_cnt; question++)
		for (size_t end = 0; end < cnt; end++) {
			struct members m = members_of(tasks, chains, cnt, end);

			if (m.any)
				ask(&tasks[end], &m, question, &b);
		}
	free(chains);
	return b;
}

uint64_t blamed_first(const struct blamed *b, uint64_t cpus)
{
	return min_u64(cpus, b->end_cnt);
}

uint64_t blamed_rest(const struct blamed *b, uint64_t cpus)
{
	return min_u64(cpus - blamed_first(b, cpus), b->behind_cnt);
}
