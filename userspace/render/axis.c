/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/axis.h"

#include <string.h>

#include "util/format.h"
#include "util/minmax.h"

#define TICK_GAP 2		/* columns between one tick's label and the next tick */

struct time_unit {
	const char *name;
	uint64_t ns;
};

static const struct time_unit time_units[] = {
	{ "days", 86400000000000 }, { "h", 3600000000000 }, { "min", 60000000000 },
	{ "s", 1000000000 }, { "ms", 1000000 }, { "us", 1000 }, { "ns", 1 },
};

/* Round distances of ticks above 50 s; below they are 1, 2 and 5 times powers of ten. */
static const uint64_t long_steps_s[] = {
	60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 432000, 864000,
};

static uint64_t next_step(uint64_t step_ns)
{
	const uint64_t s = 1000000000;
	uint64_t power = 1;

	if (step_ns >= 50 * s) {
		for (size_t i = 0; i < ARRAY_SIZE(long_steps_s); i++)
			if (long_steps_s[i] * s > step_ns)
				return long_steps_s[i] * s;
		return step_ns * 10;
	}
	while (step_ns / power >= 10)
		power *= 10;
	return step_ns / power == 2 ? 5 * power : step_ns * 2;
}

static const struct time_unit *unit_of(uint64_t step_ns)
{
	size_t i = 0;

	while (step_ns % time_units[i].ns)
		i++;
	return &time_units[i];
}

/* The smallest round distance at which the labels leave room between them. */
static uint64_t choose_step(const struct bins *b)
{
	uint64_t step_ns = 1;

	for (;;) {
		struct fmt_text last = fmt_ratio(b->from_ns + b->len_ns, unit_of(step_ns)->ns, 0);
		uint64_t label_cols = 1 + strlen(last.s) + TICK_GAP;

		if (step_ns / b->width_ns >= max_u64(label_cols, 8))
			return step_ns;
		step_ns = next_step(step_ns);
	}
}

const char *axis_make(const struct bins *b, char *axis)
{
	uint64_t step_ns = choose_step(b);
	uint64_t first_ns = (b->from_ns + step_ns - 1) / step_ns * step_ns;
	const struct time_unit *unit = unit_of(step_ns);

	memset(axis, ' ', b->cnt);
	for (uint64_t at = first_ns; at < b->from_ns + b->len_ns; at += step_ns) {
		struct fmt_text label = fmt_ratio(at, unit->ns, 0);
		size_t col = (at - b->from_ns) / b->width_ns, len = strlen(label.s);

		axis[col] = AXIS_TICK;
		if (col + 1 + len <= b->cnt)
			memcpy(axis + col + 1, label.s, len);
	}
	return unit->name;
}
