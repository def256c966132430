/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/handshake.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/resource.h>
#include <time.h>

#include "util/threads.h"

#define AT_ONCE_WINDOWS 10	/* then the shortest is short enough to be told */
#define SPINS 4096		/* between two looks at the clock: some microseconds */
#define LINE_BYTES 128		/* CPUs fetch cache lines of 64 bytes in pairs */

/* What the two threads share. The leader passes odd numbers, the follower answers with the next. */
struct line {
	alignas(LINE_BYTES) _Atomic uint64_t value;
	alignas(LINE_BYTES) atomic_bool over;	/* one of them has left */
	uint64_t limit_ns;
};

/* One of the two threads. What it writes is on no line that the other reads. */
struct side {
	alignas(LINE_BYTES) struct line *line;
	uint16_t cpu;
	bool pinned, disturbed;
	struct handshake_windows windows; /* of the leader */
	uint64_t rounds_ns, round_cnt;	/* likewise: since the first pass, and complete */
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void handshake_window(struct handshake_windows *w, uint64_t start_ns, uint64_t end_ns)
{
	uint64_t ns = end_ns - start_ns;

	if (end_ns <= start_ns)
		return;
	w->at_once_cnt += ns < TRACE_HANDSHAKE_ROUNDS * TRACE_HANDSHAKE_ROUND_NS;
	if (!w->best_ns || ns < w->best_ns)
		w->best_ns = ns;
}

/* ---- the two threads ---- */

/* Wait for the answer to @passed. Return: false after @deadline_ns, or if the follower left. */
static bool answered(struct line *line, uint64_t passed, uint64_t deadline_ns)
{
	for (;;) {
		for (int i = 0; i < SPINS; i++)
			if (atomic_load_explicit(&line->value, memory_order_acquire) != passed)
				return true;
		if (atomic_load(&line->over) || now_ns(CLOCK_MONOTONIC_RAW) >= deadline_ns)
			return false;
	}
}

static void lead(struct side *side)
{
	uint64_t start_ns = now_ns(CLOCK_MONOTONIC_RAW), window_ns = start_ns, end_ns = start_ns;
	uint64_t deadline_ns = start_ns + side->line->limit_ns, passed = 1;
	struct line *line = side->line;

	while (side->windows.at_once_cnt < AT_ONCE_WINDOWS && end_ns < deadline_ns) {
		for (int i = 0; i < TRACE_HANDSHAKE_ROUNDS; i++, passed += 2) {
			atomic_store_explicit(&line->value, passed, memory_order_release);
			if (!answered(line, passed, deadline_ns))
				goto out;
		}
		end_ns = now_ns(CLOCK_MONOTONIC_RAW);
		handshake_window(&side->windows, window_ns, end_ns);
		window_ns = end_ns;
	}
out:
	side->round_cnt = passed / 2;
	side->rounds_ns = now_ns(CLOCK_MONOTONIC_RAW) - start_ns;
}

/* Ends when the leader does, or when nobody leads. */
static void follow(struct side *side)
{
	struct line *line = side->line;
	uint64_t value;

	while (!atomic_load(&line->over)) {
		for (int i = 0; i < SPINS; i++) {
			value = atomic_load_explicit(&line->value, memory_order_acquire);
			if (value & 1)
				atomic_store_explicit(&line->value, value + 1,
						      memory_order_release);
		}
	}
}

static void shake(struct side *side, void (*part)(struct side *side))
{
	struct rusage before = { 0 }, after = { 0 };
	uint64_t ran_ns, took_ns;

	getrusage(RUSAGE_THREAD, &before);
	ran_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);
	took_ns = now_ns(CLOCK_MONOTONIC_RAW);
	part(side);
	took_ns = now_ns(CLOCK_MONOTONIC_RAW) - took_ns;
	ran_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - ran_ns;
	getrusage(RUSAGE_THREAD, &after);
	/* The thread never sleeps. Time that the hypervisor takes makes no switch. */
	side->disturbed = after.ru_nivcsw > before.ru_nivcsw && ran_ns < took_ns / 4 * 3;
}

static void take_part(struct side *side, void (*part)(struct side *side))
{
	side->pinned = threads_pin(side->cpu);
	if (side->pinned)
		shake(side, part);
	atomic_store(&side->line->over, true);
}

static void *leader(void *side)
{
	take_part(side, lead);
	return NULL;
}

static void *follower(void *side)
{
	take_part(side, follow);
	return NULL;
}

void handshake_measure(uint16_t cpu_a, uint16_t cpu_b, uint64_t limit_ns, struct handshake *h)
{
	struct line line = { .limit_ns = limit_ns };
	struct side first = { .line = &line, .cpu = cpu_a };
	struct side second = { .line = &line, .cpu = cpu_b };
	pthread_t leading, following;

	*h = (struct handshake){ 0 };
	if (!threads_start(&following, follower, &second))
		return;
	if (threads_start(&leading, leader, &first))
		pthread_join(leading, NULL);
	else
		atomic_store(&line.over, true);
	pthread_join(following, NULL);

	if (!first.pinned || !second.pinned)
		return;
	h->tried = true;
	h->at_once = first.windows.at_once_cnt;
	h->round_cnt = first.round_cnt;
	if (first.windows.best_ns)
		h->round_ns = first.windows.best_ns / TRACE_HANDSHAKE_ROUNDS;
	else if (first.round_cnt)
		h->round_ns = first.rounds_ns / first.round_cnt;
	h->disturbed = first.disturbed || second.disturbed;
}
