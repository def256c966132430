/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/format.h"
#include "util/minmax.h"

#define US ((uint64_t)1000)
#define MS ((uint64_t)1000000)
#define SEC ((uint64_t)1000000000)
#define HOUR_S ((uint64_t)3600)
#define DAY_S ((uint64_t)86400)

static const uint64_t powers[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000,
				   100000000, 1000000000 };

/* @num * @mul / @den, to the nearest; @den is not 0. */
static uint64_t scale(uint64_t num, uint64_t mul, uint64_t den)
{
	return (uint64_t)(((unsigned __int128)num * mul + den / 2) / den);
}

struct fmt_text fmt_ratio(uint64_t num, uint64_t den, unsigned int decimals)
{
	unsigned __int128 scaled = 0;
	struct fmt_text t;
	uint64_t unit;

	if (decimals >= ARRAY_SIZE(powers))
		decimals = ARRAY_SIZE(powers) - 1;
	unit = powers[decimals];
	if (den)
		scaled = ((unsigned __int128)num * unit + den / 2) / den;
	if (decimals)
		snprintf(t.s, sizeof(t.s), "%" PRIu64 ".%0*" PRIu64, (uint64_t)(scaled / unit),
			 (int)decimals, (uint64_t)(scaled % unit));
	else
		snprintf(t.s, sizeof(t.s), "%" PRIu64, (uint64_t)scaled);
	return t;
}

static struct fmt_text with_unit(uint64_t value, uint64_t of_unit, unsigned int decimals,
				 const char *unit)
{
	struct fmt_text t = fmt_ratio(value, of_unit, decimals);
	size_t len = strlen(t.s);

	snprintf(t.s + len, sizeof(t.s) - len, " %s", unit);
	return t;
}

struct fmt_text fmt_ns(uint64_t ns)
{
	struct fmt_text t;
	uint64_t s = ns / SEC;

	if (ns < US)
		return with_unit(ns, 1, 0, "ns");
	if (ns < MS - 50)
		return with_unit(ns, US, 1, "us");
	if (ns < SEC - 500)
		return with_unit(ns, MS, 3, "ms");
	if (s < HOUR_S)
		return with_unit(ns, SEC, 3, "s");
	if (s < DAY_S)
		snprintf(t.s, sizeof(t.s), "%" PRIu64 " h %02" PRIu64 " min", s / HOUR_S,
			 s % HOUR_S / 60);
	else
		snprintf(t.s, sizeof(t.s), "%" PRIu64 " d %02" PRIu64 " h", s / DAY_S,
			 s % DAY_S / HOUR_S);
	return t;
}

/* What fmt_ns() rounds to. */
static uint64_t grain_ns(uint64_t ns)
{
	if (ns < US)
		return 1;
	if (ns < MS)
		return US / 10;
	if (ns < SEC)
		return US;
	if (ns < HOUR_S * SEC)
		return MS;
	return ns < DAY_S * SEC ? 60 * SEC : HOUR_S * SEC;
}

struct fmt_text fmt_instant(uint64_t ns, uint64_t step_ns)
{
	uint64_t unit_ns = ns >= SEC ? SEC : ns >= MS ? MS : US;
	const char *unit = unit_ns == SEC ? "s" : unit_ns == MS ? "ms" : "us";
	unsigned int decimals = 3;

	if (grain_ns(ns) <= step_ns)
		return fmt_ns(ns);
	for (uint64_t grain = unit_ns / 1000; grain > 1 && grain > step_ns; grain /= 1000)
		decimals += 3;
	return with_unit(ns, unit_ns, decimals, unit);
}

/* Three significant digits of @ns in a unit of which it has fewer than 1000. */
static struct fmt_text three_digits(uint64_t ns, uint64_t unit_ns, const char *unit)
{
	if (scale(ns, 100, unit_ns) < 1000)
		return with_unit(ns, unit_ns, 2, unit);
	if (scale(ns, 10, unit_ns) < 1000)
		return with_unit(ns, unit_ns, 1, unit);
	return with_unit(ns, unit_ns, 0, unit);
}

struct fmt_text fmt_ns_short(uint64_t ns)
{
	struct fmt_text t;
	uint64_t s = ns / SEC;

