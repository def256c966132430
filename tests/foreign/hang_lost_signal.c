/* SPDX-License-Identifier: GPL-2.0-only */
/* hang_lost_signal - a thread waits on a condition that was signalled before it waited; main joins it. */
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct { long count; pthread_cond_t changed; } counter = { 0, PTHREAD_COND_INITIALIZER };

static void *waiter(void *unused)
{
	usleep(50000);
	pthread_mutex_lock(&lock);
	pthread_cond_wait(&counter.changed, &lock); /* and no look at the count */
	pthread_mutex_unlock(&lock);
	return unused;
}

int main(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, waiter, NULL);
	pthread_mutex_lock(&lock);
	counter.count = 1;
	pthread_cond_signal(&counter.changed);
	pthread_mutex_unlock(&lock);
	return pthread_join(thread, NULL);
}
