/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * build_fault - what the audit found, as any part of the builder tells it.
 */

#include "model/build.h"
#include "util/alloc.h"

#define FAILURES_KEPT 1000

static void note_failure(struct model_builder *b, const struct audit_failure *failure)
{
	struct model_audit *a = &b->m.audit;

	a->unexplained_total += !failure->by_loss;
	if (a->failures_total++ < FAILURES_KEPT)
		*vec_push(a->failures, a->failure_cnt, a->failure_cap) = *failure;
}

void audit_fail(struct model_builder *b, const char *name, uint32_t task_id, uint64_t expected,
		uint64_t observed)
{
	note_failure(b, &(struct audit_failure){ name, task_id, expected, observed, false });
}

void audit_miss(struct model_builder *b, const char *name, uint32_t task_id, uint64_t expected,
		uint64_t observed)
{
	note_failure(b, &(struct audit_failure){ name, task_id, expected, observed, true });
}

void audit_doubt(struct model_builder *b, const struct audit_failure *failure, uint16_t cpu,
		 uint64_t from_ns, uint64_t until_ns)
{
	*vec_push(b->doubts, b->doubt_cnt, b->doubt_cap) = (struct audit_doubt){
		.failure_idx = b->m.audit.failures_total,
		.cpu = cpu,
		.from_ns = from_ns,
		.until_ns = until_ns,
	};
	note_failure(b, failure);
}
