/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * producer - the main thread makes items and a thread that it began uses them: both have work.
 *
 *	producer ROOM ITEMS MILLISECONDS
 *
 * ROOM: how many items may wait. Making one and using one take MILLISECONDS each.
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int waiting, room, items;
static double item_s;

static void burn(void)
{
	struct timespec now, start;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	while ((double)(now.tv_sec - start.tv_sec) + 1e-9 * (double)(now.tv_nsec - start.tv_nsec) <
	       item_s);
}

static void *consume(void *arg)
{
	for (int i = 0; i < items; i++) {
		pthread_mutex_lock(&lock);
		while (!waiting)
			pthread_cond_wait(&changed, &lock);
		waiting--;
		pthread_cond_signal(&changed);
		pthread_mutex_unlock(&lock);
		burn();
	}
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 4)
		return 2;
	room = (int)strtol(argv[1], NULL, 10);
	items = (int)strtol(argv[2], NULL, 10);
	item_s = strtod(argv[3], NULL) / 1e3;
	pthread_create(&thread, NULL, consume, NULL);
	for (int i = 0; i < items; i++) {
		burn();
		pthread_mutex_lock(&lock);
		while (waiting == room)
			pthread_cond_wait(&changed, &lock);
		waiting++;
		pthread_cond_signal(&changed);
		pthread_mutex_unlock(&lock);
	}
	return pthread_join(thread, NULL);
}
