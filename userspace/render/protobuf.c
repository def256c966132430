/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/protobuf.h"

#include <string.h>

#include "util/alloc.h"
#include "util/text.h"

enum wire { WIRE_VARINT = 0, WIRE_BYTES = 2 };

static void append(struct pb *pb, const void *bytes, size_t len)
{
	while (pb->cap - pb->len < len)
		pb->p = vec_grow(pb->p, pb->cap, &pb->cap, 1);
	if (len)
		memcpy(pb->p + pb->len, bytes, len);
	pb->len += len;
}

void pb_varint(struct pb *pb, uint64_t v)
{
	uint8_t bytes[10];
	size_t len = 0;

	do {
		bytes[len] = (uint8_t)(v & 0x7f);
		v >>= 7;
		bytes[len++] |= v ? 0x80 : 0;
	} while (v);
	append(pb, bytes, len);
}

void pb_uint(struct pb *pb, uint32_t field, uint64_t v)
{
	pb_varint(pb, (uint64_t)field << 3 | WIRE_VARINT);
	pb_varint(pb, v);
}

static void put_bytes(struct pb *pb, uint32_t field, const void *bytes, size_t len)
{
	pb_varint(pb, (uint64_t)field << 3 | WIRE_BYTES);
	pb_varint(pb, len);
	append(pb, bytes, len);
}

void pb_bytes(struct pb *pb, uint32_t field, const struct pb *value)
{
	put_bytes(pb, field, value->p, value->len);
}

void pb_text(struct pb *pb, uint32_t field, const char *text)
{
	char safe[256];

	text_for_terminal(safe, sizeof(safe), text, strlen(text), 200, true);
	put_bytes(pb, field, safe, strlen(safe));
}
