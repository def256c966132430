/* SPDX-License-Identifier: GPL-2.0-only */

#include "trace/trace.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "trace/chunk.h"
#include "trace/encode.h"
#include "trace/index.h"
#include "trace/meta.h"
#include "trace/schema.h"
#include "trace/symbols.h"
#include "util/io.h"

/*
 * Measured on made-up scheduler events: level 6 makes a file 7 % smaller and
 * halves the speed. A recorder shares its CPUs with what it records.
 */
#define EVENTS_ZLIB_LEVEL 1
#define SMALL_ZLIB_LEVEL 6

struct row_key {
	uint64_t ts_ns, seq;
	uint32_t off;		/* in the buffer of rows */
	uint16_t cpu;
};

#define CPU_FIELDS_MAX 3	/* of a kind, with that of its head */

/* Where a kind's events have CPU numbers. */
struct cpu_fields {
	struct {
		uint16_t off;
		uint8_t bytes;
	} v[CPU_FIELDS_MAX];
	uint32_t cnt;
};

struct trace_writer {
	int fd;
	int err;		/* what every later call returns */
	uint64_t off;		/* where the next chunk goes */
	uint32_t next_number;
	bool finished;
	struct schema schema;
	struct cpu_fields cpu_fields[LAB_EV_KIND_MAX];
	struct encoder *encoder;
	struct bytes_out rows;	/* buffered records, packed */
	struct row_key *keys;	/* TRACE_EVENTS_PER_CHUNK of each */
	struct row_key *keys_spare;
	const uint8_t **order;
	size_t key_cnt;
	struct bytes_out raw;	/* the payload being made */
	struct index index;
	struct trace_seal *seal;
};

/* After a failed write: leave whole chunks only, so far as the file system lets us. */
static int writer_fail(struct trace_writer *w, int err)
{
	w->err = err;
	while (ftruncate(w->fd, (off_t)w->off) && errno == EINTR)
		;
	return err;
}

static int put_file_header(struct trace_writer *w, uint32_t flags, uint64_t index_off)
{
	const struct trace_file_header header = {
		.major = TRACE_MAJOR, .minor = TRACE_MINOR, .flags = flags, .index_off = index_off,
	};
	uint8_t buf[TRACE_FILE_HEADER_LEN];
	int err;

	trace_file_header_put(buf, &header);
	err = io_pwrite_all(w->fd, buf, sizeof(buf), 0);
	if (!err)
		trace_seal_put(w->seal, 0, buf, sizeof(buf));
	return err;
}

/* Write w->raw as one chunk; the caller has set its type, count and times. */
static int put_chunk(struct trace_writer *w, struct trace_chunk *chunk, int level)
{
	int err;

	chunk->number = w->next_number;
	err = trace_chunk_write(w->fd, w->off, chunk, &w->raw, level, w->seal);
	w->raw.len = 0;
	if (err)
		return writer_fail(w, err);
	w->off += TRACE_CHUNK_HEADER_LEN + chunk->stored_len;
	w->next_number++;
	return 0;
}

static int put_start(struct trace_writer *w, const struct trace_meta *meta)
{
	struct trace_chunk meta_chunk = { .type = TRACE_CHUNK_META };
	struct trace_chunk schema_chunk = { .type = TRACE_CHUNK_SCHEMA };
	int err;

	err = put_file_header(w, TRACE_FILE_INCOMPLETE, 0);
	if (err)
		return writer_fail(w, err);
	w->off = TRACE_FILE_HEADER_LEN;
	err = meta_write(meta, &w->raw);
	if (err)
		return writer_fail(w, err);
	err = put_chunk(w, &meta_chunk, 0);
	if (err)
		return err;
	schema_write(&w->schema, &w->raw);
	return put_chunk(w, &schema_chunk, SMALL_ZLIB_LEVEL);
}

static void add_cpu_fields(struct cpu_fields *to, const struct schema_group *group)
{
	for (uint32_t i = 0; i < group->field_cnt; i++) {
		const struct schema_field *field = &group->fields[i];

		if (!field->is_cpu)
			continue;
		assert(to->cnt < CPU_FIELDS_MAX);
		to->v[to->cnt].off = field->off;
		to->v[to->cnt++].bytes = field->our_bytes;
	}
}

static void find_cpu_fields(struct trace_writer *w)
{
	for (size_t i = 1; i < w->schema.group_cnt; i++) {
		struct cpu_fields *to = &w->cpu_fields[w->schema.groups[i].id];

		add_cpu_fields(to, &w->schema.groups[0]);
		add_cpu_fields(to, &w->schema.groups[i]);
	}
}

int trace_writer_open(struct trace_writer **out, int fd, const struct trace_meta *meta)
{
	struct trace_writer *w = xcalloc(1, sizeof(*w));
	int err;

	w->fd = fd;
	w->seal = trace_seal_new();
	schema_init_own(&w->schema);
	find_cpu_fields(w);
	w->encoder = encoder_new(&w->schema);
	w->keys = xcalloc(TRACE_EVENTS_PER_CHUNK, sizeof(*w->keys));
	w->keys_spare = xcalloc(TRACE_EVENTS_PER_CHUNK, sizeof(*w->keys_spare));
	w->order = xcalloc(TRACE_EVENTS_PER_CHUNK, sizeof(*w->order));
	err = put_start(w, meta);
	if (err) {
		trace_writer_free(w);
		return err;
	}
	*out = w;
	return 0;
}

static bool cpus_in_range(const struct trace_writer *w, const union lab_event *ev)
{
	const struct cpu_fields *fields = &w->cpu_fields[ev->head.kind];

	for (uint32_t i = 0; i < fields->cnt; i++) {
		const uint8_t *at = (const uint8_t *)ev + fields->v[i].off;

		if ((fields->v[i].bytes == 2 ? get_le16(at) : get_le32(at)) >= TRACE_CPUS_MAX)
			return false;
	}
	return true;
}

