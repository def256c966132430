/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_UTIL_THREADS_H
#define LAB_UTIL_THREADS_H

/*
 * threads - help with work that can be shared. The work must not depend on whether there are
 * threads.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* How many CPUs this thread may use; 2 where that cannot be told. */
unsigned int threads_useful(void);

/**
 * threads_start() - run @work(@arg) in a thread that takes no signals: they stay with the caller
 *
 * Return: true, and pthread_join(*@thread) is the caller's; false: no thread can be had.
 */
bool threads_start(pthread_t *thread, void *(*work)(void *arg), void *arg);

/*
 * Keep the calling thread on @cpu, below 1024.
 * Return: true if it runs there now; false if it may not use that CPU.
 */
bool threads_pin(uint16_t cpu);

#endif /* LAB_UTIL_THREADS_H */
