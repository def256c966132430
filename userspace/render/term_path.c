/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>

#include "render/lock_name.h"
#include "render/names.h"
#include "render/term.h"
#include "util/minmax.h"

#define TASKS_NAMED 3
#define LOCK_COLS_MAX 80

static void say_share(const struct term *t, struct phrase *p, const char *kind, uint64_t ns)
{
	if (ns)
		phrase_add(p, "%s %s, ", kind, fmt_share(ns, t->r->path.length_ns).s);
}

/* The reasons stand longest first. */
static void say_blocked(const struct term *t, struct phrase *p)
{
	const uint64_t *ns = t->r->path.blocked_ns;
	bool done[REASON_CNT] = { false };

	for (int n = 1; n < REASON_CNT; n++) {
		int best = 0;

		for (int i = 1; i < REASON_CNT; i++)
			if (!done[i] && ns[i] && (!best || ns[i] > ns[best]))
				best = i;
		if (!best)
			return;
		done[best] = true;
		say_share(t, p, reason_name(best), ns[best]);
	}
}

void term_path(const struct term *t)
{
	const struct report_path *path = &t->r->path;
	uint32_t named = (uint32_t)min_u64(path->task_cnt, PATH_TOP_MAX);
	struct phrase p = { 0 };

	if (!named)
		return;
	phrase_add(&p, "what the end waited for: ");
	say_share(t, &p, "running", path->run_ns);
	say_share(t, &p, "waiting for a CPU", path->ready_ns);
	say_blocked(t, &p);
	say_share(t, &p, "not known", path->unknown_ns);
	say_share(t, &p, "no task known", path->none_ns);
	phrase_add(&p, "through ");
	phrase_count(&p, path->task_cnt, "task");
	phrase_add(&p, ":");
	for (uint32_t i = 0; i < named; i++)
		phrase_add(&p, "%s %s %s", i ? "," : "", term_task(t, path->top[i].task_id).s,
			   fmt_share(path->top[i].ns, path->length_ns).s);
	term_para(t, "path", &p);
}

/* What tasks hand over to each other through. */
static const char *means(enum reason reason)
{
	switch (reason) {
	case REASON_LOCK:
		return "locks";
	case REASON_COND:
		return "condition variables";
	case REASON_EPOLL:
	case REASON_POLL:
		return "descriptors that they poll";
	case REASON_PIPE:
		return "pipes";
	case REASON_SOCKET:
		return "sockets";
	case REASON_KERNEL:
		return "locks inside the kernel";
	case REASON_SIGNAL:
		return "signals";
	default:
		return "system calls";
	}
}

static void say_handovers(const struct term *t, struct phrase *p)
{
	const struct report_serializer *s = &t->r->serializer;
	uint32_t named = (uint32_t)min_u64(s->task_cnt, TASKS_NAMED);
	char *name = lock_name(s->symbol);

	for (uint32_t i = 0; i < named; i++)
		phrase_add(p, "%s%s", !i ? "" : i + 1 == s->task_cnt ? " and " : ", ",
			   term_task(t, s->tasks[i]).s);
	if (s->task_cnt > named)
		phrase_add(p, " and %s more", fmt_count(s->task_cnt - named).s);
	phrase_add(p, s->task_cnt == 1 ? " waits for its turn, and mostly loses it at once "
					 "to who has it, at " :
					 " hand over to each other through ");
	if (name)
		phrase_add(p, "%s, the futex 0x%" PRIx64, term_safe_str(t, name, LOCK_COLS_MAX).s,
			   s->addr);
	else if (s->addr)
		phrase_add(p, "the futex 0x%" PRIx64, s->addr);
	else
		phrase_add(p, "%s", means(s->through));
	phrase_add(p, ": one runs at a time (index %s) while a CPU could have been another's",
		   fmt_ratio(s->index_ppm, 1000000, 2).s);
	free(name);
}

void term_serializer(const struct term *t)
{
	const struct report_serializer *s = &t->r->serializer;
	uint32_t named = (uint32_t)min_u64(s->task_cnt, TASKS_NAMED);
	struct phrase p = { 0 };
	char *name;

	if (!s->present)
		return;
	if (s->kind == SERIALIZER_HANDOVERS) {
		say_handovers(t, &p);
		term_para(t, "turns", &p);
		return;
	}
	name = lock_name(s->symbol);
	if (name)
		phrase_add(&p, "%s, the futex 0x%" PRIx64 ",",
			   term_safe_str(t, name, LOCK_COLS_MAX).s, s->addr);
	else
		phrase_add(&p, "the futex 0x%" PRIx64, s->addr);
	free(name);
	phrase_add(&p, " lets one task run at a time (index %s):",
		   fmt_ratio(s->index_ppm, 1000000, 2).s);
	for (uint32_t i = 0; i < named; i++)
		phrase_add(&p, "%s %s", i ? "," : "", term_task(t, s->tasks[i]).s);
	if (s->task_cnt > named)
		phrase_add(&p, " and %s more", fmt_count(s->task_cnt - named).s);
	phrase_add(&p, " waited for it while a CPU could have been theirs");
	term_para(t, "lock", &p);
}
