/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_HTML_TABLE_H
#define LAB_RENDER_HTML_TABLE_H

/*
 * html_table - columns of numbers inside an HTML page, small and quick to read back: cut to blocks,
 * in each block every column as byte planes (all low bytes, then all second bytes, ...; as many as
 * its largest value needs), deflated together (zlib's format), in base64, as the text of
 *
 *	<script type="text/plain" class="lab-block" data-table="NAME"
 *		data-columns="NAME/PLANES/COUNT ...">
 *
 * Columns may be of different lengths: a block ends where the caller says that a row is whole.
 * Internal to html*.c.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 6
#define TABLE_BLOCK_ROWS (1u << 18)

struct table_column {
	const char *name;
	uint64_t *values;
	size_t cnt, cap;
	uint64_t max;
};

struct table {
	FILE *out;		/* borrowed */
	const char *name;
	int level;		/* zlib's */
	struct table_column columns[TABLE_COLUMNS_MAX];
	size_t column_cnt;
	size_t rows;		/* in this block */
};

/* @columns: names, ended by NULL. */
void table_open(struct table *t, FILE *out, const char *name, const char *const *columns,
		int level);

/* One more value at the end of a column. */
void table_put(struct table *t, size_t column, uint64_t value);

/* A row is whole. Return: true if it ended a block, which was written. */
int table_row(struct table *t);

/* Write the last block, and release. */
void table_close(struct table *t);

#endif /* LAB_RENDER_HTML_TABLE_H */