	if (ns < US)
		return with_unit(ns, 1, 0, "ns");
	if (scale(ns, 1, US) < 1000)
		return three_digits(ns, US, "us");
	if (scale(ns, 1, MS) < 1000)
		return three_digits(ns, MS, "ms");
	if (scale(ns, 1, SEC) < 1000)
		return three_digits(ns, SEC, "s");
	if (s < 100 * 60)
		snprintf(t.s, sizeof(t.s), "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	else if (s < 100 * HOUR_S)
		snprintf(t.s, sizeof(t.s), "%" PRIu64 "h%02" PRIu64 "m", s / HOUR_S,
			 s % HOUR_S / 60);
	else if (s < 1000 * DAY_S)
		snprintf(t.s, sizeof(t.s), "%" PRIu64 "d%02" PRIu64 "h", s / DAY_S,
			 s % DAY_S / HOUR_S);
	else
		return with_unit(s, 365 * DAY_S, 1, "y");
	return t;
}

struct fmt_text fmt_count(uint64_t n)
{
	struct fmt_text plain, t;
	size_t len, to = 0;

	snprintf(plain.s, sizeof(plain.s), "%" PRIu64, n);
	len = strlen(plain.s);
	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			t.s[to++] = ',';
		t.s[to++] = plain.s[i];
	}
	t.s[to] = '\0';
	return t;
}

struct fmt_text fmt_count_short(uint64_t n)
{
	static const char units[] = "kMGTPE";
	struct fmt_text t;
	uint64_t unit = 1000;
	size_t i = 0;

	if (n < 100000) {
		snprintf(t.s, sizeof(t.s), "%" PRIu64, n);
		return t;
	}
	while (i + 2 < sizeof(units) && n / unit >= 1000) {
		unit *= 1000;
		i++;
	}
	t = fmt_ratio(n, unit, scale(n, 10, unit) < 1000);
	snprintf(t.s + strlen(t.s), 2, "%c", units[i]);
	return t;
}

struct fmt_text fmt_bytes(uint64_t bytes)
{
	static const char *const units[] = { "B", "KB", "MB", "GB", "TB", "PB", "EB" };
	uint64_t unit = 1;
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(units) && bytes / unit >= 1024) {
		unit *= 1024;
		i++;
	}
	return with_unit(bytes, unit, i > 1 && bytes / unit < 10, units[i]);
}

struct fmt_text fmt_share(uint64_t part, uint64_t whole)
{
	struct fmt_text t;
	uint64_t permille;

	if (!whole || !part)
		snprintf(t.s, sizeof(t.s), "0.0 %%");
	else if (part >= whole)
		snprintf(t.s, sizeof(t.s), "100 %%");
	else {
		permille = scale(part, 1000, whole);
		if (!permille)
			snprintf(t.s, sizeof(t.s), "<0.1 %%");
		else if (permille == 1000)
			snprintf(t.s, sizeof(t.s), ">99.9 %%");
		else
			snprintf(t.s, sizeof(t.s), "%" PRIu64 ".%" PRIu64 " %%", permille / 10,
				 permille % 10);
	}
	return t;
}

uint32_t fmt_percent(uint64_t part, uint64_t whole)
{
	if (!whole)
		return 0;
	return part >= whole ? 100 : (uint32_t)scale(part, 100, whole);
}

struct fmt_text fmt_cpu_list(const uint16_t *cpus, uint32_t cpu_cnt, uint32_t max_cols)
{
	struct fmt_text t = { "" };
	size_t len = 0, max = min_u64(max_cols, sizeof(t.s) - 1);

	for (uint32_t i = 0; i < cpu_cnt;) {
		char part[24];
		uint32_t last = i;
		size_t part_len;

		while (last + 1 < cpu_cnt && cpus[last + 1] == cpus[last] + 1)
			last++;
		if (last == i)
			snprintf(part, sizeof(part), "%s%u", len ? "," : "", cpus[i]);
		else
			snprintf(part, sizeof(part), "%s%u%c%u", len ? "," : "", cpus[i],
				 last == i + 1 ? ',' : '-', cpus[last]);
		part_len = strlen(part);
		/* unless this is the last part, "~" must still fit behind it */
		if (len + part_len + (last + 1 < cpu_cnt) > max) {
			if (len < max)
				t.s[len++] = '~';
			t.s[len] = '\0';
			break;
		}
		memcpy(t.s + len, part, part_len + 1);
		len += part_len;
		i = last + 1;
	}
	return t;
}
