/* SPDX-License-Identifier: GPL-2.0-only */
/* The interpreter's lock: who gets it when, and who asks for it when. */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "workload/gang.h"
#include "workload/gil_lock.h"
#include "workload/work.h"

#define MS UINT64_C(1000000)

struct other {
	struct gil_lock *lock;
	pthread_t thread;
	atomic_bool comes;	/* it is about to take the lock */
	atomic_bool had;	/* it has it, or had it */
};

static bool is_asked(struct gil_lock *lock)
{
	return atomic_load(&lock->asked);
}

static uint64_t taken_cnt(struct gil_lock *lock)
{
	uint64_t cnt;

	pthread_mutex_lock(&lock->mutex);
	cnt = lock->taken_cnt;
	pthread_mutex_unlock(&lock->mutex);
	return cnt;
}

static void *take_once(void *arg)
{
	struct other *other = arg;

	atomic_store(&other->comes, true);
	gil_lock_take(other->lock);
	atomic_store(&other->had, true);
	gil_lock_drop(other->lock);
	return NULL;
}

static void other_start(struct other *other, struct gil_lock *lock)
{
	*other = (struct other){ .lock = lock };
	REQUIRE(!pthread_create(&other->thread, NULL, take_once, other));
	while (!atomic_load(&other->comes))
		work_sleep_until(work_now_ns() + MS / 10);
}

static void await_asked(struct gil_lock *lock)
{
	while (!is_asked(lock))
		work_sleep_until(work_now_ns() + MS / 10);
}

TEST(workload_gil_alone_nobody_asks)
{
	struct gil_lock lock;

	gil_lock_init(&lock, MS / 10);
	gil_lock_take(&lock);
	work_sleep_until(work_now_ns() + 2 * MS);
	for (int i = 0; i < 1000; i++)
		gil_lock_check(&lock);
	CHECK(lock.taken && !is_asked(&lock));
	CHECK_EQ(lock.taken_cnt, 1);	/* it was never handed on */
	gil_lock_drop(&lock);
	CHECK(!lock.taken);
	gil_lock_release(&lock);
}

/* Who waits asks when its interval is over, and not before. */
TEST(workload_gil_asks_after_an_interval)
{
	struct gil_lock lock;
	struct other other;
	uint64_t start_ns;

	gil_lock_init(&lock, 30 * MS);
	gil_lock_take(&lock);
	start_ns = work_now_ns();
	other_start(&other, &lock);
	await_asked(&lock);
	CHECK(work_now_ns() - start_ns >= 30 * MS);
	CHECK(!atomic_load(&other.had));
	gil_lock_check(&lock);
	/* Who was asked has it again only after the other had it, and has dropped it. */
	CHECK(atomic_load(&other.had));
	CHECK_EQ(taken_cnt(&lock), 3);
	CHECK(!is_asked(&lock));
	gil_lock_drop(&lock);
	pthread_join(other.thread, NULL);
	gil_lock_release(&lock);
}

/* Who drops it unasked does not wait, though another wants it. */
TEST(workload_gil_drop_unasked_goes_on)
{
	struct gil_lock lock;
	struct other other;

	gil_lock_init(&lock, 60000 * MS);
	gil_lock_take(&lock);
	other_start(&other, &lock);
	gil_lock_drop(&lock);
	pthread_join(other.thread, NULL);
	CHECK(atomic_load(&other.had));
	CHECK_EQ(lock.taken_cnt, 2);
	CHECK(!lock.taken && !is_asked(&lock));
	gil_lock_release(&lock);
}

/* A thread asked to drop it waits until another has it, also when it does not want it back. */
TEST(workload_gil_drop_asked_hands_over)
{
	for (int i = 0; i < 20; i++) {
		struct gil_lock lock;
		struct other other;

		gil_lock_init(&lock, MS);
		gil_lock_take(&lock);
		other_start(&other, &lock);
		await_asked(&lock);
		gil_lock_drop(&lock);
		CHECK_EQ(taken_cnt(&lock), 2);
		CHECK(!is_asked(&lock));
		pthread_join(other.thread, NULL);
		gil_lock_release(&lock);
	}
}

/*
 * An interval in which the lock changed hands is no reason to ask: who got it
 * has had less than that. Return: after how many intervals it was asked for; 0: too slow to tell.
 */
static uint64_t intervals_until_asked(uint64_t interval_ns)
{
	struct gil_lock lock;
	struct other other;
	uint64_t start_ns, change_ns, asked_ns;

	gil_lock_init(&lock, interval_ns);
	gil_lock_take(&lock);
	other_start(&other, &lock);
	start_ns = work_now_ns();
	work_sleep_until(start_ns + interval_ns / 3);	/* it waits by then */
	pthread_mutex_lock(&lock.mutex);
	lock.taken_cnt++;
	pthread_mutex_unlock(&lock.mutex);
	change_ns = work_now_ns();
	await_asked(&lock);
	asked_ns = work_now_ns();
	gil_lock_drop(&lock);
	pthread_join(other.thread, NULL);
	gil_lock_release(&lock);
	return change_ns - start_ns < interval_ns / 2 ? (asked_ns - start_ns) / interval_ns : 0;
}

TEST(workload_gil_a_change_of_hands_begins_the_interval_anew)
{
	for (int i = 0; i < 10; i++)
		if (intervals_until_asked(60 * MS) == 2)
			return;
	unit_failed(__FILE__, __LINE__, "it was not asked for in the second interval");
}

#define THREADS 5
#define TURNS 300

struct shared {
	struct gil_lock lock;
	uint64_t inside, most, sum;	/* plain memory: the lock is what guards it */
	uint64_t done_cnt[THREADS];
};

static int be_thread(void *ctx, uint32_t idx)
{
	struct shared *shared = ctx;
	struct work_rng rng;

	work_rng_init(&rng, 7, idx);
	for (uint32_t i = 0; i < TURNS; i++) {
		gil_lock_take(&shared->lock);
		shared->inside++;
		for (int step = 0; step < 20; step++) {
			shared->most = shared->inside > shared->most ? shared->inside :
				       shared->most;
			shared->sum++;
			(void)work_compute(&rng, 4);
			shared->inside--;
			gil_lock_check(&shared->lock);
			shared->inside++;
		}
		shared->inside--;
		shared->done_cnt[idx]++;
		gil_lock_drop(&shared->lock);
	}
	return 0;
}

TEST(workload_gil_keeps_others_out)
{
	struct shared shared = { .sum = 0 };
	struct gang gang = {
		.name = "test", .cnt = THREADS, .ctx = &shared, .work = be_thread,
	};

	gil_lock_init(&shared.lock, MS / 10);
	CHECK_EQ(gang_of_threads(&gang), 0);
	CHECK_EQ(shared.most, 1);
	CHECK_EQ(shared.inside, 0);
	CHECK_EQ(shared.sum, THREADS * TURNS * 20);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(shared.done_cnt[i], TURNS);
	CHECK(!shared.lock.taken);
	CHECK(shared.lock.taken_cnt >= THREADS * TURNS);
	gil_lock_release(&shared.lock);
}
