/* SPDX-License-Identifier: GPL-2.0-only */
#include "util/format.h"
#include "unit.h"

#define S ((uint64_t)1000000000)

TEST(render_format_times)
{
	CHECK_STR(fmt_ns(0).s, "0 ns");
	CHECK_STR(fmt_ns(999).s, "999 ns");
	CHECK_STR(fmt_ns(3700).s, "3.7 us");
	CHECK_STR(fmt_ns(999949).s, "999.9 us");
	CHECK_STR(fmt_ns(999950).s, "1.000 ms");
	CHECK_STR(fmt_ns(48211000).s, "48.211 ms");
	CHECK_STR(fmt_ns(999999499).s, "999.999 ms");
	CHECK_STR(fmt_ns(999999500).s, "1.000 s");
	CHECK_STR(fmt_ns(3599 * S).s, "3599.000 s");
	CHECK_STR(fmt_ns(3720 * S).s, "1 h 02 min");
	CHECK_STR(fmt_ns(100 * 86400 * S + 14400 * S).s, "100 d 04 h");
	CHECK_STR(fmt_ns(UINT64_MAX).s, "213503 d 23 h");
}

TEST(render_format_instants_tell_steps_apart)
{
	CHECK_STR(fmt_instant(999, 1).s, "999 ns");
	CHECK_STR(fmt_instant(3749, 100).s, "3.7 us");
	CHECK_STR(fmt_instant(3749, 99).s, "3.749 us");
	CHECK_STR(fmt_instant(48211345, 1000).s, "48.211 ms");
	CHECK_STR(fmt_instant(48211345, 999).s, "48.211345 ms");
	CHECK_STR(fmt_instant(33 * S + 710612545, 1000000).s, "33.711 s");
	CHECK_STR(fmt_instant(33 * S + 710612545, 999999).s, "33.710613 s");
	CHECK_STR(fmt_instant(33 * S + 999999500, 1000).s, "34.000000 s");
	CHECK_STR(fmt_instant(33 * S + 710612545, 1).s, "33.710612545 s");
	CHECK_STR(fmt_instant(3720 * S, 60 * S).s, "1 h 02 min");
	CHECK_STR(fmt_instant(3720 * S + S / 2, S).s, "3720.500 s");
	CHECK_STR(fmt_instant(UINT64_MAX, 1).s, "18446744073.709551615 s");
	CHECK_STR(fmt_instant(UINT64_MAX, 1000).s, "18446744073.709552 s");
}

TEST(render_format_short_times)
{
	CHECK_STR(fmt_ns_short(999).s, "999 ns");
	CHECK_STR(fmt_ns_short(3700).s, "3.70 us");
	CHECK_STR(fmt_ns_short(9995).s, "10.0 us");
	CHECK_STR(fmt_ns_short(99950).s, "100 us");
	CHECK_STR(fmt_ns_short(999499).s, "999 us");
	CHECK_STR(fmt_ns_short(999500).s, "1.00 ms");
	CHECK_STR(fmt_ns_short(48211000).s, "48.2 ms");
	CHECK_STR(fmt_ns_short(999 * S).s, "999 s");
	CHECK_STR(fmt_ns_short(1000 * S).s, "16m40s");
	CHECK_STR(fmt_ns_short(100000 * S).s, "27h46m");
	CHECK_STR(fmt_ns_short((12 * 86400 + 3 * 3600) * S).s, "12d03h");
	CHECK_STR(fmt_ns_short(UINT64_MAX).s, "584.9 y");
}

TEST(render_format_counts)
{
	CHECK_STR(fmt_count(0).s, "0");
	CHECK_STR(fmt_count(999).s, "999");
	CHECK_STR(fmt_count(1204).s, "1,204");
	CHECK_STR(fmt_count(UINT64_MAX).s, "18,446,744,073,709,551,615");
	CHECK_STR(fmt_count_short(99999).s, "99999");
	CHECK_STR(fmt_count_short(123456).s, "123k");
	CHECK_STR(fmt_count_short(12345678).s, "12.3M");
	CHECK_STR(fmt_count_short(99999999).s, "100M");
	CHECK_STR(fmt_count_short(UINT64_MAX).s, "18.4E");
	CHECK_STR(fmt_bytes(512).s, "512 B");
	CHECK_STR(fmt_bytes(14 * 1024 + 100).s, "14 KB");
	CHECK_STR(fmt_bytes(1300000).s, "1.2 MB");
	CHECK_STR(fmt_bytes(UINT64_MAX).s, "16 EB");
}

TEST(render_format_shares_never_lie_at_the_ends)
{
	CHECK_STR(fmt_share(984, 1000).s, "98.4 %");
	CHECK_STR(fmt_share(0, 1000).s, "0.0 %");
	CHECK_STR(fmt_share(1, 1000000).s, "<0.1 %");
	CHECK_STR(fmt_share(999999, 1000000).s, ">99.9 %");
	CHECK_STR(fmt_share(7, 7).s, "100 %");
	CHECK_STR(fmt_share(7, 0).s, "0.0 %");
	CHECK_STR(fmt_share(UINT64_MAX / 2, UINT64_MAX).s, "50.0 %");
	CHECK_EQ(fmt_percent(1, 0), 0);
	CHECK_EQ(fmt_percent(9, 3), 100);
	CHECK_EQ(fmt_percent(UINT64_MAX / 4, UINT64_MAX), 25);
}

TEST(render_format_ratios)
{
	CHECK_STR(fmt_ratio(35120, 19850, 2).s, "1.77");
	CHECK_STR(fmt_ratio(1, 3, 6).s, "0.333333");
	CHECK_STR(fmt_ratio(5, 2, 0).s, "3");
	CHECK_STR(fmt_ratio(5, 0, 2).s, "0.00");
	CHECK_STR(fmt_ratio(UINT64_MAX, 1, 6).s, "18446744073709551615.000000");
}

TEST(render_format_cpu_lists)
{
	static const uint16_t cpus[] = { 0, 1, 2, 3, 7, 9, 10, 1023 };

	CHECK_STR(fmt_cpu_list(cpus, 0, 5).s, "");
	CHECK_STR(fmt_cpu_list(cpus, 2, 5).s, "0,1");
	CHECK_STR(fmt_cpu_list(cpus, 4, 5).s, "0-3");
	CHECK_STR(fmt_cpu_list(cpus, 5, 5).s, "0-3,7");
	CHECK_STR(fmt_cpu_list(cpus, 6, 5).s, "0-3~");
	CHECK_STR(fmt_cpu_list(cpus, 8, 39).s, "0-3,7,9,10,1023");
	CHECK_STR(fmt_cpu_list(cpus + 7, 1, 3).s, "~");
}
