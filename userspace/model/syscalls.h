/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_MODEL_SYSCALLS_H
#define LAB_MODEL_SYSCALLS_H

/*
 * syscalls - the names of x86-64's system calls. By hand and whole, not made
 * from the headers of the machine that lab is built on: those know the calls of
 * their own kernel only, and a report must not depend on where it was made.
 */

#include <stddef.h>

#include "model/model.h"

/* Return: a static name such as "fsync", or NULL: no call until 6.18 has this number. */
const char *syscall_name(int32_t nr);

/* The same of the call that a blocked span is in; NULL also in none, and in a 32-bit one. */
static inline const char *span_syscall_name(const struct model_span *span)
{
	return span->flags & SPAN_COMPAT ? NULL : syscall_name(span->syscall);
}

#endif /* LAB_MODEL_SYSCALLS_H */
