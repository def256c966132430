/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_UTIL_TEXT_H
#define LAB_UTIL_TEXT_H

/*
 * text - hostile text made safe, one function per place it is written to.
 *
 * Task names, arguments, symbols and paths come from other people. They are
 * stored raw and pass through exactly one of these on their way out.
 *
 * Hostile characters are the same in all of them: controls (C0, DEL, C1), characters that change
 * the direction of the text around them (such as U+202E) or that nobody can see (such as U+200B,
 * U+FEFF and the tags U+E0000-U+E007F), separators of lines and paragraphs, and code points that
 * are no characters (U+FFFE).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/**
 * text_for_terminal() - text that cannot drive a terminal
 * @dst: written, always NUL-terminated if @dst_size is not 0
 * @src: @src_len bytes, decoded as UTF-8; a NUL byte ends it early
 * @max_cols: at most this many terminal columns; longer text is cut after it
 *            was made safe (a cut text ends in "~")
 * @utf8: false: everything outside printable ASCII becomes '?'
 *
 * Hostile characters become '?', as do invalid bytes and what the locale cannot print.
 *
 * Return: the number of columns written.
 */
size_t text_for_terminal(char *dst, size_t dst_size, const char *src, size_t src_len,
			 size_t max_cols, bool utf8);

/**
 * text_json() - write a JSON string with its quotes
 * @out: borrowed stream
 *
 * Quotes, backslash, '<', '>', '&', every control and every non-ASCII
 * character are written as \uXXXX escapes (surrogate pairs above U+FFFF);
 * invalid UTF-8 becomes U+FFFD. The output is pure ASCII and safe inside an HTML script block.
 */
void text_json(FILE *out, const char *src, size_t src_len);

#define TEXT_UTF8_GROWTH 3	/* bytes that stand for one that is no character */

/*
 * What text_json() says, as valid UTF-8, with a NUL behind it. @dst has room for
 * TEXT_UTF8_GROWTH * @src_len + 1 bytes. Return: the bytes before the NUL.
 */
size_t text_utf8(char *dst, const char *src, size_t src_len);

/**
 * text_csv() - write a field of CSV (RFC 4180) with its quotes
 * @src: @src_len bytes; a NUL byte ends it early
 *
 * Quotes are doubled. Hostile characters and invalid bytes become '?'; so does a first character of
 * =, +, -, @ which a spreadsheet would take for the beginning of a formula.
 */
void text_csv(FILE *out, const char *src, size_t src_len);

/* A frame of a folded stack: as text_csv(), but without quotes, and ';' becomes ','. */
void text_folded(FILE *out, const char *src, size_t src_len);

/**
 * text_html() - text inside an element, or a quoted attribute, of HTML or SVG
 * @src: @src_len bytes; a NUL byte ends it early
 *
 * '<', '>', '&' and both quotes become entities; hostile characters (which include what XML 1.0
 * forbids) and invalid UTF-8 become U+FFFD.
 */
void text_html(FILE *out, const char *src, size_t src_len);

/* The columns a UTF-8 text takes on a terminal; -1 counts as 1. */
size_t text_columns(const char *src);

#endif /* LAB_UTIL_TEXT_H */
