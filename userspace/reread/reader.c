/* SPDX-License-Identifier: GPL-2.0-only */
#include "reread/reader.h"

#include <errno.h>
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
#include "reread/columns.h"

#define MAGIC "\x89LAB\r\n\x1a\n"
#define FILE_HEADER 32
#define CHUNK_HEADER 56
#define DIGESTED 52		/* bytes of it in front of its own checksum */
#define MAJOR 1
#define INCOMPLETE 1u
#define CHUNKS_MAX (1u << 20)
#define EVENTS_MAX 65536
#define EVENTS_ANY_FILE 262144	/* and one more for each byte of it */
#define RAW_MAX (64u << 20)
#define PAIRS_MAX (8u << 20)
#define SCHEMA_MAX (2u << 20)
#define INDEX_MAX (48u << 20)
#define OPEN_MAX (128u << 20)	/* bytes of the chunks that are open at once */
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
	struct block *block;		/* owned */
	const struct chunk *chunk;
};

struct order {
	uint64_t first_ns, chunk;
};

struct reader {
	int fd;
	uint64_t bytes, index_off;
	VEC(struct chunk) chunks;
	struct circumstances about;
	struct layout *layout;
	uint8_t *certificate;
	size_t certificate_len;
	VEC(struct order) order;	/* of chunks of events */
	size_t next;
	VEC(struct open) heap;		/* the least event first */
	uint64_t open_bytes;
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

/* ---- sections 2, 3 and 8: chunks ---- */

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

		if (r->bytes - off < sizeof(h) || r->chunks.cnt == CHUNKS_MAX)
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
		if (c.number != r->chunks.cnt)
			return damaged(r, "chunk %zu is missing", r->chunks.cnt);
		if (c.stored > r->bytes - off - sizeof(h))
			return damaged(r, "its last chunk is cut");
		if (strcmp(c.type, "CERT"))
			digest = crc32(digest, h, DIGESTED);
		*PUSH(r->chunks) = c;
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
	return err == Z_MEM_ERROR ? unreadable(r, -ENOMEM) :
				    damaged(r, "chunk %u does not inflate", c->number);
}

/* The first chunk of a type, or NULL. */
static const struct chunk *chunk_find(const struct reader *r, const char *type)
{
	for (size_t i = 0; i < r->chunks.cnt; i++)
		if (!strcmp(r->chunks.v[i].type, type))
			return &r->chunks.v[i];
	return NULL;
}

/* ---- section 4: META and ENDM ---- */

/* A key, and the form of its value: a number, or one of some words. */
static const struct rule {
	const char *type, *key;
	uint64_t max;		/* of a number */
	size_t off;		/* in struct circumstances; 0: its form is checked */
	const char *words[4];
} rules[] = {
#define KEPT(type, key, max) { type, #key, max, offsetof(struct circumstances, key), { NULL } }
#define FORM(type, key, max) { type, key, max, 0, { NULL } }
	KEPT("META", attach_tgid, UINT32_MAX), KEPT("META", armed_ns, UINT64_MAX),
	FORM("META", "is_command", 1), FORM("META", "claim_at_least", 1),
	FORM("META", "claim_serializer", 1), FORM("META", "claim_deadlock", 1),
	FORM("META", "claim_stall_ns", UINT64_MAX), FORM("META", "claim_needs_cpus", UINT32_MAX),
	FORM("META", "claim_min_parallelism_milli", UINT32_MAX),
	FORM("META", "claim_min_operations", UINT32_MAX), FORM("META", "cpus_online", UINT32_MAX),
	FORM("META", "quota_milli_cpus", UINT32_MAX), FORM("META", "smt", 1),
	FORM("META", "physical_round_ns", UINT32_MAX), FORM("META", "physical_age_ns", UINT64_MAX),
	FORM("META", "ops_hooked", 1), FORM("META", "started_unix_ns", UINT64_MAX),
	FORM("META", "attempt", UINT32_MAX), FORM("META", "attempts_max", UINT32_MAX),
	FORM("META", "throttling", UINT32_MAX),
	{ "META", "claim_class", 0, 0, { "none", "sequential", "concurrent", "parallel" } },
	{ "META", "claim_stall", 0, 0, { "any", "computing", "blocked", "none" } },
	KEPT("ENDM", reason, UINT32_MAX), KEPT("ENDM", end_ns, UINT64_MAX),
	KEPT("ENDM", births, UINT64_MAX), KEPT("ENDM", storage_failures, UINT64_MAX),
	KEPT("ENDM", recursion_misses, UINT64_MAX), KEPT("ENDM", ready_unseen, UINT64_MAX),
	FORM("ENDM", "root_reaped", 1), FORM("ENDM", "name_misses", UINT64_MAX),
	FORM("ENDM", "misses_unread", 1), FORM("ENDM", "bpf_ns", UINT64_MAX),
	FORM("ENDM", "bpf_runs", UINT64_MAX), FORM("ENDM", "reader_cpu_ns", UINT64_MAX),
	FORM("ENDM", "steal_ns", UINT64_MAX), FORM("ENDM", "left_known", 1),
	FORM("ENDM", "left", UINT32_MAX), FORM("ENDM", "groups_unseen", UINT64_MAX),
};

