/* SPDX-License-Identifier: GPL-2.0-only */
#include "util/rational.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define INT128_MAX ((__int128)(~(unsigned __int128)0 >> 1))
#define PLACES_MAX 9

static __int128 magnitude(__int128 n)
{
	return n < 0 ? -n : n;
}

static __int128 gcd(__int128 a, __int128 b)
{
	a = magnitude(a);
	while (b) {
		__int128 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* @den > 0. */
static int reduce(__int128 num, __int128 den, struct rational *out)
{
	__int128 common;

	if (num < -INT128_MAX)
		return -ERANGE;	/* its magnitude would not fit */
	common = gcd(num, den);
	*out = (struct rational){ num / common, den / common };
	return 0;
}

struct rational rational_of(__int128 num)
{
	return (struct rational){ num, 1 };
}

struct rational rational_decimal(__int128 digits, unsigned int decimals)
{
	struct rational r;
	__int128 den = 1;

	while (decimals--)
		den *= 10;
	reduce(digits, den, &r);
	return r;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int append_digit(__int128 *n, int digit)
{
	if (__builtin_mul_overflow(*n, 10, n) || __builtin_add_overflow(*n, digit, n))
		return -ERANGE;
	return 0;
}

/* The digits at @text + *@pos; each also multiplies *@den by 10, if @den is not NULL. */
static int parse_digits(const char *text, size_t len, size_t *pos, __int128 *n, __int128 *den)
{
	size_t from = *pos;

	for (; *pos < len && is_digit(text[*pos]); (*pos)++)
		if (append_digit(n, text[*pos] - '0') || (den && append_digit(den, 0)))
			return -ERANGE;
	return *pos == from ? -EINVAL : 0;
}

int rational_parse(const char *text, size_t len, struct rational *out)
{
	bool negative = len && text[0] == '-';
	size_t pos = negative;
	__int128 num = 0, den = 1;
	int err = parse_digits(text, len, &pos, &num, NULL);

	if (!err && pos < len && text[pos] == '.') {
		pos++;
		err = parse_digits(text, len, &pos, &num, &den);
	}
	if (!err && pos < len)
		err = -EINVAL;
	if (err)
		return err;
	return reduce(negative ? -num : num, den, out);
}

int rational_add(struct rational a, struct rational b, struct rational *out)
{
	__int128 common = gcd(a.den, b.den);
	__int128 left, right, num, den;

	if (__builtin_mul_overflow(a.num, b.den / common, &left) ||
	    __builtin_mul_overflow(b.num, a.den / common, &right) ||
	    __builtin_add_overflow(left, right, &num) ||
	    __builtin_mul_overflow(a.den / common, b.den, &den))
		return -ERANGE;
	return reduce(num, den, out);
}

int rational_sub(struct rational a, struct rational b, struct rational *out)
{
	b.num = -b.num;
	return rational_add(a, b, out);
}

int rational_mul(struct rational a, struct rational b, struct rational *out)
{
	__int128 one = gcd(a.num, b.den), other = gcd(b.num, a.den);
	__int128 num, den;

	/* Reduced before they are multiplied: what fits in lowest terms then fits. */
	if (__builtin_mul_overflow(a.num / one, b.num / other, &num) ||
	    __builtin_mul_overflow(a.den / other, b.den / one, &den))
		return -ERANGE;
	return reduce(num, den, out);
}

int rational_div(struct rational a, struct rational b, struct rational *out)
{
	if (!b.num)
		return -EDOM;
	if (b.num < 0)
		return rational_mul(a, (struct rational){ -b.den, -b.num }, out);
	return rational_mul(a, (struct rational){ b.den, b.num }, out);
}

/* @num / @den as a whole number below it, and what is left: 0 <= *rest < @den. */
static __int128 floor_div(__int128 num, __int128 den, __int128 *rest)
{
	*rest = num % den;
	if (*rest >= 0)
		return num / den;
	*rest += den;
	return num / den - 1;
}

/* Whole parts first, then the rests turned upside down: no product that could overflow. */
int rational_cmp(struct rational a, struct rational b)
{
	for (;;) {
		__int128 a_rest, b_rest;
		__int128 a_whole = floor_div(a.num, a.den, &a_rest);
		__int128 b_whole = floor_div(b.num, b.den, &b_rest);
		struct rational a_inverse = { a.den, a_rest };

		if (a_whole != b_whole)
			return a_whole < b_whole ? -1 : 1;
		if (!a_rest || !b_rest)
			return (a_rest != 0) - (b_rest != 0);
		a = (struct rational){ b.den, b_rest };
		b = a_inverse;
	}
}

/* Return: the first digit, in the bytes that end at @end. */
static char *put_digits(char *end, __int128 n)
{
	*--end = '\0';
	do {
		*--end = (char)('0' + (int)(n % 10));
		n /= 10;
	} while (n);
	return end;
}

void rational_format(struct rational r, char text[RATIONAL_TEXT_MAX])
{
	char whole[48], den[48], places[PLACES_MAX + 1] = "";
	const char *sign = r.num < 0 ? "-" : "";
	__int128 num = magnitude(r.num), rest;
	int cnt = 0;

	if (r.den > INT128_MAX / 10) {
		snprintf(text, RATIONAL_TEXT_MAX, "%s%s/%s", sign,
			 put_digits(whole + sizeof(whole), num),
			 put_digits(den + sizeof(den), r.den));
		return;
	}
	for (rest = num % r.den; rest && cnt < PLACES_MAX; rest = rest * 10 % r.den)
		places[cnt++] = (char)('0' + (int)(rest * 10 / r.den));
	snprintf(text, RATIONAL_TEXT_MAX, "%s%s%s%s%s", sign,
		 put_digits(whole + sizeof(whole), num / r.den), cnt ? "." : "", places,
		 rest ? "..." : "");
}
