/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_VERIFY_COLUMNS_H
#define LAB_VERIFY_COLUMNS_H

/*
 * columns - SCHM and the payload of EVTS (sections 5, 6 and 11 of
 * docs/trace-format.md). A chunk is decoded column by column. Part of the reader.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verify/reader.h"

/* What is left of some bytes. After a failed read @bad is set, and every read gives 0. */
struct cursor {
	const uint8_t *p, *end;
	bool bad;
};

static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->p);
}

static inline uint64_t cursor_fail(struct cursor *c)
{
	c->p = c->end;
	c->bad = true;
	return 0;
}

/* A varint of at most @max. */
static inline uint64_t cursor_varint(struct cursor *c, uint64_t max)
{
	uint64_t v = 0;

	for (unsigned int shift = 0; shift <= 63 && c->p < c->end; shift += 7) {
		uint64_t byte = *c->p++;

		if (shift == 63 && byte > 1)
			break;
		v |= (byte & 0x7f) << shift;
		if (byte < 0x80)
			return v <= max ? v : cursor_fail(c);
	}
	return cursor_fail(c);
}

/* The next @len bytes as a cursor of their own. */
static inline struct cursor cursor_cut(struct cursor *c, uint64_t len)
{
	struct cursor part = { c->p, c->p, false };

	if (len > cursor_left(c)) {
		cursor_fail(c);
		part.bad = true;
		return part;
	}
	c->p += len;
	part.end = c->p;
	return part;
}

static inline struct words cursor_text(struct cursor *c)
{
	struct cursor text = cursor_cut(c, cursor_varint(c, UINT64_MAX));

	return (struct words){ (const char *)text.p, cursor_left(&text) };
}

struct layout;

/* NULL: not a schema, or one that this reader must refuse. */
struct layout *layout_parse(const uint8_t *raw, size_t len);

/* The longest payload that @events rows can have. */
uint64_t layout_longest(const struct layout *l, uint64_t events);

void layout_free(struct layout *l);

/* The decoded columns of one chunk. All zero is none. */
struct block {
	uint64_t *values;	/* all columns */
	size_t value_cnt;
	size_t first[256];	/* [group id]: its columns begin at values[first], `rows` values each */
	uint32_t rows[256];
	uint32_t next[256];	/* rows that were given out; of group 0: events */
	struct words *texts;	/* within text_bytes */
	size_t text_cnt;
	char *text_bytes;
};

/* Return: whether every check holds; @b is to be released in either case. */
bool block_decode(struct layout *l, const uint8_t *raw, size_t len, uint32_t events,
		  struct block *b);

struct head block_head(const struct layout *l, const struct block *b, uint32_t row);

/* Give the next event out. False: there is none. */
bool block_event(const struct layout *l, struct block *b, struct event *ev);

void block_release(struct block *b);

#endif /* LAB_VERIFY_COLUMNS_H */
