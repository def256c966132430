/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace_fixture.h"

#include "trace/symbols.h"

/* Two texts and two rows: all fields set, and none but what must be. */
static void example(struct trace_symbols *s)
{
	uint32_t object, symbol;

	*s = (struct trace_symbols){ 0 };
	object = trace_symbols_text(s, "/usr/bin/python3.11");
	symbol = trace_symbols_text(s, "_PyRuntime");
	trace_symbols_add(s, &(struct trace_symbol){
		.task = 3, .is_shared = true, .wait_ns = 1ULL << 61, .addr = UINT64_MAX,
		.object = object, .offset = 0xa5b8e8, .symbol = symbol, .symbol_off = 0x1a8,
	});
	trace_symbols_add(s, &(struct trace_symbol){ .object = object, .symbol = TRACE_NO_TEXT });
	REQUIRE(s->text_cnt == 2 && s->row_cnt == 2);
}

static void check_example(const struct trace_symbols *s)
{
	struct trace_symbols want;

	example(&want);
	REQUIRE(s->text_cnt == 2 && s->row_cnt == 2);
	CHECK_STR(s->texts[0], "/usr/bin/python3.11");
	CHECK_STR(s->texts[1], "_PyRuntime");
	CHECK(!memcmp(s->rows, want.rows, 2 * sizeof(*s->rows)));
	trace_symbols_release(&want);
}

static void write_file(const struct fixture_file *file, const struct trace_symbols *s)
{
	struct trace_end end = { .reason = TRACE_END_EXIT, .end_ns = 9 };
	struct trace_writer *w = fixture_writer(file);
	union lab_event ev;
	uint64_t seed = 5;

	fixture_event(&ev, LAB_EV_MIGRATE, &seed);
	CHECK_EQ(trace_writer_add(w, &ev), 0);
	CHECK_EQ(trace_writer_symbols(w, s), 0);
	CHECK_EQ(trace_writer_finish(w, &end), 0);
	trace_writer_free(w);
}

TEST(trace_symbols_come_back)
{
	struct fixture_file file = fixture_open();
	struct trace_symbols s;
	struct trace_reader *r;

	example(&s);
	write_file(&file, &s);
	REQUIRE(trace_reader_open(&r, file.path) == 0);
	CHECK(trace_reader_complete(r));
	check_example(trace_reader_symbols(r));
	trace_reader_free(r);
	trace_symbols_release(&s);

	/* Without any there is no chunk. */
	fixture_set(&file, "", 0);
	write_file(&file, &s);
	REQUIRE(trace_reader_open(&r, file.path) == 0);
	CHECK(trace_reader_complete(r));
	CHECK_EQ(trace_reader_symbols(r)->row_cnt, 0);
	trace_reader_free(r);
	close(file.fd);
}

/* The order of the chunks that the specification states: the last events, names, the end. */
TEST(trace_symbols_stand_before_the_end)
{
	struct fixture_file file = fixture_open();
	struct trace_symbols s;
	char *text;
	size_t len;

	example(&s);
	write_file(&file, &s);
	len = (size_t)lseek(file.fd, 0, SEEK_END);
	text = calloc(1, len + 1);
	REQUIRE(text && io_pread_all(file.fd, text, len, 0) == 0);
	CHECK(memmem(text, len, "LCHKEVTS", 8) < memmem(text, len, "LCHKSYMS", 8));
	CHECK(memmem(text, len, "LCHKSYMS", 8) < memmem(text, len, "LCHKENDM", 8));
	CHECK(memmem(text, len, "LCHKEVTS", 8));
	free(text);
	trace_symbols_release(&s);
	close(file.fd);
}

TEST(trace_symbols_damaged_are_no_names_and_no_harm)
{
	struct fixture_file file = fixture_open();
	struct trace_symbols s;
	struct trace_reader *r;
	char *text, *at;
	size_t len;

	example(&s);
	write_file(&file, &s);
	len = (size_t)lseek(file.fd, 0, SEEK_END);
	text = calloc(1, len);
	REQUIRE(text && io_pread_all(file.fd, text, len, 0) == 0);
	at = memmem(text, len, "LCHKSYMS", 8);
	REQUIRE(at);
	at[TRACE_CHUNK_HEADER_LEN + 5] ^= 1;
	fixture_set(&file, text, len);
	REQUIRE(trace_reader_open(&r, file.path) == 0);
	CHECK(trace_reader_complete(r));
	CHECK_EQ(trace_reader_symbols(r)->row_cnt, 0);
	CHECK_EQ(trace_reader_symbols(r)->text_cnt, 0);
	trace_reader_free(r);
	free(text);
	trace_symbols_release(&s);
	close(file.fd);
}

