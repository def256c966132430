/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>

#include "cli/sweep_range.h"
#include "unit.h"

TEST(sweep_range_takes_lists_and_ranges)
{
	uint32_t n[16];

	CHECK_EQ(sweep_range_parse("1..4,8,16", 0, n, 16), 6);
	CHECK_EQ(n[0], 1);
	CHECK_EQ(n[3], 4);
	CHECK_EQ(n[4], 8);
	CHECK_EQ(n[5], 16);
	CHECK_EQ(sweep_range_parse("1..16", 0, n, 16), 16);
	CHECK_EQ(sweep_range_parse("1..N", 3, n, 16), 3);
	CHECK_EQ(sweep_range_parse("N", 7, n, 16), 1);
	CHECK_EQ(n[0], 7);
	CHECK_EQ(sweep_range_parse("5", 0, n, 1), 1);
}

TEST(sweep_range_refuses_all_else)
{
	static const char *const wrong[] = {
		"", "0", "1..", "..4", "4..1", "1,1", "3,2", "1..4,4", "1,", ",1", "1-4", "a",
		"1..N", "N", " 1", "1 ", "0..3", "-1", "1...4", "+1",
	};
	uint32_t n[16];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		CHECK_EQ(sweep_range_parse(wrong[i], 0, n, 16), -EINVAL);
	CHECK_EQ(sweep_range_parse("1..17", 0, n, 16), -ERANGE);
	CHECK_EQ(sweep_range_parse("99999999999999999999", 0, n, 16), -ERANGE);
	CHECK_EQ(sweep_range_parse("1..1000001", 0, n, 16), -ERANGE);
}
