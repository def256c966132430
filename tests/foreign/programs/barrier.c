/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Parallel: three threads meet at a barrier 40 times, and the largest share of the work goes
 * round. A barrier is no lock.
 */
#include <pthread.h>
#include "work.h"

static pthread_barrier_t barrier;

static void *work(void *arg)
{
	for (int i = 0; i < 40; i++) {
		burn(i % 3 == *(char *)arg - '0' ? 4 : 2);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[3];

	pthread_barrier_init(&barrier, NULL, 3);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, work, &"012"[i]);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}
