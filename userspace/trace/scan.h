/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TRACE_SCAN_H
#define LAB_TRACE_SCAN_H

/*
 * scan - find every whole chunk of a file from the chunks' own headers,
 * whatever state the file is in. Payloads are not read.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/chunk.h"

#define SCAN_CHUNKS_MAX (1u << 20)

struct scan_chunk {
	uint64_t off;			/* of its header */
	struct trace_chunk head;
};

/* All zero is empty; free(chunks) releases it. */
struct scan {
	struct scan_chunk *chunks;	/* in file order, numbers strictly ascending */
	size_t chunk_cnt, chunk_cap;
	uint64_t end_off;		/* where the last whole chunk ends */
	bool broken;			/* bytes between two chunks belong to none */
};

/* Return: 0 or -errno of a read. */
int scan_file(struct scan *scan, int fd, uint64_t size);

#endif /* LAB_TRACE_SCAN_H */
