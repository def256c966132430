/* SPDX-License-Identifier: GPL-2.0-only */
#include "util/text.h"

#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "util/minmax.h"

/* Return: the bytes of the character at @s, at most @len; 0 if they are no valid UTF-8. */
static size_t utf8_decode(const unsigned char *s, size_t len, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t need;

	if (s[0] < 0x80) {
		*code = s[0];
		return 1;
	}
	if (s[0] >= 0xc0 && s[0] < 0xe0)
		need = 2;
	else if (s[0] >= 0xe0 && s[0] < 0xf0)
		need = 3;
	else if (s[0] >= 0xf0 && s[0] < 0xf8)
		need = 4;
	else
		return 0;
	if (need > len)
		return 0;

	*code = s[0] & (0x7fu >> need);
	for (size_t i = 1; i < need; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (s[i] & 0x3f);
	}
	if (*code < least[need] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return need;
}

/* Ascending: controls, Unicode's Default_Ignorable_Code_Point, and what the comments add. */
static const struct { uint32_t first, last; } hostile_ranges[] = {
	{ 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x00ad, 0x00ad }, { 0x034f, 0x034f },
	{ 0x061c, 0x061c }, { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f },
	{ 0x200b, 0x200f }, { 0x2028, 0x202e },	/* with the separators of lines and paragraphs */
	{ 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xfdd0, 0xfdef },	/* no characters */
	{ 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 },
	{ 0xfff0, 0xfffb },	/* with those of interlinear annotations */
	{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
};

/* True for a character that acts on a terminal or on its reader, or that nobody can see. */
static bool is_hostile(uint32_t code)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(hostile_ranges) && code > hostile_ranges[i].last)
		i++;
	return (i < ARRAY_SIZE(hostile_ranges) && code >= hostile_ranges[i].first) ||
	       (code & 0xfffe) == 0xfffe;
}

/*
 * One character made safe: its bytes in @glyph (@glyph_len) and its columns.
 * Return: the bytes of @s it stands for.
 */
static size_t safe_glyph(const unsigned char *s, size_t len, bool utf8, bool first,
			 const char **glyph, size_t *glyph_len, size_t *cols)
{
	uint32_t code = 0;
	size_t used = utf8_decode(s, len, &code);
	int width = used ? wcwidth((wchar_t)code) : -1;

	/* A combining mark at the start would change what stands before the text. */
	if (!used || is_hostile(code) || width < 0 || (width == 0 && first) ||
	    (!utf8 && code >= 0x80)) {
		*glyph = "?";
		*glyph_len = 1;
		*cols = 1;
		return used ? used : 1;
	}
	*glyph = (const char *)s;
	*glyph_len = used;
	*cols = (size_t)width;
	return used;
}

size_t text_for_terminal(char *dst, size_t dst_size, const char *src, size_t src_len,
			 size_t max_cols, bool utf8)
{
	const unsigned char *s = (const unsigned char *)src;
	size_t cols = 0, len = 0;
	size_t cut_cols = 0, cut_len = 0;	/* the longest beginning that leaves room for "~" */

	if (dst_size == 0)
		return 0;
	src_len = src_len ? strnlen(src, src_len) : 0;

	for (size_t i = 0; i < src_len; ) {
		size_t glyph_len, glyph_cols;
		const char *glyph;

		i += safe_glyph(s + i, src_len - i, utf8, cols == 0, &glyph, &glyph_len,
				&glyph_cols);
		if (glyph_cols > max_cols - cols || glyph_len > dst_size - 1 - len) {
			cols = cut_cols;
			len = cut_len;
			if (max_cols > 0 && dst_size > 1) {
				dst[len++] = '~';
				cols++;
			}
			break;
		}
		memcpy(dst + len, glyph, glyph_len);
		len += glyph_len;
		cols += glyph_cols;
		if (cols < max_cols && len + 1 < dst_size) {
			cut_cols = cols;
			cut_len = len;
		}
	}
	dst[len] = '\0';
	return cols;
}

static bool json_needs_escape(uint32_t code)
{
	return code < 0x20 || code >= 0x7f || code == '"' || code == '\\' || code == '<' ||
	       code == '>' || code == '&';
}

void text_json(FILE *out, const char *src, size_t src_len)
{
	const unsigned char *s = (const unsigned char *)src;

	fputc('"', out);
	for (size_t i = 0; i < src_len; ) {
		uint32_t code = 0xfffd;
		size_t used = utf8_decode(s + i, src_len - i, &code);

		if (!used)
			code = 0xfffd;
		if (code >= 0x10000)
			fprintf(out, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10),
				0xdc00 + ((code - 0x10000) & 0x3ff));
		else if (json_needs_escape(code))
			fprintf(out, "\\u%04x", code);
		else
			fputc((int)code, out);
		i += used ? used : 1;
	}
	fputc('"', out);
}

size_t text_utf8(char *dst, const char *src, size_t src_len)
{
	/* U+FFFD, as above */
	static const char unknown[TEXT_UTF8_GROWTH] = { '\xef', '\xbf', '\xbd' };
	size_t len = 0;

	for (size_t i = 0; i < src_len; ) {
		uint32_t code;
		size_t used = utf8_decode((const unsigned char *)src + i, src_len - i, &code);
		size_t out_len = used ? used : sizeof(unknown);

		memcpy(dst + len, used ? src + i : unknown, out_len);
		len += out_len;
		i += used ? used : 1;
	}
	dst[len] = '\0';
	return len;
}

static void put_plain(FILE *out, const char *src, size_t src_len, char special, const char *instead)
{
	const unsigned char *s = (const unsigned char *)src;

	src_len = strnlen(src, src_len);
	for (size_t i = 0; i < src_len; ) {
		uint32_t code = 0;
		size_t used = utf8_decode(s + i, src_len - i, &code);

		if (!used || is_hostile(code) || (!i && code < 0x80 && strchr("=+-@", (int)code)))
			fputc('?', out);
		else if (code == (unsigned char)special)
			fputs(instead, out);
		else
			fwrite(s + i, 1, used, out);
		i += used ? used : 1;
	}
}

void text_csv(FILE *out, const char *src, size_t src_len)
{
	fputc('"', out);
	put_plain(out, src, src_len, '"', "\"\"");
	fputc('"', out);
}

void text_folded(FILE *out, const char *src, size_t src_len)
{
	put_plain(out, src, src_len, ';', ",");
}

static const char *html_entity(uint32_t code)
{
	switch (code) {
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '&': return "&amp;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return NULL;
	}
}

void text_html(FILE *out, const char *src, size_t src_len)
{
	const unsigned char *s = (const unsigned char *)src;

	src_len = src_len ? strnlen(src, src_len) : 0;
	for (size_t i = 0; i < src_len; ) {
		uint32_t code = 0;
		size_t used = utf8_decode(s + i, src_len - i, &code);
		const char *entity = used ? html_entity(code) : NULL;

		if (!used || is_hostile(code))
			fputs("\xef\xbf\xbd", out);
		else if (entity)
			fputs(entity, out);
		else
			fwrite(s + i, 1, used, out);
		i += used ? used : 1;
	}
}

size_t text_columns(const char *src)
{
	const unsigned char *s = (const unsigned char *)src;
	size_t len = strlen(src), cols = 0;

	for (size_t i = 0; i < len; ) {
		uint32_t code;
		size_t used = utf8_decode(s + i, len - i, &code);
		int width = used ? wcwidth((wchar_t)code) : -1;

		cols += width < 0 ? 1 : (size_t)width;
		i += used ? used : 1;
	}
	return cols;
}
