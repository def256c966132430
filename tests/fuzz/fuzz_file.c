/* SPDX-License-Identifier: GPL-2.0-only */
/* fuzz_file - the bytes of a trace file, to the reader and to the checker; no report is made. */
#include "fuzz.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "trace/chunk.h"
#include "trace/scan.h"
#include "trace/trace.h"
#include "util/io.h"
#include "verify/verify.h"

#define EVENTS_ENOUGH 20000	/* of one input */

void fuzz_bytes(const uint8_t *data, size_t size);
void fuzz_chunk(const uint8_t *data, size_t size);

/* ---- what every reading keeps ---- */

static void check_event(const union lab_event *ev, const struct lab_ev_head *last)
{
	size_t size = trace_event_size(ev->head.kind);

	NEED(size && ev->head.cpu < TRACE_CPUS_MAX);
	NEED(ev->head.ts_ns >= last->ts_ns);
	if (ev->head.ts_ns == last->ts_ns) {
		NEED(ev->head.cpu >= last->cpu);
		NEED(ev->head.cpu > last->cpu || ev->head.seq >= last->seq);
	}
	for (size_t i = size; i < sizeof(*ev); i++)
		NEED(!((const uint8_t *)ev)[i]);
	if (ev->head.kind == LAB_EV_MIGRATE)
		NEED(ev->migrate.dest_cpu < TRACE_CPUS_MAX &&
		     ev->migrate.orig_cpu < TRACE_CPUS_MAX);
}

/* Return: whether the whole file could be read. */
static bool read_events(struct trace_reader *r)
{
	struct lab_ev_head last = { 0 };
	union lab_event ev;
	int ret = 0;

	for (size_t i = 0; i < EVENTS_ENOUGH; i++) {
		ret = trace_reader_next(r, &ev);
		if (ret <= 0)
			break;
		check_event(&ev, &last);
		last = ev.head;
	}
	NEED(ret >= 0);
	NEED(trace_reader_complete(r) == !trace_reader_damage(r)[0]);
	NEED(trace_reader_complete(r) == !!trace_reader_end(r));
	return ret == 0 && trace_reader_complete(r);
}

static void verify(int fd, bool complete)
{
	char why[VERIFY_WHY_MAX];
	enum verify_result result = verify_file(fd, fuzz_null(), why);

	NEED(result != VERIFY_UNREADABLE);
	NEED((result == VERIFY_DAMAGED) == (why[0] != '\0'));
	if (result == VERIFY_PROVEN || result == VERIFY_REFUTED)
		NEED(complete);
}

static void read_all(const uint8_t *data, size_t size)
{
	const struct fuzz_file *file = fuzz_file(0, data, size);
	struct trace_reader *r;
	bool complete = false;

	if (!trace_reader_open(&r, file->path)) {
		complete = read_events(r);
		trace_reader_free(r);
	}
	verify(file->fd, complete);
}

/* ---- a whole file ---- */

static void put_crc(uint8_t *at, const uint8_t *buf, size_t len)
{
	put_le(at, crc32(0, buf, (uInt)len), 4);
}

static size_t next_mark(const uint8_t *buf, size_t from, size_t size)
{
	const uint8_t *at = size - from < TRACE_CHUNK_HEADER_LEN ? NULL :
			    memmem(buf + from, size - from, TRACE_CHUNK_MARK, TRACE_CHUNK_MARK_LEN);

	return at && (size_t)(at - buf) + TRACE_CHUNK_HEADER_LEN <= size ? (size_t)(at - buf) :
									   size;
}

/* Where the marks are, there chunks begin, and go on to the next one; they are stored plain. */
void fuzz_mend(uint8_t *buf, size_t size)
{
	uint32_t number = 0;
	size_t next;

	if (size < TRACE_FILE_HEADER_LEN)
		return;
	for (size_t at = next_mark(buf, TRACE_FILE_HEADER_LEN, size); at < size; at = next) {
		uint8_t *head = buf + at, *payload = head + TRACE_CHUNK_HEADER_LEN;
		size_t len;

		next = next_mark(buf, at + TRACE_CHUNK_HEADER_LEN, size);
		len = next - at - TRACE_CHUNK_HEADER_LEN;
		put_le(head + 8, number++, 4);
		put_le(head + 12, TRACE_CODING_PLAIN, 4);
		put_le(head + 16, len, 4);
		put_le(head + 20, len, 4);
		put_crc(head + 28, payload, len);
		put_crc(head + 52, head, 52);
		if (get_le32(head + 4) == TRACE_CHUNK_INDEX)
			put_le(buf + 16, at, 8);
	}
	memcpy(buf, TRACE_MAGIC, TRACE_MAGIC_LEN);
	put_le(buf + 8, TRACE_MAJOR, 2);
	put_crc(buf + 28, buf, 28);
}

