/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TRACE_CHUNK_H
#define LAB_TRACE_CHUNK_H

/*
 * chunk - the file's header and the chunks after it, whatever is in them:
 * lengths, checksums, deflate. docs/trace-format.md gives the layouts.
 * Logs nothing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/bytes.h"
#include "trace/seal.h"

#define TRACE_MAGIC "\x89LAB\r\n\x1a\n"
#define TRACE_MAGIC_LEN 8
#define TRACE_MAJOR 1
#define TRACE_MINOR 0
#define TRACE_FILE_HEADER_LEN 32
#define TRACE_FILE_INCOMPLETE 0x00000001u

#define TRACE_CHUNK_MARK "LCHK"
#define TRACE_CHUNK_MARK_LEN 4
#define TRACE_CHUNK_HEADER_LEN 56

#define TRACE_FOURCC(a, b, c, d) \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define TRACE_CHUNK_META TRACE_FOURCC('M', 'E', 'T', 'A')
#define TRACE_CHUNK_SCHEMA TRACE_FOURCC('S', 'C', 'H', 'M')
#define TRACE_CHUNK_EVENTS TRACE_FOURCC('E', 'V', 'T', 'S')
#define TRACE_CHUNK_SYMBOLS TRACE_FOURCC('S', 'Y', 'M', 'S')
#define TRACE_CHUNK_END TRACE_FOURCC('E', 'N', 'D', 'M')
#define TRACE_CHUNK_INDEX TRACE_FOURCC('I', 'N', 'D', 'X')
#define TRACE_CHUNK_CERTIFICATE TRACE_FOURCC('C', 'E', 'R', 'T')

#define TRACE_CODING_PLAIN 0
#define TRACE_CODING_ZLIB 1

#define TRACE_RAW_MAX (64u << 20)	/* bytes of one chunk, inflated */

struct trace_file_header {
	uint16_t major, minor;
	uint32_t flags;			/* TRACE_FILE_INCOMPLETE */
	uint64_t index_off;		/* of the INDX chunk; 0: not written yet */
};

struct trace_chunk {
	uint32_t type;			/* TRACE_CHUNK_* or one that is not known */
	uint32_t number;		/* 0 for the first of the file, then 1, 2, ... */
	uint32_t coding;		/* TRACE_CODING_* */
	uint32_t stored_len, raw_len;
	uint32_t count;			/* events in an EVTS chunk */
	uint32_t payload_crc;
	uint64_t first_ns, last_ns;	/* of an EVTS chunk's events */
};

void trace_file_header_put(uint8_t *buf, const struct trace_file_header *header);

/*
 * trace_file_header_get() - from TRACE_FILE_HEADER_LEN bytes
 *
 * Return: 0; -EBADMSG if the magic is not there; -EUCLEAN if it is and the rest is damaged
 * (@header is then that of an incomplete file of this version).
 */
int trace_file_header_get(const uint8_t *buf, struct trace_file_header *header);

/**
 * trace_chunk_write() - one whole chunk at an offset
 * @chunk: type, number, count and times are the caller's; the rest is filled in
 * @level: of zlib; 0: stored plain
 * @seal: learns what was written; or NULL
 *
 * Return: 0 or -errno.
 */
int trace_chunk_write(int fd, uint64_t off, struct trace_chunk *chunk,
		      const struct bytes_out *raw, int level, struct trace_seal *seal);

/* From TRACE_CHUNK_HEADER_LEN bytes. Return: 0 or -EBADMSG (mark or checksum). */
int trace_chunk_header_get(const uint8_t *buf, struct trace_chunk *chunk);

/**
 * trace_chunk_load() - the payload of a chunk, checked and inflated
 * @off: of the chunk's header
 * @raw_max: more than this is refused before anything is allocated
 * @raw: set to raw_len bytes that the caller frees
 *
 * Return: 0, -EBADMSG (damaged, or not as it was sealed), or -errno of the read.
 */
int trace_chunk_load(const struct trace_source *from, uint64_t off, const struct trace_chunk *chunk,
		     uint64_t raw_max, uint8_t **raw);

#endif /* LAB_TRACE_CHUNK_H */
