/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TRACE_BYTES_H
#define LAB_TRACE_BYTES_H

/*
 * bytes - the file's integers: little-endian words and LEB128 varints, into
 * a growing buffer and out of a bounded one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

#define VARINT_MAX_BYTES 10

/* All zero is empty; free(p) releases it. */
struct bytes_out {
	uint8_t *p;
	size_t len, cap;
};

/* What is left to read. After a failed read @bad is set and every read gives 0. */
struct bytes_in {
	const uint8_t *p, *end;
	bool bad;
};

static inline uint16_t get_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t get_le32(const uint8_t *p)
{
	return get_le16(p) | (uint32_t)get_le16(p + 2) << 16;
}

static inline uint64_t get_le64(const uint8_t *p)
{
	return get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
}

static inline void put_le(uint8_t *p, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

static inline void bytes_reserve(struct bytes_out *out, size_t more)
{
	if (out->cap - out->len >= more)
		return;
	out->cap = (out->cap + more) * 2;
	out->p = xreallocarray(out->p, out->cap, 1);
}

static inline void bytes_put(struct bytes_out *out, const void *src, size_t len)
{
	bytes_reserve(out, len);
	if (len)
		memcpy(out->p + out->len, src, len);
	out->len += len;
}

static inline void bytes_put_varint(struct bytes_out *out, uint64_t value)
{
	bytes_reserve(out, VARINT_MAX_BYTES);
	while (value >= 0x80) {
		out->p[out->len++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	out->p[out->len++] = (uint8_t)value;
}

/* A length, then that many bytes. */
static inline void bytes_put_text(struct bytes_out *out, const char *text, size_t len)
{
	bytes_put_varint(out, len);
	bytes_put(out, text, len);
}

static inline size_t bytes_left(const struct bytes_in *in)
{
	return (size_t)(in->end - in->p);
}

static inline uint64_t bytes_fail(struct bytes_in *in)
{
	in->bad = true;
	in->p = in->end;
	return 0;
}

static inline uint64_t bytes_get_varint(struct bytes_in *in)
{
	uint64_t value = 0;

	/* Nearly all are this short. */
	if (in->p != in->end && *in->p < 0x80)
		return *in->p++;
	for (unsigned int shift = 0; shift < 70; shift += 7) {
		uint8_t byte;

		if (in->p == in->end)
			return bytes_fail(in);
		byte = *in->p++;
		if (shift == 63 && byte > 1)
			return bytes_fail(in);
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	return bytes_fail(in);
}

/* A varint that must not exceed @max. */
static inline uint64_t bytes_get_bounded(struct bytes_in *in, uint64_t max)
{
	uint64_t value = bytes_get_varint(in);

	return value <= max ? value : bytes_fail(in);
}

/* @len bytes, borrowed from the input; an empty string after a failure. */
static inline const uint8_t *bytes_get(struct bytes_in *in, size_t len)
{
	const uint8_t *p = in->p;

	if (len > bytes_left(in)) {
		bytes_fail(in);
		return in->end;
	}
	in->p += len;
	return p;
}

#endif /* LAB_TRACE_BYTES_H */
