/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Parallel: a producer and a consumer with a bounded queue between them; both have work for
 * each item.
 */
#include <pthread.h>
#include "work.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int items;

static void *consume(void *arg)
{
	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&mutex);
		while (items == 0)
			pthread_cond_wait(&changed, &mutex);
		items--;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&mutex);
		burn(2);
	}
	return arg;
}

int main(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, consume, NULL);
	for (int i = 0; i < 100; i++) {
		burn(2);
		pthread_mutex_lock(&mutex);
		while (items == 4)
			pthread_cond_wait(&changed, &mutex);
		items++;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&mutex);
	}
	pthread_join(thread, NULL);
}
