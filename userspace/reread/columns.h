/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_REREAD_COLUMNS_H
#define LAB_REREAD_COLUMNS_H

/*
 * columns - SCHM and the payload of EVTS (sections 5, 6 and 11 of docs/trace-format.md). Part of
 * the reader.
 */

#include "reread/reader.h"

/* What is left of some bytes. After a failed read @bad is set, and every read gives 0. */
struct cursor {
	const uint8_t *p, *end;
	bool bad;
};

uint64_t cursor_fail(struct cursor *c);
uint64_t cursor_varint(struct cursor *c, uint64_t max);
struct cursor cursor_cut(struct cursor *c, uint64_t len);	/* the next @len bytes */
struct words cursor_text(struct cursor *c);

/* NULL: not a schema, or one that this reader must refuse. layout_free() accepts NULL. */
struct layout *layout_parse(const uint8_t *raw, size_t len);
void layout_free(struct layout *l);

/* The longest payload that @events rows can have. */
uint64_t layout_longest(const struct layout *l, uint64_t events);

/* A chunk of events that is being read. @raw is taken. block_free() in any case. */
struct block;
struct block *block_open(const struct layout *l, uint8_t *raw, size_t len, uint32_t events);
void block_free(struct block *b);

/* The next event's head, or NULL: there is none, or what follows is wrong. */
const struct head *block_head(const struct block *b);

/* Give the next event out; before that, there is one. */
void block_event(struct block *b, struct event *ev);

/* All is given out, and every check holds. */
bool block_is_used_up(const struct block *b);

#endif /* LAB_REREAD_COLUMNS_H */
