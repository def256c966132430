/* SPDX-License-Identifier: GPL-2.0-only */

/*
 * Files that no writer of this version makes: from a newer one, or from
 * somebody who wants the reader to fall. Their checksums are right.
 */

#include <zlib.h>

#include "trace_fixture.h"

#include "trace/decode.h"
#include "trace/encode.h"
#include "trace/meta.h"
#include "trace/schema.h"
#include "util/alloc.h"
#include "util/log.h"
#include "verify/verify.h"

/* A file put together chunk by chunk. */
struct forge {
	struct fixture_file file;
	uint64_t off;
	uint32_t number;
};

static void forge_chunk(struct forge *f, struct trace_chunk chunk, const struct bytes_out *raw,
			int level)
{
	chunk.number = f->number++;
	REQUIRE(trace_chunk_write(f->file.fd, f->off, &chunk, raw, level, NULL) == 0);
	f->off += TRACE_CHUNK_HEADER_LEN + chunk.stored_len;
}

static void forge_begin(struct forge *f)
{
	const struct trace_file_header header = {
		.major = TRACE_MAJOR, .flags = TRACE_FILE_INCOMPLETE,
	};
	uint8_t buf[TRACE_FILE_HEADER_LEN];

	*f = (struct forge){ .file = fixture_open(), .off = sizeof(buf) };
	trace_file_header_put(buf, &header);
	REQUIRE(io_pwrite_all(f->file.fd, buf, sizeof(buf), 0) == 0);
}

static void forge_meta(struct forge *f)
{
	static const struct trace_meta meta;
	struct bytes_out raw = { 0 };

	REQUIRE(meta_write(&meta, &raw) == 0);
	forge_chunk(f, (struct trace_chunk){ .type = TRACE_CHUNK_META }, &raw, 0);
	free(raw.p);
}

static void forge_schema(struct forge *f, const struct schema *schema)
{
	struct bytes_out raw = { 0 };

	schema_write(schema, &raw);
	forge_chunk(f, (struct trace_chunk){ .type = TRACE_CHUNK_SCHEMA }, &raw, 6);
	free(raw.p);
}

static void forge_events(struct forge *f, const struct bytes_out *raw, uint32_t count,
			 uint64_t first_ns, uint64_t last_ns)
{
	const struct trace_chunk chunk = {
		.type = TRACE_CHUNK_EVENTS, .count = count, .first_ns = first_ns,
		.last_ns = last_ns,
	};

	forge_chunk(f, chunk, raw, 1);
}

/* A schema and its text form again, so that what was changed by hand is worked out anew. */
static void schema_again(struct schema *schema)
{
	struct bytes_out raw = { 0 };

	schema_write(schema, &raw);
	schema_release(schema);
	REQUIRE(schema_parse(schema, raw.p, raw.len) == 0);
	free(raw.p);
}

/* One more field in front of a group's. References to what comes after it move on. */
static void add_field(struct schema *schema, struct schema_group *group, const char *name,
		      uint8_t form)
{
	uint32_t row_cnt = schema->groups[0].field_cnt;
	uint32_t at = group == schema->groups ? 0 : row_cnt;

	group->fields = realloc(group->fields, (group->field_cnt + 1) * sizeof(*group->fields));
	REQUIRE(group->fields);
	memmove(group->fields + 1, group->fields, group->field_cnt * sizeof(*group->fields));
	group->field_cnt++;
	group->fields[0] = (struct schema_field){ .bytes = 4, .form = form };
	strncpy(group->fields[0].name, name, SCHEMA_NAME_MAX);
	for (size_t g = 0; g < schema->group_cnt; g++) {
		if (at && &schema->groups[g] != group)
			continue;
		for (uint32_t i = 0; i < schema->groups[g].field_cnt; i++) {
			struct schema_field *field = &schema->groups[g].fields[i];

			field->key = (uint16_t)(field->key + (field->key > at));
			field->base = (uint16_t)(field->base + (field->base > at));
		}
	}
}

