/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TRACE_SCHEMA_H
#define LAB_TRACE_SCHEMA_H

/*
 * schema - which columns a file's events have and how each is coded: this
 * version's own table, and the one that a file describes itself with (SCHM).
 *
 * Group 0 holds what every row has (kind, cpu, ts_ns, seq); each kind of event
 * is a group of its own. A field may refer to an earlier one of its row: a
 * reference r of 1 .. row_field_cnt is a field of group 0, and above that a
 * field of the kind's own; 0 is none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/bytes.h"

#define SCHEMA_NAME_MAX 31
#define SCHEMA_FIELDS_MAX 128	/* of one group */
#define SCHEMA_GROUPS_MAX 256	/* ids are below this */
#define SCHEMA_TEXT_MAX 255
#define SCHEMA_REFS_MAX (2 * SCHEMA_FIELDS_MAX + 1)

enum schema_type {
	SCHEMA_UINT = 0,
	SCHEMA_INT = 1,		/* two's complement */
	SCHEMA_TEXT = 2,	/* an index into the chunk's string table */
};

enum schema_form {
	SCHEMA_PLAIN = 0,	/* the difference as an unsigned varint */
	SCHEMA_ZIGZAG = 1,	/* the difference as a signed one */
};

enum schema_pred {
	SCHEMA_PRED_NONE = 0,
	SCHEMA_PRED_ROW = 1,	/* the group's previous row */
	SCHEMA_PRED_KEY = 2,	/* its previous row with the same value of field @key */
};

struct schema_field {
	char name[SCHEMA_NAME_MAX + 1];
	uint8_t type;		/* enum schema_type */
	uint8_t bytes;		/* of an integer: 1, 2, 4, 8; of a text at most SCHEMA_TEXT_MAX */
	uint8_t form;
	uint8_t pred;
	uint16_t key;		/* references */
	uint16_t base;
	bool skip;		/* coded in a way that this version does not know */
	bool ours;		/* lab_event.h has it: the next three are valid */
	bool is_cpu;		/* its value is a CPU number */
	bool referred;		/* another field's key or base */
	uint8_t our_bytes;
	uint16_t off;		/* in union lab_event */
	/* SCHEMA_PRED_KEY: which of the group's key maps, and where in its rows */
	uint16_t map, pos;
};

struct schema_group {
	uint16_t id;		/* 0, or enum lab_event_kind */
	char name[SCHEMA_NAME_MAX + 1];
	struct schema_field *fields;
	uint32_t field_cnt;
	uint32_t event_size;	/* 0: a kind that this version does not know */
	uint16_t *map_keys;	/* the reference that each key map is for */
	uint16_t *map_strides;	/* how many fields each serves */
	uint32_t map_cnt;
};

struct schema {
	struct schema_group *groups;	/* [0] has id 0 */
	size_t group_cnt;
	uint64_t row_bytes_max;		/* the longest a row can be in an inflated chunk */
	int16_t index_of[SCHEMA_GROUPS_MAX]; /* by id; -1: none */
};

/* This version's own. Release it. */
void schema_init_own(struct schema *schema);

/* What a SCHM chunk holds. */
void schema_write(const struct schema *schema, struct bytes_out *out);

/**
 * schema_parse() - a file's schema, bound to this version's events by name
 *
 * Return: 0, -EBADMSG, or -EPROTONOSUPPORT (a field of ours is coded in an unknown way or
 * too wide). @schema is to be released in each case.
 */
int schema_parse(struct schema *schema, const uint8_t *buf, size_t len);

/* Accepts an all-zero schema. */
void schema_release(struct schema *schema);

/* Bits of a field's arithmetic: 8 x bytes, or 32 for a text. */
static inline unsigned int schema_field_bits(const struct schema_field *field)
{
	return field->type == SCHEMA_TEXT ? 32 : 8u * field->bytes;
}

#endif /* LAB_TRACE_SCHEMA_H */
