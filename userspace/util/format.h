/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_UTIL_FORMAT_H
#define LAB_UTIL_FORMAT_H

/*
 * format - how numbers look, in one place. Pure ASCII, no locale. Rounds to
 * the nearest (halves up), and never to a "none" or "all" that is not true.
 *
 * The text is returned by value, so that fmt_ns(x).s is good for the full
 * expression in which it stands.
 */

#include <stdint.h>

struct fmt_text {
	char s[40];
};

/* "740 ns", "3.7 us", "48.211 ms", "2.003 s", "1 h 02 min", "3 d 04 h". */
struct fmt_text fmt_ns(uint64_t ns);

/* As fmt_ns(), with the decimals that separate instants @step_ns apart: "33.710612 s". */
struct fmt_text fmt_instant(uint64_t ns, uint64_t step_ns);

/* At most 7 columns: "740 ns", "48.2 ms", "16m40s", "27h46m", "12d03h", "3.2 y" (of 365 days). */
struct fmt_text fmt_ns_short(uint64_t ns);

/* With thousands separators: "1,204". */
struct fmt_text fmt_count(uint64_t n);

/* At most 5 columns: "99999", "123k", "12.3M". */
struct fmt_text fmt_count_short(uint64_t n);

/* "512 B", "14 KB", "1.2 MB"; 1 KB is 1024 B. */
struct fmt_text fmt_bytes(uint64_t bytes);

/* "98.4 %"; "<0.1 %" and ">99.9 %" where rounding would say 0 or 100; "0.0 %" if @whole is 0. */
struct fmt_text fmt_share(uint64_t part, uint64_t whole);

/* Whole percent, 0 to 100; 0 if @whole is 0. */
uint32_t fmt_percent(uint64_t part, uint64_t whole);

/* @num / @den with 0 to 9 decimals: "1.97"; as 0 if @den is 0. */
struct fmt_text fmt_ratio(uint64_t num, uint64_t den, unsigned int decimals);

/* A list of ascending numbers with ranges, cut to @max_cols (at most 39) with "~": "0-3,7". */
struct fmt_text fmt_cpu_list(const uint16_t *cpus, uint32_t cpu_cnt, uint32_t max_cols);

#endif /* LAB_UTIL_FORMAT_H */
