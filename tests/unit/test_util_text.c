/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit.h"

#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define LITERAL(s) (s), sizeof(s) - 1

static const char *safe(const char *src, size_t len, size_t max_cols)
{
	static char dst[8192];

	text_for_terminal(dst, sizeof(dst), src, len, max_cols, true);
	return dst;
}

static const char *json(const char *src, size_t len)
{
	static char text[256];
	FILE *out = fmemopen(text, sizeof(text), "w");

	REQUIRE(out);
	text_json(out, src, len);
	fclose(out);
	return text;
}

TEST(text_plain_passes)
{
	CHECK_STR(safe(LITERAL("worker/1"), 99), "worker/1");
	CHECK_STR(safe(LITERAL("gr\xc3\xbc\xc3\x9f" "e \xe2\x9c\x93"), 99),
		  "gr\xc3\xbc\xc3\x9f" "e \xe2\x9c\x93");
	CHECK_STR(safe("", 0, 99), "");
	CHECK_STR(safe(NULL, 0, 99), "");
}

TEST(text_escapes_do_not_reach_the_terminal)
{
	CHECK_STR(safe(LITERAL("\033[2J\033[31mred"), 99), "?[2J?[31mred");
	/* OSC 52 writes the clipboard. */
	CHECK_STR(safe(LITERAL("\033]52;c;cm0gLXJm\a"), 99), "?]52;c;cm0gLXJm?");
	CHECK_STR(safe(LITERAL("a\rb\nc\td\be\177"), 99), "a?b?c?d?e?");
}

TEST(text_c1_controls_raw_and_encoded)
{
	CHECK_STR(safe(LITERAL("\x9b" "31m"), 99), "?31m");
	CHECK_STR(safe(LITERAL("\xc2\x9b" "31m"), 99), "?31m");
	for (unsigned int c = 0x80; c <= 0x9f; c++) {
		char encoded[2] = { '\xc2', (char)c };

		CHECK_STR(safe(encoded, 2, 99), "?");
	}
}

TEST(text_bidi_controls_and_invisible_ones)
{
	CHECK_STR(safe(LITERAL("gpj\xe2\x80\xae" "exe"), 99), "gpj?exe");	/* U+202E */
	CHECK_STR(safe(LITERAL("\xe2\x81\xa6\xe2\x81\xa9"), 99), "??");		/* U+2066, U+2069 */
	CHECK_STR(safe(LITERAL("\xe2\x80\x8e\xe2\x80\x8f"), 99), "??");		/* U+200E, U+200F */
	CHECK_STR(safe(LITERAL("\xd8\x9c"), 99), "?");				/* U+061C */
	CHECK_STR(safe(LITERAL("a\xef\xbb\xbf"), 99), "a?");			/* U+FEFF */
	CHECK_STR(safe(LITERAL("a\xe2\x80\xa8" "b\xe2\x80\xa9"), 99), "a?b?");	/* U+2028, U+2029 */
	CHECK_STR(safe(LITERAL("a\xf3\xa0\x81\x81"), 99), "a?");		/* U+E0041 */
	CHECK_STR(safe(LITERAL("a\xe2\x80\x8b" "b\xe2\x81\xa0"), 99), "a?b?");	/* U+200B, U+2060 */
	CHECK_STR(safe(LITERAL("a\xef\xb8\x8f" "b\xc2\xad"), 99), "a?b?");	/* U+FE0F, U+00AD */
	CHECK_STR(safe(LITERAL("a\xf3\xa0\x87\xaf"), 99), "a?");		/* U+E01EF */
}

TEST(text_invalid_utf8)
{
	CHECK_STR(safe(LITERAL("\xff\xfe"), 99), "??");
	CHECK_STR(safe(LITERAL("a\xc3"), 99), "a?");			/* cut short */
	CHECK_STR(safe(LITERAL("\xe2\x82" "b"), 99), "??b");
	CHECK_STR(safe(LITERAL("\xc0\xaf"), 99), "??");			/* overlong '/' */
	CHECK_STR(safe(LITERAL("\xe0\x80\x9b"), 99), "???");		/* overlong ESC */
	CHECK_STR(safe(LITERAL("\xf0\x80\x80\x9b"), 99), "????");
	CHECK_STR(safe(LITERAL("\xed\xa0\x80"), 99), "???");		/* a surrogate */
	CHECK_STR(safe(LITERAL("\xf4\x90\x80\x80"), 99), "????");	/* above U+10FFFF */
	CHECK_STR(safe(LITERAL("\xf8\x88\x80\x80\x80"), 99), "?????");
}

