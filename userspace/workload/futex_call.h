/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_WORKLOAD_FUTEX_CALL_H
#define LAB_WORKLOAD_FUTEX_CALL_H

/*
 * futex_call - the two calls of a futex, of which the C library has no wrapper. The word may lie
 * in memory that processes share.
 */

#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Sleep unless *@word is no longer @seen. May return for no reason: ask again. */
static inline void futex_call_wait(_Atomic uint32_t *word, uint32_t seen)
{
	syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
}

/* Wake at most @cnt of those that sleep on @word. */
static inline void futex_call_wake(_Atomic uint32_t *word, uint32_t cnt)
{
	syscall(SYS_futex, word, FUTEX_WAKE, cnt, NULL, NULL, 0);
}

#endif /* LAB_WORKLOAD_FUTEX_CALL_H */
