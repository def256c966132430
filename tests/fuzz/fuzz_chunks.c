/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz_chunks - what stands in the chunks of a trace file, inflated, to the reader that reports
 * come from and to the checker's own. Where both read the same, they must agree.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reread/columns.h"
#include "trace/decode.h"
#include "trace/index.h"
#include "trace/meta.h"
#include "trace/symbols.h"
#include "trace/trace.h"

void fuzz_meta(const uint8_t *data, size_t size);
void fuzz_schema(const uint8_t *data, size_t size);
void fuzz_columns(const uint8_t *data, size_t size);
void fuzz_index(const uint8_t *data, size_t size);
void fuzz_symbols(const uint8_t *data, size_t size);

static bool same(const struct bytes_out *a, const struct bytes_out *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->p, b->p, a->len));
}

/* What was read, written, and read again says the same. */
static void meta_again(const struct trace_meta *meta)
{
	struct bytes_out once = { 0 }, twice = { 0 };
	struct trace_meta again;

	NEED(!meta_write(meta, &once) && !meta_parse(&again, once.p, once.len));
	NEED(!meta_write(&again, &twice) && same(&once, &twice));
	trace_meta_release(&again);
	free(once.p);
	free(twice.p);
}

static void end_again(const struct trace_end *end)
{
	struct bytes_out once = { 0 }, twice = { 0 };
	struct trace_end again;

	meta_end_write(end, &once);
	NEED(!meta_end_parse(&again, once.p, once.len));
	meta_end_write(&again, &twice);
	NEED(same(&once, &twice));
	free(once.p);
	free(twice.p);
}

/* The first byte says which: ENDM, or META. */
void fuzz_meta(const uint8_t *data, size_t size)
{
	struct trace_meta meta;
	struct trace_end end;

	if (!size)
		return;
	if (*data & 1) {
		if (!meta_end_parse(&end, data + 1, size - 1))
			end_again(&end);
		return;
	}
	if (!meta_parse(&meta, data + 1, size - 1)) {
		NEED(meta.name && meta.release && meta.argv && !meta.argv[meta.argc]);
		meta_again(&meta);
	}
	trace_meta_release(&meta);
}

void fuzz_schema(const uint8_t *data, size_t size)
{
	struct layout *layout = layout_parse(data, size);
	struct schema schema;
	int err = schema_parse(&schema, data, size);

	NEED(!err == !!layout);
	schema_release(&schema);
	layout_free(layout);
}

void fuzz_index(const uint8_t *data, size_t size)
{
	struct index index;

	index_parse_chunks(&index, data, size);
	NEED(index.chunk_cnt <= size);
	index_release(&index);
}

static void symbols_again(const struct trace_symbols *symbols)
{
	struct bytes_out once = { 0 }, twice = { 0 };
	struct trace_symbols again;

	symbols_write(symbols, &once);
	NEED(!symbols_parse(&again, once.p, once.len));
	symbols_write(&again, &twice);
	NEED(same(&once, &twice));
	trace_symbols_release(&again);
	free(once.p);
	free(twice.p);
}

void fuzz_symbols(const uint8_t *data, size_t size)
{
	struct trace_symbols s;

	if (!symbols_parse(&s, data, size)) {
		for (size_t i = 0; i < s.row_cnt; i++)
			NEED(s.rows[i].object < s.text_cnt &&
			     (s.rows[i].symbol < s.text_cnt || s.rows[i].symbol == TRACE_NO_TEXT));
		for (size_t i = 0; i < s.text_cnt; i++)
			NEED(s.texts[i][0] && strlen(s.texts[i]) <= TRACE_SYMBOL_TEXT_MAX);
		symbols_again(&s);
	}
	trace_symbols_release(&s);
}

/* ---- columns ---- */

/* Read on both sides, row by row: the same rows, or both refuse. */
static void agree(struct block *b, const struct event_rows *rows, bool good)
{
	const uint8_t *p = rows->p, *end = rows->p + rows->len;
	uint32_t unknown = 0;
	const struct head *head;

	while ((head = block_head(b))) {
		struct event other;
		union lab_event ev;

		block_event(b, &other);
		if (other.head.kind >= KIND_CNT) {
			unknown++;
			continue;
		}
		if (!good)
			continue;
		NEED(p < end);
		memcpy(&ev, p, sizeof(ev.head));
		NEED(ev.head.ts_ns == other.head.ts_ns && ev.head.cpu == other.head.cpu &&
		     ev.head.seq == other.head.seq && ev.head.kind == other.head.kind &&
		     ev.head.task == other.f[F_TASK]);
		p += trace_event_size(ev.head.kind);
	}
	NEED(block_is_used_up(b) == good);
	NEED(!good || (p == end && unknown == rows->unknown));
}

static void columns(const struct schema *schema, const struct layout *layout, uint32_t count,
		    const uint8_t *raw, size_t len)
{
	struct decoder *d = decoder_new(schema);
	struct event_rows rows = { 0 };

	NEED(decoder_raw_max(d, count) == layout_longest(layout, count));
	if (len <= decoder_raw_max(d, count)) {
		bool good = !decoder_run(d, raw, len, count, &rows);
		struct block *b = block_open(layout, (uint8_t *)fuzz_text(raw, len), len, count);

		agree(b, &rows, good);
		block_free(b);
	}
	free(rows.p);
	decoder_free(d);
}

/* This version's schema, on both sides. */
static void own_columns(uint32_t count, const uint8_t *raw, size_t len)
{
	static struct schema schema;
	static struct layout *layout;

	if (!layout) {
		struct bytes_out own = { 0 };

		schema_init_own(&schema);
		schema_write(&schema, &own);
		layout = layout_parse(own.p, own.len);
		free(own.p);
		NEED(layout);
	}
	columns(&schema, layout, count, raw, len);
}

/*
 * Two bytes: how many rows; two: how long the schema is that comes first, 0: this version's; the
 * payload.
 */
void fuzz_columns(const uint8_t *data, size_t size)
{
	struct bytes_in in = { .p = data, .end = data + size };
	uint32_t count = size < 4 ? 0 : get_le16(data);
	size_t len = size < 4 ? 0 : get_le16(data + 2);
	struct schema schema;
	struct layout *layout;
	const uint8_t *p;

	bytes_get(&in, 4);
	p = bytes_get(&in, len);
	if (in.bad || !count)
		return;
	if (!len) {
		own_columns(count, in.p, bytes_left(&in));
		return;
	}
	layout = layout_parse(p, len);
	if (!schema_parse(&schema, p, len) && layout)
		columns(&schema, layout, count, in.p, bytes_left(&in));
	schema_release(&schema);
	layout_free(layout);
}