/* Return: 1, 0 at the end, -1. */
static int pair_take(struct cursor *c, struct words *key, struct words *value)
{
	if (c->p == c->end && !c->bad)
		return 0;
	*key = cursor_text(c);
	*value = cursor_text(c);
	return c->bad || (value->len && memchr(value->p, 0, value->len)) ? -1 : 1;
}

static bool clock_pair_take(struct circumstances *a, struct words w)
{
	uint64_t cpu_a, cpu_b, eps_ns;

	if (!words_number(&w, CPU_NUMBERS - 1, &cpu_a) ||
	    !words_number(&w, CPU_NUMBERS - 1, &cpu_b) ||
	    !words_number(&w, UINT32_MAX, &eps_ns) || w.len)
		return false;
	*PUSH(a->pairs) = (struct clock_pair){ (uint32_t)cpu_a, (uint32_t)cpu_b, eps_ns };
	return true;
}

bool words_cpu(struct words w, bool cpus[CPU_NUMBERS])
{
	uint64_t cpu;

	if (!words_number(&w, CPU_NUMBERS - 1, &cpu) || w.len)
		return false;
	for (uint64_t i = cpu; i < CPU_NUMBERS; i++)
		if (cpus[i])
			return false;	/* they ascend */
	return cpus[cpu] = true;
}

static bool rule_holds(struct circumstances *a, const struct rule *rule, struct words value)
{
	uint64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(rule->words) && rule->words[0]; i++)
		if (words_are(value, rule->words[i]))
			return true;
	if (rule->words[0] || !words_number(&value, rule->max, &v) || value.len)
		return false;
	if (rule->off)
		*(uint64_t *)((char *)a + rule->off) = v;
	return true;
}

static bool circumstance_take(struct circumstances *a, const char *type, struct words key,
			      struct words value)
{
	bool meta = !strcmp(type, "META"), negative = value.len && value.p[0] == '-';

	if (meta && words_are(key, "cpu_usable"))
		return words_cpu(value, a->usable);
	if (meta && words_are(key, "clock_pair"))
		return clock_pair_take(a, value);
	if (meta && words_are(key, "claim_why"))
		return value.len <= CLAIM_WHY_MAX;
	if (!meta && words_are(key, "wait_status")) {	/* signed, of 32 bits */
		uint64_t v;

		value = (struct words){ value.p + negative, value.len - negative };
		return words_number(&value, (uint64_t)INT32_MAX + negative, &v) && !value.len;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (!strcmp(rules[i].type, type) && words_are(key, rules[i].key))
			return rule_holds(a, &rules[i], value);
	return true;
}

static enum file_state circumstances_read(struct reader *r, const char *type)
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
	while (got > 0 && circumstance_take(&r->about, type, key, value));
	free(raw);
	return got ? damaged(r, "chunk %s is malformed", type) : FILE_WHOLE;
}

/* ---- sections 5, 7 and 12: the rest of the file ---- */

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
	return r->layout ? FILE_WHOLE : damaged(r,
						"it codes events in a way that is not known here");
}

/* INDX is where the header says, and lists the chunks of events as they are. */
static bool index_fits(struct reader *r, const uint8_t *raw, size_t len)
{
	struct cursor in = { raw, raw + len, false };
	uint64_t events = cursor_varint(&in, UINT64_MAX);
	uint64_t cnt = cursor_varint(&in, CHUNKS_MAX), off = 0, sum = 0;

	for (size_t i = 0; i < r->chunks.cnt; i++) {
		const struct chunk *c = &r->chunks.v[i];

		if (strcmp(c->type, "EVTS"))
			continue;
		off += cursor_varint(&in, UINT64_MAX);
		if (!cnt-- || off != c->off || cursor_varint(&in, UINT64_MAX) != c->first_ns ||
		    cursor_varint(&in, UINT64_MAX) != c->last_ns - c->first_ns ||
		    cursor_varint(&in, UINT32_MAX) != c->events)
			return false;
		sum += c->events;
	}
	return !in.bad && !cnt && events == sum;
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
	if (c != &r->chunks.v[r->chunks.cnt - 1] || c < chunk_find(r, "INDX"))
		return damaged(r, "its certificate is not at its end");
	r->certificate_len = c->raw;
	return chunk_load(r, c, PAIRS_MAX, &r->certificate);
}

static enum file_state everything_read(struct reader *r)
{
	enum file_state state = header_read(r);

	if (!state)
		state = chunks_walk(r);
	if (!state)
		state = circumstances_read(r, "META");
	if (!state)
		state = layout_read(r);
	if (!state)
		state = circumstances_read(r, "ENDM");
	if (!state)
		state = index_read(r);
	if (!state)
		state = certificate_read(r);
	if (state)
		return state;
	for (size_t i = 0; i < r->chunks.cnt; i++)
		if (!strcmp(r->chunks.v[i].type, "EVTS"))
			ADD(r->order, (struct order){ r->chunks.v[i].first_ns, i });
	sort_words(r->order.v, r->order.cnt, 2);
	return FILE_WHOLE;
}

