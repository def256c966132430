/* SPDX-License-Identifier: GPL-2.0-only */
/* Sequential when linked with musl: two threads wait for a condition variable while main computes, and do nothing after
 * it. musl's waiters each expect the value 2 at a word of their own: no lock. */
#include <pthread.h>
#include <time.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t said = PTHREAD_COND_INITIALIZER;
static int round_now;

static void *listen(void *arg)
{
	pthread_mutex_lock(&mutex);
	for (int seen = 0; seen < 20; seen = round_now)
		while (seen == round_now)
			pthread_cond_wait(&said, &mutex);
	pthread_mutex_unlock(&mutex);
	return arg;
}

int main(void)
{
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, listen, NULL);
	for (int i = 0; i < 20; i++) {
		for (clock_t end = clock() + CLOCKS_PER_SEC / 100; clock() < end;)
			;
		pthread_mutex_lock(&mutex);
		round_now = i + 1;
		pthread_cond_signal(&said);
		pthread_cond_signal(&said);
		pthread_mutex_unlock(&mutex);
	}
	for (int i = 0; i < 2; i++) {
		pthread_mutex_lock(&mutex);
		pthread_cond_broadcast(&said);
		pthread_mutex_unlock(&mutex);
		pthread_join(threads[i], NULL);
	}
}
