/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_UTIL_MINMAX_H
#define LAB_UTIL_MINMAX_H

#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

#endif /* LAB_UTIL_MINMAX_H */
