/* SPDX-License-Identifier: GPL-2.0-only */

/*
 * The trace reader and the checker on any bytes. Each input is read as it is, and once more
 * with its checksums made right, because behind those is where a hostile file
 * would be. The input also chooses a trace that is whole, on which the report and the checker must agree.
 */

#include "fuzz.h"
#include "fuzz_agree.h"
#include "fuzz_verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "trace/chunk.h"
#include "trace/scan.h"
#include "trace/trace.h"
#include "util/io.h"

#define EVENTS_ENOUGH 100000	/* of one input */

const char *const fuzz_name = "fuzz_trace";

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_event(const union lab_event *ev, const struct lab_ev_head *last)
{
	size_t size = trace_event_size(ev->head.kind);

	require(size && ev->head.cpu < TRACE_CPUS_MAX);
	require(ev->head.ts_ns >= last->ts_ns);
	if (ev->head.ts_ns == last->ts_ns) {
		require(ev->head.cpu >= last->cpu);
		require(ev->head.cpu > last->cpu || ev->head.seq >= last->seq);
	}
	for (size_t i = size; i < sizeof(*ev); i++)
		require(!((const uint8_t *)ev)[i]);
	if (ev->head.kind == LAB_EV_MIGRATE)
		require(ev->migrate.dest_cpu < TRACE_CPUS_MAX &&
			ev->migrate.orig_cpu < TRACE_CPUS_MAX);
}

static void check_symbols(const struct trace_symbols *s)
{
	for (size_t i = 0; i < s->row_cnt; i++) {
		require(s->rows[i].object < s->text_cnt);
		require(s->rows[i].symbol < s->text_cnt || s->rows[i].symbol == TRACE_NO_TEXT);
	}
	for (size_t i = 0; i < s->text_cnt; i++)
		require(s->texts[i][0] && strlen(s->texts[i]) <= TRACE_SYMBOL_TEXT_MAX);
}

static void read_all(const uint8_t *data, size_t size)
{
	struct lab_ev_head last = { 0 };
	struct trace_reader *r = NULL;
	const struct trace_meta *meta;
	union lab_event ev;
	bool complete = false;
	char path[32];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	int ret = 0;

	require(fd >= 0 && io_write_all(fd, data, size) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!trace_reader_open(&r, path)) {
		meta = trace_reader_meta(r);
		require(meta->name && meta->release && meta->argv && !meta->argv[meta->argc]);
		check_symbols(trace_reader_symbols(r));
		for (size_t i = 0; i < EVENTS_ENOUGH; i++) {
			ret = trace_reader_next(r, &ev);
			if (ret <= 0)
				break;
			check_event(&ev, &last);
			last = ev.head;
		}
		require(ret >= 0);
		require(trace_reader_complete(r) == !trace_reader_damage(r)[0]);
		require(trace_reader_complete(r) == !!trace_reader_end(r));
		complete = ret == 0 && trace_reader_complete(r);
		trace_reader_free(r);
	}
	fuzz_verify(path, complete);
	close(fd);
}

static void put_crc(uint8_t *at, const uint8_t *buf, size_t len)
{
	put_le(at, crc32(0, buf, (uInt)len), 4);
}

/* Make every checksum right that a reader could come to. */
static void mend_checksums(uint8_t *buf, size_t size)
{
	if (size < TRACE_FILE_HEADER_LEN)
		return;
	memcpy(buf, TRACE_MAGIC, TRACE_MAGIC_LEN);
	put_crc(buf + 28, buf, 28);
	for (size_t off = TRACE_FILE_HEADER_LEN; off + TRACE_CHUNK_HEADER_LEN <= size; off++) {
		uint8_t *head = buf + off;
		size_t left = size - off - TRACE_CHUNK_HEADER_LEN, len;

		if (memcmp(head, TRACE_CHUNK_MARK, TRACE_CHUNK_MARK_LEN))
			continue;
		len = get_le32(head + 16);
		if (len > left)
			len = left;
		/* A length that was cut or stretched in a plain chunk would hide all behind it. */
		if (get_le32(head + 12) == TRACE_CODING_PLAIN && head[19] < 2)
			put_le(head + 20, get_le32(head + 16), 4);
		put_crc(head + 28, head + TRACE_CHUNK_HEADER_LEN, len);
		put_crc(head + 52, head, 52);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);

	require(copy);
	memcpy(copy, data, size);
	read_all(copy, size);
	mend_checksums(copy, size);
	read_all(copy, size);
	fuzz_agree((uint64_t)crc32(0, copy, (uInt)size) << 24 | 1);
	free(copy);
	return 0;
}

