/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_UNSEEN_H
#define LAB_ANALYZE_UNSEEN_H

/*
 * unseen - whether an event loop may have had operations that nobody observed.
 *
 * A loop is a task that blocks twice or more in one epoll set, in poll, or in one io_uring. What it
 * waited for is seen, wait by wait, if
 * - a task of the workload ended the wait: what was awaited is that task's doing;
 * - the wait is SPAN_OBSERVED: with --ops the call returned with a descriptor that is known and is
 *   none of the loop's own, or it was about one descriptor, without a time limit;
 * - the process marks its operations.
 * Any other end is an interrupt's: the network's, a device's, or that of a time limit, in which a
 * runtime (libuv, asyncio, redis) keeps its timers, however many.
 */

#include "model/model.h"

/* Return: a loop with a wait that was not seen, or NULL. */
const struct model_task *unseen_loop(const struct model *m);

#endif /* LAB_ANALYZE_UNSEEN_H */
