/* SPDX-License-Identifier: GPL-2.0-only */

#include "trace_fixture.h"

#include "trace/seal.h"
#include "util/minmax.h"

/* Vectors that the authors published, of the key 00 01 ... 0f and the texts "", 00, 00 01, ... */
TEST(seal_digest_is_siphash)
{
	static const struct {
		size_t len;
		uint64_t digest;
	} vectors[] = {
		{ 0, UINT64_C(0x726fdb47dd0e0e31) }, { 1, UINT64_C(0x74f839c593dc67fd) },
		{ 7, UINT64_C(0xab0200f58b01d137) }, { 8, UINT64_C(0x93f5f5799a932462) },
		{ 15, UINT64_C(0xa129ca6149be45e5) },
	};
	uint8_t bytes[SEAL_KEY_BYTES];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		CHECK_EQ(seal_siphash(bytes, bytes, vectors[i].len), vectors[i].digest);
}

#define EVENT_CNT 40

/* A finished trace of two chunks of events. */
static struct trace_seal *write_sealed(struct fixture_file *file, uint64_t seed)
{
	const struct trace_end end = { .reason = TRACE_END_EXIT, .end_ns = 77 };
	struct trace_seal *seal;
	struct trace_writer *w;

	*file = fixture_open();
	w = fixture_writer(file);
	for (size_t i = 0; i < EVENT_CNT; i++) {
		union lab_event ev;

		fixture_event(&ev, LAB_EV_SWITCH_OUT, &seed);
		ev.head.ts_ns = 1000 + i;
		CHECK_EQ(trace_writer_add(w, &ev), 0);
		if (i == EVENT_CNT / 2)
			CHECK_EQ(trace_writer_flush(w), 0);
	}
	CHECK_EQ(trace_writer_finish(w, &end), 0);
	seal = trace_writer_seal(w);
	trace_writer_free(w);
	return seal;
}

/* Return: of a file that is all believed 0, else the error that ended it. */
static int read_sealed(const struct fixture_file *file, const struct trace_seal *seal)
{
	const struct trace_source from = { .fd = file->fd, .seal = seal };
	struct trace_reader *r;
	union lab_event ev;
	size_t events = 0;
	int ret = trace_reader_start(&r, &from, file->path);

	if (ret)
		return ret;
	while ((ret = trace_reader_next(r, &ev)) > 0)
		events++;
	if (!ret) {
		CHECK_EQ(events, EVENT_CNT);
		CHECK(trace_reader_complete(r));
	}
	trace_reader_free(r);
	return ret;
}

TEST(seal_believes_what_was_written)
{
	struct fixture_file file;
	struct trace_seal *seal = write_sealed(&file, 1);

	CHECK_EQ(read_sealed(&file, seal), 0);
	trace_seal_free(seal);
	close(file.fd);
}

TEST(seal_refuses_any_byte_that_was_changed)
{
	struct fixture_file file;
	struct trace_seal *seal = write_sealed(&file, 2);
	off_t len = lseek(file.fd, 0, SEEK_END);

	for (off_t at = 0; at < len; at++) {
		uint8_t byte, other;

		REQUIRE(pread(file.fd, &byte, 1, at) == 1);
		other = byte ^ 4;
		REQUIRE(pwrite(file.fd, &other, 1, at) == 1);
		CHECK_EQ(read_sealed(&file, seal), -EKEYREJECTED);
		REQUIRE(pwrite(file.fd, &byte, 1, at) == 1);
	}
	CHECK_EQ(read_sealed(&file, seal), 0);
	trace_seal_free(seal);
	close(file.fd);
}

/* Another trace is whole, its checksums are right, and it has as many chunks. */
TEST(seal_refuses_another_trace_and_a_part_of_its_own)
{
	struct fixture_file file, forged;
	struct trace_seal *seal = write_sealed(&file, 3), *other = write_sealed(&forged, 4);
	off_t len = lseek(file.fd, 0, SEEK_END);
	char more[] = "more";

	CHECK_EQ(read_sealed(&forged, other), 0);
	CHECK_EQ(read_sealed(&forged, seal), -EKEYREJECTED);
	for (off_t cut = 0; cut < len; cut += 7) {
		struct fixture_file part = fixture_open();
		char *bytes = malloc((size_t)len);

		REQUIRE(bytes && pread(file.fd, bytes, (size_t)cut, 0) == cut);
		REQUIRE(pwrite(part.fd, bytes, (size_t)cut, 0) == cut);
		CHECK_EQ(read_sealed(&part, seal), -EKEYREJECTED);
		free(bytes);
		close(part.fd);
	}
	/* Bytes that nobody reads are no chunk: they make the file incomplete, and are not used. */
	REQUIRE(pwrite(file.fd, more, sizeof(more), len) == (ssize_t)sizeof(more));
	trace_seal_free(other);
	trace_seal_free(seal);
	close(forged.fd);
	close(file.fd);
}
