/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/io.h"
#include "util/log.h"
#include "workload/gang.h"
#include "workload/hog_job.h"

/* ---- threads: a list of jobs, and an eventfd for each that does them ---- */

struct hog_threads {
	struct hog_pool *pool;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool wanted[HOG_POOL_CNT];	/* a job for this worker */
	bool closing;
	int results[HOG_POOL_CNT];	/* of a job that is done: -errno or 0 */
	pthread_t threads[HOG_POOL_CNT];
	struct hog_thread {
		struct hog_threads *all;
		uint32_t idx;
	} members[HOG_POOL_CNT];
};

static bool await_job(struct hog_threads *all, uint32_t idx)
{
	bool wanted;

	pthread_mutex_lock(&all->mutex);
	while (!all->wanted[idx] && !all->closing)
		pthread_cond_wait(&all->changed, &all->mutex);
	wanted = all->wanted[idx];
	all->wanted[idx] = false;
	pthread_mutex_unlock(&all->mutex);
	return wanted;
}

static void *be_thread(void *arg)
{
	const struct hog_thread *me = arg;
	struct hog_threads *all = me->all;

	gang_set_name("pool", me->idx);
	while (await_job(all, me->idx)) {
		all->results[me->idx] = hog_job_do(all->pool->job);
		eventfd_write(all->pool->fds[me->idx], 1);
	}
	return NULL;
}

static int open_threads(struct hog_pool *pool)
{
	struct hog_threads *all = pool->threads = xcalloc(1, sizeof(*pool->threads));

	all->pool = pool;
	pthread_mutex_init(&all->mutex, NULL);
	pthread_cond_init(&all->changed, NULL);
	for (uint32_t i = 0; i < HOG_POOL_CNT; i++) {
		int err;

		pool->fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (pool->fds[i] < 0)
			return -errno;
		all->members[i] = (struct hog_thread){ all, i };
		err = pthread_create(&all->threads[i], NULL, be_thread, &all->members[i]);
		if (err)
			return -err;
		pool->cnt++;
	}
	return 0;
}

static void submit_to_thread(struct hog_pool *pool, uint32_t worker)
{
	pthread_mutex_lock(&pool->threads->mutex);
	pool->threads->wanted[worker] = true;
	pthread_cond_broadcast(&pool->threads->changed);
	pthread_mutex_unlock(&pool->threads->mutex);
}

static void close_threads(struct hog_pool *pool)
{
	struct hog_threads *all = pool->threads;

	pthread_mutex_lock(&all->mutex);
	all->closing = true;
	pthread_cond_broadcast(&all->changed);
	pthread_mutex_unlock(&all->mutex);
	for (uint32_t i = 0; i < pool->cnt; i++)
		pthread_join(all->threads[i], NULL);
	pthread_cond_destroy(&all->changed);
	pthread_mutex_destroy(&all->mutex);
	free(all);
}

/* ---- processes: a pair of sockets each ---- */

static void __attribute__((noreturn)) be_process(const struct hog_pool *pool, uint32_t idx, int fd,
						 pid_t parent)
{
	char byte;

	gang_set_name("pool", idx);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	while (read(fd, &byte, 1) == 1) {
		int result = hog_job_do(pool->job);

		if (io_write_all(fd, &result, sizeof(result)))
			_exit(EXIT_FAILURE);
	}
	_exit(EXIT_SUCCESS);
}

static int open_processes(struct hog_pool *pool)
{
	pid_t parent = getpid();

	for (uint32_t i = 0; i < HOG_POOL_CNT; i++) {
		int ends[2];

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
			return -errno;
		pool->fds[i] = ends[0];
		pool->pids[i] = fork();
		if (pool->pids[i] < 0) {
			int err = -errno;

			pool->pids[i] = 0;
			close(ends[1]);
			return err;
		}
		if (!pool->pids[i]) {
			/* Also those of earlier workers, which would never see their end. */
			for (uint32_t j = 0; j <= i; j++)
				close(pool->fds[j]);
			be_process(pool, i, ends[1], parent);
		}
		close(ends[1]);
		pool->cnt++;
	}
	return 0;
}

static void close_processes(struct hog_pool *pool)
{
	for (uint32_t i = 0; i < pool->cnt; i++) {
		kill(pool->pids[i], SIGKILL);
		waitpid(pool->pids[i], NULL, 0);
	}
}

/* ---- either ---- */

int hog_pool_open(struct hog_pool *pool, const struct hog_job *job, bool of_processes)
{
	int err;

	*pool = (struct hog_pool){ .job = job, .of_processes = of_processes };
	for (uint32_t i = 0; i < HOG_POOL_CNT; i++)
		pool->fds[i] = -1;
	err = of_processes ? open_processes(pool) : open_threads(pool);
	if (err)
		log_err("hog: there can be no pool: %s", strerror(-err));
	return err;
}

void hog_pool_close(struct hog_pool *pool)
{
	if (pool->of_processes)
		close_processes(pool);
	else if (pool->threads)
		close_threads(pool);
	for (uint32_t i = 0; i < HOG_POOL_CNT; i++)
		if (pool->fds[i] >= 0)
			close(pool->fds[i]);
}

int hog_pool_submit(struct hog_pool *pool)
{
	for (uint32_t i = 0; i < pool->cnt; i++) {
		if (pool->busy[i])
			continue;
		pool->busy[i] = true;
		if (pool->of_processes)
			return io_write_all(pool->fds[i], "!", 1);
		submit_to_thread(pool, i);
		return 0;
	}
	return -EBUSY;
}

int hog_pool_collect(struct hog_pool *pool, uint32_t worker)
{
	eventfd_t cnt;
	int result;

	if (pool->of_processes) {
		ssize_t n = read(pool->fds[worker], &result, sizeof(result));

		if (n != sizeof(result))
			return n < 0 ? -errno : -EPIPE;
	} else {
		if (eventfd_read(pool->fds[worker], &cnt))
			return -errno;
		result = pool->threads->results[worker];
	}
	pool->busy[worker] = false;
	return result;
}
