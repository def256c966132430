/* SPDX-License-Identifier: GPL-2.0-only
 *
 * No lock lets one task run at a time here: one thread waits for one "hello" by a condition
 * variable while main computes, and never computes itself. Its only wait is no line for a lock,
 * and it is a parked helper.
 */
#include <pthread.h>
#include "work.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t said = PTHREAD_COND_INITIALIZER;
static int hello;

static void *listen(void *arg)
{
	pthread_mutex_lock(&mutex);
	while (!hello)
		pthread_cond_wait(&said, &mutex);
	pthread_mutex_unlock(&mutex);
	return arg;
}

int main(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, listen, NULL);
	burn(300);
	pthread_mutex_lock(&mutex);
	hello = 1;
	pthread_cond_broadcast(&said);
	pthread_mutex_unlock(&mutex);
	pthread_join(thread, NULL);
}
