/* SPDX-License-Identifier: GPL-2.0-only */

#include "trace_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define CHUNKS 4
#define PER_CHUNK 6
#define EVENTS (CHUNKS * PER_CHUNK)

/* A small whole file, and where each chunk of its events ends. */
struct small {
	uint8_t *buf;
	size_t len;
	union lab_event events[EVENTS];
	size_t start_end;		/* of META and SCHM */
	size_t chunk_end[CHUNKS];
};

static void small_init(struct small *small, bool finish)
{
	struct fixture_file file = fixture_open();
	struct trace_writer *w = fixture_writer(&file);
	struct trace_end end = { .reason = TRACE_END_EXIT };
	uint64_t seed = 42;

	small->start_end = (size_t)trace_writer_bytes(w);
	for (unsigned int i = 0; i < EVENTS; i++) {
		fixture_event(&small->events[i], 1 + i % (LAB_EV_KIND_MAX - 1), &seed);
		small->events[i].head.ts_ns = 1000 + i;
		CHECK_EQ(trace_writer_add(w, &small->events[i]), 0);
		if (i % PER_CHUNK == PER_CHUNK - 1) {
			CHECK_EQ(trace_writer_flush(w), 0);
			small->chunk_end[i / PER_CHUNK] = (size_t)trace_writer_bytes(w);
		}
	}
	if (finish)
		CHECK_EQ(trace_writer_finish(w, &end), 0);
	small->len = (size_t)trace_writer_bytes(w);
	small->buf = malloc(small->len);
	REQUIRE(small->buf);
	REQUIRE(io_pread_all(file.fd, small->buf, small->len, 0) == 0);
	trace_writer_free(w);
	close(file.fd);
}

/* Cut at every byte: exactly the whole chunks before the cut are read. */
static void cut_everywhere(bool finished)
{
	struct fixture_file file = fixture_open();
	struct small small;

	small_init(&small, finished);
	fixture_set(&file, small.buf, small.len);
	for (size_t len = small.len - 1; len < small.len; len--) {
		struct trace_reader *r = NULL;
		size_t whole = 0;
		int err;

		REQUIRE(ftruncate(file.fd, (off_t)len) == 0);
		err = trace_reader_open(&r, file.path);
		if (len < small.start_end) {
			CHECK_EQ(err, -EBADMSG);
			continue;
		}
		REQUIRE(err == 0);
		while (whole < CHUNKS && small.chunk_end[whole] <= len)
			whole++;
		CHECK(fixture_gives(r, small.events, whole * PER_CHUNK));
		CHECK(!trace_reader_complete(r));
		CHECK(!trace_reader_end(r));
		CHECK(trace_reader_damage(r)[0]);
		trace_reader_free(r);
	}
	free(small.buf);
	close(file.fd);
}

TEST(trace_cut_at_every_byte)
{
	cut_everywhere(true);
}

TEST(trace_cut_unfinished_at_every_byte)
{
	cut_everywhere(false);
}

/* Events may be missing, but none may be new, changed or out of order; and it must show. */
static void check_subset(const struct fixture_file *file, const struct small *small)
{
	struct trace_reader *r;
	union lab_event ev;
	size_t i = 0, got = 0;

	if (trace_reader_open(&r, file->path))
		return;
	while (trace_reader_next(r, &ev) == 1) {
		while (i < EVENTS && memcmp(&ev, &small->events[i], sizeof(ev)))
			i++;
		REQUIRE(i < EVENTS);
		i++;
		got++;
	}
	CHECK(got >= EVENTS - PER_CHUNK);
	CHECK(!trace_reader_complete(r));
	CHECK(trace_reader_damage(r)[0]);
	trace_reader_free(r);
}

static void flip_everywhere(unsigned int (*mask)(size_t))
{
	struct fixture_file file = fixture_open();
	struct small small;

	small_init(&small, true);
	fixture_set(&file, small.buf, small.len);
	for (size_t i = 0; i < small.len; i++) {
		uint8_t flipped = (uint8_t)(small.buf[i] ^ mask(i));

		REQUIRE(pwrite(file.fd, &flipped, 1, (off_t)i) == 1);
		check_subset(&file, &small);
		REQUIRE(pwrite(file.fd, &small.buf[i], 1, (off_t)i) == 1);
	}
	free(small.buf);
	close(file.fd);
}

static unsigned int one_bit(size_t i)
{
	return 1u << i * 5 % 8;
}

static unsigned int all_bits(size_t i)
{
	(void)i;
	return 0xff;
}

TEST(trace_flip_a_bit_of_every_byte)
{
	flip_everywhere(one_bit);
}

TEST(trace_flip_every_byte)
{
	flip_everywhere(all_bits);
}

/* A chunk whose header is gone costs that chunk only. */
TEST(trace_reads_on_after_a_wrecked_header)
{
	struct fixture_file file = fixture_open();
	union lab_event want[EVENTS];
	struct trace_reader *r;
	struct small small;

	small_init(&small, true);
	memset(small.buf + small.chunk_end[0], 'L', TRACE_CHUNK_HEADER_LEN + 5);
	fixture_set(&file, small.buf, small.len);
	memcpy(want, small.events, sizeof(want));
	memmove(want + PER_CHUNK, want + 2 * PER_CHUNK,
		(CHUNKS - 2) * PER_CHUNK * sizeof(*want));
	REQUIRE(trace_reader_open(&r, file.path) == 0);
	CHECK(fixture_gives(r, want, EVENTS - PER_CHUNK));
	CHECK_STR(trace_reader_damage(r),
		  "damaged: 1 of its chunks left out, 3 chunks of events read");
	trace_reader_free(r);
	free(small.buf);
	close(file.fd);
}

