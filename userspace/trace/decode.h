/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TRACE_DECODE_H
#define LAB_TRACE_DECODE_H

/*
 * decode - the columns of one chunk back to events, as the file's schema says.
 * Column by column, a block of rows at a time: what a field needs is
 * looked at once for the block. Each chunk is decoded from a clean state. The payload is inflated
 * and its checksum right (chunk.h), and nothing in it is believed.
 */

#include <stddef.h>
#include <stdint.h>

#include "trace/schema.h"

/*
 * The decoded events of a chunk: packed records of trace_event_size() each, in order, and behind
 * them enough to read a whole union lab_event from each. All zero: empty; free(p) releases it.
 */
struct event_rows {
	uint8_t *p;
	size_t cap;		/* of p: it is used again */
	size_t len;
	uint32_t unknown;	/* rows left out, being of kinds that this version does not know */
	uint64_t first_ns, last_ns; /* of all rows, those left out included */
};

struct decoder;

/* @schema: borrowed for the decoder's life */
struct decoder *decoder_new(const struct schema *schema);

/* The longest payload that @count rows may have. */
uint64_t decoder_raw_max(const struct decoder *d, uint32_t count);

/**
 * decoder_run() - the rows of an inflated EVTS payload
 * @count: rows, from the chunk's header; at least one
 * @out: overwritten but for its memory, which grows where needed; len is 0 after a failure
 *
 * Return: 0 or -EBADMSG.
 */
int decoder_run(struct decoder *d, const uint8_t *raw, size_t len, uint32_t count,
		struct event_rows *out);

/* Accepts NULL. */
void decoder_free(struct decoder *d);

#endif /* LAB_TRACE_DECODE_H */