int trace_writer_add(struct trace_writer *w, const union lab_event *ev)
{
	size_t size = trace_event_size(ev->head.kind);

	if (w->err)
		return w->err;
	if (!size || w->finished || !cpus_in_range(w, ev))
		return -EINVAL;
	w->keys[w->key_cnt++] = (struct row_key){
		.ts_ns = ev->head.ts_ns, .seq = ev->head.seq, .cpu = ev->head.cpu,
		.off = (uint32_t)w->rows.len,
	};
	bytes_put(&w->rows, ev, size);
	index_count(&w->index, ev);
	return w->key_cnt == TRACE_EVENTS_PER_CHUNK ? trace_writer_flush(w) : 0;
}

static inline bool key_after(const struct row_key *a, const struct row_key *b)
{
	if (a->ts_ns != b->ts_ns)
		return a->ts_ns > b->ts_ns;
	if (a->cpu != b->cpu)
		return a->cpu > b->cpu;
	return a->seq > b->seq;
}

/* The end of the ascending run that begins at @i. */
static size_t run_end(const struct row_key *keys, size_t i, size_t cnt)
{
	for (i++; i < cnt && !key_after(&keys[i - 1], &keys[i]); i++)
		;
	return i;
}

static void merge_runs(const struct row_key *a, const struct row_key *a_end,
		       const struct row_key *b, const struct row_key *b_end, struct row_key *out)
{
	while (a < a_end && b < b_end)
		*out++ = key_after(a, b) ? *b++ : *a++;
	while (a < a_end)
		*out++ = *a++;
	while (b < b_end)
		*out++ = *b++;
}

/*
 * A natural merge sort, stable: events come as a few ascending runs, one per
 * CPU and drain, and most often as a single one.
 */
static void sort_keys(struct trace_writer *w)
{
	size_t cnt = w->key_cnt;

	while (run_end(w->keys, 0, cnt) < cnt) {
		struct row_key *from = w->keys;

		for (size_t a = 0; a < cnt;) {
			size_t b = run_end(from, a, cnt);
			size_t end = b < cnt ? run_end(from, b, cnt) : cnt;

			merge_runs(from + a, from + b, from + b, from + end, w->keys_spare + a);
			a = end;
		}
		w->keys = w->keys_spare;
		w->keys_spare = from;
	}
}

int trace_writer_flush(struct trace_writer *w)
{
	struct trace_chunk chunk = { .type = TRACE_CHUNK_EVENTS };
	uint64_t off = w->off;
	int err;

	if (w->err || !w->key_cnt)
		return w->err;
	sort_keys(w);
	for (size_t i = 0; i < w->key_cnt; i++)
		w->order[i] = w->rows.p + w->keys[i].off;
	encoder_run(w->encoder, w->order, w->key_cnt, &w->raw);
	chunk.count = (uint32_t)w->key_cnt;
	chunk.first_ns = w->keys[0].ts_ns;
	chunk.last_ns = w->keys[w->key_cnt - 1].ts_ns;
	err = put_chunk(w, &chunk, EVENTS_ZLIB_LEVEL);
	if (err)
		return err;
	*vec_push(w->index.chunks, w->index.chunk_cnt, w->index.chunk_cap) = (struct index_chunk){
		.off = off, .first_ns = chunk.first_ns, .last_ns = chunk.last_ns,
		.count = chunk.count, .number = chunk.number,
	};
	w->key_cnt = 0;
	w->rows.len = 0;
	return 0;
}

int trace_writer_symbols(struct trace_writer *w, const struct trace_symbols *symbols)
{
	struct trace_chunk chunk = { .type = TRACE_CHUNK_SYMBOLS };
	int err = trace_writer_flush(w);

	if (err || !symbols->row_cnt)
		return err;
	symbols_write(symbols, &w->raw);
	return put_chunk(w, &chunk, SMALL_ZLIB_LEVEL);
}

int trace_writer_finish(struct trace_writer *w, const struct trace_end *end)
{
	struct trace_chunk end_chunk = { .type = TRACE_CHUNK_END };
	struct trace_chunk index_chunk = { .type = TRACE_CHUNK_INDEX };
	uint64_t index_off;
	int err;

	if (w->finished)
		return -EINVAL;
	err = trace_writer_flush(w);
	if (err)
		return err;
	meta_end_write(end, &w->raw);
	err = put_chunk(w, &end_chunk, 0);
	if (err)
		return err;
	index_off = w->off;
	index_write(&w->index, &w->raw);
	err = put_chunk(w, &index_chunk, SMALL_ZLIB_LEVEL);
	if (err)
		return err;
	err = put_file_header(w, 0, index_off);
	if (err)
		return writer_fail(w, err);
	w->finished = true;
	return 0;
}

uint64_t trace_writer_bytes(const struct trace_writer *w)
{
	return w->off;
}

uint64_t trace_writer_events(const struct trace_writer *w)
{
	return w->index.events;
}

struct trace_seal *trace_writer_seal(struct trace_writer *w)
{
	struct trace_seal *seal = w->seal;

	w->seal = NULL;
	return seal;
}

void trace_writer_free(struct trace_writer *w)
{
	if (!w)
		return;
	trace_seal_free(w->seal);
	encoder_free(w->encoder);
	schema_release(&w->schema);
	index_release(&w->index);
	free(w->rows.p);
	free(w->raw.p);
	free(w->keys);
	free(w->keys_spare);
	free(w->order);
	free(w);
}
