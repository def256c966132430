/* SPDX-License-Identifier: GPL-2.0-only */

#include "trace/chunk.h"

#include <errno.h>
#include <zlib.h>

#include "util/io.h"

/* No deflate stream grows by more than this, RFC 1951: 258 bytes from 2 bits. */
#define INFLATE_RATIO_MAX 1032

static uint32_t crc_of(const uint8_t *buf, size_t len)
{
	return (uint32_t)crc32(crc32(0, NULL, 0), buf, (uInt)len);
}

void trace_file_header_put(uint8_t *buf, const struct trace_file_header *header)
{
	memset(buf, 0, TRACE_FILE_HEADER_LEN);
	memcpy(buf, TRACE_MAGIC, TRACE_MAGIC_LEN);
	put_le(buf + 8, header->major, 2);
	put_le(buf + 10, header->minor, 2);
	put_le(buf + 12, header->flags, 4);
	put_le(buf + 16, header->index_off, 8);
	put_le(buf + 28, crc_of(buf, 28), 4);
}

int trace_file_header_get(const uint8_t *buf, struct trace_file_header *header)
{
	if (memcmp(buf, TRACE_MAGIC, TRACE_MAGIC_LEN))
		return -EBADMSG;
	if (get_le32(buf + 28) != crc_of(buf, 28)) {
		*header = (struct trace_file_header){
			.major = TRACE_MAJOR, .minor = TRACE_MINOR, .flags = TRACE_FILE_INCOMPLETE,
		};
		return -EUCLEAN;
	}
	header->major = get_le16(buf + 8);
	header->minor = get_le16(buf + 10);
	header->flags = get_le32(buf + 12);
	header->index_off = get_le64(buf + 16);
	return 0;
}

static void chunk_header_put(uint8_t *buf, const struct trace_chunk *chunk)
{
	memset(buf, 0, TRACE_CHUNK_HEADER_LEN);
	memcpy(buf, TRACE_CHUNK_MARK, TRACE_CHUNK_MARK_LEN);
	put_le(buf + 4, chunk->type, 4);
	put_le(buf + 8, chunk->number, 4);
	put_le(buf + 12, chunk->coding, 4);
	put_le(buf + 16, chunk->stored_len, 4);
	put_le(buf + 20, chunk->raw_len, 4);
	put_le(buf + 24, chunk->count, 4);
	put_le(buf + 28, chunk->payload_crc, 4);
	put_le(buf + 32, chunk->first_ns, 8);
	put_le(buf + 40, chunk->last_ns, 8);
	put_le(buf + 52, crc_of(buf, 52), 4);
}

int trace_chunk_header_get(const uint8_t *buf, struct trace_chunk *chunk)
{
	if (memcmp(buf, TRACE_CHUNK_MARK, TRACE_CHUNK_MARK_LEN) ||
	    get_le32(buf + 52) != crc_of(buf, 52))
		return -EBADMSG;
	chunk->type = get_le32(buf + 4);
	chunk->number = get_le32(buf + 8);
	chunk->coding = get_le32(buf + 12);
	chunk->stored_len = get_le32(buf + 16);
	chunk->raw_len = get_le32(buf + 20);
	chunk->count = get_le32(buf + 24);
	chunk->payload_crc = get_le32(buf + 28);
	chunk->first_ns = get_le64(buf + 32);
	chunk->last_ns = get_le64(buf + 40);
	return 0;
}

int trace_chunk_write(int fd, uint64_t off, struct trace_chunk *chunk,
		      const struct bytes_out *raw, int level, struct trace_seal *seal)
{
	uLongf len = level ? compressBound(raw->len) : raw->len;
	uint8_t *buf;
	int err = -ENOMEM;	/* the only reason for which zlib refuses this */

	if (raw->len > TRACE_RAW_MAX)
		return -EOVERFLOW;
	buf = xmalloc(TRACE_CHUNK_HEADER_LEN + len);
	if (!level)
		memcpy(buf + TRACE_CHUNK_HEADER_LEN, raw->p, raw->len);
	else if (compress2(buf + TRACE_CHUNK_HEADER_LEN, &len, raw->p, raw->len, level) != Z_OK)
		goto out;
	chunk->coding = level ? TRACE_CODING_ZLIB : TRACE_CODING_PLAIN;
	chunk->stored_len = (uint32_t)len;
	chunk->raw_len = (uint32_t)raw->len;
	chunk->payload_crc = crc_of(buf + TRACE_CHUNK_HEADER_LEN, len);
	chunk_header_put(buf, chunk);
	err = io_pwrite_all(fd, buf, TRACE_CHUNK_HEADER_LEN + len, off);
	if (!err && seal)
		trace_seal_put(seal, off, buf, TRACE_CHUNK_HEADER_LEN + len);
out:
	free(buf);
	return err;
}

static bool lengths_plausible(const struct trace_chunk *chunk, uint64_t raw_max)
{
	if (!chunk->raw_len || chunk->raw_len > raw_max || chunk->raw_len > TRACE_RAW_MAX)
		return false;
	if (chunk->coding == TRACE_CODING_PLAIN)
		return chunk->stored_len == chunk->raw_len;
	return chunk->coding == TRACE_CODING_ZLIB &&
	       chunk->stored_len <= chunk->raw_len + chunk->raw_len / 8 + 64 &&
	       chunk->raw_len <= (uint64_t)chunk->stored_len * INFLATE_RATIO_MAX;
}

/* The chunk as it is stored, its header in front; to be freed. */
static int load_stored(const struct trace_source *from, uint64_t off,
		       const struct trace_chunk *chunk, uint8_t **stored)
{
	size_t len = TRACE_CHUNK_HEADER_LEN + chunk->stored_len;
	uint8_t header[TRACE_CHUNK_HEADER_LEN];
	int err;

	*stored = xmalloc(len);
	err = io_pread_all(from->fd, *stored, len, off);
	if (err == -ENODATA)
		err = -EBADMSG;
	/* What the caller has read of it before must be what is sealed. */
	chunk_header_put(header, chunk);
	if (!err && from->seal && (memcmp(header, *stored, sizeof(header)) ||
				   !trace_seal_holds(from->seal, off, *stored, len)))
		err = -EBADMSG;
	if (!err &&
	    crc_of(*stored + TRACE_CHUNK_HEADER_LEN, chunk->stored_len) != chunk->payload_crc)
		err = -EBADMSG;
	if (err)
		free(*stored);
	return err;
}

int trace_chunk_load(const struct trace_source *from, uint64_t off, const struct trace_chunk *chunk,
		     uint64_t raw_max, uint8_t **raw)
{
	uLongf len = chunk->raw_len;
	uint8_t *stored;
	const uint8_t *payload;
	int err;

	if (!lengths_plausible(chunk, raw_max))
		return -EBADMSG;
	err = load_stored(from, off, chunk, &stored);
	if (err)
		return err;
	payload = stored + TRACE_CHUNK_HEADER_LEN;
	*raw = xmalloc(chunk->raw_len);
	if (chunk->coding == TRACE_CODING_PLAIN)
		memcpy(*raw, payload, chunk->raw_len);
	else
		err = uncompress(*raw, &len, payload, chunk->stored_len);
	if (err || len != chunk->raw_len) {
		free(*raw);
		err = err == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
	}
	free(stored);
	return err;
}
