/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * term_stuck - a run that could not go on: its headline, which is the first of the report, and
 * what it rests on.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "render/lock_name.h"
#include "render/names.h"
#include "render/term.h"
#include "util/minmax.h"

#define WAITS_SHOWN 6
#define LOCK_COLS_MAX 80

/* "counter+0x28", or "0x7f...". */
static void say_futex(const struct term *t, struct phrase *p, const struct model_symbol *symbol,
		      uint64_t addr)
{
	char *name = lock_name(symbol);

	if (name)
		phrase_add(p, "%s", term_safe_str(t, name, LOCK_COLS_MAX).s);
	else
		phrase_add(p, "0x%" PRIx64, addr);
	free(name);
}

/* The class is of what ran before: it says nothing of a run that stands still. */
static void say_before(const struct term *t, struct phrase *p, uint64_t since_ns, uint64_t until_ns)
{
	phrase_add(p, "%s until %s; then, for %s of the run, ",
		   verdict_class_name(t->r->verdict.class), term_instant(t, since_ns).s,
		   fmt_share(until_ns - since_ns, t->window_ns).s);
}

/* ---- a deadlock ---- */

static void say_circle_wait(const struct term *t, struct phrase *p, const struct deadlock_wait *w)
{
	phrase_add(p, "%s waits for ", term_task(t, w->task_id).s);
	if (w->evidence == EVIDENCE_JOIN) {
		phrase_add(p, "the end of %s", term_task(t, w->owner_id).s);
		return;
	}
	say_futex(t, p, w->symbol, w->addr);
	phrase_add(p, ", which %s has", term_task(t, w->owner_id).s);
}

static void deadlock_headline(const struct term *t)
{
	const struct report_deadlock *d = &t->r->deadlock;
	uint64_t shown = min_u64(d->wait_cnt, WAITS_SHOWN);
	struct phrase p = { 0 };

	say_before(t, &p, d->since_ns, max_u64(t->m->end_ns, d->since_ns));
	for (uint64_t i = 0; i < shown; i++) {
		phrase_add(&p, "%s", i ? "; " : "");
		say_circle_wait(t, &p, &d->waits[i]);
	}
	if (d->wait_cnt > shown)
		phrase_add(&p, "; and so on through %s more, to the first",
			   fmt_count(d->wait_cnt - shown).s);
	term_headline(t, "DEADLOCK", "1;31", &p);
}

static void deadlock_facts(const struct term *t)
{
	const struct report_deadlock *d = &t->r->deadlock;
	bool by_library = false;
	struct phrase p = { 0 };

	for (size_t i = 0; i < d->wait_cnt; i++)
		by_library |= d->waits[i].evidence == EVIDENCE_LIBRARY;
	phrase_add(&p, "the circle of waits lasts to the end; the owners are those that %s",
		   by_library ? "the C library keeps beside its locks" : "the kernel itself saw");
	if (d->behind_cnt) {
		phrase_add(&p, "; ");
		phrase_count(&p, d->behind_cnt, "more task");
		phrase_add(&p, d->behind_cnt == 1 ? " waits behind them" : " wait behind them");
	}
	if (d->circles > 1) {
		phrase_add(&p, "; there ");
		phrase_add(&p, d->circles == 2 ? "is " : "are ");
		phrase_count(&p, d->circles - 1, "more circle");
	}
	term_para(t, "stuck", &p);
}

/* ---- any other run that stood still ---- */

/* A wait for no task that is known: where. */
static void say_end_of_chain(const struct term *t, struct phrase *p, const struct stuck_wait *w)
{
	phrase_add(p, "%s ", term_task(t, w->task_id).s);
	if (w->reason == REASON_PIPE) {
		phrase_add(p, "in %s of the pipe at descriptor %" PRIu64,
			   w->call ? w->call : "a call", w->addr);
		return;
	}
	phrase_add(p, "at ");
	say_futex(t, p, w->symbol, w->addr);
	phrase_add(p, " (%s)", reason_name(w->reason));
	if (w->owner_tid)
		phrase_add(p, ", whose owner, tid %" PRIu32 ", is a thread of another process "
			   "(it was locked during a fork)", w->owner_tid);
}

static void say_link(const struct term *t, struct phrase *p, const struct stuck_wait *w)
{
	phrase_add(p, "%s waits for ", term_task(t, w->task_id).s);
	if (w->reason == REASON_CHILD) {
		phrase_add(p, "its child %s", term_task(t, w->awaits_id).s);
	} else if (w->reason == REASON_JOIN) {
		phrase_add(p, "the end of %s", term_task(t, w->awaits_id).s);
	} else {
		say_futex(t, p, w->symbol, w->addr);
		phrase_add(p, ", which %s has", term_task(t, w->awaits_id).s);
	}
}

static void stuck_headline(const struct term *t)
{
	const struct report_stuck *s = &t->r->stuck;
	uint64_t shown = min_u64(s->wait_cnt, WAITS_SHOWN);
	struct phrase p = { 0 };

	say_before(t, &p, s->since_ns, s->until_ns);
	phrase_add(&p, "no task could run. Never woken: ");
	for (uint64_t i = 0; i < shown; i++) {
		phrase_add(&p, "%s", i ? "; " : "");
		if (s->waits[i].awaits_id)
			say_link(t, &p, &s->waits[i]);
		else
			say_end_of_chain(t, &p, &s->waits[i]);
	}
	if (s->wait_cnt > shown)
		phrase_add(&p, "; and %s more", fmt_count(s->wait_cnt - shown).s);
	term_headline(t, "STUCK", "1;31", &p);
}

static void stuck_facts(const struct term *t)
{
	const struct report_stuck *s = &t->r->stuck;
	struct phrase p = { 0 };

	phrase_add(&p, "every task was blocked in a wait that has no time limit and that only "
		   "another task of this run could end, from %s ", term_instant(t, s->since_ns).s);
	if (s->until_ns < t->m->end_ns)
		phrase_add(&p, "until a signal from outside came at %s",
			   term_instant(t, s->until_ns).s);
	else
		phrase_add(&p, "to the end of the recording");
	term_para(t, "stuck", &p);
}

void term_stuck_headline(const struct term *t)
{
	if (t->r->deadlock.present)
		deadlock_headline(t);
	else if (t->r->stuck.present)
		stuck_headline(t);
}

void term_stuck(const struct term *t)
{
	if (t->r->deadlock.present)
		deadlock_facts(t);
	else if (t->r->stuck.present)
		stuck_facts(t);
}
