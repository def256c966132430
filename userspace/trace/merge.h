/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TRACE_MERGE_H
#define LAB_TRACE_MERGE_H

/*
 * merge - the events of all chunks in order of (ts_ns, cpu, seq); equal ones
 * in the order of the file. A chunk is decoded when the merge reaches its
 * first_ns and dropped after its last event, so that memory holds only chunks
 * whose times overlap. Logs nothing.
 */

#include <stddef.h>
#include <stdint.h>

#include "lab_event.h"
#include "trace/scan.h"
#include "trace/schema.h"

struct merge;

/* All are borrowed for the merge's life. */
struct merge *merge_new(const struct trace_source *from, const struct scan *scan,
			const struct schema *schema);

/*
 * The next event, borrowed until the next call. Only trace_event_size() bytes are of the event;
 * those behind them can be read, and mean nothing.
 *
 * Return: 1, 0 at the end, -errno of a read (-EKEYREJECTED: a sealed file was changed).
 */
int merge_next(struct merge *m, const union lab_event **ev);

/* EVTS chunks left out so far; 0 for NULL. */
size_t merge_failed(const struct merge *m);

/* Events of unknown kinds so far. */
uint64_t merge_unknown(const struct merge *m);

/* Accepts NULL. */
void merge_free(struct merge *m);

#endif /* LAB_TRACE_MERGE_H */
