/* SPDX-License-Identifier: GPL-2.0-only
 *
 * pool WORKERS JOBS cond|eventfd|pipe|sem: main hands JOBS jobs to a pool of WORKERS threads,
 * waits until all of them are done, and does so 40 times. Sequential with one job at a time: a
 * request that is answered before the next is one activity, however many workers are idle.
 * Parallel with two.
 */
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "work.h"

struct box {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	int count;
	sem_t sem;
	int fds[2];
} jobs = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, { { 0 } }, { -1, -1 } };
struct box done = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, { { 0 } }, { -1, -1 } };
static const char *kind;

static void put(struct box *box)
{
	if (*kind == 'c') {
		pthread_mutex_lock(&box->mutex);
		box->count++;
		pthread_cond_signal(&box->cond);
		pthread_mutex_unlock(&box->mutex);
	} else if (*kind == 's') {
		sem_post(&box->sem);
	} else {
		while (write(box->fds[1], &(long){ 1 }, 8) != 8)
			;
	}
}

static void take(struct box *box)
{
	long one;

	if (*kind == 'c') {
		pthread_mutex_lock(&box->mutex);
		while (box->count == 0)
			pthread_cond_wait(&box->cond, &box->mutex);
		box->count--;
		pthread_mutex_unlock(&box->mutex);
	} else if (*kind == 's') {
		sem_wait(&box->sem);
	} else {
		while (read(box->fds[0], &one, 8) != 8)
			;
	}
}

static void *work(void *arg)
{
	for (;;) {
		take(&jobs);
		burn(5);
		put(&done);
	}
	return arg;
}

static void open_box(struct box *box)
{
	sem_init(&box->sem, 0, 0);
	if (*kind == 'e')
		box->fds[0] = box->fds[1] = eventfd(0, EFD_SEMAPHORE);
	if (*kind == 'p' && pipe(box->fds) < 0)
		exit(1);
}

int main(int argc, char **argv)
{
	int workers = number(argc, argv, 2), together = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 1;
	pthread_t thread;

	kind = argc > 3 ? argv[3] : "cond";
	open_box(&jobs);
	open_box(&done);
	while (workers-- > 0)
		pthread_create(&thread, NULL, work, NULL);
	for (int round = 0; round < 40; round++) {
		for (int i = 0; i < together; i++)
			put(&jobs);
		for (int i = 0; i < together; i++)
			take(&done);
	}
	return 0;
}