/* What encoder_run() needs to fill the fields that lab_event.h does not have. */
static void fill_from_task(struct schema *schema)
{
	for (size_t g = 0; g < schema->group_cnt; g++) {
		for (uint32_t i = 0; i < schema->groups[g].field_cnt; i++) {
			struct schema_field *field = &schema->groups[g].fields[i];

			if (field->ours)
				continue;
			field->off = offsetof(struct lab_ev_head, task);
			field->our_bytes = 4;
		}
	}
}

#define NEW_KIND 40
#define NEWER_EVENTS 400

TEST(trace_skips_kinds_and_fields_it_does_not_know)
{
	struct schema schema;
	struct schema_group *group;
	union lab_event events[NEWER_EVENTS], known[NEWER_EVENTS];
	const uint8_t *rows[NEWER_EVENTS];
	struct bytes_out raw = { 0 };
	struct trace_reader *r;
	struct encoder *encoder;
	struct forge f;
	size_t known_cnt = 0;
	uint64_t seed = 5;

	schema_init_own(&schema);
	add_field(&schema, &schema.groups[0], "row_novelty", SCHEMA_ZIGZAG);
	add_field(&schema, &schema.groups[LAB_EV_SWITCH_OUT], "novelty", SCHEMA_PLAIN);
	add_field(&schema, &schema.groups[LAB_EV_WAKING], "strange", 77);
	schema.groups = realloc(schema.groups,
				(schema.group_cnt + 1) * sizeof(*schema.groups));
	REQUIRE(schema.groups);
	group = &schema.groups[schema.group_cnt++];
	*group = (struct schema_group){ .id = NEW_KIND, .name = "new_kind" };
	add_field(&schema, group, "only", SCHEMA_PLAIN);
	schema_again(&schema);
	CHECK(schema.groups[LAB_EV_WAKING].fields[0].skip);
	fill_from_task(&schema);

	for (size_t i = 0; i < NEWER_EVENTS; i++) {
		fixture_event(&events[i], 1 + i % (LAB_EV_KIND_MAX - 1), &seed);
		events[i].head.ts_ns = 10 + i;
		rows[i] = (const uint8_t *)&events[i];
		if (i % 7 == 0)
			events[i].head.kind = NEW_KIND;
		else
			known[known_cnt++] = events[i];
	}
	forge_begin(&f);
	forge_meta(&f);
	forge_schema(&f, &schema);
	encoder = encoder_new(&schema);
	encoder_run(encoder, rows, NEWER_EVENTS, &raw);
	forge_chunk(&f, (struct trace_chunk){ .type = TRACE_FOURCC('N', 'E', 'W', '!') }, &raw, 6);
	forge_events(&f, &raw, NEWER_EVENTS, 10, 10 + NEWER_EVENTS - 1);

	REQUIRE(trace_reader_open(&r, f.file.path) == 0);
	CHECK(fixture_gives(r, known, known_cnt));
	CHECK_EQ(trace_reader_unknown(r), NEWER_EVENTS - known_cnt);
	CHECK_STR(trace_reader_damage(r),
		  "not finished: recording stopped after 1 whole chunk of events");
	trace_reader_free(r);
	encoder_free(encoder);
	schema_release(&schema);
	free(raw.p);
	close(f.file.fd);
}

/* Open a file that has only a start, with this schema. */
static int open_with_schema(const struct schema *schema)
{
	struct trace_reader *r = NULL;
	struct forge f;
	int err;

	forge_begin(&f);
	forge_meta(&f);
	forge_schema(&f, schema);
	err = trace_reader_open(&r, f.file.path);
	if (!err)
		trace_reader_free(r);
	close(f.file.fd);
	return err;
}