TEST(text_nul_ends_it)
{
	CHECK_STR(safe(LITERAL("ab\0\033[31m"), 99), "ab");
	CHECK_STR(safe(LITERAL("\0x"), 99), "");
}

TEST(text_combining_mark_needs_a_base)
{
	CHECK_STR(safe(LITERAL("\xcc\x81" "a\xcc\x81"), 99), "?a\xcc\x81");
}

TEST(text_cut_at_columns)
{
	char dst[32];

	CHECK_STR(safe(LITERAL("abcdef"), 6), "abcdef");
	CHECK_STR(safe(LITERAL("abcdef"), 5), "abcd~");
	CHECK_STR(safe(LITERAL("abcdef"), 1), "~");
	CHECK_STR(safe(LITERAL("abcdef"), 0), "");
	/* A wide character is not cut in half: two columns each. */
	CHECK_STR(safe(LITERAL("\xe6\xbc\xa2\xe5\xad\x97"), 3), "\xe6\xbc\xa2~");
	CHECK_STR(safe(LITERAL("\xe6\xbc\xa2\xe5\xad\x97"), 2), "~");
	/* A mark stays with its base. */
	CHECK_STR(safe(LITERAL("ae\xcc\x81xx"), 3), "ae\xcc\x81~");
	CHECK_EQ(text_for_terminal(dst, sizeof(dst), LITERAL("\xe6\xbc\xa2" "a"), 99, true), 3);
	CHECK_EQ(text_for_terminal(dst, sizeof(dst), LITERAL("abcdef"), 4, true), 4);
}

TEST(text_cut_at_storage)
{
	char dst[8] = "xxxxxxx";

	CHECK_EQ(text_for_terminal(dst, 0, LITERAL("abc"), 99, true), 0);
	CHECK_STR(dst, "xxxxxxx");
	CHECK_EQ(text_for_terminal(dst, 1, LITERAL("abc"), 99, true), 0);
	CHECK_STR(dst, "");
	CHECK_EQ(text_for_terminal(dst, 4, LITERAL("abc"), 99, true), 3);
	CHECK_STR(dst, "abc");
	CHECK_EQ(text_for_terminal(dst, 3, LITERAL("abc"), 99, true), 2);
	CHECK_STR(dst, "a~");
	CHECK_EQ(text_for_terminal(dst, 4, LITERAL("\xe2\x9c\x93\xe2\x9c\x93"), 99, true), 1);
	CHECK_STR(dst, "~");
}

TEST(text_long_hostile_name)
{
	char src[4096], dst[4097];

	for (size_t i = 0; i < sizeof(src); i++)
		src[i] = (char)(1 + i * 7919 % 255);
	text_for_terminal(dst, sizeof(dst), src, sizeof(src), SIZE_MAX, true);
	CHECK_EQ(strlen(dst), sizeof(src));
	CHECK_EQ(text_for_terminal(dst, sizeof(dst), src, sizeof(src), 20, true), 20);
	for (size_t i = 0; dst[i]; i++)
		CHECK((unsigned char)dst[i] >= 0x20 && dst[i] != 0x7f);
}

TEST(text_ascii_only)
{
	char dst[32];

	text_for_terminal(dst, sizeof(dst), LITERAL("gr\xc3\xbcn \xe2\x9c\x93"), 99, false);
	CHECK_STR(dst, "gr?n ?");
}

TEST(text_what_the_locale_cannot_print)
{
	REQUIRE(setlocale(LC_ALL, "C"));
	CHECK_STR(safe(LITERAL("a\xc3\xbc"), 99), "a?");
}

