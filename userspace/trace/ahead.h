/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TRACE_AHEAD_H
#define LAB_TRACE_AHEAD_H

/*
 * ahead - the chunks of events, one after the other, read, inflated and decoded. Where there is a
 * second CPU, another thread does so before they are asked for, a chunk or two ahead; what is
 * given does not depend on it. Logs nothing.
 */

#include "trace/decode.h"
#include "trace/scan.h"
#include "trace/schema.h"

struct ahead;

/* @chunks: in the order in which ahead_next() gives them. All are borrowed. */
struct ahead *ahead_new(const struct trace_source *from, const struct scan_chunk *const *chunks,
			size_t chunk_cnt, const struct schema *schema);

/**
 * ahead_next() - the events of the next chunk; there must be one left
 * @rows: its memory is taken, for another chunk; it gets the events, and other memory
 *
 * Return: 0; -EBADMSG (to be left out); -EKEYREJECTED (a sealed file was changed); or -errno of the
 * read, and then the same at every further call.
 */
int ahead_next(struct ahead *a, struct event_rows *rows);

/* Accepts NULL. */
void ahead_free(struct ahead *a);

#endif /* LAB_TRACE_AHEAD_H */
