/* SPDX-License-Identifier: GPL-2.0-only */
/* term_capacity - where the CPUs' time went, and what would give back the largest loss. */
#include "analyze/share.h"
#include "render/term.h"
#include "util/minmax.h"

/* One part, if there is any of it. */
static void say_part(const struct term *t, struct phrase *p, const char *name, uint64_t ns)
{
	if (ns)
		phrase_add(p, "%s %s", name, fmt_share(ns, t->r->capacity.total_ns).s);
}

static void say_others(const struct term *t, struct phrase *p)
{
	const struct report_capacity *c = &t->r->capacity;

	if (c->interference_ns + c->other_ns)
		say_part(t, p, ", other programs", c->interference_ns + c->other_ns);
	if (c->interference_ns && c->other_ns)
		phrase_add(p, " (%s while a task was ready)",
			   fmt_share(c->interference_ns, c->total_ns).s);
	else if (c->interference_ns)
		phrase_add(p, " while a task was ready");
	else if (c->other_ns)
		phrase_add(p, " while no task was ready");
}

static void say_parts(const struct term *t, struct phrase *p)
{
	const struct report_capacity *c = &t->r->capacity;
	const char *lead = "blocked on ";

	phrase_add(p, ": work %s", fmt_share(c->work_ns, c->total_ns).s);
	say_others(t, p);
	say_part(t, p, ", barred to waiting tasks", c->affinity_ns);
	if (c->throttled_ns)
		phrase_add(p, ", held back by %s %s", term_holder(t),
			   fmt_share(c->throttled_ns, c->total_ns).s);
	say_part(t, p, ", wake-up latency", c->latency_ns);
	say_part(t, p, ", idle beside waiting tasks", c->balancing_ns);
	say_part(t, p, ", idle beside waiting tasks", c->undivided_ns);
	for (int k = 0; k < REASON_CNT; k++) {
		if (!c->blocked_ns[k])
			continue;
		phrase_add(p, ", %s%s %s", lead, reason_name((enum reason)k),
			   fmt_share(c->blocked_ns[k], c->total_ns).s);
		lead = "";
	}
	say_part(t, p, ", no task", c->no_thread_ns);
	say_part(t, p, ", not known", c->unknown_ns);
}

/* Whole sentences: what was lost, and what you can do about it. */
struct remedy {
	const char *loss;	/* NULL: say_pinned(), say_held() */
	const char *remedy;
};

static const struct remedy losses[] = {
	[LOSS_LATENCY] = {
		"CPUs were idle while a task was on its way to them",
		"use fewer wake-ups with more work after each",
	},
	[LOSS_UNDIVIDED] = {
		"tasks waited for one CPU while another was idle",
		"let them use every CPU, or work in longer pieces",
	},
	[LOSS_INTERFERENCE] = {
		"other programs used CPUs while tasks waited for one",
		"close other programs, and run it again",
	},
	[LOSS_UNKNOWN] = {
		"the records do not say who had these CPUs",
		"record it again without loss, and with every CPU online",
	},
	[LOSS_NO_THREAD] = {
		"the program had too little to do at once for all CPUs",
		"divide the work among more tasks",
	},
	[LOSS_AFFINITY] = { NULL, "let them use every CPU" },
	[LOSS_THROTTLED] = { NULL, "allow more" },
	[LOSS_BALANCING] = {
		"tasks waited for one CPU while another, which they may use, was idle",
		"work in longer pieces",
	},
};

/* Under a quota a task may wait for its next period instead of a CPU. */
static const struct remedy losses_under_quota[] = {
	[LOSS_UNDIVIDED] = {
		"CPUs were idle while tasks waited",
		"allow a larger quota, or use fewer wake-ups",
	},
	[LOSS_INTERFERENCE] = {
		"other programs used CPUs while tasks waited, for these or for the quota",
		"allow a larger quota, or close other programs",
	},
};

/* What tasks waited for. */
static const struct remedy reasons[REASON_CNT] = {
	[REASON_LOCK] = { "a lock", "hold it for less time, or use several locks" },
	[REASON_COND] = { "a signal of a condition, or its time limit",
			  "give each signal more work" },
	[REASON_JOIN] = { "the end of a thread",
			  "use more threads at once and equal shares of work" },
	[REASON_CHILD] = { "a child", "use more children at once and equal shares of work" },
	[REASON_EPOLL] = { "descriptors to be ready", "keep more requests in flight" },
	[REASON_POLL] = { "descriptors to be ready", "keep more requests in flight" },
	[REASON_SLEEP] = { "a set time", "sleep less, or let other tasks compute meanwhile" },
	[REASON_PIPE] = { "the other end of a pipe", "make it faster, or send larger pieces" },
	[REASON_SOCKET] = { "the other end of a socket", "keep more requests in flight" },
	[REASON_URING] = { "requests to complete", "keep more of them in flight" },
	[REASON_DISK] = { "storage", "read ahead, or let other tasks compute meanwhile" },
	[REASON_PAGEFAULT] = { "pages of memory",
			       "touch the memory beforehand, or use more of it" },
	[REASON_KERNEL] = { "a lock inside the kernel",
			    "make fewer calls at once on one file, folder or address space" },
	[REASON_STOPPED] = { "leave to go on after a stop", "do not stop them" },
	[REASON_SIGNAL] = { "a signal", "let other tasks compute meanwhile" },
	[REASON_FILELOCK] = { "the lock of a file", "hold it for less time, or use several files" },
	[REASON_SEMAPHORE] = { "a semaphore", "hold it for less time, or use a larger count" },
	[REASON_QUEUE] = { "a queue of messages", "keep more messages in flight" },
	[REASON_EVENTFD] = { "an eventfd", "give each of its wake-ups more work" },
	[REASON_OTHER] = { "something else", "let other tasks compute meanwhile" },
};

