/* SPDX-License-Identifier: GPL-2.0-only */
#include "util/threads.h"

#include <sched.h>
#include <signal.h>

unsigned int threads_useful(void)
{
	cpu_set_t cpus;

	/* Fails only where there are more than such a set can hold. */
	return sched_getaffinity(0, sizeof(cpus), &cpus) ? 2 : (unsigned int)CPU_COUNT(&cpus);
}

bool threads_start(pthread_t *thread, void *(*work)(void *arg), void *arg)
{
	sigset_t all, before;
	bool started;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = !pthread_create(thread, NULL, work, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

bool threads_pin(uint16_t cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}
