/* SPDX-License-Identifier: GPL-2.0-only */
#include "json_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "render_fixture.h"
#include "unit.h"
#include "util/alloc.h"

static int parse(struct json_text *json, const char *text)
{
	return json_text_parse(json, xstrdup(text), strlen(text));
}

static int parses(const char *text)
{
	struct json_text json;
	int err = parse(&json, text);

	json_text_release(&json);
	return err;
}

TEST(json_text_reads_every_kind)
{
	struct json_text json;
	const struct json_value *v;

	REQUIRE(parse(&json, " {\"a\": [1, -2.50, []], \"b\":{\"c\" : true}, \"d\":null, "
			    "\"e\": false,\"f\":\"x\"}\n") == 0);
	v = json_doc_member(&json.doc, json_doc_root(&json.doc), "a", 1);
	REQUIRE(v && v->kind == JSON_ARRAY);
	CHECK_EQ(v->cnt, 3);
	v = json_doc_element(&json.doc, v, 1);
	REQUIRE(v && v->kind == JSON_NUMBER);
	CHECK(!rational_cmp(json_doc_number(v), (struct rational){ -5, 2 }));
	v = json_doc_member(&json.doc, json_doc_root(&json.doc), "a", 1);
	CHECK(!json_doc_element(&json.doc, v, 3));
	v = json_doc_member(&json.doc, json_doc_root(&json.doc), "b", 1);
	REQUIRE(v && v->kind == JSON_OBJECT);
	v = json_doc_member(&json.doc, v, "c", 1);
	CHECK(v && v->kind == JSON_BOOL && v->truth);
	v = json_doc_member(&json.doc, json_doc_root(&json.doc), "d", 1);
	CHECK(v && v->kind == JSON_NULL);
	CHECK(!json_doc_member(&json.doc, json_doc_root(&json.doc), "", 0));
	CHECK(!json_doc_member(&json.doc, json_doc_root(&json.doc), "aa", 2));
	json_text_release(&json);
}

TEST(json_text_decodes_strings)
{
	struct json_text json;

	REQUIRE(parse(&json, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t "
			    "\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"") == 0);
	CHECK_STR(json_doc_root(&json.doc)->text,
		  "\"\\/\b\f\n\r\t A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	json_text_release(&json);
}

TEST(json_text_refuses_what_is_no_json)
{
	static const char *const wrong[] = {
		"", " ", "{", "[", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1,]", "[1 2]", "[,1]",
		"01", "-", "1.", ".5", "1e", "1e3", "+1", "nul", "nulll", "True", "\"", "\"a",
		"\"\\x\"",
		"\"\\", "\"\\u12\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\ud800\\u0041\"",
		"\"\\udc00\"", "\"\n\"", "\"\x7f\"", "\"\xc3\xa9\"", "{a:1}", "{\"a\":1 \"b\":2}",
		"1 1", "{}{}", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "// x\n1", "[1}",
		"NaN", "'a'",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (parses(wrong[i]) != -EINVAL)
			unit_failed(__FILE__, __LINE__, "taken: %s", wrong[i]);
	CHECK_EQ(parses("{\"a\":{\"a\":1}}"), 0);
}

TEST(json_text_has_bounds)
{
	char deep[2 * JSON_TEXT_DEPTH_MAX + 3] = "";
	struct json_text json;

	memset(deep, '[', JSON_TEXT_DEPTH_MAX);
	memset(deep + JSON_TEXT_DEPTH_MAX, ']', JSON_TEXT_DEPTH_MAX);
	CHECK_EQ(parses(deep), 0);
	memset(deep, '[', JSON_TEXT_DEPTH_MAX + 1);
	memset(deep + JSON_TEXT_DEPTH_MAX + 1, ']', JSON_TEXT_DEPTH_MAX + 1);
	CHECK_EQ(parses(deep), -EFBIG);

	/* A NUL inside is the end of nothing. */
	CHECK_EQ(json_text_parse(&json, xstrdup("1"), 2), -EINVAL);
	json_text_release(&json);
	json_text_release(&json);
}

/* What lab writes it reads, whatever the names of others are. */
TEST(json_text_reads_the_report)
{
	static const struct render_opts opts;
	struct render_fixture f;

	for (int i = 0; i < 4; i++) {
		struct json_text json;
		char *text;

		if (i == 0)
			fixture_workers(&f);
		else if (i == 1)
			fixture_loop(&f);
		else if (i == 2)
			fixture_crowd(&f, 200, 64, 100, 1000000000);
		else
			fixture_empty(&f);
		fixture_make_hostile(&f);
		text = fixture_render(&f, "json", &opts);
		CHECK_EQ(json_text_parse(&json, text, strlen(text)), 0);
		CHECK(json_doc_member(&json.doc, json_doc_root(&json.doc), "verdict", 7));
		json_text_release(&json);
		fixture_release(&f);
	}
}
