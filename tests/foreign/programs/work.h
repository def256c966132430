/* SPDX-License-Identifier: GPL-2.0-only
 *
 * What the small C and C++ programs of this folder share. The work is measured in CPU time, so a
 * busy machine makes a program slower and does not change what it does.
 */
#ifndef FOREIGN_WORK_H
#define FOREIGN_WORK_H

#include <stdlib.h>
#include <time.h>

/* Computes for ms milliseconds of this thread's CPU time. */
static inline void burn(double ms)
{
	struct timespec now;
	double end = 0;

	do {
		for (volatile int i = 0; i < 20000; i++)
			;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
		if (end == 0)
			end = now.tv_sec * 1e3 + now.tv_nsec / 1e6 + ms;
	} while (now.tv_sec * 1e3 + now.tv_nsec / 1e6 < end);
}

/* Sleeps for ms milliseconds. */
static inline void rest(double ms)
{
	struct timespec span = { ms / 1000, (long)(ms * 1e6) % 1000000000 };

	nanosleep(&span, NULL);
}

/* The number in the first argument, or other without one. */
static inline int number(int argc, char **argv, int other)
{
	return argc > 1 ? (int)strtol(argv[1], NULL, 10) : other;
}

#endif
