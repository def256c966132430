/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Sequential: three threads of a pool that nobody uses are parked in a condition variable while
 * main computes. An idle CPU is not theirs to explain: there is nothing for them to do.
 */
#include <pthread.h>
#include "work.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t job = PTHREAD_COND_INITIALIZER;

static void *serve(void *arg)
{
	pthread_mutex_lock(&mutex);
	for (;;)
		pthread_cond_wait(&job, &mutex);
	return arg;
}

int main(void)
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, serve, NULL);
	burn(300);
	return 0;
}