/* As it is; with its checksums made right; and with its lengths and numbers made right as well. */
static void mend_checksums(uint8_t *buf, size_t size)
{
	if (size < TRACE_FILE_HEADER_LEN)
		return;
	memcpy(buf, TRACE_MAGIC, TRACE_MAGIC_LEN);
	put_crc(buf + 28, buf, 28);
	for (size_t at = next_mark(buf, TRACE_FILE_HEADER_LEN, size); at < size;
	     at = next_mark(buf, at + 1, size)) {
		uint8_t *head = buf + at;
		size_t left = size - at - TRACE_CHUNK_HEADER_LEN, len = get_le32(head + 16);

		put_crc(head + 28, head + TRACE_CHUNK_HEADER_LEN, len < left ? len : left);
		put_crc(head + 52, head, 52);
	}
}

void fuzz_bytes(const uint8_t *data, size_t size)
{
	uint8_t *copy = (uint8_t *)fuzz_text(data, size);

	read_all(copy, size);
	mend_checksums(copy, size);
	read_all(copy, size);
	fuzz_mend(copy, size);
	read_all(copy, size);
	free(copy);
}

/* ---- one chunk of a good file ---- */

#define BASE "tests/fixtures/sequential.lab"

struct base {
	struct trace_chunk head;
	uint8_t *raw;
};

static size_t load_base(struct base **out)
{
	static struct base *base;
	static size_t cnt;
	struct trace_source from = { 0 };
	struct scan scan;
	int fd;

	*out = base;
	if (base)
		return cnt;
	fd = open(BASE, O_RDONLY | O_CLOEXEC);
	NEED(fd >= 0 && !scan_file(&scan, fd, (uint64_t)lseek(fd, 0, SEEK_END)));
	from.fd = fd;
	*out = base = xcalloc(scan.chunk_cnt, sizeof(*base));
	for (; cnt < scan.chunk_cnt; cnt++) {
		base[cnt].head = scan.chunks[cnt].head;
		NEED(!trace_chunk_load(&from, scan.chunks[cnt].off, &base[cnt].head, TRACE_RAW_MAX,
				       &base[cnt].raw));
	}
	free(scan.chunks);
	close(fd);
	return cnt;
}

/* The list of chunks that INDX has, of a file that is being put together. */
struct listed {
	struct bytes_out chunks;
	uint64_t last_off, events, cnt;
};

static void list(struct listed *l, uint64_t off, const struct trace_chunk *head)
{
	bytes_put_varint(&l->chunks, off - l->last_off);
	bytes_put_varint(&l->chunks, head->first_ns);
	bytes_put_varint(&l->chunks, head->last_ns - head->first_ns);
	bytes_put_varint(&l->chunks, head->count);
	l->last_off = off;
	l->events += head->count;
	l->cnt++;
}

static void put_index(struct bytes_out *out, const struct listed *l)
{
	bytes_put_varint(out, l->events);
	bytes_put_varint(out, l->cnt);
	bytes_put(out, l->chunks.p, l->chunks.len);
	bytes_put_varint(out, 0);
	bytes_put_varint(out, 0);
}

/* The chunk's header is put in front; fuzz_mend() makes the rest of it right. */
static void put_chunk(struct bytes_out *out, const struct trace_chunk *head, const uint8_t *raw,
		      size_t len)
{
	uint8_t buf[TRACE_CHUNK_HEADER_LEN] = TRACE_CHUNK_MARK;

	put_le(buf + 4, head->type, 4);
	put_le(buf + 24, head->count, 4);
	put_le(buf + 32, head->first_ns, 8);
	put_le(buf + 40, head->last_ns, 8);
	bytes_put(out, buf, sizeof(buf));
	bytes_put(out, raw, len);
}

/* The first byte says which chunk has the rest of the input for its payload. */
void fuzz_chunk(const uint8_t *data, size_t size)
{
	struct listed listed = { 0 };
	struct bytes_out out = { 0 };
	struct base *base;
	size_t cnt = load_base(&base), which;

	if (size < 2)
		return;
	which = data[0] % cnt;
	bytes_reserve(&out, TRACE_FILE_HEADER_LEN);
	memset(out.p, 0, TRACE_FILE_HEADER_LEN);
	out.len = TRACE_FILE_HEADER_LEN;
	for (size_t i = 0; i < cnt; i++) {
		const struct trace_chunk *head = &base[i].head;
		struct bytes_out index = { 0 };

		if (head->type == TRACE_CHUNK_EVENTS)
			list(&listed, out.len, head);
		put_index(&index, &listed);
		if (i == which)
			put_chunk(&out, head, data + 1, size - 1);
		else if (head->type == TRACE_CHUNK_INDEX)
			put_chunk(&out, head, index.p, index.len);
		else
			put_chunk(&out, head, base[i].raw, head->raw_len);
		free(index.p);
	}
	fuzz_mend(out.p, out.len);
	read_all(out.p, out.len);
	free(listed.chunks.p);
	free(out.p);
}