enum file_state reader_open(struct reader **out, int fd)
{
	struct reader *r = xcalloc(1, sizeof(*r));
	struct stat st;

	*out = r;
	r->fd = fd;
	if (fstat(fd, &st))
		return unreadable(r, -errno);
	if (!S_ISREG(st.st_mode))
		return unreadable(r, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL);
	r->bytes = (uint64_t)st.st_size;
	return everything_read(r);
}

/* ---- events, in the order of the whole file (section 6) ---- */

static bool open_before(const struct open *a, const struct open *b)
{
	const struct head *x = block_head(a->block), *y = block_head(b->block);

	return head_before(x, y) || (!head_before(y, x) && a->chunk->number < b->chunk->number);
}

/* Put the heap in order again, of which the element at @i has changed. */
static void heap_settle(struct reader *r, size_t i)
{
	struct open *heap = r->heap.v, moved = heap[i];

	for (; i && open_before(&moved, &heap[(i - 1) / 2]); i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	for (;;) {
		size_t least = 2 * i + 1;

		if (least + 1 < r->heap.cnt && open_before(&heap[least + 1], &heap[least]))
			least++;
		if (least >= r->heap.cnt || !open_before(&heap[least], &moved))
			break;
		heap[i] = heap[least];
		i = least;
	}
	heap[i] = moved;
}

static enum file_state next_open(struct reader *r)
{
	const struct chunk *c = &r->chunks.v[r->order.v[r->next++].chunk];
	const struct head *head;
	enum file_state state;
	struct block *block;
	uint8_t *raw;

	if (!c->events || c->events > EVENTS_MAX)
		return damaged(r, "chunk %u has %u events", c->number, c->events);
	state = chunk_load(r, c, layout_longest(r->layout, c->events), &raw);
	if (state)
		return state;
	block = block_open(r->layout, raw, c->raw, c->events);
	head = block_head(block);
	if (!head || head->ts_ns != c->first_ns) {
		block_free(block);
		return damaged(r, "the events of chunk %u are malformed", c->number);
	}
	*PUSH(r->heap) = (struct open){ block, c };
	heap_settle(r, r->heap.cnt - 1);
	r->open_bytes += c->raw;
	return r->open_bytes > OPEN_MAX ? damaged(r,
						  "too many of its chunks overlap in time") :
					       FILE_WHOLE;
}

int reader_next(struct reader *r, struct event *ev)
{
	struct open top;

	while (r->next < r->order.cnt &&
	       (!r->heap.cnt ||
		r->order.v[r->next].first_ns <= block_head(r->heap.v[0].block)->ts_ns))
		if (next_open(r))
			return -1;
	if (!r->heap.cnt)
		return 0;
	top = r->heap.v[0];
	block_event(top.block, ev);
	if (!block_head(top.block)) {
		bool whole = block_is_used_up(top.block) && ev->head.ts_ns == top.chunk->last_ns;

		r->open_bytes -= top.chunk->raw;
		block_free(top.block);
		r->heap.v[0] = r->heap.v[--r->heap.cnt];
		if (!whole) {
			damaged(r, "the events of chunk %u are malformed", top.chunk->number);
			return -1;
		}
	}
	if (r->heap.cnt)
		heap_settle(r, 0);
	return 1;
}

/* ---- what is asked of it ---- */

bool reader_is_dense(const struct reader *r)
{
	uint64_t events = 0;

	for (size_t i = 0; i < r->chunks.cnt; i++)
		events += strcmp(r->chunks.v[i].type, "EVTS") ? 0 : r->chunks.v[i].events;
	return events > EVENTS_ANY_FILE + r->bytes;
}

const char *reader_why(const struct reader *r)
{
	return r->why;
}

const struct circumstances *reader_circumstances(const struct reader *r)
{
	return &r->about;
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
	for (size_t i = 0; i < r->heap.cnt; i++)
		block_free(r->heap.v[i].block);
	layout_free(r->layout);
	free(r->about.pairs.v);
	free(r->chunks.v);
	free(r->order.v);
	free(r->heap.v);
	free(r->certificate);
	free(r);
}

/* ---- words ---- */

bool words_are(struct words w, const char *text)
{
	return w.len == strlen(text) && !memcmp(w.p, text, w.len);
}

bool words_number(struct words *w, uint64_t max, uint64_t *value)
{
	size_t i = 0;

	*value = 0;
	for (; i < w->len && w->p[i] >= '0' && w->p[i] <= '9'; i++) {
		uint64_t digit = (uint64_t)(w->p[i] - '0');

		if (digit > max || *value > (max - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	if (!i)
		return false;
	if (i + 1 < w->len && w->p[i] == ' ')
		i++;
	w->p += i;
	w->len -= i;
	return true;
}
