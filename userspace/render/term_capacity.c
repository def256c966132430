/* SPDX-License-Identifier: GPL-2.0-only */
/* term_capacity - where the CPUs' time went, and what would give back the largest loss. */
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

	say_part(t, p, ", other programs", c->interference_ns);
	if (c->interference_ns)
		phrase_add(p, " that tasks waited for");
	say_part(t, p, c->interference_ns ? " and" : ", other programs", c->other_ns);
	if (c->other_ns)
		phrase_add(p, " that %s", c->interference_ns ? "none did" : "no task waited for");
}

static void say_parts(const struct term *t, struct phrase *p)
{
	const struct report_capacity *c = &t->r->capacity;
	const char *lead = "blocked on ";

	phrase_add(p, ": work %s", fmt_share(c->work_ns, c->total_ns).s);
	say_others(t, p);
	say_part(t, p, ", barred to waiting tasks", c->affinity_ns);
	say_part(t, p, ", held back by the quota", c->throttled_ns);
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

struct remedy {
	const char *loss, *remedy;	/* NULL: say_pinned(), say_held() */
};

static const struct remedy losses[] = {
	[LOSS_LATENCY] = {
		"a task was on its way to a CPU that stood idle meanwhile",
		"fewer wake-ups with more work after each",
	},
	[LOSS_UNDIVIDED] = {
		"tasks waited for one CPU while another stood idle",
		"letting them use every CPU, or work in longer pieces",
	},
	[LOSS_INTERFERENCE] = {
		"other programs had CPUs for which tasks waited",
		"a quieter machine",
	},
	[LOSS_OTHER] = {
		"other programs had CPUs for which no task waited",
		"a quieter machine, with more tasks ready at once,",
	},
	[LOSS_UNKNOWN] = {
		"the records do not say who had these CPUs",
		"a recording without loss",
	},
	[LOSS_NO_THREAD] = {
		"CPUs stood idle, and no task was there to use them",
		"more tasks at once",
	},
	[LOSS_AFFINITY] = { NULL, "letting them use every CPU" },
	[LOSS_THROTTLED] = { NULL, "a larger one" },
	[LOSS_BALANCING] = {
		"tasks waited for one CPU while another, which they may use, stood idle",
		"work in longer pieces",
	},
};

/* Under a quota a task may wait for its next period instead of a CPU. */
static const struct remedy losses_under_quota[] = {
	[LOSS_UNDIVIDED] = {
		"CPUs stood idle beside waiting tasks",
		"a larger quota, or fewer wake-ups,",
	},
	[LOSS_INTERFERENCE] = {
		"other programs had CPUs while tasks waited, for these or for the quota",
		"a larger quota, or a quieter machine,",
	},
};

/* The others are no reason: the quota would have left these CPUs idle. */
static const struct remedy other_beside_quota = {
	"other programs had CPUs for which no task waited, while ",
	"a larger quota, or a quieter machine with more tasks ready at once,",
};

static const struct remedy reasons[REASON_CNT] = {
	[REASON_LOCK] = { "a lock", "holding it for less time, or several locks" },
	[REASON_COND] = { "one another's signals", "more work for each signal" },
	[REASON_JOIN] = { "the end of a thread", "more threads at once and equal shares of work" },
	[REASON_CHILD] = { "a child", "more children at once and equal shares of work" },
	[REASON_EPOLL] = { "descriptors to be ready", "more requests in flight" },
	[REASON_POLL] = { "descriptors to be ready", "more requests in flight" },
	[REASON_SLEEP] = { "a time to come", "shorter sleeps, or other tasks that compute meanwhile" },
	[REASON_PIPE] = { "the other end of a pipe", "a faster one, or larger pieces" },
	[REASON_SOCKET] = { "the other end of a socket", "more requests in flight" },
	[REASON_URING] = { "requests to complete", "more of them in flight" },
	[REASON_DISK] = { "storage", "reading ahead, or other tasks that compute meanwhile" },
	[REASON_PAGEFAULT] = { "pages of memory", "memory that is touched beforehand, or more of it" },
	[REASON_KERNEL] = { "a lock inside the kernel",
			    "fewer calls at once on one file, folder or address space" },
	[REASON_STOPPED] = { "being let go on", "nobody stopping them" },
	[REASON_SIGNAL] = { "a signal", "other tasks that compute meanwhile" },
	[REASON_FILELOCK] = { "the lock of a file", "holding it for less time, or several files" },
	[REASON_SEMAPHORE] = { "a semaphore", "holding it for less time, or a larger count" },
	[REASON_QUEUE] = { "a queue of messages", "more messages in flight" },
	[REASON_OTHER] = { "something else", "other tasks that compute meanwhile" },
};

/* For whom a quota holds back no CPU was missing. */
static bool is_held_beside(const struct report_capacity *c)
{
	return c->largest == LOSS_OTHER && c->held_ns;
}

static const struct remedy *find_remedy(const struct report_capacity *c)
{
	if (c->largest == LOSS_BLOCKED)
		return &reasons[c->largest_reason];
	if (is_held_beside(c))
		return &other_beside_quota;
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

/* One case stands for all. */
static void say_pinned(const struct term *t, struct phrase *p)
{
	const struct report_capacity *c = &t->r->capacity;

	if (!c->pinned_ns) {
		phrase_add(p, "tasks waited while CPUs that they may not use stood idle");
		return;
	}
	phrase_add(p, "tasks that may use ");
	say_cpus(p, c->pinned_to, c->pinned_to_cnt);
	phrase_add(p, " waited while CPU %u stood idle, for %s", c->pinned_idle_cpu,
		   fmt_ns(c->pinned_ns).s);
}

static void say_held(const struct term *t, struct phrase *p)
{
	if (t->m->meta.quota_milli_cpus)
		phrase_add(p, "the quota of %s CPUs",
			   fmt_ratio(t->m->meta.quota_milli_cpus, 1000, 2).s);
	else
		phrase_add(p, "a quota");
	phrase_add(p, " held tasks back for %s of the %s", fmt_ns(t->r->capacity.held_ns).s,
		   fmt_ns(t->window_ns).s);
}

static void say_largest(const struct term *t)
{
	const struct report_capacity *c = &t->r->capacity;
	const struct remedy *r = find_remedy(c);
	struct phrase p = { 0 };

	if (c->largest == LOSS_NONE)
		return;
	phrase_add(&p, "largest loss, %s: ", fmt_share(c->largest_ns, c->total_ns).s);
	if (c->largest == LOSS_BLOCKED)
		phrase_add(&p, "CPUs stood idle while tasks waited for ");
	if (c->largest == LOSS_AFFINITY)
		say_pinned(t, &p);
	else if (c->largest == LOSS_THROTTLED)
		say_held(t, &p);
	else
		phrase_add(&p, "%s", r->loss);
	if (is_held_beside(c))
		say_held(t, &p);
	phrase_add(&p, "; %s would reduce it", r->remedy);
	term_para(t, "", &p);
}

void term_cpus(const struct term *t)
{
	struct phrase p = { 0 };

	phrase_add(&p, "%zu x %s", t->m->cpu_cnt, fmt_ns(t->window_ns).s);
	if (t->r->capacity.known)
		say_parts(t, &p);
	if (t->m->meta.quota_milli_cpus)
		phrase_add(&p, "; a quota allows %s CPUs",
			   fmt_ratio(t->m->meta.quota_milli_cpus, 1000, 2).s);
	term_para(t, "CPUs", &p);
	say_largest(t);
}
