/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Concurrent, by two timeouts that an io_uring has in flight at the same time, three times; one
 * thread.
 */
#include <liburing.h>

int main(void)
{
	struct __kernel_timespec long_time = { 0, 80000000 }, short_time = { 0, 50000000 };
	struct io_uring ring;
	struct io_uring_cqe *cqe;

	if (io_uring_queue_init(8, &ring, 0) < 0)
		return 1;
	for (int i = 0; i < 3; i++) {
		io_uring_prep_timeout(io_uring_get_sqe(&ring), &long_time, 0, 0);
		io_uring_prep_timeout(io_uring_get_sqe(&ring), &short_time, 0, 0);
		io_uring_submit(&ring);
		for (int j = 0; j < 2; j++) {
			io_uring_wait_cqe(&ring, &cqe);
			io_uring_cqe_seen(&ring, cqe);
		}
	}
	return 0;
}
