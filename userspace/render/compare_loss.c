/* SPDX-License-Identifier: GPL-2.0-only */
/* compare_loss - what limited a run, in the few words of a table's cell. */
#include "render/compare.h"
#include "util/format.h"

/* Where that much is work, what is left limits nothing worth a name. */
#define FULL_PERCENT 90

const char *compare_loss_name(enum capacity_loss loss)
{
	switch (loss) {
	case LOSS_LATENCY: return "latency";
	case LOSS_UNDIVIDED: return "unplaced";
	case LOSS_AFFINITY: return "affinity";
	case LOSS_THROTTLED: return "throttled";
	case LOSS_BALANCING: return "balancing";
	case LOSS_INTERFERENCE: return "interference";
	case LOSS_UNKNOWN: return "unknown";
	case LOSS_SERIALIZED:
	case LOSS_BLOCKED: return "blocked";
	case LOSS_NO_THREAD: return "no_thread";
	case LOSS_NONE: break;
	}
	return "none";
}

static const char *words_of(const struct comparison_row *row)
{
	switch (row->limit) {
	case LOSS_LATENCY: return "wake-ups under way";
	case LOSS_UNDIVIDED:
	case LOSS_BALANCING: return "idle beside ready";
	case LOSS_AFFINITY: return "affinity";
	case LOSS_THROTTLED: return "quota or budget";
	case LOSS_INTERFERENCE: return "other programs";
	case LOSS_NO_THREAD: return "too few tasks";
	case LOSS_SERIALIZED:
	case LOSS_BLOCKED: return reason_name(row->limit_reason);
	case LOSS_UNKNOWN:
	case LOSS_NONE: break;
	}
	return "not known";
}

struct loss_text compare_loss(const struct comparison_row *row)
{
	const struct report_capacity *c = &row->capacity;
	struct loss_text text;

	if (!c->known || !c->total_ns) {
		snprintf(text.s, sizeof(text.s), "not known");
		return text;
	}
	if (c->work_ns >= c->total_ns / 100 * FULL_PERCENT)
		snprintf(text.s, sizeof(text.s), "the CPUs: work %s",
			 fmt_share(c->work_ns, c->total_ns).s);
	else if (c->other_ns > c->total_ns / 2 && row->limit_ns < c->total_ns / 10)
		snprintf(text.s, sizeof(text.s), "others had the CPUs %s",
			 fmt_share(c->other_ns, c->total_ns).s);
	else
		snprintf(text.s, sizeof(text.s), "%s%s %s",
			 row->limit == LOSS_BLOCKED ? "blocked on " : "", words_of(row),
			 fmt_share(row->limit_ns, c->total_ns).s);
	return text;
}
