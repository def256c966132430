/* SPDX-License-Identifier: GPL-2.0-only */
#include "fuzz_verify.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/chunk.h"
#include "trace/scan.h"
#include "util/io.h"
#include "util/minmax.h"
#include "verify/verify.h"

static const char *const traces[] = {
	"tests/fixtures/sequential.lab", "tests/fixtures/async.lab", "tests/fixtures/threads-lock.lab",
	"tests/fixtures/pipe.lab", "tests/fixtures/quota.lab",
};

static void require(bool ok)
{
	if (!ok)
		abort();
}

void fuzz_verify(const char *path, bool complete)
{
	char why[VERIFY_WHY_MAX];
	enum verify_result result;
	FILE *out = fopen("/dev/null", "w");
	int fd = open(path, O_RDONLY);

	require(out && fd >= 0);
	result = verify_file(fd, out, why);
	close(fd);
	fclose(out);
	require(result != VERIFY_UNREADABLE);
	require((result == VERIFY_DAMAGED) == (why[0] != '\0'));
	if (result == VERIFY_PROVEN || result == VERIFY_REFUTED)
		require(complete);
}

/* ---- seeds ---- */

struct copy {
	int fd;
	uint64_t off, last_off;
	struct bytes_out list;	/* of the chunks of events, as INDX has it */
	uint64_t events, chunks, index_off;
};

static void copy_chunk(struct copy *to, struct trace_chunk chunk, struct bytes_out raw)
{
	struct bytes_out index = { 0 };

	if (chunk.type == TRACE_CHUNK_EVENTS) {
		bytes_put_varint(&to->list, to->off - to->last_off);
		bytes_put_varint(&to->list, chunk.first_ns);
		bytes_put_varint(&to->list, chunk.last_ns - chunk.first_ns);
		bytes_put_varint(&to->list, chunk.count);
		to->last_off = to->off;
		to->events += chunk.count;
		to->chunks++;
	}
	if (chunk.type == TRACE_CHUNK_INDEX) {
		to->index_off = to->off;
		bytes_put_varint(&index, to->events);
		bytes_put_varint(&index, to->chunks);
		bytes_put(&index, to->list.p, to->list.len);
		bytes_put_varint(&index, 0);
		bytes_put_varint(&index, 0);
		raw = index;
	}
	require(!trace_chunk_write(to->fd, to->off, &chunk, &raw, 0, NULL));
	to->off += TRACE_CHUNK_HEADER_LEN + chunk.stored_len;
	free(index.p);
}

int fuzz_verify_seed(unsigned int n)
{
	struct copy to = { .off = TRACE_FILE_HEADER_LEN };
	struct trace_file_header header = { .major = TRACE_MAJOR, .minor = TRACE_MINOR };
	uint8_t head[TRACE_FILE_HEADER_LEN];
	struct scan scan;
	int from;

	if (n >= ARRAY_SIZE(traces))
		return -1;
	from = open(traces[n], O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return -1;
	to.fd = memfd_create("seed", MFD_CLOEXEC);
	require(to.fd >= 0 && !scan_file(&scan, from, (uint64_t)lseek(from, 0, SEEK_END)));
	for (size_t i = 0; i < scan.chunk_cnt; i++) {
		struct trace_chunk chunk = scan.chunks[i].head;
		struct bytes_out raw = { .len = chunk.raw_len };

		require(!trace_chunk_load(&(struct trace_source){ .fd = from }, scan.chunks[i].off, &chunk,
					  TRACE_RAW_MAX, &raw.p));
		copy_chunk(&to, chunk, raw);
		free(raw.p);
	}
	header.index_off = to.index_off;
	trace_file_header_put(head, &header);
	require(!io_pwrite_all(to.fd, head, sizeof(head), 0));
	free(to.list.p);
	free(scan.chunks);
	close(from);
	return to.fd;
}
