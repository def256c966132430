/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RECORD_HANDSHAKE_H
#define LAB_RECORD_HANDSHAKE_H

/*
 * handshake - whether two CPUs run at the same instant, or only take turns on one.
 *
 * Two threads, each pinned to one of the CPUs, pass a cache line to and fro without system calls.
 * A round is one pass in each direction. Two CPUs that run at once need about 50 to 450 ns for a
 * round. If they take turns, each round costs two changes of turn: 3,400 ns or more were measured.
 * So a window of TRACE_HANDSHAKE_ROUNDS consecutive rounds that average below
 * TRACE_HANDSHAKE_ROUND_NS shows that both ran at once. A slower handshake shows nothing: other
 * programs, or the hypervisor, may have kept one of the threads from its CPU.
 *
 * Logs nothing.
 */

#include <stdbool.h>
#include <stdint.h>

#include "trace/trace.h"

/* The windows of a handshake. All zero: none yet. */
struct handshake_windows {
	uint64_t best_ns;	/* the shortest window; 0: none is complete */
	uint32_t at_once_cnt;	/* windows that show that both ran at once */
};

/* One more window, from @start_ns to @end_ns. A clock that did not advance gives none. */
void handshake_window(struct handshake_windows *w, uint64_t start_ns, uint64_t end_ns);

struct handshake {
	bool tried;		/* both threads had their CPUs; if not, all else is 0 */
	bool at_once;
	/* The average over the shortest window, or over all rounds if there is none; or 0. */
	uint64_t round_ns;
	uint64_t round_cnt;	/* complete rounds */
	bool disturbed;		/* others had one of the CPUs for a fourth of the time, or more */
};

/**
 * handshake_measure() - let two CPUs shake hands
 * @cpu_a, @cpu_b: below 1024; one CPU twice shows nothing, like two that take turns
 * @limit_ns: gives up after about so long; a handshake that shows something takes about 1 ms
 */
void handshake_measure(uint16_t cpu_a, uint16_t cpu_b, uint64_t limit_ns, struct handshake *h);

#endif /* LAB_RECORD_HANDSHAKE_H */
