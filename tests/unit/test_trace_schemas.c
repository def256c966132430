/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_trace_schemas - what was encoded row by row is what is decoded column by column, whatever
 * the file says of each field.
 */

#include "trace_fixture.h"

#include "trace/decode.h"
#include "trace/encode.h"
#include "trace/schema.h"

#define EVENTS 1500	/* several blocks of the decoder */

/* A reference to an earlier field of the row or the group, or none. */
static uint16_t draw_ref(const struct schema *schema, size_t g, uint32_t field, uint64_t *seed)
{
	uint32_t earlier = field + (g ? schema->groups[0].field_cnt : 0);

	return (uint16_t)(fixture_random(seed) % (earlier + 1));
}

static void draw_schema(struct schema *schema, uint64_t *seed)
{
	struct bytes_out raw = { 0 };

	schema_init_own(schema);
	for (size_t g = 0; g < schema->group_cnt; g++) {
		for (uint32_t i = 0; i < schema->groups[g].field_cnt; i++) {
			struct schema_field *field = &schema->groups[g].fields[i];

			field->form = (uint8_t)(fixture_random(seed) % 2);
			field->key = draw_ref(schema, g, i, seed);
			field->pred = (uint8_t)(fixture_random(seed) % (field->key ? 3 : 2));
			field->base = fixture_random(seed) % 2 ? draw_ref(schema, g, i, seed) : 0;
		}
	}
	schema_write(schema, &raw);
	schema_release(schema);
	REQUIRE(schema_parse(schema, raw.p, raw.len) == 0);
	free(raw.p);
}

/* Rising stamps, and fields that are often what they were, or zero in all rows. */
static void draw_events(union lab_event *events, size_t cnt, uint64_t *seed)
{
	for (size_t i = 0; i < cnt; i++) {
		union lab_event *ev = &events[i];

		fixture_event(ev, 1 + fixture_random(seed) % (LAB_EV_KIND_MAX - 1), seed);
		for (size_t b = sizeof(ev->head); b < sizeof(*ev); b++)
			((uint8_t *)ev)[b] &= (uint8_t)(b % 3 ? 0xff : i % 100 < 50 ? 0 : 1);
		if (ev->head.kind == LAB_EV_SWITCH_OUT)
			memset(ev->switch_out.args, 0, sizeof(ev->switch_out.args));
		ev->head.ts_ns = 1000 + 3 * i;
	}
}

static bool same_events(const struct event_rows *rows, const union lab_event *events, size_t cnt)
{
	size_t at = 0;

	for (size_t i = 0; i < cnt; i++) {
		size_t size = trace_event_size(events[i].head.kind);

		if (at + size > rows->len || memcmp(rows->p + at, &events[i], size))
			return false;
		at += size;
	}
	return at == rows->len;
}

TEST(trace_reads_back_under_any_schema)
{
	union lab_event *events = calloc(EVENTS, sizeof(*events));
	const uint8_t *in[EVENTS];
	struct event_rows rows = { 0 };
	uint64_t seed = 11;

	REQUIRE(events);
	for (size_t i = 0; i < EVENTS; i++)
		in[i] = (const uint8_t *)&events[i];
	for (int round = 0; round < 60; round++) {
		uint32_t cnt = 1 + (uint32_t)(fixture_random(&seed) % EVENTS);
		struct bytes_out raw = { 0 };
		struct schema schema;
		struct encoder *encoder;
		struct decoder *decoder;

		draw_schema(&schema, &seed);
		encoder = encoder_new(&schema);
		decoder = decoder_new(&schema);
		/* A second chunk begins from a clean state. */
		for (int chunk = 0; chunk < 2; chunk++) {
			draw_events(events, cnt, &seed);
			raw.len = 0;
			encoder_run(encoder, in, cnt, &raw);
			REQUIRE(decoder_run(decoder, raw.p, raw.len, cnt, &rows) == 0);
			CHECK(same_events(&rows, events, cnt));
			CHECK_EQ(rows.first_ns, 1000);
			CHECK_EQ(rows.last_ns, 1000 + 3 * (cnt - 1));
		}
		/* A column that is a byte short, or one that has a byte too many. */
		CHECK(decoder_run(decoder, raw.p, raw.len - 1, cnt, &rows) && !rows.len);
		bytes_put(&raw, "", 1);
		CHECK(decoder_run(decoder, raw.p, raw.len, cnt, &rows) && !rows.len);
		encoder_free(encoder);
		decoder_free(decoder);
		schema_release(&schema);
		free(raw.p);
	}
	free(rows.p);
	free(events);
}
