/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/symbols.h"

#include <errno.h>

#define FLAG_SHARED 1u
#define TEXT_BYTES_MIN 2	/* its length and one byte */
#define ROW_BYTES_MIN 8		/* one for each of its numbers */
#define ROW_BYTES_MAX (ROW_BYTES_MIN * VARINT_MAX_BYTES)

/* ---- collecting ---- */

uint32_t trace_symbols_text(struct trace_symbols *s, const char *text)
{
	size_t len = strlen(text);

	if (!len || len > TRACE_SYMBOL_TEXT_MAX)
		return TRACE_NO_TEXT;
	if (s->text_cnt && !strcmp(s->texts[s->text_cnt - 1], text))
		return (uint32_t)s->text_cnt - 1;
	if (s->bytes + len + VARINT_MAX_BYTES > SYMBOLS_RAW_MAX / 2)
		return TRACE_NO_TEXT;
	s->bytes += len + VARINT_MAX_BYTES;
	*vec_push(s->texts, s->text_cnt, s->text_cap) = xstrdup(text);
	return (uint32_t)s->text_cnt - 1;
}

void trace_symbols_add(struct trace_symbols *s, const struct trace_symbol *row)
{
	if (s->bytes + ROW_BYTES_MAX > SYMBOLS_RAW_MAX - 2 * VARINT_MAX_BYTES ||
	    row->object >= s->text_cnt)
		return;
	s->bytes += ROW_BYTES_MAX;
	*vec_push(s->rows, s->row_cnt, s->row_cap) = *row;
}

void trace_symbols_release(struct trace_symbols *s)
{
	for (size_t i = 0; i < s->text_cnt; i++)
		free(s->texts[i]);
	free(s->texts);
	free(s->rows);
	*s = (struct trace_symbols){ 0 };
}

/* ---- the chunk ---- */

void symbols_write(const struct trace_symbols *s, struct bytes_out *out)
{
	bytes_put_varint(out, s->text_cnt);
	for (size_t i = 0; i < s->text_cnt; i++)
		bytes_put_text(out, s->texts[i], strlen(s->texts[i]));
	bytes_put_varint(out, s->row_cnt);
	for (size_t i = 0; i < s->row_cnt; i++) {
		const struct trace_symbol *row = &s->rows[i];
		bool named = row->symbol != TRACE_NO_TEXT;

		bytes_put_varint(out, row->task);
		bytes_put_varint(out, row->wait_ns);
		bytes_put_varint(out, row->addr);
		bytes_put_varint(out, row->is_shared ? FLAG_SHARED : 0);
		bytes_put_varint(out, row->object);
		bytes_put_varint(out, row->offset);
		bytes_put_varint(out, named ? row->symbol + (uint64_t)1 : 0);
		bytes_put_varint(out, named ? row->symbol_off : 0);
	}
}

static void parse_texts(struct trace_symbols *s, struct bytes_in *in)
{
	size_t cnt = bytes_get_bounded(in, bytes_left(in) / TEXT_BYTES_MIN);

	for (size_t i = 0; i < cnt && !in->bad; i++) {
		size_t len = bytes_get_bounded(in, TRACE_SYMBOL_TEXT_MAX);
		const char *text = (const char *)bytes_get(in, len);

		if (in->bad || !len || memchr(text, 0, len)) {
			bytes_fail(in);
			return;
		}
		*vec_push(s->texts, s->text_cnt, s->text_cap) = xstrndup(text, len);
	}
}

static void parse_rows(struct trace_symbols *s, struct bytes_in *in)
{
	size_t cnt = bytes_get_bounded(in, bytes_left(in) / ROW_BYTES_MIN);

	if (cnt && !s->text_cnt)
		bytes_fail(in);
	for (size_t i = 0; i < cnt && !in->bad; i++) {
		struct trace_symbol row = { 0 };
		uint64_t symbol;

		row.task = (uint32_t)bytes_get_bounded(in, UINT32_MAX);
		row.wait_ns = bytes_get_varint(in);
		row.addr = bytes_get_varint(in);
		row.is_shared = bytes_get_varint(in) & FLAG_SHARED;
		row.object = (uint32_t)bytes_get_bounded(in, s->text_cnt - 1);
		row.offset = bytes_get_varint(in);
		symbol = bytes_get_bounded(in, s->text_cnt);
		row.symbol = symbol ? (uint32_t)symbol - 1 : TRACE_NO_TEXT;
		row.symbol_off = bytes_get_varint(in);
		if (!in->bad)
			*vec_push(s->rows, s->row_cnt, s->row_cap) = row;
	}
}

int symbols_parse(struct trace_symbols *s, const uint8_t *buf, size_t len)
{
	struct bytes_in in = { .p = buf, .end = buf + len };

	*s = (struct trace_symbols){ 0 };
	parse_texts(s, &in);
	parse_rows(s, &in);
	if (!in.bad)
		return 0;
	trace_symbols_release(s);
	return -EBADMSG;
}
