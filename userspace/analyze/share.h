/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_SHARE_H
#define LAB_ANALYZE_SHARE_H

/* share - parts of a whole, in integers that cannot overflow. */

#include <stdbool.h>
#include <stdint.h>

/* 20 x part >= whole: the 5 % of the classes of verdict. */
static inline bool share_is_5_percent(uint64_t part, uint64_t whole)
{
	return part >= whole / 20 + (whole % 20 != 0);
}

/* Thousandths, rounded down; 0 of an empty whole. */
static inline unsigned int share_permille(uint64_t part, uint64_t whole)
{
	return whole ? (unsigned int)((unsigned __int128)part * 1000 / whole) : 0;
}

#endif /* LAB_ANALYZE_SHARE_H */
