/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Concurrent: a thread wakes every 10 ms to look after main, which computes for 300 ms and
 * joins it last. What the end waited for is main's computing, not the monitor's sleep.
 */
#include <pthread.h>
#include "work.h"

static int finished;

static void *watch(void *arg)
{
	while (!__atomic_load_n(&finished, __ATOMIC_SEQ_CST))
		rest(10);
	return arg;
}

int main(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, watch, NULL);
	burn(300);
	__atomic_store_n(&finished, 1, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
}
