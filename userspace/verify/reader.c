/* SPDX-License-Identifier: GPL-2.0-only */
#include "verify/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "util/alloc.h"
#include "util/io.h"
#include "util/minmax.h"
#include "verify/columns.h"

#define MAGIC "\x89LAB\r\n\x1a\n"
#define FILE_HEADER 32
#define CHUNK_HEADER 56
#define DIGESTED 52		/* bytes of it in front of its own checksum */
#define MAJOR 1
#define INCOMPLETE 1u
#define CHUNKS_MAX (1u << 20)
#define EVENTS_MAX 65536
#define RAW_MAX (64u << 20)
#define PAIRS_MAX (8u << 20)
#define SCHEMA_MAX (2u << 20)
#define INDEX_MAX (48u << 20)
#define DECODED_MAX (1ull << 30) /* bytes of the chunks that are open at once */
#define CLAIM_WHY_MAX 159
#define WHY_MAX 160

struct chunk {
	char type[5];
	uint32_t number, coding, stored, raw, events, crc;
	uint64_t off;			/* of its header */
	uint64_t first_ns, last_ns;
};

/* A chunk of which events are left. */
struct open {
	struct head head;		/* of the next one */
	struct block *block;		/* owned */
	uint32_t number;
};

struct reader {
	int fd;
	uint64_t bytes, index_off;
	struct chunk *chunks;
	size_t chunk_cnt, chunk_cap;
	struct circumstances about;
	struct layout *layout;
	uint8_t *certificate;
	size_t certificate_len;
	const struct chunk **order;	/* of events, by first_ns */
	size_t order_cnt, next;
	struct open *heap;		/* the least event first */
	size_t heap_cnt, heap_cap;
	uint64_t decoded;		/* bytes */
	uint64_t events;
	char why[WHY_MAX];
};

static enum file_state damaged(struct reader *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static enum file_state damaged(struct reader *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, args);
	va_end(args);
	return FILE_DAMAGED;
}

static enum file_state unreadable(struct reader *r, int err)
{
	damaged(r, "%s", strerror(-err));
	return FILE_UNREADABLE;
}

