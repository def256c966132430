/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_MODEL_FUTEX_H
#define LAB_MODEL_FUTEX_H

/*
 * futex - what a wait at an address was for: a lock, a condition, or the end
 * of a thread. The kernel does not know; the model tells it as follows.
 *
 * 1. join: an exiting task ended the wait (the kernel clears and wakes the
 *    address that was given with CLONE_CHILD_CLEARTID, set_tid_address(2)); or no
 *    task ended it (a timer, or nobody yet) and the value expected is the tid of a thread
 *    of the same process, which is what stands at that address while it lives.
 * 2. lock: the operation is one of the PI locks; or the value expected has FUTEX_WAITERS set
 *    (PI and robust mutexes, the layout of futex(2) and of get_robust_list(2); musl's locks).
 * 3. cond: FUTEX_WAIT_REQUEUE_PI, which exists for condition variables only.
 * 4. Otherwise all such waits at one address are judged together:
 *    lock, if at least half expected the value 2, the contended state of the three-state
 *    mutex (Ulrich Drepper, "Futexes Are Tricky", 2011, section 6) that glibc, Rust and Go use; a
 *    counter passes through 2, a mutex stays there;
 *    lock, if two or more tasks waited there and at least half of the wakes by
 *    tasks came from tasks that waited there as well: those hand something on. CPython's interpreter lock
 *    is a condition variable with a timed wait around a flag (Python/ceval_gil.c)
 *    and comes out as a lock by this rule, as do barriers. The two words of one aligned
 *    pair are judged together here: a condition variable of glibc has two, at which its
 *    waiters take turns (nptl/pthread_cond_wait.c, __g_signals), and two threads may keep to one each;
 *    cond, otherwise.
 *
 * An address is that of a process's memory (its mm), or alone for a shared futex.
 */

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

/* futex(2): args[1] without flags */
#define FUTEX_OP_WAIT 0
#define FUTEX_OP_LOCK_PI 6
#define FUTEX_OP_WAIT_BITSET 9
#define FUTEX_OP_WAIT_REQUEUE_PI 11
#define FUTEX_OP_LOCK_PI2 13
#define FUTEX_OP_WAITV 32	/* ours: futex_waitv(2), the first of its addresses */

#define FUTEX_OP_MASK 0x7fu	/* of FUTEX_CMD_MASK: operations are below 128 */
#define FUTEX_FLAG_PRIVATE 128u	/* the same bit in futex2's flags (FUTEX2_PRIVATE) */

#define FUTEX_VAL_CONTENDED 2u
#define FUTEX_VAL_WAITERS 0x80000000u
#define FUTEX_VAL_TID 0x3fffffffu

/* True if the operation can wait. */
bool futex_op_waits(uint32_t op);

/*
 * True if the call can wake a waiter: futex of either table, those of futex2, io_uring_enter. Who wakes
 * one from another call, and not by its exit, sends it a signal, or ends its process.
 */
bool futex_call_wakes(int32_t syscall);

/**
 * futex_judge_alone() - rules 1 to 3
 * @span: blocked, with SPAN_FUTEX; its flags say what ended it, if anything
 * @val: the value expected
 * @val_is_thread: that is the tid of a thread of the same process
 *
 * Return: the reason, or REASON_NONE: rule 4 is needed.
 */
enum reason futex_judge_alone(const struct model_span *span, uint32_t val, bool val_is_thread);

struct futex_wait {
	struct model_span *span; /* blocked, with SPAN_FUTEX */
	uint32_t task_id;
};

/* By memory and address; those at one address stay in order. Few addresses take linear time. */
void futex_sort(struct futex_wait *waits, size_t cnt);

/* How many from the first on are at the same address. */
size_t futex_same(const struct futex_wait *waits, size_t cnt);

/**
 * futex_judge_together() - rule 4
 * @waits: all there are, by task; sorted by address afterwards
 *
 * Gives each that has no reason yet one.
 */
void futex_judge_together(struct futex_wait *waits, size_t cnt);

#endif /* LAB_MODEL_FUTEX_H */
