/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/sweep_range.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define NUMBER_MAX 1000000

/* One number at *@at, which moves behind it. Return: it, or -errno. */
static int number(const char **at, uint32_t all)
{
	uint32_t n = 0;

	if (**at == 'N' && all) {
		(*at)++;
		return (int)all;
	}
	if (!isdigit((unsigned char)**at))
		return -EINVAL;
	for (; isdigit((unsigned char)**at); (*at)++) {
		n = n * 10 + (uint32_t)(**at - '0');
		if (n > NUMBER_MAX)
			return -ERANGE;
	}
	return n ? (int)n : -EINVAL;
}

int sweep_range_parse(const char *text, uint32_t all, uint32_t *n, size_t cap)
{
	const char *at = text;
	size_t cnt = 0;

	for (;;) {
		int first = number(&at, all), last = first;

		if (first < 0)
			return first;
		if (!strncmp(at, "..", 2)) {
			at += 2;
			last = number(&at, all);
			if (last < 0)
				return last;
		}
		if (last < first || (cnt && (uint32_t)first <= n[cnt - 1]))
			return -EINVAL;
		for (int i = first; i <= last; i++) {
			if (cnt == cap)
				return -ERANGE;
			n[cnt++] = (uint32_t)i;
		}
		if (!*at)
			return (int)cnt;
		if (*at++ != ',')
			return -EINVAL;
	}
}
