/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RECORD_CLOCK_H
#define LAB_RECORD_CLOCK_H

/*
 * clock - how far the clocks of two CPUs can disagree, by publish and
 * compare: each of two threads, pinned to a CPU each, publishes its stamps and compares
 * what it reads of the other's with a stamp of its own taken after. A difference is at least the
 * clocks' offset, so the smallest seen in each direction bounds it. Where the two are never seen to
 * run at once (virtual CPUs that take turns), they rest between stamps, and so hand over often.
 */

#include <stdint.h>

#include "trace/trace.h"

/**
 * clock_compare() - bound the offsets of a set of CPUs, from the first one to each other
 * @cpus: @cpu_cnt of them, usable by this process
 * @pairs: caller's storage for @cpu_cnt - 1
 *
 * Takes 3 ms a CPU, up to ten times as long where other programs keep the two
 * from running at once, and about half a second at most. A pair that gave no stamps (a CPU that
 * this process may not use) is left out. Changes the affinity of no thread of the caller's.
 *
 * Return: the number of pairs written.
 */
uint32_t clock_compare(const uint16_t *cpus, uint32_t cpu_cnt, struct trace_clock_pair *pairs);

#endif /* LAB_RECORD_CLOCK_H */
