/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * in_turn - a main task hands jobs, one at a time, to the next of some workers and waits for the answer.
 *
 *	in_turn cond|sem|eventfd|pipe|procs WORKERS JOBS MILLISECONDS
 *
 * Never are there two jobs at once. pipe: threads; procs: processes.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS_MAX 64

struct way {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int tokens;
	sem_t sem;
	int fds[2];		/* read, write */
};

enum kind { COND, SEM, FD } kind;

static struct way asks[WORKERS_MAX], answers;
static double job_s;

static void burn(void)
{
	struct timespec now, start;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	while ((double)(now.tv_sec - start.tv_sec) + 1e-9 * (double)(now.tv_nsec - start.tv_nsec) <
	       job_s);
}

/* 1: a job, or its answer; 2: no more. */
static void give(struct way *way, int what)
{
	uint64_t token = (uint64_t)what;

	if (kind == COND) {
		pthread_mutex_lock(&way->lock);
		way->tokens = what;
		pthread_cond_signal(&way->changed);
		pthread_mutex_unlock(&way->lock);
	} else if (kind == SEM) {
		way->tokens = what;
		sem_post(&way->sem);
	} else if (write(way->fds[1], &token, sizeof(token)) != sizeof(token)) {
		abort();
	}
}

static int take(struct way *way)
{
	uint64_t token = 0;

	if (kind == COND) {
		pthread_mutex_lock(&way->lock);
		while (!way->tokens)
			pthread_cond_wait(&way->changed, &way->lock);
		token = (uint64_t)way->tokens;
		way->tokens = 0;
		pthread_mutex_unlock(&way->lock);
	} else if (kind == SEM) {
		sem_wait(&way->sem);
		token = (uint64_t)way->tokens;
	} else if (read(way->fds[0], &token, sizeof(token)) != sizeof(token)) {
		abort();
	}
	return (int)token;
}

static void *worker(void *arg)
{
	struct way *mine = arg;

	while (take(mine) == 1) {
		burn();
		give(&answers, 1);
	}
	return NULL;
}

static void way_init(struct way *way, const char *name)
{
	pthread_mutex_init(&way->lock, NULL);
	pthread_cond_init(&way->changed, NULL);
	sem_init(&way->sem, 0, 0);
	if (!strcmp(name, "eventfd"))
		way->fds[0] = way->fds[1] = eventfd(0, 0);
	else if (pipe(way->fds))
		abort();
}

int main(int argc, char **argv)
{
	pthread_t threads[WORKERS_MAX];
	int workers, jobs, procs;

	if (argc != 5 || (workers = (int)strtol(argv[2], NULL, 10)) < 1 || workers > WORKERS_MAX)
		return 2;
	jobs = (int)strtol(argv[3], NULL, 10);
	job_s = strtod(argv[4], NULL) / 1e3;
	kind = !strcmp(argv[1], "cond") ? COND : !strcmp(argv[1], "sem") ? SEM : FD;
	procs = !strcmp(argv[1], "procs");
	way_init(&answers, argv[1]);
	for (int i = 0; i < workers; i++) {
		way_init(&asks[i], argv[1]);
		if (!procs)
			pthread_create(&threads[i], NULL, worker, &asks[i]);
		else if (!fork())
			_exit(worker(&asks[i]) != NULL);
	}
	for (int i = 0; i < jobs; i++) {
		give(&asks[i % workers], 1);
		take(&answers);
	}
	for (int i = 0; i < workers; i++)
		give(&asks[i], 2);
	for (int i = 0; i < workers; i++)
		procs ? (void)wait(NULL) : (void)pthread_join(threads[i], NULL);
	return 0;
}
