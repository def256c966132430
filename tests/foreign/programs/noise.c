/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The noisy neighbour: on every CPU a thread that computes for 7 of every 10 ms, until it is
 * ended.
 */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>
#include "work.h"

static void *take(void *arg)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((long)arg, &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (;;) {
		burn(7);
		rest(3);
	}
	return NULL;
}

int main(void)
{
	pthread_t thread;

	for (long cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++)
		pthread_create(&thread, NULL, take, (void *)cpu);
	pause();
}
