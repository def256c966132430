/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_WORKLOAD_ASYNC_TCP_H
#define LAB_WORKLOAD_ASYNC_TCP_H

/*
 * async_tcp - real connections over 127.0.0.1 whose two ends are in this
 * process: for every tcp operation, peer_fd is the client's end and fd the
 * accepted one, registered in epoll.
 */

#include <stdint.h>

#include "workload/async_op.h"

/**
 * async_tcp_connect_all() - connect every tcp operation among @ops
 *
 * Accepts through @epoll_fd; the listening socket is there only meanwhile.
 * Nothing else there may become ready before this returns. A stranger who connects to the
 * port is hung up on.
 *
 * Return: 0, or -errno after one logged sentence; what was opened until then
 * stands in @ops.
 */
int async_tcp_connect_all(struct async_op *ops, uint32_t op_cnt, int epoll_fd);

#endif /* LAB_WORKLOAD_ASYNC_TCP_H */
