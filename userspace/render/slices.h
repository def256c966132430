/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_SLICES_H
#define LAB_RENDER_SLICES_H

/*
 * slices - what the exports for other programs have in common: the words for a
 * span, and instants relative to the window's start. Internal to csv.c, folded.c, chrome.c and
 * speedscope.c.
 */

#include <stdint.h>

#include "util/format.h"
#include "render/render.h"

/* "running", "ready", "blocked" or, where records are missing, "unknown". */
const char *slice_state_name(const struct model_span *span);

/* The same for a reader: "not known". */
const char *slice_state_words(const struct model_span *span);

/* @at_ns relative to the window's start. */
static inline uint64_t slice_rel(const struct model *m, uint64_t at_ns)
{
	return at_ns - m->start_ns;
}

/* A task's name with its tid, "worker/1 (tid 4711)"; raw bytes, to be escaped by the writer. */
struct slice_name {
	char s[LAB_COMM_LEN + 24];
};

struct slice_name slice_task_name(const struct model_task *task);

#endif /* LAB_RENDER_SLICES_H */
