/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/slices.h"

#include <inttypes.h>

const char *slice_state_name(const struct model_span *span)
{
	static const char *const names[] = {
		[SPAN_RUNNING] = "running", [SPAN_READY] = "ready", [SPAN_BLOCKED] = "blocked",
		[SPAN_UNKNOWN] = "unknown",
	};

	return names[span->state];
}

const char *slice_state_words(const struct model_span *span)
{
	return span->state == SPAN_UNKNOWN ? "not known" : slice_state_name(span);
}

struct slice_name slice_task_name(const struct model_task *task)
{
	struct slice_name name;

	snprintf(name.s, sizeof(name.s), "%s (tid %" PRIu32 ")", task->comm, task->tid);
	return name;
}
