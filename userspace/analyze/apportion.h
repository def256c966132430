/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_APPORTION_H
#define LAB_ANALYZE_APPORTION_H

/* apportion - fractions of a nanosecond become whole ones that still sum to the whole. */

#include <stddef.h>
#include <stdint.h>

#define APPORTION_SHIFT 32	/* a share is counted in 2^-32 ns */

/**
 * apportion() - round once, by largest remainder
 * @shares: @cnt of them, each cut (never rounded up) where it was added; not modified
 * @total_ns: what they sum to but for what was cut off; at least the sum of their whole ns
 * @out: @cnt numbers that sum to @total_ns. Of equal remainders the one with the lower index is
 *	rounded up. All 0 if @cnt is 0.
 */
void apportion(const unsigned __int128 *shares, size_t cnt, uint64_t total_ns, uint64_t *out);

#endif /* LAB_ANALYZE_APPORTION_H */