TEST(text_json_escapes)
{
	CHECK_STR(json(LITERAL("a\"b\\c")), "\"a\\u0022b\\u005cc\"");
	CHECK_STR(json(LITERAL("</script>&")), "\"\\u003c/script\\u003e\\u0026\"");
	CHECK_STR(json(LITERAL("\033\n\0\177")), "\"\\u001b\\u000a\\u0000\\u007f\"");
	CHECK_STR(json(LITERAL("\xc3\xbc\xe2\x80\xae")), "\"\\u00fc\\u202e\"");
	CHECK_STR(json(LITERAL("\xf0\x9f\x98\x80")), "\"\\ud83d\\ude00\"");
	CHECK_STR(json(LITERAL("\xff\xc0\xaf")), "\"\\ufffd\\ufffd\\ufffd\"");
	CHECK_STR(json("", 0), "\"\"");
}

TEST(text_counts_columns)
{
	CHECK_EQ(text_columns(""), 0);
	CHECK_EQ(text_columns("abc"), 3);
	CHECK_EQ(text_columns("\xe6\xbc\xa2"), 2);
	CHECK_EQ(text_columns("e\xcc\x81"), 1);
	CHECK_EQ(text_columns("\xff\033"), 2);
}

static char *written(void (*write)(FILE *, const char *, size_t), const char *src, size_t len)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	REQUIRE(out);
	write(out, src, len);
	REQUIRE(fclose(out) == 0);
	return text;
}

static void check_written(void (*write)(FILE *, const char *, size_t), const char *src, size_t len,
			  const char *want)
{
	char *text = written(write, src, len);

	CHECK_STR(text, want);
	free(text);
}

TEST(text_csv_fields)
{
	check_written(text_csv, "a\"b,c", 5, "\"a\"\"b,c\"");
	check_written(text_csv, "=1+1", 4, "\"?1+1\"");
	check_written(text_csv, "@x", 2, "\"?x\"");
	check_written(text_csv, "a\nb\x1b\x7f\xff", 6, "\"a?b???\"");
	check_written(text_csv, "h\xc3\xa9\0x", 5, "\"h\xc3\xa9\"");
	check_written(text_csv, "\xc2\x9b", 2, "\"?\"");
	check_written(text_csv, "\xc4\xbd", 2, "\"\xc4\xbd\"");	/* U+013D, whose low byte is '=' */
	check_written(text_csv, "", 0, "\"\"");
}

/* What one of them takes out, the others do; JSON has them as escapes. */
TEST(text_hostile_characters_are_the_same_everywhere)
{
	static const char *const hostile[] = {
		"\x1f", "\x7f", "\xc2\x80", "\xc2\xad", "\xcd\x8f", "\xd8\x9c", "\xe1\x85\x9f",
		"\xe1\xa0\x8e", "\xe2\x80\x8b", "\xe2\x80\x8f", "\xe2\x80\xa8", "\xe2\x80\xae",
		"\xe2\x81\xa0", "\xe2\x81\xa9", "\xe2\x81\xaf", "\xe3\x85\xa4", "\xef\xb8\x80",
		"\xef\xbb\xbf", "\xef\xbe\xa0", "\xef\xbf\xbb", "\xef\xbf\xbe", "\xf0\x9f\xbf\xbf",
		"\xf0\x9d\x85\xb3", "\xf3\xa0\x80\x80", "\xf3\xa0\x81\xbf", "\xf3\xa0\x87\xaf",
	};
	static const char *const harmless[] = {
		" ", "~", "\xc2\xa0", "\xe2\x80\x8a", "\xe2\x80\xaf", "\xe2\x81\x9f",
		"\xef\xb8\x90", "\xef\xbf\xbd", "\xf0\x9f\x98\x80",
	};

	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		CHECK_STR(safe(hostile[i], strlen(hostile[i]), 99), "?");
		check_written(text_csv, hostile[i], strlen(hostile[i]), "\"?\"");
		check_written(text_folded, hostile[i], strlen(hostile[i]), "?");
		check_written(text_html, hostile[i], strlen(hostile[i]), "\xef\xbf\xbd");
		CHECK(!strncmp(json(hostile[i], strlen(hostile[i])), "\"\\u", 3));
	}
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		check_written(text_folded, harmless[i], strlen(harmless[i]), harmless[i]);
		check_written(text_html, harmless[i], strlen(harmless[i]), harmless[i]);
	}
}

TEST(text_folded_frames)
{
	check_written(text_folded, "a;b\n", 4, "a,b?");
	check_written(text_folded, "-x \"y\"", 6, "?x \"y\"");
}
