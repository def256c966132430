/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "json_text.h"
#include "render_fixture.h"
#include "unit.h"
#include "util/alloc.h"
#include "util/minmax.h"

static bool valid_json(const char *text)
{
	struct json_text json;
	int err = json_text_parse(&json, xstrdup(text), strlen(text));

	json_text_release(&json);
	return !err;
}

static char *render_json(const struct render_fixture *f)
{
	const struct render_opts opts = { 0 };

	return fixture_render(f, "json", &opts);
}

static void check_golden(void (*make)(struct render_fixture *), const char *name)
{
	struct render_fixture f;
	char *text;

	make(&f);
	text = render_json(&f);
	CHECK(valid_json(text));
	golden_check(name, text);
	free(text);
	fixture_release(&f);
}

TEST(render_json_golden)
{
	check_golden(fixture_workers, "workers.json.txt");
}

TEST(render_json_golden_loop)
{
	check_golden(fixture_loop, "loop.json.txt");
}

TEST(render_json_is_valid_whatever_the_size)
{
	struct render_fixture f;
	char *text;

	fixture_empty(&f);
	text = render_json(&f);
	CHECK(valid_json(text));
	CHECK(strstr(text, "\"average\": null"));
	CHECK(!strstr(text, "claim"));
	free(text);
	fixture_release(&f);

	fixture_crowd(&f, 300, 256, 40, 86400 * (uint64_t)1000000000);
	text = render_json(&f);
	CHECK(valid_json(text));
	CHECK(strstr(text, "\"claim_holds\": null"));
	CHECK(!strstr(text, "reader_cpu_ns"));	/* the file has no end: not known */
	free(text);
	fixture_release(&f);
}

TEST(render_json_hostile_names)
{
	struct render_fixture f;
	char *text;

	fixture_workers(&f);
	fixture_make_hostile(&f);
	text = render_json(&f);
	CHECK(valid_json(text));
	CHECK(!strchr(text, '<'));
	CHECK(!strchr(text, '>'));
	CHECK(strstr(text, "\\u003c/script\\u003e\\ufffd\\ufffd\\u0022\\u005c\\u007f"));
	CHECK(strstr(text, "\"comm\": \"\\u202e\\u001b\""));	/* ended by the NUL */
	free(text);
	fixture_release(&f);
}

/* The same, but for what the tree has and knows to be absent. */
static bool is_same(const struct json_doc *tree, const struct json_value *a,
		    const struct json_doc *text, const struct json_value *b)
{
	const struct json_value *in = json_doc_first(text, b);

	if (a->kind != b->kind || !a->key != !b->key || (a->key && strcmp(a->key, b->key) != 0))
		return false;
	if (a->kind == JSON_NUMBER)
		return !rational_cmp(json_doc_number(a), json_doc_number(b));
	if (a->kind == JSON_BOOL)
		return a->truth == b->truth;
	if (a->kind == JSON_STRING)
		return a->len == b->len && !strcmp(a->text, b->text);
	for (a = json_doc_first(tree, a); a; a = json_doc_next(tree, a)) {
		if (a->absent)
			continue;
		if (!in || !is_same(tree, a, text, in))
			return false;
		in = json_doc_next(text, in);
	}
	return !in;
}

TEST(render_json_tree_says_what_the_text_says)
{
	static void (*const makes[])(struct render_fixture *) = {
		fixture_workers, fixture_loop, fixture_empty,
	};
	static const struct render_opts opts = { .certificate = CERTIFICATE_HOLDS };

	for (size_t i = 0; i < 2 * ARRAY_SIZE(makes); i++) {
		struct json_doc tree = { 0 };
		struct json_text json;
		struct render_fixture f;
		char *text;

		makes[i / 2](&f);
		if (i % 2)
			fixture_make_hostile(&f);
		text = fixture_render(&f, "json", &opts);
		REQUIRE(json_text_parse(&json, text, strlen(text)) == 0);
		json_report(&f.model, &f.report, &opts, &tree);
		CHECK(is_same(&tree, json_doc_root(&tree), &json.doc, json_doc_root(&json.doc)));
		json_doc_release(&tree);
		json_text_release(&json);
		fixture_release(&f);
	}
}
