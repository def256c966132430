/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TRACE_ENCODE_H
#define LAB_TRACE_ENCODE_H

/*
 * encode - the events of one chunk to columns, as this version's schema says.
 * Each chunk is encoded from a clean state. Nothing here is deflated or
 * checksummed (chunk.h does that). decode.h is the way back.
 */

#include <stddef.h>
#include <stdint.h>

#include "trace/schema.h"

struct encoder;

/* @schema: schema_init_own()'s, borrowed for the encoder's life */
struct encoder *encoder_new(const struct schema *schema);

/**
 * encoder_run() - append an inflated EVTS payload
 * @rows: records in order of (ts_ns, cpu, seq), of known kinds; at least one
 */
void encoder_run(struct encoder *e, const uint8_t *const *rows, size_t cnt, struct bytes_out *raw);

/* Accepts NULL. */
void encoder_free(struct encoder *e);

#endif /* LAB_TRACE_ENCODE_H */