static int parse(const char *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);	/* so that a sanitizer sees its end */
	struct trace_symbols s;
	int err;

	REQUIRE(copy);
	memcpy(copy, bytes, len);
	err = symbols_parse(&s, copy, len);
	if (err)
		CHECK(!s.texts && !s.rows);
	trace_symbols_release(&s);
	free(copy);
	return err;
}

#define PARSE(bytes) parse(bytes, sizeof(bytes) - 1)

TEST(trace_symbols_hostile)
{
	CHECK_EQ(PARSE("\0\0"), 0);
	CHECK_EQ(PARSE("\1\1a\1" "\1\1\1\0\0\1\1\1"), 0);
	CHECK_EQ(PARSE("\1\1a\1" "\1\1\1\0\0\1\1\1" "more"), 0);	/* of a newer version */
	CHECK_EQ(PARSE(""), -EBADMSG);
	CHECK_EQ(PARSE("\0"), -EBADMSG);
	CHECK_EQ(PARSE("\1\0\0"), -EBADMSG);				/* an empty text */
	CHECK_EQ(PARSE("\1\1\0\0"), -EBADMSG);				/* a NUL in one */
	CHECK_EQ(PARSE("\1\x81\x20" "aaaa\0"), -EBADMSG);		/* 4097 bytes */
	CHECK_EQ(PARSE("\xff\xff\xff\xff\x0f\1a"), -EBADMSG);
	CHECK_EQ(PARSE("\1\1a\1" "\1\1\1\0\1\1\1\1"), -EBADMSG);	/* no such object */
	CHECK_EQ(PARSE("\1\1a\1" "\1\1\1\0\0\1\2\1"), -EBADMSG);	/* no such symbol */
	CHECK_EQ(PARSE("\0\1" "\1\1\1\0\0\1\0\0"), -EBADMSG);		/* an object out of none */
	CHECK_EQ(PARSE("\1\1a\2" "\1\1\1\0\0\1\1\1"), -EBADMSG);	/* a row too few */
	/* A task beyond 32 bits. */
	CHECK_EQ(PARSE("\1\1a\1" "\xff\xff\xff\xff\x1f\1\1\0\0\1\1\1"), -EBADMSG);
}

/* Each byte of a right payload by any other: an error or something readable, and no crash. */
TEST(trace_symbols_survive_any_byte)
{
	struct bytes_out raw = { 0 };
	struct trace_symbols s;

	example(&s);
	symbols_write(&s, &raw);
	for (size_t i = 0; i < raw.len; i++) {
		uint8_t was = raw.p[i];

		for (unsigned int byte = 0; byte < 256; byte++) {
			raw.p[i] = (uint8_t)byte;
			parse((const char *)raw.p, raw.len);
			parse((const char *)raw.p, i);
		}
		raw.p[i] = was;
	}
	CHECK_EQ(parse((const char *)raw.p, raw.len), 0);
	trace_symbols_release(&s);
	free(raw.p);
}

/* Whatever is offered, what is kept fits the chunk that a reader takes. */
TEST(trace_symbols_have_a_bound)
{
	char text[TRACE_SYMBOL_TEXT_MAX + 2];
	struct trace_symbols s = { 0 };
	struct bytes_out raw = { 0 };
	uint32_t last = 0;

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	CHECK_EQ(trace_symbols_text(&s, text), TRACE_NO_TEXT);
	CHECK_EQ(trace_symbols_text(&s, ""), TRACE_NO_TEXT);
	text[sizeof(text) - 2] = '\0';
	for (int i = 0; i < 5000; i++) {
		text[i % 64] ^= 1;
		last = trace_symbols_text(&s, text);
	}
	CHECK_EQ(last, TRACE_NO_TEXT);
	trace_symbols_add(&s, &(struct trace_symbol){ .object = TRACE_NO_TEXT });
	CHECK_EQ(s.row_cnt, 0);
	for (int i = 0; i < 200000; i++)
		trace_symbols_add(&s, &(struct trace_symbol){
			.task = UINT32_MAX, .wait_ns = UINT64_MAX, .addr = UINT64_MAX,
			.offset = UINT64_MAX, .symbol_off = UINT64_MAX,
		});
	CHECK(s.row_cnt > 10000);
	symbols_write(&s, &raw);
	CHECK(raw.len <= SYMBOLS_RAW_MAX);
	CHECK_EQ(parse((const char *)raw.p, raw.len), 0);
	trace_symbols_release(&s);
	free(raw.p);
}
