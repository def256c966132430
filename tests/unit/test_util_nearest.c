/* SPDX-License-Identifier: GPL-2.0-only */
#include "util/nearest.h"

#include "unit.h"

TEST(nearest_measures_distance)
{
	CHECK_EQ(nearest_distance("", ""), 0);
	CHECK_EQ(nearest_distance("abc", ""), 3);
	CHECK_EQ(nearest_distance("", "abc"), 3);
	CHECK_EQ(nearest_distance("kitten", "sitting"), 3);
	CHECK_EQ(nearest_distance("tasks", "taks"), 1);
}

TEST(nearest_finds_the_name)
{
	static const char *const names[] = { "procs", "threads", "async", "in" };

	CHECK_STR(nearest_of("proc", names, 4), "procs");
	CHECK_STR(nearest_of("thraeds", names, 4), "threads");
	CHECK_STR(nearest_of("asnc", names, 4), "async");
	CHECK(!nearest_of("gil", names, 4));
	CHECK(!nearest_of("x", names, 4));
	CHECK(!nearest_of("", names, 4));
	CHECK(!nearest_of("procs", names, 0));
}

TEST(nearest_ends_the_sentence)
{
	static const struct named { const char *name; } a = { "procs" }, b = { "threads" };
	static const struct named *const table[] = { &a, &b, NULL };

	CHECK_STR(nearest_or(NEAREST_OF("proc", table), ".").s, "; did you mean 'procs'?");
	CHECK_STR(nearest_or(NEAREST_OF("gil", table), ".").s, ".");
}
