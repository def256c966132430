/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TRACE_SCHEMA_TABLE_H
#define LAB_TRACE_SCHEMA_TABLE_H

/* schema_table - the fields of this version's events, as docs/trace-format.md lists them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct field_def {
	const char *name;
	uint16_t off;
	uint8_t bytes;
	uint8_t type, form, pred;
	const char *key, *base;	/* names of earlier fields; NULL: none */
	bool is_cpu;
};

struct group_def {
	uint16_t id;
	const char *name;
	uint32_t event_size;
	const struct field_def *fields;
	size_t field_cnt;
};

extern const struct group_def schema_groups[];
extern const size_t schema_group_cnt;

#endif /* LAB_TRACE_SCHEMA_TABLE_H */
