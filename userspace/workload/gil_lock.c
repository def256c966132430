/* SPDX-License-Identifier: GPL-2.0-only */
#include "workload/gil_lock.h"

#include <errno.h>
#include <time.h>

#include "workload/work.h"

#define NS_PER_S UINT64_C(1000000000)

void gil_lock_init(struct gil_lock *lock, uint64_t interval_ns)
{
	pthread_condattr_t attr;

	*lock = (struct gil_lock){ .interval_ns = interval_ns };
	pthread_mutex_init(&lock->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&lock->freed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_cond_init(&lock->handed_over, NULL);
}

void gil_lock_release(struct gil_lock *lock)
{
	pthread_cond_destroy(&lock->handed_over);
	pthread_cond_destroy(&lock->freed);
	pthread_mutex_destroy(&lock->mutex);
}

static bool wait_one_interval(struct gil_lock *lock)
{
	uint64_t until_ns = work_now_ns() + lock->interval_ns;
	struct timespec until = {
		.tv_sec = (time_t)(until_ns / NS_PER_S),
		.tv_nsec = (long)(until_ns % NS_PER_S),
	};

	return pthread_cond_timedwait(&lock->freed, &lock->mutex, &until) != ETIMEDOUT;
}

void gil_lock_take(struct gil_lock *lock)
{
	pthread_mutex_lock(&lock->mutex);
	while (lock->taken) {
		uint64_t seen = lock->taken_cnt;

		if (!wait_one_interval(lock) && lock->taken && lock->taken_cnt == seen)
			atomic_store_explicit(&lock->asked, true, memory_order_relaxed);
	}
	lock->taken = true;
	lock->taken_cnt++;
	atomic_store_explicit(&lock->asked, false, memory_order_relaxed);
	pthread_cond_signal(&lock->handed_over);
	pthread_mutex_unlock(&lock->mutex);
}

void gil_lock_drop(struct gil_lock *lock)
{
	uint64_t mine;

	pthread_mutex_lock(&lock->mutex);
	mine = lock->taken_cnt;
	lock->taken = false;
	pthread_cond_signal(&lock->freed);
	while (atomic_load_explicit(&lock->asked, memory_order_relaxed) && lock->taken_cnt == mine)
		pthread_cond_wait(&lock->handed_over, &lock->mutex);
	pthread_mutex_unlock(&lock->mutex);
}

void gil_lock_check(struct gil_lock *lock)
{
	if (!atomic_load_explicit(&lock->asked, memory_order_relaxed))
		return;
	gil_lock_drop(lock);
	gil_lock_take(lock);
}
