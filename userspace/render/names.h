/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_NAMES_H
#define LAB_RENDER_NAMES_H

/* names - words that more than one renderer prints. */

#include "analyze/report.h"

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

#endif /* LAB_RENDER_NAMES_H */
