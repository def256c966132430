/* SPDX-License-Identifier: GPL-2.0-only */
#include "util/rational.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "unit.h"

#define INT128_MAX ((__int128)(~(unsigned __int128)0 >> 1))

static struct rational number(const char *text)
{
	struct rational r = { 0 };

	CHECK_EQ(rational_parse(text, strlen(text), &r), 0);
	return r;
}

static const char *written(struct rational r)
{
	static char text[RATIONAL_TEXT_MAX];

	rational_format(r, text);
	return text;
}

TEST(rational_reads_decimals_exactly)
{
	struct rational r = number("-0.250");

	CHECK_EQ(r.num, -1);
	CHECK_EQ(r.den, 4);
	CHECK_STR(written(number("18446744073709551615")), "18446744073709551615");
	CHECK_STR(written(number("170141183460469231731687303715884105727")),
		  "170141183460469231731687303715884105727");
	CHECK_STR(written(number("0.000")), "0");
}

TEST(rational_refuses_what_is_no_number)
{
	static const char *const wrong[] = { "", "-", ".5", "5.", "1e", "1e3", "+1", "1 ", "0x10",
					     "1.2.3", "--1", "nan", "e5" };
	struct rational r;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CHECK_EQ(rational_parse(wrong[i], strlen(wrong[i]), &r), -EINVAL);
	CHECK_EQ(rational_parse("170141183460469231731687303715884105728", 39, &r), -ERANGE);
	CHECK_EQ(rational_parse("0.0000000000000000000000000000000000000001", 42, &r), -ERANGE);
}

TEST(rational_computes)
{
	struct rational r;

	CHECK_EQ(rational_add(number("0.1"), number("0.2"), &r), 0);
	CHECK_EQ(rational_cmp(r, number("0.3")), 0);
	CHECK_EQ(rational_div(number("1"), number("3"), &r), 0);
	CHECK_STR(written(r), "0.333333333...");
	CHECK_EQ(rational_mul(r, number("-3"), &r), 0);
	CHECK_STR(written(r), "-1");
	CHECK_EQ(rational_sub(r, number("0.5"), &r), 0);
	CHECK_STR(written(r), "-1.5");
	CHECK_EQ(rational_div(number("3"), number("-2"), &r), 0);
	CHECK_EQ(r.num, -3);
	CHECK_EQ(r.den, 2);
	CHECK_EQ(rational_div(number("3"), number("0"), &r), -EDOM);
}

TEST(rational_never_wraps)
{
	struct rational most = rational_of(INT128_MAX), least = rational_of(-INT128_MAX), r;

	CHECK_EQ(rational_add(most, rational_of(1), &r), -ERANGE);
	CHECK_EQ(rational_sub(least, rational_of(1), &r), -ERANGE);
	CHECK_EQ(rational_mul(most, rational_of(2), &r), -ERANGE);
	CHECK_EQ(rational_div(rational_of(1), most, &r), 0);
	CHECK_EQ(rational_div(r, rational_of(2), &r), -ERANGE);
	CHECK_EQ(rational_mul(most, (struct rational){ 1, INT128_MAX }, &r), 0);
	CHECK_STR(written(r), "1");
}

/* Where cross products would not fit, and where floating point sees no difference. */
TEST(rational_compares_without_overflow)
{
	struct rational a = { INT128_MAX - 1, INT128_MAX }, b = { INT128_MAX - 2, INT128_MAX - 1 };

	CHECK(rational_cmp(a, b) > 0);
	CHECK(rational_cmp(b, a) < 0);
	CHECK_EQ(rational_cmp(a, a), 0);
	CHECK(rational_cmp((struct rational){ -INT128_MAX, INT128_MAX - 1 }, rational_of(-1)) < 0);
	CHECK(rational_cmp(number("9007199254740993"), number("9007199254740992")) > 0);
	CHECK(rational_cmp(rational_of(-INT128_MAX), rational_of(INT128_MAX)) < 0);
	CHECK_STR(written((struct rational){ 1, INT128_MAX }),
		  "1/170141183460469231731687303715884105727");
}

TEST(rational_compares_as_integers_do)
{
	for (int a = -9; a <= 9; a++)
		for (int b = 1; b <= 6; b++)
			for (int c = -9; c <= 9; c++)
				for (int d = 1; d <= 6; d++) {
					int sign = rational_cmp((struct rational){ a, b },
								(struct rational){ c, d });

					CHECK_EQ((sign > 0) - (sign < 0),
						 (a * d > c * b) - (a * d < c * b));
				}
}
