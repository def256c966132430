/* SPDX-License-Identifier: GPL-2.0-only */

#include "trace/scan.h"

#include <errno.h>

#include "util/io.h"
#include "util/minmax.h"

#define SEARCH_BLOCK (64u << 10)

/* Offset in @buf of the first header that stands whole in it, or @len. */
static size_t find_header(const uint8_t *buf, size_t len)
{
	struct trace_chunk chunk;

	for (size_t i = 0; i + TRACE_CHUNK_HEADER_LEN <= len; i++) {
		const uint8_t *p = memchr(buf + i, TRACE_CHUNK_MARK[0],
					  len - i - (TRACE_CHUNK_HEADER_LEN - 1));

		if (!p)
			break;
		i = (size_t)(p - buf);
		if (!trace_chunk_header_get(p, &chunk))
			return i;
	}
	return len;
}

/* The next chunk header at or after @off; @size if there is none. */
static int search(int fd, uint64_t off, uint64_t size, uint64_t *found)
{
	uint8_t *buf = xmalloc(SEARCH_BLOCK);
	int err = 0;

	*found = size;
	while (off + TRACE_CHUNK_HEADER_LEN <= size) {
		size_t len = (size_t)min_u64(SEARCH_BLOCK, size - off);
		size_t at;

		err = io_pread_all(fd, buf, len, off);
		if (err)
			break;
		at = find_header(buf, len);
		if (at < len) {
			*found = off + at;
			break;
		}
		off += len - (TRACE_CHUNK_HEADER_LEN - 1);
	}
	free(buf);
	return err;
}

int scan_file(struct scan *scan, int fd, uint64_t size)
{
	uint64_t off = TRACE_FILE_HEADER_LEN;
	int err;

	*scan = (struct scan){ .end_off = off };
	while (off + TRACE_CHUNK_HEADER_LEN <= size && scan->chunk_cnt < SCAN_CHUNKS_MAX) {
		uint8_t buf[TRACE_CHUNK_HEADER_LEN];
		struct trace_chunk head;
		uint64_t at = off;

		err = io_pread_all(fd, buf, sizeof(buf), off);
		if (err)
			return err;
		if (trace_chunk_header_get(buf, &head)) {
			err = search(fd, off + 1, size, &off);
			if (err)
				return err;
			continue;
		}
		off += TRACE_CHUNK_HEADER_LEN + head.stored_len;
		if (off > size)
			break;
		if (at != scan->end_off)
			scan->broken = true;
		scan->end_off = off;
		if (scan->chunk_cnt &&
		    head.number <= scan->chunks[scan->chunk_cnt - 1].head.number) {
			scan->broken = true;
			continue;
		}
		*vec_push(scan->chunks, scan->chunk_cnt, scan->chunk_cap) =
			(struct scan_chunk){ at, head };
	}
	return 0;
}
