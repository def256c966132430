/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Sequential: in musl a waiter of a condition variable sleeps on a futex with the value 2, as a
 * waiter of a lock does. One thread waits 20 times for main, which computes before it signals.
 * There is no lock here that anybody waits for.
 */
#include <pthread.h>
#include "work.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t said = PTHREAD_COND_INITIALIZER;
static int rounds;

static void *listen(void *arg)
{
	pthread_mutex_lock(&mutex);
	for (int seen = 0; seen < 20; seen = rounds)
		while (rounds == seen)
			pthread_cond_wait(&said, &mutex);
	pthread_mutex_unlock(&mutex);
	return arg;
}

int main(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, listen, NULL);
	for (int i = 0; i < 20; i++) {
		burn(15);
		pthread_mutex_lock(&mutex);
		rounds++;
		pthread_cond_signal(&said);
		pthread_mutex_unlock(&mutex);
	}
	pthread_join(thread, NULL);
}
