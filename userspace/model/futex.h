/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_MODEL_FUTEX_H
#define LAB_MODEL_FUTEX_H

/*
 * futex - what a wait at an address was for: a lock, a condition, or the end of a thread. The
 * kernel does not know; the model tells it as follows.
 *
 * 1. lock, if the operation is one of the PI locks; cond, if it is FUTEX_WAIT_REQUEUE_PI, which
 *    exists for condition variables only.
 * 2. lock, if the wait names its owner: another task of ours that lives, of the same process if the
 *    futex is private. Its tid are the low bits of the value expected, if that has FUTEX_WAITERS
 *    set (PI and robust mutexes, the layout of futex(2) and of get_robust_list(2)); or what glibc
 *    keeps beside the word of its mutex (bpf/sched.bpf.c, futex_owner()). Values that only look so
 *    name nobody: 0xffffffff of Rust's parked threads, Erlang's -1, 0x80000000 of std::future. A
 *    robust mutex that its owner's death released is a lock by this rule.
 * 3. join, if an exiting task ended the wait (the kernel clears and wakes the address that was
 *    given with CLONE_CHILD_CLEARTID, set_tid_address(2)).
 * 4. join, if no task ended it (a timer, or nobody yet) and the value expected is the tid of a
 *    thread of the same process, which is what stands at that address while it lives.
 * 5. Otherwise all such waits at one address are judged together. They are lock if one wait there
 *    names its owner by rule 2; or if what is there goes round. The value tells nothing: 2 is the
 *    contended state of many mutexes (Ulrich Drepper, "Futexes Are Tricky", 2011, section 6), and
 *    also of an idle worker of TBB. It goes round if all of this holds:
 *    - two tasks or more waited there, and each of these handed over twice or more: it ended
 *      another's wait there, by a call that lets only one go. Barriers and broadcasts let all go at
 *      once;
 *    - at least half of the wakes there by tasks were theirs. A producer never waits with its
 *      consumers;
 *    - some wait there ended by its time limit, or one of these tasks handed over twice without
 *      waiting there in between. Two who talk (here is a job, here is its result) wait after each
 *      word; who lets a lock go often has it again at once. CPython's interpreter lock is a
 *      condition variable with a timed wait around a flag (Python/ceval_gil.c), and its waits do
 *      expire.
 *    cond, otherwise; but sleep, if the wait ended by its time limit, and, of this task's waits
 *    there that had one, so did the last, and tasks cut no more of them short than ended by it (not
 *    counted: one that a task ended within a hundredth of the shortest that ended by it, and one
 *    whose waking no probe saw): so sleep Thread.sleep() of Java, sleep of Ruby (whose threads wait
 *    for the interpreter at the same place, now and then), Event.wait() of Python. The periodic
 *    threads of a runtime, which look whether there is work, do so until they are told to stop or
 *    their process ends (perhaps sleep, and cond for now, if the only wait of this task there that
 *    a task ended was the last, and so short, and the others were of one length: it may have been
 *    told right after it looked); and a worker of a pool that waits for jobs for so long at most
 *    gets some. The two words of one aligned pair are judged together here: a condition variable of
 *    glibc has two, at which its waiters take turns (nptl/pthread_cond_wait.c, __g_signals), and
 *    two threads may keep to one each.
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

#define FUTEX_VAL_WAITERS 0x80000000u
#define FUTEX_VAL_TID 0x3fffffffu

/* True if the operation can wait. */
bool futex_op_waits(uint32_t op);

/*
 * True if the call can wake a waiter: futex of either table, those of futex2, io_uring_enter. Who
 * wakes one from another call, and not by its exit, sends it a signal, or ends its process.
 */
bool futex_call_wakes(int32_t syscall);

/**
 * futex_judge_alone() - rules 1 to 4
 * @span: blocked, with SPAN_FUTEX; it says what ended it, if anything, and whether it names its
 * owner
 * @val_is_thread: the value expected is the tid of a thread of the same process
 *
 * Return: the reason, or REASON_NONE: rule 5 is needed.
 */
enum reason futex_judge_alone(const struct model_span *span, bool val_is_thread);

struct futex_wait {
	struct model_span *span; /* blocked, with SPAN_FUTEX */
	uint32_t task_id;
};

/* By memory and address; those at one address stay in order. Few addresses take linear time. */
void futex_sort(struct futex_wait *waits, size_t cnt);

/* How many from the first on are at the same address. */
size_t futex_same(const struct futex_wait *waits, size_t cnt);

/**
 * futex_judge_together() - rule 5
 * @waits: all there are, by task and time; sorted by address afterwards
 *
 * Gives each that has no reason yet one.
 */
void futex_judge_together(struct futex_wait *waits, size_t cnt);

#endif /* LAB_MODEL_FUTEX_H */
