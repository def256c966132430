/* SPDX-License-Identifier: GPL-2.0-only */
/* loss - what took most of the capacity that was not work. */
#include "analyze/capacity.h"
#include "analyze/report.h"
#include "util/minmax.h"

static void consider(struct report_capacity *c, enum capacity_loss loss, enum reason reason,
		     uint64_t ns)
{
	if (ns <= c->largest_ns)
		return;
	c->largest = loss;
	c->largest_reason = reason;
	c->largest_ns = ns;
}

/* Of equal ones the first is the largest. */
void capacity_find_loss(struct report_capacity *c)
{
	static const enum capacity_loss before[] = {
		LOSS_LATENCY, LOSS_AFFINITY, LOSS_THROTTLED, LOSS_BALANCING, LOSS_UNDIVIDED,
		LOSS_INTERFERENCE, LOSS_UNKNOWN,
	};

	c->largest = LOSS_NONE;
	c->largest_reason = REASON_NONE;
	c->largest_ns = 0;
	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		consider(c, before[i], REASON_NONE, capacity_loss_ns(c, before[i]));
	for (int k = 0; k < REASON_CNT; k++)
		consider(c, LOSS_BLOCKED, (enum reason)k, capacity_blocked_ns(c, (enum reason)k));
	consider(c, LOSS_NO_THREAD, REASON_NONE, capacity_loss_ns(c, LOSS_NO_THREAD));
}

void capacity_add(struct report_capacity *sum, const struct report_capacity *c)
{
	sum->known &= c->known;
	sum->latency_known &= c->latency_known;
	sum->affinity_known &= c->affinity_known;
	sum->throttled_known &= c->throttled_known;
	sum->total_ns += c->total_ns;
	sum->work_ns += c->work_ns;
	sum->unplaced_ns += c->unplaced_ns;
	sum->latency_ns += c->latency_ns;
	sum->affinity_ns += c->affinity_ns;
	sum->throttled_ns += c->throttled_ns;
	sum->balancing_ns += c->balancing_ns;
	sum->undivided_ns += c->undivided_ns;
	sum->interference_ns += c->interference_ns;
	sum->other_ns += c->other_ns;
	sum->unknown_ns += c->unknown_ns;
	sum->no_thread_ns += c->no_thread_ns;
	sum->other.affinity_ns += c->other.affinity_ns;
	sum->other.throttled_ns += c->other.throttled_ns;
	sum->other.undivided_ns += c->other.undivided_ns;
	sum->other.unknown_ns += c->other.unknown_ns;
	sum->other.no_thread_ns += c->other.no_thread_ns;
	for (int k = 0; k < REASON_CNT; k++) {
		sum->blocked_ns[k] += c->blocked_ns[k];
		sum->other.blocked_ns[k] += c->other.blocked_ns[k];
	}
}

uint64_t capacity_blocked_ns(const struct report_capacity *c, enum reason reason)
{
	return c->blocked_ns[reason] + c->other.blocked_ns[reason];
}

uint64_t capacity_loss_ns(const struct report_capacity *c, enum capacity_loss loss)
{
	switch (loss) {
	case LOSS_LATENCY: return c->latency_ns;
	case LOSS_UNDIVIDED: return c->undivided_ns + c->other.undivided_ns;
	case LOSS_INTERFERENCE: return c->interference_ns;
	case LOSS_UNKNOWN: return c->unknown_ns + c->other.unknown_ns;
	case LOSS_NO_THREAD: return c->no_thread_ns + c->other.no_thread_ns;
	case LOSS_AFFINITY: return c->affinity_ns + c->other.affinity_ns;
	case LOSS_THROTTLED: return c->throttled_ns + c->other.throttled_ns;
	case LOSS_BALANCING: return c->balancing_ns;
	case LOSS_NONE:
	case LOSS_BLOCKED:
	case LOSS_SERIALIZED: break;
	}
	return 0;
}

/*
 * Where one lock, or a turn that is handed on, lets one task run at a time, that is the cause,
 * however much else was lost: more CPUs or more tasks would change nothing. Turns that tasks wait
 * for without a lock may have no share of their own: while a task waits for one that runs, its CPU
 * counts as one for which there was no thread.
 */
static void loss_run(const struct model *m, struct report *r)
{
	struct report_capacity *c = &r->capacity;
	uint64_t blocked_ns = capacity_blocked_ns(c, r->serializer.through);

	(void)m;
	if (!c->known)
		return;
	capacity_find_loss(c);
	if (!r->serializer.present || !blocked_ns ||
	    (r->serializer.kind == SERIALIZER_HANDOVERS && c->largest == LOSS_NO_THREAD &&
	     blocked_ns < c->largest_ns))
		return;
	c->largest = LOSS_SERIALIZED;
	c->largest_reason = r->serializer.through;
	c->largest_ns = blocked_ns;
}

const struct analysis analysis_loss = { .name = "loss", .run = loss_run };