static uint64_t le(const uint8_t *p, unsigned int bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

static uint32_t crc_of(const uint8_t *p, size_t len)
{
	return (uint32_t)crc32(0, p, (uInt)len);
}

/* ---- chunks ---- */

static enum file_state header_read(struct reader *r)
{
	uint8_t h[FILE_HEADER];
	int err = r->bytes < sizeof(h) ? -ENODATA : io_pread_all(r->fd, h, sizeof(h), 0);

	if (err && err != -ENODATA)
		return unreadable(r, err);
	if (err || memcmp(h, MAGIC, 8))
		return damaged(r, "it is not a lab trace");
	if (le(h + 28, 4) != crc_of(h, 28))
		return damaged(r, "the checksum of its header is wrong");
	if (le(h + 8, 2) != MAJOR)
		return damaged(r, "its format has another version, %u", (unsigned int)le(h + 8, 2));
	if (le(h + 12, 4) & INCOMPLETE)
		return FILE_UNFINISHED;
	r->index_off = le(h + 16, 8);
	return FILE_WHOLE;
}

static bool lengths_fit(const struct chunk *c)
{
	if (!c->raw || c->raw > RAW_MAX || c->coding > 1)
		return false;
	if (!c->coding)
		return c->stored == c->raw;
	return c->stored <= (uint64_t)c->raw + c->raw / 8 + 64 &&
	       c->raw <= (uint64_t)c->stored * 1032;
}

/* Chunk behind chunk, numbered from 0, to the end of the file. */
static enum file_state chunks_walk(struct reader *r)
{
	uint64_t off = FILE_HEADER;
	uLong digest = crc32(0, NULL, 0);

	while (off < r->bytes) {
		struct chunk c = { .off = off };
		uint8_t h[CHUNK_HEADER];
		int err;

		if (r->bytes - off < sizeof(h) || r->chunk_cnt == CHUNKS_MAX)
			return damaged(r, "%" PRIu64 " bytes at its end belong to no chunk",
				       r->bytes - off);
		err = io_pread_all(r->fd, h, sizeof(h), off);
		if (err)
			return unreadable(r, err);
		if (memcmp(h, "LCHK", 4) || le(h + 52, 4) != crc_of(h, 52))
			return damaged(r, "no chunk begins at byte %" PRIu64, off);
		memcpy(c.type, h + 4, 4);
		c.number = (uint32_t)le(h + 8, 4);
		c.coding = (uint32_t)le(h + 12, 4);
		c.stored = (uint32_t)le(h + 16, 4);
		c.raw = (uint32_t)le(h + 20, 4);
		c.events = (uint32_t)le(h + 24, 4);
		c.crc = (uint32_t)le(h + 28, 4);
		c.first_ns = le(h + 32, 8);
		c.last_ns = le(h + 40, 8);
		if (c.number != r->chunk_cnt)
			return damaged(r, "chunk %zu is missing", r->chunk_cnt);
		if (c.stored > r->bytes - off - sizeof(h))
			return damaged(r, "its last chunk is cut");
		if (strcmp(c.type, "CERT"))
			digest = crc32(digest, h, DIGESTED);
		*vec_push(r->chunks, r->chunk_cnt, r->chunk_cap) = c;
		off += sizeof(h) + c.stored;
	}
	r->about.digest = digest;
	return FILE_WHOLE;
}

/* The payload of a chunk, to be freed. */
static enum file_state chunk_load(struct reader *r, const struct chunk *c, uint64_t raw_max,
				  uint8_t **raw)
{
	uLongf len = c->raw;
	uint8_t *stored;
	int err;

	if (!lengths_fit(c) || c->raw > raw_max)
		return damaged(r, "chunk %u has no such length", c->number);
	stored = xmalloc(c->stored);
	err = io_pread_all(r->fd, stored, c->stored, c->off + CHUNK_HEADER);
	if (err) {
		free(stored);
		return unreadable(r, err);
	}
	if (crc_of(stored, c->stored) != c->crc) {
		free(stored);
		return damaged(r, "the checksum of chunk %u is wrong", c->number);
	}
	*raw = stored;
	if (!c->coding)
		return FILE_WHOLE;
	*raw = xmalloc(c->raw);
	err = uncompress(*raw, &len, stored, c->stored);
	free(stored);
	if (err == Z_OK && len == c->raw)
		return FILE_WHOLE;
	free(*raw);
	return damaged(r, "chunk %u does not inflate", c->number);
}

/* The first chunk of a type, or NULL. */
static const struct chunk *chunk_find(const struct reader *r, const char *type)
{
	for (size_t i = 0; i < r->chunk_cnt; i++)
		if (!strcmp(r->chunks[i].type, type))
			return &r->chunks[i];
	return NULL;
}

/* ---- pairs ---- */

/* Return: 1, 0 at the end, -1. */
static int pair_take(struct cursor *c, struct words *key, struct words *value)
{
	if (!cursor_left(c) && !c->bad)
		return 0;
	*key = cursor_text(c);
	*value = cursor_text(c);
	return c->bad || (value->len && memchr(value->p, 0, value->len)) ? -1 : 1;
}

/* A number of META or ENDM. */
struct number {
	const char *key;
	uint64_t max;
	size_t off;		/* in struct circumstances; NOWHERE: its form is checked */
};

#define NOWHERE SIZE_MAX
#define KEPT(member) offsetof(struct circumstances, member)

static const struct number meta_numbers[] = {
	{ "attach_tgid", UINT32_MAX, KEPT(attach_tgid) }, { "armed_ns", UINT64_MAX, KEPT(armed_ns) },
	{ "attempt", UINT32_MAX, NOWHERE }, { "attempts_max", UINT32_MAX, NOWHERE },
	{ "is_command", 1, NOWHERE }, { "claim_at_least", 1, NOWHERE },
	{ "claim_serializer", 1, NOWHERE }, { "claim_deadlock", 1, NOWHERE },
	{ "claim_stall_ns", UINT64_MAX, NOWHERE },
	{ "claim_min_parallelism_milli", UINT32_MAX, NOWHERE },
	{ "claim_min_operations", UINT32_MAX, NOWHERE }, { "claim_needs_cpus", UINT32_MAX, NOWHERE },
	{ "cpus_online", UINT32_MAX, NOWHERE }, { "quota_milli_cpus", UINT32_MAX, NOWHERE },
	{ "throttling", UINT32_MAX, NOWHERE }, { "smt", 1, NOWHERE }, { "ops_hooked", 1, NOWHERE }, { "started_unix_ns", UINT64_MAX, NOWHERE },
	{ NULL, 0, 0 },
};

static const struct number end_numbers[] = {
	{ "reason", UINT32_MAX, KEPT(reason) }, { "end_ns", UINT64_MAX, KEPT(end_ns) },
	{ "births", UINT64_MAX, KEPT(births) },
	{ "storage_failures", UINT64_MAX, KEPT(storage_failures) },
	{ "recursion_misses", UINT64_MAX, KEPT(recursion_misses) },
	{ "ready_unseen", UINT64_MAX, KEPT(ready_unseen) }, { "groups_unseen", UINT64_MAX, NOWHERE },
	{ "root_reaped", 1, NOWHERE }, { "name_misses", UINT64_MAX, NOWHERE },
	{ "misses_unread", 1, NOWHERE }, { "bpf_ns", UINT64_MAX, NOWHERE },
	{ "bpf_runs", UINT64_MAX, NOWHERE }, { "reader_cpu_ns", UINT64_MAX, NOWHERE },
	{ "steal_ns", UINT64_MAX, NOWHERE },
	{ NULL, 0, 0 },
};

static bool clock_pair_take(struct circumstances *a, struct words w)
{
	uint64_t cpu_a, cpu_b, eps_ns;

	if (!words_number(&w, CPU_NUMBERS - 1, &cpu_a) || !words_number(&w, CPU_NUMBERS - 1, &cpu_b) ||
	    !words_number(&w, UINT32_MAX, &eps_ns) || w.len)
		return false;
	*vec_push(a->pairs, a->pair_cnt, a->pair_cap) =
		(struct clock_pair){ (uint32_t)cpu_a, (uint32_t)cpu_b, eps_ns };
	return true;
}

static bool usable_take(struct circumstances *a, struct words w)
{
	uint64_t cpu;

	if (!words_number(&w, CPU_NUMBERS - 1, &cpu) || w.len)
		return false;
	for (uint64_t i = cpu; i < CPU_NUMBERS; i++)
		if (a->usable[i])
			return false;	/* they ascend */
	return a->usable[cpu] = true;
}

static bool is_claim(struct words w)
{
	return words_are(w, "none") || words_are(w, "sequential") || words_are(w, "concurrent") ||
	       words_are(w, "parallel");
}

static bool is_stall(struct words w)
{
	return words_are(w, "any") || words_are(w, "computing") || words_are(w, "blocked") ||
	       words_are(w, "none");
}

/* Signed, of 32 bits. */
static bool is_wait_status(struct words w)
{
	bool negative = w.len && w.p[0] == '-';
	uint64_t v;

	w.p += negative;
	w.len -= negative;
	return words_number(&w, (uint64_t)INT32_MAX + negative, &v) && !w.len;
}

static bool circumstance_take(struct circumstances *a, const struct number *numbers,
			      struct words key, struct words value)
{
	if (numbers == meta_numbers && words_are(key, "cpu_usable"))
		return usable_take(a, value);
	if (numbers == meta_numbers && words_are(key, "clock_pair"))
		return clock_pair_take(a, value);
	if (numbers == meta_numbers && words_are(key, "claim_class"))
		return is_claim(value);
	if (numbers == meta_numbers && words_are(key, "claim_stall"))
		return is_stall(value);
	if (numbers == meta_numbers && words_are(key, "claim_why"))
		return value.len <= CLAIM_WHY_MAX;
	if (numbers == end_numbers && words_are(key, "wait_status"))
		return is_wait_status(value);
	for (const struct number *n = numbers; n->key; n++) {
		uint64_t v;

		if (!words_are(key, n->key))
			continue;
		if (!words_number(&value, n->max, &v) || value.len)
			return false;
		if (n->off != NOWHERE)
			*(uint64_t *)((char *)a + n->off) = v;
	}
	return true;
}

static enum file_state circumstances_read(struct reader *r, const char *type,
					  const struct number *numbers)
{
	const struct chunk *c = chunk_find(r, type);
	enum file_state state;
	struct words key, value;
	struct cursor in;
	uint8_t *raw;
	int got;

	if (!c)
		return damaged(r, "it has no chunk %s", type);
	state = chunk_load(r, c, PAIRS_MAX, &raw);
	if (state)
		return state;
	in = (struct cursor){ raw, raw + c->raw, false };
	do
		got = pair_take(&in, &key, &value);
	while (got > 0 && circumstance_take(&r->about, numbers, key, value));
	free(raw);
	return got ? damaged(r, "chunk %s is malformed", type) : FILE_WHOLE;
}

/* ---- the rest of the file ---- */

static enum file_state layout_read(struct reader *r)
{
	const struct chunk *c = chunk_find(r, "SCHM");
	const struct chunk *events = chunk_find(r, "EVTS");
	enum file_state state;
	uint8_t *raw;

	if (!c || (events && (events < c || events < chunk_find(r, "META"))))
		return damaged(r, "it has events before their description");
	state = chunk_load(r, c, SCHEMA_MAX, &raw);
	if (state)
		return state;
	r->layout = layout_parse(raw, c->raw);
	free(raw);
	return r->layout ? FILE_WHOLE : damaged(r, "it codes events in a way that is not known here");
}

/* INDX is where the header says, and lists the chunks of events as they are. */
static bool index_fits(struct reader *r, const uint8_t *raw, size_t len)
{
	struct cursor in = { raw, raw + len, false };
	uint64_t events = cursor_varint(&in, UINT64_MAX);
	uint64_t cnt = cursor_varint(&in, CHUNKS_MAX), off = 0;

	for (size_t i = 0; i < r->chunk_cnt; i++) {
		const struct chunk *c = &r->chunks[i];

		if (strcmp(c->type, "EVTS"))
			continue;
		off += cursor_varint(&in, UINT64_MAX);
		if (!cnt-- || off != c->off || cursor_varint(&in, UINT64_MAX) != c->first_ns ||
		    cursor_varint(&in, UINT64_MAX) != c->last_ns - c->first_ns ||
		    cursor_varint(&in, UINT32_MAX) != c->events)
			return false;
		r->events += c->events;
	}
	return !in.bad && !cnt && events == r->events;
}

static enum file_state index_read(struct reader *r)
{
	const struct chunk *c = chunk_find(r, "INDX");
	enum file_state state;
	uint8_t *raw;
	bool fits;

	if (!c || c->off != r->index_off)
		return damaged(r, "its index is not where its header says");
	state = chunk_load(r, c, INDEX_MAX, &raw);
	if (state)
		return state;
	fits = index_fits(r, raw, c->raw);
	free(raw);
	return fits ? FILE_WHOLE : damaged(r, "its index does not list the chunks that it has");
}

/* Behind the index, and the last of the file. */
static enum file_state certificate_read(struct reader *r)
{
	const struct chunk *c = chunk_find(r, "CERT");

	if (!c)
		return FILE_WHOLE;
	if (c != &r->chunks[r->chunk_cnt - 1] || c < chunk_find(r, "INDX"))
		return damaged(r, "its certificate is not at its end");
	r->certificate_len = c->raw;
	return chunk_load(r, c, PAIRS_MAX, &r->certificate);
}

static int by_first_ns(const void *a, const void *b)
{
	const struct chunk *x = *(const struct chunk *const *)a, *y = *(const struct chunk *const *)b;

	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static enum file_state everything_read(struct reader *r)
{
	enum file_state state = header_read(r);

	if (!state)
		state = chunks_walk(r);
	if (!state)
		state = circumstances_read(r, "META", meta_numbers);
	if (!state)
		state = layout_read(r);
	if (!state)
		state = circumstances_read(r, "ENDM", end_numbers);
	if (!state)
		state = index_read(r);
	if (!state)
		state = certificate_read(r);
	if (state)
		return state;
	r->order = xcalloc(r->chunk_cnt, sizeof(*r->order));
	for (size_t i = 0; i < r->chunk_cnt; i++)
		if (!strcmp(r->chunks[i].type, "EVTS"))
			r->order[r->order_cnt++] = &r->chunks[i];
	qsort(r->order, r->order_cnt, sizeof(*r->order), by_first_ns);
	return FILE_WHOLE;
}

enum file_state reader_open(struct reader **out, const char *path)
{
	struct reader *r = xcalloc(1, sizeof(*r));
	struct stat st;

	*out = r;
	r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (r->fd < 0 || fstat(r->fd, &st))
		return unreadable(r, -errno);
	if (!S_ISREG(st.st_mode))
		return unreadable(r, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL);
	r->bytes = (uint64_t)st.st_size;
	return everything_read(r);
}

/* ---- events ---- */

static bool open_before(const struct open *a, const struct open *b)
{
	if (head_before(&a->head, &b->head) || head_before(&b->head, &a->head))
		return head_before(&a->head, &b->head);
	return a->number < b->number;
}

static void heap_settle(struct reader *r, size_t i)
{
	struct open moved = r->heap[i];

	while (i && open_before(&moved, &r->heap[(i - 1) / 2])) {
		r->heap[i] = r->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	for (;;) {
		size_t least = 2 * i + 1;

		if (least + 1 < r->heap_cnt && open_before(&r->heap[least + 1], &r->heap[least]))
			least++;
		if (least >= r->heap_cnt || !open_before(&r->heap[least], &moved))
			break;
		r->heap[i] = r->heap[least];
		i = least;
	}
	r->heap[i] = moved;
}

static enum file_state next_open(struct reader *r)
{
	const struct chunk *c = r->order[r->next++];
	struct open open = { .number = c->number };
	enum file_state state;
	uint8_t *raw;
	bool ok;

	if (!c->events || c->events > EVENTS_MAX)
		return damaged(r, "chunk %u has %u events", c->number, c->events);
	state = chunk_load(r, c, layout_longest(r->layout, c->events), &raw);
	if (state)
		return state;
	open.block = xcalloc(1, sizeof(*open.block));
	ok = block_decode(r->layout, raw, c->raw, c->events, open.block);
	free(raw);
	if (ok) {
		open.head = block_head(r->layout, open.block, 0);
		ok = open.head.ts_ns == c->first_ns &&
		     block_head(r->layout, open.block, c->events - 1).ts_ns == c->last_ns;
	}
	r->decoded += open.block->value_cnt * sizeof(uint64_t);
	*vec_push(r->heap, r->heap_cnt, r->heap_cap) = open;
	if (!ok)
		return damaged(r, "the events of chunk %u are malformed", c->number);
	if (r->decoded > DECODED_MAX)
		return damaged(r, "too many of its chunks overlap in time");
	heap_settle(r, r->heap_cnt - 1);
	return FILE_WHOLE;
}

int reader_next(struct reader *r, struct event *ev)
{
	struct open *top;

	while (r->next < r->order_cnt &&
	       (!r->heap_cnt || r->order[r->next]->first_ns <= r->heap[0].head.ts_ns))
		if (next_open(r))
			return -1;
	if (!r->heap_cnt)
		return 0;
	top = &r->heap[0];
	block_event(r->layout, top->block, ev);
	if (top->block->next[0] < top->block->rows[0]) {
		top->head = block_head(r->layout, top->block, top->block->next[0]);
	} else {
		r->decoded -= top->block->value_cnt * sizeof(uint64_t);
		block_release(top->block);
		free(top->block);
		*top = r->heap[--r->heap_cnt];
	}
	if (r->heap_cnt)
		heap_settle(r, 0);
	return 1;
}

/* ---- what is asked of it ---- */

const char *reader_why(const struct reader *r)
{
	return r->why;
}

const struct circumstances *reader_circumstances(const struct reader *r)
{
	return &r->about;
}

uint64_t reader_events(const struct reader *r)
{
	return r->events;
}

bool reader_has_certificate(const struct reader *r)
{
	return r->certificate;
}

int reader_pair(const struct reader *r, size_t *pos, struct words *key, struct words *value)
{
	struct cursor in = { r->certificate + *pos, r->certificate + r->certificate_len, false };
	int got = pair_take(&in, key, value);

	*pos = (size_t)(in.p - r->certificate);
	return got;
}

void reader_free(struct reader *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->heap_cnt; i++) {
		block_release(r->heap[i].block);
		free(r->heap[i].block);
	}
	layout_free(r->layout);
	if (r->fd >= 0)
		close(r->fd);
	free(r->about.pairs);
	free(r->chunks);
	free(r->order);
	free(r->heap);
	free(r->certificate);
	free(r);
}