/* ---- seeds ---- */

static void fill(union lab_event *ev, unsigned int i)
{
	memset(ev, 0, sizeof(*ev));
	ev->head = (struct lab_ev_head){
		/* Chunks that overlap, each in order of its own. */
		.ts_ns = 1000000 + 777 * (i % 40), .seq = i / 2, .task = 1 + i % 3,
		.cpu = (uint16_t)(i % 2), .kind = (uint8_t)(1 + i % (LAB_EV_KIND_MAX - 1)),
	};
	/* Something in each column. */
	for (size_t k = sizeof(ev->head); k < trace_event_size(ev->head.kind); k += 4)
		((uint8_t *)ev)[k] = (uint8_t)(i + k);
	if (ev->head.kind == LAB_EV_TASK_NEW || ev->head.kind == LAB_EV_TASK_SEED)
		ev->task.task_cpu = 1;
	if (ev->head.kind == LAB_EV_SWITCH_IN)
		snprintf(ev->switch_in.prev_comm, LAB_COMM_LEN, "program %u", i);
}

/* Copy a trace with every chunk stored plain, so that mutations reach what deflate hides. */
static int copy_plain(int from)
{
	int to = memfd_create("seed", MFD_CLOEXEC);
	uint64_t off = TRACE_FILE_HEADER_LEN;
	uint8_t head[TRACE_FILE_HEADER_LEN];
	struct scan scan;

	require(to >= 0 && !io_pread_all(from, head, sizeof(head), 0));
	require(!io_pwrite_all(to, head, sizeof(head), 0));
	require(!scan_file(&scan, from, (uint64_t)lseek(from, 0, SEEK_END)));
	for (size_t i = 0; i < scan.chunk_cnt; i++) {
		struct trace_chunk chunk = scan.chunks[i].head;
		struct bytes_out raw = { .len = chunk.raw_len };

		require(!trace_chunk_load(&(struct trace_source){ .fd = from }, scan.chunks[i].off, &chunk,
					  TRACE_RAW_MAX, &raw.p));
		require(!trace_chunk_write(to, off, &chunk, &raw, 0, NULL));
		off += TRACE_CHUNK_HEADER_LEN + chunk.stored_len;
		free(raw.p);
	}
	free(scan.chunks);
	return to;
}

static void add_symbols(struct trace_writer *w)
{
	struct trace_symbols s = { 0 };
	uint32_t object = trace_symbols_text(&s, "/lib/libfoo.so");
	uint32_t symbol = trace_symbols_text(&s, "lock");

	for (uint32_t i = 0; i < 4; i++)
		trace_symbols_add(&s, &(struct trace_symbol){
			.task = i, .wait_ns = 1000000 + i, .addr = 4096 * i, .object = object,
			.offset = 64 * i, .symbol = i % 2 ? symbol : TRACE_NO_TEXT, .is_shared = i > 2,
		});
	require(!trace_writer_symbols(w, &s));
	trace_symbols_release(&s);
}

/* Seeds 0 and 1: deflated and plain, finished; 2 and 3: unfinished; from 4 on: real ones. */
int fuzz_seed(unsigned int n)
{
	static const struct trace_end end = { .reason = TRACE_END_EXIT, .end_ns = 5 };
	char *argv[] = { "true", "x", NULL };
	uint16_t cpus[] = { 0, 1 };
	struct trace_clock_pair pair = { 0, 1, 300 };
	struct trace_meta meta = {
		.name = "true", .argv = argv, .argc = 2, .cpus_usable = cpus,
		.cpus_usable_cnt = 2, .clock_pairs = &pair, .clock_pair_cnt = 1,
	};
	int fd = memfd_create("seed", MFD_CLOEXEC), plain;
	struct trace_writer *w = NULL;

	if (n > 3) {
		close(fd);
		return fuzz_verify_seed(n - 4);
	}
	require(fd >= 0 && !trace_writer_open(&w, fd, &meta));
	for (unsigned int i = 0; i < 120; i++) {
		union lab_event ev;

		fill(&ev, i);
		require(!trace_writer_add(w, &ev));
		if (i % 40 == 30)
			require(!trace_writer_flush(w));
	}
	require(!trace_writer_flush(w));
	add_symbols(w);
	if (n < 2)
		require(!trace_writer_finish(w, &end));
	trace_writer_free(w);
	if (n % 2 == 0)
		return fd;
	plain = copy_plain(fd);
	close(fd);
	return plain;
}