TEST(trace_refuses_schemas_it_cannot_follow)
{
	struct schema schema;
	struct schema_field *field;

	schema_init_own(&schema);
	field = &schema.groups[LAB_EV_EXIT].fields[2];
	CHECK_STR(field->name, "exit_code");
	CHECK_EQ(open_with_schema(&schema), 0);
	field->bytes = 8;
	CHECK_EQ(open_with_schema(&schema), -EPROTONOSUPPORT);
	field->bytes = 2;
	CHECK_EQ(open_with_schema(&schema), 0);
	field->bytes = 3;
	CHECK_EQ(open_with_schema(&schema), -EPROTONOSUPPORT);
	field->bytes = 4;
	field->form = 9;
	CHECK_EQ(open_with_schema(&schema), -EPROTONOSUPPORT);
	field->form = SCHEMA_PLAIN;
	field->pred = SCHEMA_PRED_KEY;
	field->key = 4 + 2;	/* the one before it */
	CHECK_EQ(open_with_schema(&schema), 0);
	field->key = 4 + 3;	/* itself */
	CHECK_EQ(open_with_schema(&schema), -EBADMSG);
	field->key = 0;
	CHECK_EQ(open_with_schema(&schema), -EBADMSG);
	field->pred = SCHEMA_PRED_NONE;
	snprintf(field->name, sizeof(field->name), "flags");
	CHECK_EQ(open_with_schema(&schema), -EBADMSG);
	snprintf(field->name, sizeof(field->name), "exit_code");
	schema.groups[3].id = 2;
	CHECK_EQ(open_with_schema(&schema), -EBADMSG);
	schema.groups[3].id = 3;
	schema.groups[0].field_cnt = 3;
	CHECK_EQ(open_with_schema(&schema), -EBADMSG);
	schema.groups[0].field_cnt = 4;
	schema_release(&schema);
}

TEST(trace_survives_any_schema_bytes)
{
	struct bytes_out raw = { 0 };
	struct schema schema;
	uint64_t seed = 8;

	schema_init_own(&schema);
	schema_write(&schema, &raw);
	schema_release(&schema);
	for (size_t len = 0; len < raw.len; len++) {
		CHECK(schema_parse(&schema, raw.p, len) != 0);
		schema_release(&schema);
	}
	for (int i = 0; i < 3000; i++) {
		size_t at = fixture_random(&seed) % raw.len;
		uint8_t was = raw.p[at];

		raw.p[at] = (uint8_t)fixture_random(&seed);
		(void)schema_parse(&schema, raw.p, raw.len);
		schema_release(&schema);
		raw.p[at] = was;
	}
	free(raw.p);
}

/* The only chunk of events is this payload: it must be left out. */
static void expect_left_out(const struct bytes_out *raw, uint32_t count)
{
	struct trace_reader *r;
	struct schema schema;
	union lab_event ev;
	struct forge f;

	schema_init_own(&schema);
	forge_begin(&f);
	forge_meta(&f);
	forge_schema(&f, &schema);
	forge_events(&f, raw, count, 0, 0);
	REQUIRE(trace_reader_open(&r, f.file.path) == 0);
	CHECK_EQ(trace_reader_next(r, &ev), 0);
	CHECK_STR(trace_reader_damage(r),
		  "damaged: 1 of its chunks left out, 0 chunks of events read");
	trace_reader_free(r);
	schema_release(&schema);
	close(f.file.fd);
}

TEST(trace_does_not_believe_counts)
{
	static const uint32_t counts[] = {
		0, 2, 4 * TRACE_EVENTS_PER_CHUNK, 4 * TRACE_EVENTS_PER_CHUNK + 1, UINT32_MAX,
	};
	/* No texts; 2 groups; row: 1 row, 4 columns of 1; exit: 1 row, 3 columns of 1. */
	uint8_t good[] = { 0, 2, 0, 1, 1, 1, 1, 1, LAB_EV_EXIT, 1, 1, 1, 1,
			   LAB_EV_EXIT, 0, 0, 0, 2, 0, 0 };
	struct bytes_out raw = { .p = good, .len = sizeof(good) };
	struct schema schema;
	struct decoder *decoder;
	struct event_rows rows = { 0 };

	schema_init_own(&schema);
	decoder = decoder_new(&schema);
	REQUIRE(decoder_run(decoder, good, sizeof(good), 1, &rows) == 0);
	CHECK_EQ(rows.len, sizeof(struct lab_ev_exit));
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		expect_left_out(&raw, counts[i]);
	/* Every other value of every byte must be taken or refused, without harm. */
	for (size_t at = 0; at < sizeof(good); at++) {
		uint8_t was = good[at];

		for (unsigned int value = 0; value < 256; value++) {
			good[at] = (uint8_t)value;
			CHECK(!decoder_run(decoder, good, sizeof(good), 1, &rows) || !rows.len);
		}
		good[at] = was;
	}
	decoder_free(decoder);
	free(rows.p);
	schema_release(&schema);
}