static bool are_turns(const struct report *r)
{
	return r->serializer.present && r->serializer.kind == SERIALIZER_HANDOVERS &&
	       (r->capacity.largest == LOSS_SERIALIZED || r->capacity.largest == LOSS_NO_THREAD);
}

static const struct remedy *find_remedy(const struct report *r)
{
	static const struct remedy turns = {
		"their turn", "divide the work so that they need not wait for each other",
	};
	const struct report_capacity *c = &r->capacity;

	if (are_turns(r))
		return &turns;
	if (c->largest == LOSS_BLOCKED || c->largest == LOSS_SERIALIZED)
		return &reasons[c->largest_reason];
	if (!c->latency_known && c->largest < ARRAY_SIZE(losses_under_quota) &&
	    losses_under_quota[c->largest].loss)
		return &losses_under_quota[c->largest];
	return &losses[c->largest];
}

static void say_cpus(struct phrase *p, const uint16_t *cpus, uint32_t cnt)
{
	if (cnt)
		phrase_add(p, "only CPU%s %s", cnt == 1 ? "" : "s", fmt_cpu_list(cpus, cnt, 39).s);
	else
		phrase_add(p, "none of these CPUs");
}

/* Others often had the CPUs that this program could not use for the reason of its largest loss. */
static bool others_had_them(const struct report_capacity *c)
{
	uint64_t ns = 0;

	if (c->largest == LOSS_AFFINITY)
		ns = c->other.affinity_ns;
	else if (c->largest == LOSS_NO_THREAD)
		ns = c->other.no_thread_ns;
	else if (c->largest == LOSS_BLOCKED || c->largest == LOSS_SERIALIZED)
		ns = c->other.blocked_ns[c->largest_reason];
	return share_is_5_percent(ns, c->largest_ns);
}

/* One case stands for all. */
static void say_pinned(const struct term *t, struct phrase *p)
{
	const struct report_capacity *c = &t->r->capacity;

	if (!c->pinned_ns) {
		phrase_add(p, "tasks waited while CPUs that they may not use were %s",
			   !others_had_them(c) ? "idle" :
			   c->affinity_ns ? "idle, or other programs had them" :
					    "in use by other programs");
		return;
	}
	phrase_add(p, "tasks that may use ");
	say_cpus(p, c->pinned_to, c->pinned_to_cnt);
	phrase_add(p, " waited while CPU %u was idle, for %s", c->pinned_idle_cpu,
		   fmt_ns(c->pinned_ns).s);
	if (others_had_them(c))
		phrase_add(p, ", or other programs had CPUs that they may not use, for %s",
			   fmt_ns(c->other.affinity_ns).s);
}

static void say_held(const struct term *t, struct phrase *p)
{
	if (t->m->budget_holds)
		phrase_add(p, "%s", term_holder(t));
	else if (t->m->quota_milli_cpus)
		phrase_add(p, "the quota of %s CPUs", fmt_ratio(t->m->quota_milli_cpus, 1000, 2).s);
	else
		phrase_add(p, "a quota");
	phrase_add(p, " held tasks back for %s of the %s", fmt_ns(t->r->capacity.held_ns).s,
		   fmt_ns(t->window_ns).s);
}

static void say_largest(const struct term *t)
{
	const struct report_capacity *c = &t->r->capacity;
	const struct remedy *r = find_remedy(t->r);
	struct phrase p = { 0 };

	/* Nothing that a loss of CPU time says would let a run that is stuck go on. */
	if (c->largest == LOSS_NONE || report_is_stuck(t->r))
		return;
	phrase_add(&p, "largest loss, %s: ", fmt_share(c->largest_ns, c->total_ns).s);
	if (c->largest == LOSS_BLOCKED || c->largest == LOSS_SERIALIZED || are_turns(t->r))
		phrase_add(&p, "CPUs were idle%s while tasks waited for ",
			   others_had_them(c) ? ", or other programs had them," : "");
	if (c->largest == LOSS_AFFINITY)
		say_pinned(t, &p);
	else if (c->largest == LOSS_THROTTLED)
		say_held(t, &p);
	else
		phrase_add(&p, "%s", r->loss);
	if (c->largest == LOSS_SERIALIZED && !are_turns(t->r))
		phrase_add(&p, " that lets one task run at a time");
	phrase_add(&p, "; %s", r->remedy);
	if (c->largest == LOSS_SERIALIZED || are_turns(t->r))
		phrase_add(&p, "; more tasks or CPUs would change nothing");
	term_para(t, "", &p);
}

void term_cpus(const struct term *t)
{
	struct phrase p = { 0 };

	phrase_add(&p, "%zu x %s", t->m->cpu_cnt, fmt_ns(t->window_ns).s);
	if (t->r->capacity.known)
		say_parts(t, &p);
	if (t->m->quota_milli_cpus)
		phrase_add(&p, "; a quota %sallows %s CPUs",
			   t->m->quota_entered ? "that tasks came under during the run " : "",
			   fmt_ratio(t->m->quota_milli_cpus, 1000, 2).s);
	term_para(t, "CPUs", &p);
	say_largest(t);
}
