/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/scope.h"

#include <stdio.h>
#include <string.h>

#include "util/format.h"
#include "util/minmax.h"

struct scope {
	bool (*applies)(const struct model *m, const struct report *r);
	bool stands;		/* it is so of every such run, whatever happened in this one */
	const char *sentence;	/* NULL: the one that say_physical() makes */
};

static bool always(const struct model *m, const struct report *r)
{
	(void)m;
	(void)r;
	return true;
}

static bool many_cpus(const struct model *m, const struct report *r)
{
	(void)r;
	return m->cpu_cnt > 1;
}

static bool steal(const struct model *m, const struct report *r)
{
	(void)r;
	return m->end.steal_ns > 0;
}

static bool is_parallel(const struct report *r)
{
	return r->verdict.class == CLASS_PARALLEL;
}

bool scope_physical_known(const struct model *m)
{
	const struct trace_meta *meta = &m->meta;
	bool usable[TRACE_CPUS_MAX] = { false };

	for (uint32_t i = 0; i < meta->cpus_usable_cnt; i++)
		usable[meta->cpus_usable[i]] = true;
	for (size_t i = 0; i < m->cpu_cnt; i++)
		if (!usable[m->cpus[i].cpu])
			return false;
	return m->cpu_cnt > 1 && meta->physical_round_ns &&
	       meta->physical_round_ns < TRACE_HANDSHAKE_ROUND_NS;
}

static bool physical(const struct model *m, const struct report *r)
{
	return is_parallel(r) && scope_physical_known(m);
}

static void say_physical(const struct model *m, char *buf, size_t size)
{
	const uint16_t *usable = m->meta.cpus_usable;
	uint32_t cnt = m->meta.cpus_usable_cnt;
	char cpus[64];

	if (cnt == 2)
		snprintf(cpus, sizeof(cpus), "CPUs %u and %u", usable[0], usable[1]);
	else
		snprintf(cpus, sizeof(cpus), "Each two of CPUs %s",
			 fmt_cpu_list(usable, cnt, 39).s);
	snprintf(buf, size, "%s were measured to run at once %s before this run (%s rounds of %s); "
		 "during the run, only steal was measured.", cpus,
		 fmt_ns_short(m->meta.physical_age_ns).s, fmt_count(TRACE_HANDSHAKE_ROUNDS).s,
		 fmt_ns(m->meta.physical_round_ns).s);
}

/* Of a container the CPUs are the machine's own. */
static bool guest(const struct model *m, const struct report *r)
{
	const char *kind = m->meta.virtualized;

	return is_parallel(r) && kind && *kind && strcmp(kind, "container") &&
	       !scope_physical_known(m);
}

static bool smt(const struct model *m, const struct report *r)
{
	return is_parallel(r) && m->meta.smt;
}

static bool hidden(const struct model *m, const struct report *r)
{
	(void)r;
	return m->audit.hidden_switch_ins > 0;
}

static bool missing(const struct model *m, const struct report *r)
{
	(void)m;
	return is_parallel(r) && !r->lossless;
}

static bool own_schedulers(const struct model *m, const struct report *r)
{
	(void)m;
	return r->verdict.class == CLASS_SEQUENTIAL ||
	       (r->verdict.class == CLASS_CONCURRENT && !r->concurrency.witness_is_ops);
}

static bool operations_unseen(const struct model *m, const struct report *r)
{
	return r->verdict.class == CLASS_SEQUENTIAL && !m->op_cnt;
}

static bool attached(const struct model *m, const struct report *r)
{
	(void)r;
	return m->meta.attach_tgid;
}

static bool unattributed(const struct model *m, const struct report *r)
{
	(void)r;
	return m->wakes_unattributed;
}

static bool misses_unread(const struct model *m, const struct report *r)
{
	(void)r;
	return m->end.misses_unread;
}

static bool names_missed(const struct model *m, const struct report *r)
{
	(void)r;
	return m->end.name_misses;
}

static bool cut(const struct model *m, const struct report *r)
{
	(void)r;
	return m->end.reason != TRACE_END_EXIT;
}

static const struct scope scopes[] = {
	{ always, true,
	  "This is the kernel's view: a task runs from its switch-in to its switch-out." },
	{ many_cpus, true, "The order of events on different CPUs is that of their stamps." },
	{ steal, false,
	  "The hypervisor took CPU time (steal): a running task may have stood still." },
	{ guest, true, "Virtual CPUs may share a real one: lab doctor --physical measures it." },
	{ physical, true, NULL },
	{ smt, true, "Two of the CPUs may be threads of one core, which share its units." },
	{ hidden, false,
	  "Some switch-ins were hidden by the kernel: those stays prove nothing, and count at "
	  "their longest and at their shortest in the bounds." },
	{ missing, false,
	  "Records are missing elsewhere in the run: they cannot undo what was seen." },
	{ own_schedulers, true,
	  "Tasks that a runtime schedules by itself (goroutines, virtual threads) are not seen." },
	{ operations_unseen, true, "Operations within one thread were not observed." },
	{ attached, false, "What began before lab attached was not seen." },
	{ unattributed, true,
	  "This kernel does not show whether an interrupt woke a task: some wakers are not "
	  "named." },
	{ misses_unread, true,
	  "This kernel does not tell an unprivileged recorder whether it skipped a probe." },
	{ names_missed, false,
	  "The kernel skipped records of names and ends: some tasks may show an old name." },
	{ cut, false, "What happened after the end of the recording was not seen." },
};

_Static_assert(ARRAY_SIZE(scopes) <= SCOPE_MAX, "every sentence fits");

void scope_fill(const struct model *m, struct report *r)
{
	struct report_verdict *v = &r->verdict;

	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
		const char *sentence = scopes[i].sentence;

		if (!scopes[i].applies(m, r))
			continue;
		if (!sentence) {
			say_physical(m, v->physical, sizeof(v->physical));
			sentence = v->physical;
		}
		v->scope_stands[v->scope_cnt] = scopes[i].stands;
		v->scope[v->scope_cnt++] = sentence;
	}
}
