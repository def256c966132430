/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_PROTOBUF_H
#define LAB_RENDER_PROTOBUF_H

/*
 * protobuf - messages of Protocol Buffers, written field by field: what perfetto.c needs of the
 * encoding (https://protobuf.dev/programming-guides/encoding/).
 *
 * A message is bytes in memory; one inside another is written first, then put into it as a field.
 */

#include <stddef.h>
#include <stdint.h>

/* All-zero: empty. free(p) releases it; len = 0 empties it for another. */
struct pb {
	uint8_t *p;
	size_t len, cap;
};

/* A varint without a field: an element of a packed field, whose bytes are then put as one field. */
void pb_varint(struct pb *pb, uint64_t v);

/* Field @field; of a negative number its two's complement in 64 bits, as int32 and int64 are. */
void pb_uint(struct pb *pb, uint32_t field, uint64_t v);

/* A message, a packed field, or bytes. */
void pb_bytes(struct pb *pb, uint32_t field, const struct pb *value);

/* Hostile text: it becomes valid UTF-8 without control characters, cut after some 200 bytes. */
void pb_text(struct pb *pb, uint32_t field, const char *text);

#endif /* LAB_RENDER_PROTOBUF_H */
