/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_WORKLOAD_GIL_LOCK_H
#define LAB_WORKLOAD_GIL_LOCK_H

/*
 * gil_lock - one lock for a whole interpreter, handed on by request.
 *
 * Who has it computes on, and looks from time to time whether it is asked to let go. Who wants it
 * waits for it, at most for one switch interval; when that is over and nobody
 * has let go meanwhile, it asks. Who lets go because it was asked waits until another has taken the
 * lock, or else it would mostly take it again itself before the one that was woken gets a CPU.
 *
 * This is how CPython's global interpreter lock behaves since 3.2, by the description in its
 * documentation of sys.setswitchinterval() and in its developers' guide.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct gil_lock {
	pthread_mutex_t mutex;		/* guards what follows, and is held for a moment only */
	pthread_cond_t freed;
	pthread_cond_t handed_over;
	bool taken;
	uint64_t taken_cnt;		/* how often it was taken */
	uint64_t interval_ns;
	atomic_bool asked;		/* whoever has it is asked to let go */
};

void gil_lock_init(struct gil_lock *lock, uint64_t interval_ns);

void gil_lock_take(struct gil_lock *lock);

/* Let go of it; waits for another to take it if it was asked for. */
void gil_lock_drop(struct gil_lock *lock);

/* To be called now and then by who has it: hands it on if it was asked for, and takes it again. */
void gil_lock_check(struct gil_lock *lock);

/* Nobody has it. */
void gil_lock_release(struct gil_lock *lock);

#endif /* LAB_WORKLOAD_GIL_LOCK_H */
