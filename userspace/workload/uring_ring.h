/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_WORKLOAD_URING_RING_H
#define LAB_WORKLOAD_URING_RING_H

/*
 * uring_ring - an io_uring through the raw system calls: two rings that are shared with the
 * kernel, one for requests, one for completions. One thread only.
 */

#include <stddef.h>
#include <stdint.h>

struct io_uring_sqe;
struct io_uring_cqe;

struct uring_ring {
	int fd;
	uint32_t entry_cnt;		/* requests at most that wait to be submitted */
	uint32_t to_submit;
	void *rings;			/* mapped: both */
	size_t rings_bytes;
	struct io_uring_sqe *sqes;	/* mapped */
	size_t sqes_bytes;
	_Atomic uint32_t *sq_head, *sq_tail, *cq_head, *cq_tail; /* within rings, as the next two */
	uint32_t *sq_array;
	const struct io_uring_cqe *cqes;
	uint32_t sq_mask, cq_mask;
};

/**
 * uring_ring_open() - a ring for @entry_cnt requests (1 to 4096) that are submitted at once
 *
 * Return: 0, or -errno, not logged: see uring_ring_why().
 */
int uring_ring_open(struct uring_ring *ring, uint32_t entry_cnt);

/* What an error of uring_ring_open() means: "there is none in this kernel", ... */
const char *uring_ring_why(int err);

/* Waits for nothing: the kernel calls off what is in flight. */
void uring_ring_close(struct uring_ring *ring);

/* That the kernel makes @cnt workers at most which wait. Without effect before Linux 5.15. */
void uring_ring_limit_workers(struct uring_ring *ring, uint32_t cnt);

/* Add a request for uring_ring_enter(); it is copied. Return: 0, or -EBUSY: the ring is full. */
int uring_ring_add(struct uring_ring *ring, const struct io_uring_sqe *sqe);

/* Submit what was added, and wait for a completion at least. Return: 0, or -errno. */
int uring_ring_enter(struct uring_ring *ring);

/* Take one completion. Return: 1 with *@data and *@result (as of read(2), or -errno); 0: none. */
int uring_ring_take(struct uring_ring *ring, uint64_t *data, int32_t *result);

#endif /* LAB_WORKLOAD_URING_RING_H */
