/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/certificate.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/chunk.h"
#include "trace/scan.h"
#include "util/io.h"

static int put_pairs(struct bytes_out *out, const char *lines)
{
	while (*lines) {
		const char *end = strchrnul(lines, '\n');
		const char *space = memchr(lines, ' ', (size_t)(end - lines));

		if (!space)
			return -EBADMSG;
		bytes_put_text(out, lines, (size_t)(space - lines));
		bytes_put_text(out, space + 1, (size_t)(end - space - 1));
		lines = *end ? end + 1 : end;
	}
	return out->len ? 0 : -EBADMSG;
}

/* Where the chunk goes, and its number. Return: 0, -EBADMSG or -errno. */
static int find_place(int fd, uint64_t *off, uint32_t *number)
{
	struct scan scan;
	struct stat st;
	int err = fstat(fd, &st) ? -errno : 0;

	if (err)
		return err;
	err = scan_file(&scan, fd, (uint64_t)st.st_size);
	if (!err && (scan.broken || scan.end_off != (uint64_t)st.st_size))
		err = -EBADMSG;
	*off = scan.end_off;
	if (!err && scan.chunk_cnt &&
	    scan.chunks[scan.chunk_cnt - 1].head.type == TRACE_CHUNK_CERTIFICATE)
		*off = scan.chunks[--scan.chunk_cnt].off;
	if (!err && (!scan.chunk_cnt ||
		     scan.chunks[scan.chunk_cnt - 1].head.type != TRACE_CHUNK_INDEX))
		err = -EBADMSG;
	if (!err)
		*number = scan.chunks[scan.chunk_cnt - 1].head.number + 1;
	free(scan.chunks);
	return err;
}

static int cut(int fd, uint64_t off)
{
	while (ftruncate(fd, (off_t)off))
		if (errno != EINTR)
			return -errno;
	return 0;
}

int trace_certificate_store(int fd, const char *lines)
{
	struct trace_chunk chunk = { .type = TRACE_CHUNK_CERTIFICATE };
	struct bytes_out raw = { 0 };
	uint64_t off;
	int err;

	err = put_pairs(&raw, lines);
	if (!err)
		err = find_place(fd, &off, &chunk.number);
	if (!err)
		err = cut(fd, off);
	if (!err) {
		err = trace_chunk_write(fd, off, &chunk, &raw, 0);
		if (err)
			cut(fd, off);
	}
	free(raw.p);
	return err;
}