TEST(trace_notices_what_was_appended)
{
	struct fixture_file file = fixture_open();
	struct trace_reader *r;
	struct small small;

	small_init(&small, true);
	fixture_set(&file, small.buf, small.len);
	REQUIRE(pwrite(file.fd, "more", 4, (off_t)small.len) == 4);
	REQUIRE(trace_reader_open(&r, file.path) == 0);
	CHECK(fixture_gives(r, small.events, EVENTS));
	CHECK_STR(trace_reader_damage(r), "followed by 4 bytes that do not belong to it");
	trace_reader_free(r);
	free(small.buf);
	close(file.fd);
}

/* ---- writing that fails ---- */

TEST(trace_write_error_leaves_whole_chunks)
{
	for (rlim_t limit = 0; limit < 40000; limit = limit * 3 / 2 + 700) {
		struct rlimit saved, small = { 0 };
		struct trace_writer *w = NULL;
		struct fixture_file file = fixture_open();
		static const struct trace_meta meta;
		struct trace_end end = { 0 };
		struct trace_reader *r;
		union lab_event events[2000];
		size_t whole = 0, cnt;
		uint64_t seed = limit;
		struct stat st;
		int err = 0;

		REQUIRE(getrlimit(RLIMIT_FSIZE, &saved) == 0);
		signal(SIGXFSZ, SIG_IGN);
		small.rlim_cur = limit;
		small.rlim_max = saved.rlim_max;
		REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
		err = trace_writer_open(&w, file.fd, &meta);
		for (cnt = 0; !err && cnt < 2000; cnt++) {
			fixture_event(&events[cnt], LAB_EV_SWITCH_OUT, &seed);
			events[cnt].head.ts_ns = cnt;
			err = trace_writer_add(w, &events[cnt]);
			if (!err && cnt % 50 == 49) {
				err = trace_writer_flush(w);
				whole = err ? whole : cnt + 1;
			}
		}
		CHECK_EQ(err, -EFBIG);
		if (w) {
			CHECK_EQ(trace_writer_add(w, &events[0]), -EFBIG);
			CHECK_EQ(trace_writer_flush(w), -EFBIG);
			CHECK_EQ(trace_writer_finish(w, &end), -EFBIG);
			REQUIRE(fstat(file.fd, &st) == 0);
			CHECK_EQ(st.st_size, trace_writer_bytes(w));
			REQUIRE(trace_reader_open(&r, file.path) == 0);
			CHECK(fixture_gives(r, events, whole));
			CHECK(!trace_reader_complete(r));
			trace_reader_free(r);
		}
		trace_writer_free(w);
		REQUIRE(setrlimit(RLIMIT_FSIZE, &saved) == 0);
		close(file.fd);
	}
}

/* ---- what cannot be opened ---- */

TEST(trace_refuses_what_is_no_trace)
{
	struct fixture_file file = fixture_open();
	char dir[] = "/tmp/lab-trace-XXXXXX";
	char path[64], link_path[64];
	struct trace_reader *r = NULL;

	CHECK_EQ(trace_reader_open(&r, file.path), -EBADMSG);
	fixture_set(&file, "hello", 5);
	CHECK_EQ(trace_reader_open(&r, file.path), -EBADMSG);
	fixture_set(&file, TRACE_MAGIC, TRACE_MAGIC_LEN);
	CHECK_EQ(trace_reader_open(&r, file.path), -EBADMSG);
	CHECK_EQ(trace_reader_open(&r, "/nonexistent/trace.lab"), -ENOENT);
	CHECK_EQ(trace_reader_open(&r, "/dev/null"), -EINVAL);

	REQUIRE(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	snprintf(link_path, sizeof(link_path), "%s/link", dir);
	CHECK_EQ(trace_reader_open(&r, dir), -EISDIR);
	REQUIRE(mkfifo(path, 0600) == 0);
	CHECK_EQ(trace_reader_open(&r, path), -EINVAL);
	CHECK(!r);

	trace_writer_free(fixture_writer(&file));
	REQUIRE(symlink(file.path, link_path) == 0);
	CHECK_EQ(trace_reader_open(&r, link_path), 0);
	trace_reader_free(r);
	unlink(path);
	unlink(link_path);
	rmdir(dir);
	close(file.fd);
}

static void set_version(const struct fixture_file *file, uint16_t major, uint16_t minor)
{
	uint8_t buf[TRACE_FILE_HEADER_LEN];
	const struct trace_file_header header = {
		.major = major, .minor = minor, .flags = TRACE_FILE_INCOMPLETE,
	};

	trace_file_header_put(buf, &header);
	REQUIRE(io_pwrite_all(file->fd, buf, sizeof(buf), 0) == 0);
}

TEST(trace_versions)
{
	struct fixture_file file = fixture_open();
	struct trace_reader *r = NULL;

	trace_writer_free(fixture_writer(&file));
	set_version(&file, TRACE_MAJOR + 1, 0);
	CHECK_EQ(trace_reader_open(&r, file.path), -EPROTONOSUPPORT);
	set_version(&file, TRACE_MAJOR, TRACE_MINOR + 7);
	CHECK_EQ(trace_reader_open(&r, file.path), 0);
	trace_reader_free(r);
	close(file.fd);
}