TEST(trace_does_not_inflate_a_bomb)
{
	struct bytes_out raw = { .p = calloc(1, TRACE_RAW_MAX), .len = TRACE_RAW_MAX };

	REQUIRE(raw.p);
	expect_left_out(&raw, 1);
	expect_left_out(&raw, 4 * TRACE_EVENTS_PER_CHUNK);
	free(raw.p);
}

TEST(trace_refuses_bad_values)
{
	/* As above: a CPU out of range, a varint that never ends, one column too long. */
	uint8_t cpu[] = { 0, 2, 0, 1, 1, 2, 1, 1, LAB_EV_EXIT, 1, 1, 1, 1,
			  LAB_EV_EXIT, 0x80, 0x08, 0, 0, 2, 0, 0 };
	uint8_t endless[] = { 0, 2, 0, 1, 1, 1, 11, 1, LAB_EV_EXIT, 1, 1, 1, 1, LAB_EV_EXIT, 0,
			      0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00,
			      0, 2, 0, 0 };
	uint8_t spare[] = { 0, 2, 0, 1, 1, 1, 2, 1, LAB_EV_EXIT, 1, 1, 1, 1,
			    LAB_EV_EXIT, 0, 0, 0, 0, 2, 0, 0 };

	expect_left_out(&(struct bytes_out){ .p = cpu, .len = sizeof(cpu) }, 1);
	expect_left_out(&(struct bytes_out){ .p = endless, .len = sizeof(endless) }, 1);
	expect_left_out(&(struct bytes_out){ .p = spare, .len = sizeof(spare) }, 1);
}

/* META that says @key is @value. */
static int meta_with(const char *key, const char *value, size_t value_len)
{
	struct bytes_out raw = { 0 };
	struct trace_meta meta;
	int err;

	bytes_put_text(&raw, key, strlen(key));
	bytes_put_text(&raw, value, value_len);
	err = meta_parse(&meta, raw.p, raw.len);
	trace_meta_release(&meta);
	free(raw.p);
	return err;
}

TEST(trace_meta_checks_values)
{
	char why[CLAIM_WHY_MAX];

	memset(why, 'y', sizeof(why));
	CHECK_EQ(meta_with("a key of later", "whatever", 8), 0);
	CHECK_EQ(meta_with("armed_ns", "18446744073709551615", 20), 0);
	CHECK_EQ(meta_with("armed_ns", "18446744073709551616", 20), -EBADMSG);
	CHECK_EQ(meta_with("armed_ns", "", 0), -EBADMSG);
	CHECK_EQ(meta_with("armed_ns", "-1", 2), -EBADMSG);
	CHECK_EQ(meta_with("armed_ns", "1 ", 2), -EBADMSG);
	CHECK_EQ(meta_with("cpus_online", "4294967296", 10), -EBADMSG);
	CHECK_EQ(meta_with("physical_round_ns", "4294967295", 10), 0);
	CHECK_EQ(meta_with("physical_round_ns", "4294967296", 10), -EBADMSG);
	CHECK_EQ(meta_with("physical_age_ns", "18446744073709551616", 20), -EBADMSG);
	CHECK_EQ(meta_with("smt", "2", 1), -EBADMSG);
	CHECK_EQ(meta_with("cpu_usable", "1024", 4), -EBADMSG);
	CHECK_EQ(meta_with("clock_pair", "0 1 2", 5), 0);
	CHECK_EQ(meta_with("clock_pair", "0 1", 3), -EBADMSG);
	CHECK_EQ(meta_with("clock_pair", "0 1 2 3", 7), -EBADMSG);
	CHECK_EQ(meta_with("clock_pair", "0 1024 2", 8), -EBADMSG);
	CHECK_EQ(meta_with("claim_class", "parallel", 8), 0);
	CHECK_EQ(meta_with("claim_class", "inconclusive", 12), -EBADMSG);
	CHECK_EQ(meta_with("claim_at_least", "1", 1), 0);
	CHECK_EQ(meta_with("claim_at_least", "2", 1), -EBADMSG);
	CHECK_EQ(meta_with("claim_stall", "blocked", 7), 0);
	CHECK_EQ(meta_with("claim_stall", "asleep", 6), -EBADMSG);
	CHECK_EQ(meta_with("claim_why", why, sizeof(why) - 1), 0);
	CHECK_EQ(meta_with("claim_why", why, sizeof(why)), -EBADMSG);
	CHECK_EQ(meta_with("name", "a\0b", 3), -EBADMSG);
}

