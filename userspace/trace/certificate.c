/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/certificate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

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

/* Where the chunk goes, its number, and the digest of the chunks in front of it. */
struct place {
	uint64_t off;
	uint32_t number, digest;
	bool taken;		/* one is there */
	struct scan_chunk stored; /* valid if it is */
};

#define DIGESTED 52		/* bytes of a chunk's header in front of its own checksum */

/* The checksum of a header would make the CRC of both a constant: it is left out. */
static int digest_chunks(int fd, const struct scan *scan, uint32_t *digest)
{
	uLong crc = crc32(0, NULL, 0);

	for (size_t i = 0; i < scan->chunk_cnt; i++) {
		uint8_t head[DIGESTED];
		int err = io_pread_all(fd, head, sizeof(head), scan->chunks[i].off);

		if (err)
			return err;
		crc = crc32(crc, head, sizeof(head));
	}
	*digest = (uint32_t)crc;
	return 0;
}

/* Return: 0, -EBADMSG or -errno. */
static int find_place(int fd, struct place *place)
{
	struct scan scan;
	struct stat st;
	int err = fstat(fd, &st) ? -errno : 0;

	if (err)
		return err;
	*place = (struct place){ 0 };
	err = scan_file(&scan, fd, (uint64_t)st.st_size);
	if (!err && (scan.broken || scan.end_off != (uint64_t)st.st_size))
		err = -EBADMSG;
	place->off = scan.end_off;
	if (!err && scan.chunk_cnt &&
	    scan.chunks[scan.chunk_cnt - 1].head.type == TRACE_CHUNK_CERTIFICATE) {
		place->taken = true;
		place->stored = scan.chunks[--scan.chunk_cnt];
		place->off = place->stored.off;
	}
	if (!err && (!scan.chunk_cnt ||
		     scan.chunks[scan.chunk_cnt - 1].head.type != TRACE_CHUNK_INDEX))
		err = -EBADMSG;
	if (!err)
		err = digest_chunks(fd, &scan, &place->digest);
	if (!err)
		place->number = scan.chunks[scan.chunk_cnt - 1].head.number + 1;
	free(scan.chunks);
	return err;
}

/* Return: 0 or -EBADMSG. */
static int put_certificate(struct bytes_out *out, const char *lines, uint32_t digest)
{
	char line[32];
	int err;

	snprintf(line, sizeof(line), "digest %" PRIu32 "\n", digest);
	err = put_pairs(out, line);
	return err || !lines[0] ? -EBADMSG : put_pairs(out, lines);
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
	struct place place;
	int err = find_place(fd, &place);

	if (!err)
		err = put_certificate(&raw, lines, place.digest);
	if (!err)
		err = cut(fd, place.off);
	if (!err) {
		chunk.number = place.number;
		err = trace_chunk_write(fd, place.off, &chunk, &raw, 0, NULL);
		if (err)
			cut(fd, place.off);
	}
	free(raw.p);
	return err;
}

int trace_certificate_compare(int fd, const char *lines, bool *is_same)
{
	const struct trace_source from = { .fd = fd };
	struct bytes_out raw = { 0 };
	struct place place;
	uint8_t *stored;
	int err = find_place(fd, &place);

	*is_same = false;
	if (err)
		return err;
	if (!place.taken)
		return -ENOENT;
	err = put_certificate(&raw, lines, place.digest);
	if (!err)
		err = trace_chunk_load(&from, place.off, &place.stored.head, TRACE_RAW_MAX,
				       &stored);
	if (!err) {
		*is_same = place.stored.head.raw_len == raw.len && !memcmp(stored, raw.p, raw.len);
		free(stored);
	}
	free(raw.p);
	return err;
}
