/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_UTIL_RATIONAL_H
#define LAB_UTIL_RATIONAL_H

/*
 * rational - exact fractions of 128-bit integers. What does not fit is an
 * error, never rounded. Pure: logs nothing, allocates nothing.
 *
 * Every struct rational made here is in lowest terms with den > 0, and neither
 * part is the least __int128. All-zero is not a number: use rational_of().
 */

#include <stddef.h>

struct rational {
	__int128 num;
	__int128 den;
};

/* @num must not be the least __int128. */
struct rational rational_of(__int128 num);

/* @digits with so many (0 to 9) behind the point; not the least __int128. */
struct rational rational_decimal(__int128 digits, unsigned int decimals);

/**
 * rational_parse() - the number that a decimal says, exactly
 * @text: @len bytes: -? digits [. digits]; nothing else around it
 *
 * Return: 0, -EINVAL (not such a number), -ERANGE (does not fit).
 */
int rational_parse(const char *text, size_t len, struct rational *out);

/* Each: 0 or -ERANGE (does not fit; @out is then unspecified). @out may be @a or @b. */
int rational_add(struct rational a, struct rational b, struct rational *out);
int rational_sub(struct rational a, struct rational b, struct rational *out);
int rational_mul(struct rational a, struct rational b, struct rational *out);

/* As the others; -EDOM if @b is 0. */
int rational_div(struct rational a, struct rational b, struct rational *out);

/* Less than, equal to or greater than 0, as memcmp(). Exact for all values. */
int rational_cmp(struct rational a, struct rational b);

#define RATIONAL_TEXT_MAX 96	/* bytes that hold any text of rational_format() */

/*
 * As a decimal of at most 9 places; digits beyond them are cut, and "..." says so. A fraction
 * whose denominator is enormous is written as such: "1/3".
 */
void rational_format(struct rational r, char text[RATIONAL_TEXT_MAX]);

#endif /* LAB_UTIL_RATIONAL_H */
