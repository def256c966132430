/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace_fixture.h"

#include "trace/certificate.h"

static void certificate_file(const struct fixture_file *file, bool finish)
{
	struct trace_end end = { .reason = TRACE_END_EXIT, .end_ns = 9 };
	struct trace_writer *w = fixture_writer(file);
	union lab_event ev;
	uint64_t seed = 5;

	fixture_event(&ev, LAB_EV_MIGRATE, &seed);
	CHECK_EQ(trace_writer_add(w, &ev), 0);
	CHECK_EQ(trace_writer_flush(w), 0);
	if (finish)
		CHECK_EQ(trace_writer_finish(w, &end), 0);
	trace_writer_free(w);
}

static off_t size_of(const struct fixture_file *file)
{
	return lseek(file->fd, 0, SEEK_END);
}

/* The payload at the end of the file, and that the file is still complete. */
static void ends_with(const struct fixture_file *file, const char *want, size_t len)
{
	struct trace_reader *r;
	char got[64] = "";

	REQUIRE(len < sizeof(got));
	REQUIRE(io_pread_all(file->fd, got, len, (uint64_t)size_of(file) - len) == 0);
	CHECK(!memcmp(got, want, len));
	REQUIRE(trace_reader_open(&r, file->path) == 0);
	CHECK(trace_reader_complete(r));
	CHECK_EQ(trace_reader_bytes(r), (uint64_t)size_of(file));
	trace_reader_free(r);
}

TEST(trace_certificate_is_stored_and_replaced)
{
	struct fixture_file file = fixture_open();
	off_t bare, first;

	certificate_file(&file, true);
	bare = size_of(&file);
	CHECK_EQ(trace_certificate_store(file.fd, "class parallel\ncpu 0\ncpu 1\n"), 0);
	ends_with(&file, "\5class\10parallel\3cpu\0010\3cpu\0011", 27);
	first = size_of(&file);
	CHECK(first > bare + TRACE_CHUNK_HEADER_LEN + 27);
	CHECK_EQ(trace_certificate_store(file.fd, "class a b"), 0);
	ends_with(&file, "\5class\3a b", 10);
	CHECK_EQ(size_of(&file), first - 17);
	close(file.fd);
}

/* Whatever changes in front of it, with right checksums, changes the digest. */
TEST(trace_certificate_has_a_digest_of_all_in_front)
{
	struct fixture_file file = fixture_open();
	uint64_t at = TRACE_FILE_HEADER_LEN;
	struct trace_chunk chunk;
	struct bytes_out raw = { 0 };
	uint8_t head[TRACE_CHUNK_HEADER_LEN], *payload;
	bool is_same = true;

	certificate_file(&file, true);
	CHECK_EQ(trace_certificate_compare(file.fd, "class parallel\n", &is_same), -ENOENT);
	CHECK(!is_same);
	CHECK_EQ(trace_certificate_store(file.fd, "class parallel\n"), 0);
	CHECK_EQ(trace_certificate_compare(file.fd, "class parallel\n", &is_same), 0);
	CHECK(is_same);
	CHECK_EQ(trace_certificate_compare(file.fd, "class sequential\n", &is_same), 0);
	CHECK(!is_same);

	/* META: one bit of the last value. */
	REQUIRE(io_pread_all(file.fd, head, sizeof(head), at) == 0);
	REQUIRE(trace_chunk_header_get(head, &chunk) == 0 && chunk.type == TRACE_CHUNK_META);
	REQUIRE(trace_chunk_load(&(struct trace_source){ .fd = file.fd }, at, &chunk, TRACE_RAW_MAX,
				 &payload) == 0);
	payload[chunk.raw_len - 1] ^= 1;
	bytes_put(&raw, payload, chunk.raw_len);
	REQUIRE(trace_chunk_write(file.fd, at, &chunk, &raw, 0, NULL) == 0);
	CHECK_EQ(trace_certificate_compare(file.fd, "class parallel\n", &is_same), 0);
	CHECK(!is_same);
	free(payload);
	free(raw.p);
	close(file.fd);
}

TEST(trace_certificate_of_what_is_no_whole_trace_is_refused)
{
	struct fixture_file file = fixture_open();
	off_t before;

	certificate_file(&file, false);
	before = size_of(&file);
	CHECK_EQ(trace_certificate_store(file.fd, "class parallel\n"), -EBADMSG);
	CHECK_EQ(size_of(&file), before);
	fixture_set(&file, "", 0);
	CHECK_EQ(trace_certificate_store(file.fd, "class parallel\n"), -EBADMSG);
	certificate_file(&file, true);
	before = size_of(&file);
	CHECK_EQ(trace_certificate_store(file.fd, "class\n"), -EBADMSG);
	CHECK_EQ(trace_certificate_store(file.fd, ""), -EBADMSG);
	REQUIRE(io_pwrite_all(file.fd, "tail", 4, (uint64_t)before) == 0);
	CHECK_EQ(trace_certificate_store(file.fd, "class parallel\n"), -EBADMSG);
	CHECK_EQ(size_of(&file), before + 4);
	close(file.fd);
}