TEST(trace_end_checks_values)
{
	struct bytes_out raw = { 0 };
	struct trace_end end;

	bytes_put_text(&raw, "wait_status", 11);
	bytes_put_text(&raw, "-2147483648", 11);
	CHECK_EQ(meta_end_parse(&end, raw.p, raw.len), 0);
	CHECK_EQ(end.wait_status, INT32_MIN);
	for (size_t len = 1; len < raw.len; len++)
		CHECK_EQ(meta_end_parse(&end, raw.p, len), -EBADMSG);
	raw.p[raw.len - 1] = '9';
	CHECK_EQ(meta_end_parse(&end, raw.p, raw.len), -EBADMSG);
	free(raw.p);
}

/* ---- a value that is no number ---- */

static uint8_t *whole_file(const char *path, size_t *len)
{
	FILE *in = fopen(path, "rb");
	uint8_t *data = xmalloc(1 << 20);

	REQUIRE(in);
	*len = fread(data, 1, 1 << 20, in);
	fclose(in);
	return data;
}

static bool is_number(const uint8_t *p, size_t len)
{
	while (len && *p >= '0' && *p <= '9')
		p++, len--;
	return !len;
}

static void sum_again(uint8_t *header, uint8_t *payload, uint32_t len)
{
	uint32_t sum = (uint32_t)crc32(0, payload, len);

	memcpy(header + 28, &sum, sizeof(sum));
	sum = (uint32_t)crc32(0, header, 52);
	memcpy(header + 52, &sum, sizeof(sum));
}

/* For both readers the file is not whole. */
static void not_whole(const uint8_t *data, size_t len, const char *key)
{
	struct fixture_file file = fixture_open();
	char why[VERIFY_WHY_MAX];
	FILE *null = fopen("/dev/null", "w");
	struct trace_reader *r;
	union lab_event ev;

	REQUIRE(null);
	fixture_set(&file, data, len);
	if (!trace_reader_open(&r, file.path)) {
		while (trace_reader_next(r, &ev) > 0)
			;
		if (trace_reader_complete(r))
			unit_failed(__FILE__, __LINE__, "a letter in %s is read", key);
		trace_reader_free(r);
	}
	if (verify_file(file.fd, null, why) != VERIFY_DAMAGED)
		unit_failed(__FILE__, __LINE__, "the checker reads a letter in %s", key);
	fclose(null);
	close(file.fd);
}

/* Each plain pair of a META and an ENDM whose value is a number: a letter in the number's place. */
TEST(trace_hostile_words_for_numbers)
{
	size_t len, tried = 0;
	uint8_t *data = whole_file("docs/samples/procs.lab", &len);

	for (size_t at = 32, next; at + 56 <= len; at = next) {
		uint8_t *p = data + at + 56, *end;
		uint32_t stored;

		memcpy(&stored, data + at + 16, sizeof(stored));
		next = at + 56 + stored;
		end = p + stored;
		if (memcmp(data + at + 4, "META", 4) && memcmp(data + at + 4, "ENDM", 4))
			continue;
		while (p < end) {
			const uint8_t *key = p + 1;
			size_t key_len = p[0], value_len = p[1 + key_len];
			uint8_t *value = p + 2 + key_len, kept = *value;
			char name[64];

			snprintf(name, sizeof(name), "%.*s", (int)key_len, (const char *)key);
			p = value + value_len;
			if (!value_len || !is_number(value, value_len))
				continue;
			*value = 'i';
			sum_again(data + at, data + at + 56, stored);
			not_whole(data, len, name);
			*value = kept;
			sum_again(data + at, data + at + 56, stored);
			tried++;
		}
	}
	CHECK(tried > 25);
	free(data);
}
