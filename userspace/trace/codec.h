/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TRACE_CODEC_H
#define LAB_TRACE_CODEC_H

/*
 * codec - the events of one chunk to columns and back, as a schema says.
 * Each chunk is coded from a clean state. Nothing here is deflated or
 * checksummed (chunk.h does that), and nothing is believed.
 */

#include <stddef.h>
#include <stdint.h>

#include "trace/schema.h"

/* The decoded events of a chunk: packed records of trace_event_size() each, in order. */
struct codec_rows {
	uint8_t *p;		/* owned; free() it */
	size_t len;
	uint32_t unknown;	/* rows left out, being of kinds that this version does not know */
	uint64_t first_ns, last_ns; /* of all rows, those left out included */
};

struct codec;

/* @schema: borrowed for the codec's life; encoding needs schema_init_own()'s */
struct codec *codec_new(const struct schema *schema);

/**
 * codec_encode() - append an inflated EVTS payload
 * @rows: records in order of (ts_ns, cpu, seq), of known kinds; at least one
 */
void codec_encode(struct codec *c, const uint8_t *const *rows, size_t cnt, struct bytes_out *raw);

/* The longest payload that @count rows may have. */
uint64_t codec_raw_max(const struct codec *c, uint32_t count);

/**
 * codec_decode() - the rows of an inflated EVTS payload
 * @count: rows, from the chunk's header; at least one
 * @out: owned by the caller after success only
 *
 * Return: 0 or -EBADMSG.
 */
int codec_decode(struct codec *c, const uint8_t *raw, size_t len, uint32_t count,
		 struct codec_rows *out);

/* Accepts NULL. */
void codec_free(struct codec *c);

#endif /* LAB_TRACE_CODEC_H */
