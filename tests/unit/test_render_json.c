/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "render_fixture.h"
#include "unit.h"

/*
 * A strict checker of JSON (RFC 8259) that is also pure ASCII. Each function
 * returns what follows the value at @s, or NULL if there is no valid one.
 */
static const char *skip_value(const char *s, int depth);

static const char *skip_space(const char *s)
{
	return s + strspn(s, " \t\r\n");
}

static const char *skip_string(const char *s)
{
	if (*s++ != '"')
		return NULL;
	while (*s != '"') {
		if ((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f)
			return NULL;
		if (*s++ != '\\')
			continue;
		if (*s == 'u') {
			for (int i = 1; i <= 4; i++)
				if (!isxdigit((unsigned char)s[i]))
					return NULL;
			s += 5;
		} else if (*s && strchr("\"\\/bfnrt", *s)) {
			s++;
		} else {
			return NULL;
		}
	}
	return s + 1;
}

static const char *skip_digits(const char *s)
{
	return isdigit((unsigned char)*s) ? s + strspn(s, "0123456789") : NULL;
}

static const char *skip_number(const char *s)
{
	s += *s == '-';
	if (*s == '0' && isdigit((unsigned char)s[1]))
		return NULL;
	s = skip_digits(s);
	return s && *s == '.' ? skip_digits(s + 1) : s;
}

static const char *skip_nest(const char *s, char close, int depth)
{
	s = skip_space(s + 1);
	if (*s == close)
		return s + 1;
	for (;;) {
		if (close == '}') {
			s = skip_string(s);
			if (!s || *s++ != ':')
				return NULL;
		}
		s = skip_value(s, depth + 1);
		if (!s)
			return NULL;
		s = skip_space(s);
		if (*s == close)
			return s + 1;
		if (*s++ != ',')
			return NULL;
		s = skip_space(s);
	}
}

static const char *skip_value(const char *s, int depth)
{
	static const char *const words[] = { "true", "false", "null", NULL };

	s = skip_space(s);
	if (depth > 32)
		return NULL;
	if (*s == '{')
		return skip_nest(s, '}', depth);
	if (*s == '[')
		return skip_nest(s, ']', depth);
	if (*s == '"')
		return skip_string(s);
	for (size_t i = 0; words[i]; i++)
		if (!strncmp(s, words[i], strlen(words[i])))
			return s + strlen(words[i]);
	return skip_number(s);
}

static bool valid_json(const char *text)
{
	const char *end = skip_value(text, 0);

	return end && !strcmp(end, "\n");
}

TEST(render_json_checker_is_strict)
{
	CHECK(valid_json("{\"a\": [1, -2.5, \"\\u00ff\", null, {}]}\n"));
	CHECK(!valid_json("{\"a\": 1,}\n"));
	CHECK(!valid_json("{\"a\": 01}\n"));
	CHECK(!valid_json("{\"a\" 1}\n"));
	CHECK(!valid_json("[1 2]\n"));
	CHECK(!valid_json("[\"\x7f\"]\n"));
	CHECK(!valid_json("[\"\\x\"]\n"));
	CHECK(!valid_json("[nan]\n"));
	CHECK(!valid_json("[1]x\n"));
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
