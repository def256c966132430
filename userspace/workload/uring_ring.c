/* SPDX-License-Identifier: GPL-2.0-only */
#include "workload/uring_ring.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/io.h"
#include "util/minmax.h"

#define SYSCTL_DISABLED "/proc/sys/kernel/io_uring_disabled"

/* Return: 0, or -errno with nothing mapped. */
static int map_rings(struct uring_ring *ring, const struct io_uring_params *params)
{
	size_t sq_bytes = params->sq_off.array + params->sq_entries * sizeof(uint32_t);
	size_t cq_bytes = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
	char *rings;

	ring->rings_bytes = max_u64(sq_bytes, cq_bytes);
	ring->sqes_bytes = params->sq_entries * sizeof(struct io_uring_sqe);
	rings = mmap(NULL, ring->rings_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		     ring->fd, IORING_OFF_SQ_RING);
	if (rings == MAP_FAILED)
		return -errno;
	ring->sqes = mmap(NULL, ring->sqes_bytes, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
	if (ring->sqes == MAP_FAILED) {
		int err = -errno;

		munmap(rings, ring->rings_bytes);
		return err;
	}
	ring->rings = rings;
	ring->sq_head = (_Atomic uint32_t *)(rings + params->sq_off.head);
	ring->sq_tail = (_Atomic uint32_t *)(rings + params->sq_off.tail);
	ring->sq_array = (uint32_t *)(rings + params->sq_off.array);
	ring->sq_mask = *(uint32_t *)(rings + params->sq_off.ring_mask);
	ring->cq_head = (_Atomic uint32_t *)(rings + params->cq_off.head);
	ring->cq_tail = (_Atomic uint32_t *)(rings + params->cq_off.tail);
	ring->cqes = (const struct io_uring_cqe *)(rings + params->cq_off.cqes);
	ring->cq_mask = *(uint32_t *)(rings + params->cq_off.ring_mask);
	return 0;
}

int uring_ring_open(struct uring_ring *ring, uint32_t entry_cnt)
{
	struct io_uring_params params = { 0 };
	int err;

	*ring = (struct uring_ring){ 0 };
	ring->fd = (int)syscall(SYS_io_uring_setup, entry_cnt, &params);
	if (ring->fd < 0)
		return -errno;
	ring->entry_cnt = params.sq_entries;
	/* Both rings in one mapping: since Linux 5.4. */
	err = params.features & IORING_FEAT_SINGLE_MMAP ? map_rings(ring, &params) : -ENOSYS;
	if (err)
		close(ring->fd);
	return err;
}

const char *uring_ring_why(int err)
{
	char text[16];

	switch (-err) {
	case ENOSYS:
		return "this kernel has none, or a filter for system calls (seccomp) hides it";
	case EPERM:
		if (io_read_text(SYSCTL_DISABLED, text, sizeof(text)) > 0 && strcmp(text, "0"))
			return "the sysctl kernel.io_uring_disabled forbids it; 0 would allow it";
		return "a filter for system calls (seccomp), such as a container's, forbids it";
	case ENOMEM:
		return "its rings take more memory than may be locked (ulimit -l)";
	default:
		return strerror(-err);
	}
}

void uring_ring_close(struct uring_ring *ring)
{
	munmap(ring->sqes, ring->sqes_bytes);
	munmap(ring->rings, ring->rings_bytes);
	close(ring->fd);
}

void uring_ring_limit_workers(struct uring_ring *ring, uint32_t cnt)
{
	uint32_t most[2] = { 0, cnt };	/* that do not wait long: as before; that may */

	syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_IOWQ_MAX_WORKERS, most, 2);
}

int uring_ring_add(struct uring_ring *ring, const struct io_uring_sqe *sqe)
{
	uint32_t tail = atomic_load_explicit(ring->sq_tail, memory_order_relaxed);
	uint32_t head = atomic_load_explicit(ring->sq_head, memory_order_acquire);
	uint32_t slot = tail & ring->sq_mask;

	if (tail - head >= ring->entry_cnt)
		return -EBUSY;
	ring->sqes[slot] = *sqe;
	ring->sq_array[slot] = slot;
	atomic_store_explicit(ring->sq_tail, tail + 1, memory_order_release);
	ring->to_submit++;
	return 0;
}

int uring_ring_enter(struct uring_ring *ring)
{
	long taken;

	do
		taken = syscall(SYS_io_uring_enter, ring->fd, ring->to_submit, 1,
				IORING_ENTER_GETEVENTS, NULL, 0);
	while (taken < 0 && errno == EINTR);
	if (taken < 0)
		return -errno;
	ring->to_submit -= (uint32_t)taken;
	return 0;
}

int uring_ring_take(struct uring_ring *ring, uint64_t *data, int32_t *result)
{
	uint32_t head = atomic_load_explicit(ring->cq_head, memory_order_relaxed);
	const struct io_uring_cqe *cqe = &ring->cqes[head & ring->cq_mask];

	if (head == atomic_load_explicit(ring->cq_tail, memory_order_acquire))
		return 0;
	*data = cqe->user_data;
	*result = cqe->res;
	atomic_store_explicit(ring->cq_head, head + 1, memory_order_release);
	return 1;
}
