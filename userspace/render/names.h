/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_NAMES_H
#define LAB_RENDER_NAMES_H

/* names - words that more than one renderer prints. */

#include "analyze/report.h"
#include "model/model.h"

/* "lock", "cond", "join". */
static inline const char *lock_kind_name(enum lock_kind kind)
{
	switch (kind) {
	case LOCK_KIND_LOCK: return "lock";
	case LOCK_KIND_COND: return "cond";
	case LOCK_KIND_JOIN: return "join";
	}
	return "futex";
}

/* What a run is called in one word: its class, or that it could not go on. */
static inline const char *report_headword(const struct report *r)
{
	if (r->deadlock.present)
		return "DEADLOCK";
	return r->stuck.present ? "STUCK" : verdict_class_name(r->verdict.class);
}

/* What an operation is called, raw: as it was marked, or "timer fd 7". */
struct op_name {
	char s[LAB_MARKER_LEN + 1];
};

struct op_name op_name(const struct model *m, const struct model_op *op);

/* "wakeup", "balance", "exec", "affinity", "unknown". */
static inline const char *move_cause_name(enum move_cause cause)
{
	switch (cause) {
	case MOVE_AFFINITY: return "affinity";
	case MOVE_WAKEUP: return "wakeup";
	case MOVE_EXEC: return "exec";
	case MOVE_BALANCE: return "balance";
	default: return "unknown";
	}
}

#endif /* LAB_RENDER_NAMES_H */
