/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * term_findings - patterns that cost time although nothing is wrong: each line appears only where
 * it applies.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "render/lock_name.h"
#include "render/term.h"

#define NAME_COLS_MAX 60

static void say_spinning(const struct term *t)
{
	const struct report_spinning *s = &t->r->spinning;
	struct phrase p = { 0 };

	if (!s->present)
		return;
	phrase_add(&p, "%s", term_task(t, s->task_id).s);
	if (s->task_cnt > 1) {
		phrase_add(&p, " and ");
		phrase_count(&p, s->task_cnt - 1, "other task");
	}
	if (s->yields) {
		phrase_add(&p, " gave up the CPU ");
		phrase_count(&p, s->yields, "time");
		phrase_add(&p, " with sched_yield and wanted it back at once");
	}
	if (s->empty_polls) {
		phrase_add(&p, s->yields ? ", and asked epoll " : " asked epoll ");
		phrase_count(&p, s->empty_polls, "time");
		phrase_add(&p, " without waiting and got nothing");
	}
	phrase_add(&p, "; being busy is not progress: compare with --cpus %u",
		   t->m->cpu_cnt ? t->m->cpus[0].cpu : 0);
	term_para(t, "spins", &p);
}

static void say_rounds(const struct term *t)
{
	const struct report_rounds *r = &t->r->rounds;
	char *name = lock_name(r->symbol);
	struct phrase p = { 0 };

	if (r->present) {
		phrase_count(&p, r->task_cnt, "task");
		phrase_add(&p, " waited for each other in %s rounds at ", fmt_count(r->rounds).s);
		if (name)
			phrase_add(&p, "%s: ", term_safe_str(t, name, NAME_COLS_MAX).s);
		else
			phrase_add(&p, "the futex 0x%" PRIx64 ": ", r->addr);
		phrase_add(&p, "%s came last ", term_task(t, r->last_id).s);
		phrase_count(&p, r->last_cnt, "time");
		phrase_add(&p, "; the others waited %s in all", fmt_ns(r->wait_ns).s);
		term_para(t, "rounds", &p);
	}
	free(name);
}

static void say_pool(const struct term *t)
{
	const struct report_pool *pool = &t->r->pool;
	struct phrase p = { 0 };

	if (!pool->present)
		return;
	phrase_count(&p, pool->task_cnt, "thread");
	phrase_add(&p, " of %s wait for jobs (%s ran longest): ", term_task(t, pool->parent_id).s,
		   term_task(t, pool->task_id).s);
	if (pool->idles)
		phrase_add(&p, "for %s of the time with jobs, no more than %s had one; "
			   "more jobs at once would use the others",
			   fmt_share(pool->active_ns - pool->beyond_ns, pool->active_ns).s,
			   fmt_count(pool->at_once).s);
	if (pool->queued_ns)
		phrase_add(&p, "%sfor %s each had one, and up to %s of %s operations "
			   "waited for a thread",
			   pool->idles ? "; " : "", fmt_ns(pool->queued_ns).s,
			   fmt_count(pool->op_cnt - pool->task_cnt).s, fmt_count(pool->op_cnt).s);
	term_para(t, "pool", &p);
}

static void say_tail(const struct term *t)
{
	const struct report_tail *tail = &t->r->tail;
	struct phrase p = { 0 };

	if (!tail->present)
		return;
	phrase_add(&p, "for the last %s (%s of the run) no two tasks had work: ",
		   fmt_ns(tail->ns).s, fmt_share(tail->ns, t->window_ns).s);
	phrase_add(&p, "%s ran for %s of it; smaller pieces of work would end together",
		   term_task(t, tail->task_id).s, fmt_ns(tail->task_run_ns).s);
	term_para(t, "end", &p);
}

void term_findings(const struct term *t)
{
	say_spinning(t);
	say_rounds(t);
	say_pool(t);
	say_tail(t);
}
