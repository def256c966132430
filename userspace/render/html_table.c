/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/html_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "util/alloc.h"

void table_open(struct table *t, FILE *out, const char *name, const char *const *columns, int level)
{
	*t = (struct table){ .out = out, .name = name, .level = level };
	while (columns[t->column_cnt]) {
		t->columns[t->column_cnt].name = columns[t->column_cnt];
		t->column_cnt++;
	}
}

void table_put(struct table *t, size_t column, uint64_t value)
{
	struct table_column *c = &t->columns[column];

	vec_add(c->values, c->cnt, c->cap, value);
	if (value > c->max)
		c->max = value;
}

static unsigned int planes_of(const struct table_column *c)
{
	unsigned int planes = 1;

	while (planes < 8 && c->max >> (8 * planes))
		planes++;
	return planes;
}

static unsigned char *put_planes(unsigned char *to, const struct table_column *c)
{
	unsigned int planes = planes_of(c);

	for (unsigned int plane = 0; plane < planes; plane++)
		for (size_t i = 0; i < c->cnt; i++)
			*to++ = (unsigned char)(c->values[i] >> (8 * plane));
	return to;
}

static void put_base64(FILE *out, const unsigned char *s, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t bits = (uint32_t)s[i] << 16 | (left > 1 ? (uint32_t)s[i + 1] << 8 : 0) |
				(left > 2 ? s[i + 2] : 0);

		putc_unlocked(digits[bits >> 18], out);
		putc_unlocked(digits[bits >> 12 & 63], out);
		putc_unlocked(left > 1 ? digits[bits >> 6 & 63] : '=', out);
		putc_unlocked(left > 2 ? digits[bits & 63] : '=', out);
	}
}

static void put_head(const struct table *t)
{
	fprintf(t->out, "<script type=\"text/plain\" class=\"lab-block\" data-table=\"%s\" "
		"data-columns=\"", t->name);
	for (size_t i = 0; i < t->column_cnt; i++)
		fprintf(t->out, "%s%s/%u/%zu", i ? " " : "", t->columns[i].name,
			planes_of(&t->columns[i]), t->columns[i].cnt);
	fputs("\">", t->out);
}

static void flush(struct table *t)
{
	unsigned char *plain, *packed, *end;
	uLongf packed_len;
	size_t len = 0;

	for (size_t i = 0; i < t->column_cnt; i++)
		len += planes_of(&t->columns[i]) * t->columns[i].cnt;
	packed_len = compressBound(len);
	plain = xmalloc(len + 1);
	packed = xmalloc(packed_len);
	end = plain;
	for (size_t i = 0; i < t->column_cnt; i++)
		end = put_planes(end, &t->columns[i]);
	/* It refuses nothing else here. */
	if (compress2(packed, &packed_len, plain, len, t->level) != Z_OK)
		alloc_failed(1, len);
	put_head(t);
	put_base64(t->out, packed, packed_len);
	fputs("</script>\n", t->out);
	free(packed);
	free(plain);
	for (size_t i = 0; i < t->column_cnt; i++)
		t->columns[i].cnt = t->columns[i].max = 0;
	t->rows = 0;
}

int table_row(struct table *t)
{
	if (++t->rows < TABLE_BLOCK_ROWS)
		return 0;
	flush(t);
	return 1;
}

void table_close(struct table *t)
{
	if (t->rows)
		flush(t);
	for (size_t i = 0; i < t->column_cnt; i++)
		free(t->columns[i].values);
	*t = (struct table){ 0 };
}
