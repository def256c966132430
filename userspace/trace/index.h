/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TRACE_INDEX_H
#define LAB_TRACE_INDEX_H

/*
 * index - what the INDX chunk at a finished file's end says: where the
 * events are, how many there are of each kind, and what each CPU lost.
 */

#include <stddef.h>
#include <stdint.h>

#include "lab_event.h"
#include "trace/bytes.h"

/* One EVTS chunk. */
struct index_chunk {
	uint64_t off;
	uint64_t first_ns, last_ns;
	uint32_t count;
	uint32_t number;
};

/* What one CPU recorded. */
struct index_cpu {
	uint64_t records;	/* with a sequence number: not the recorder's own */
	uint64_t seq_min, seq_max; /* of those; valid if there are any */
	uint64_t refused;	/* its CPU_TOTAL record's */
};

/* All zero is empty. */
struct index {
	struct index_chunk *chunks;	/* ascending by off */
	size_t chunk_cnt, chunk_cap;
	struct index_cpu *cpus;		/* by CPU number */
	size_t cpu_cnt, cpu_cap;
	uint64_t kind_events[LAB_EV_KIND_MAX];
	uint64_t events;
};

/* Take one more event, of a known kind, into the counts. */
void index_count(struct index *index, const union lab_event *ev);

void index_write(const struct index *index, struct bytes_out *out);

/*
 * index_parse_chunks() - only the list of chunks, and that it has all events
 *
 * Return: 0 or -EBADMSG; @index is to be released in either case.
 */
int index_parse_chunks(struct index *index, const uint8_t *buf, size_t len);

void index_release(struct index *index);

#endif /* LAB_TRACE_INDEX_H */
