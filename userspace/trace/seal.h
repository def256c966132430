/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TRACE_SEAL_H
#define LAB_TRACE_SEAL_H

/*
 * seal - what a writer knows of the file that it wrote, so that nobody else's bytes are taken for
 * its own: the place, the length and a keyed digest of each piece (the file's header, each chunk).
 *
 * The digest is SipHash-2-4 with 64 bits (Aumasson and Bernstein, "SipHash: a fast short-input
 * PRF", 2012). The key is random and never leaves the process: who can write the file,
 * but cannot look into the process, finds bytes that fit with a chance of 2^-64. A seal lives as
 * long as the process; it is not stored, and says nothing of a file that another process wrote.
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEAL_KEY_BYTES 16

struct trace_seal;

/* With a new key. */
struct trace_seal *trace_seal_new(void);

/* A piece was written at @off; what was said of that place before is forgotten. */
void trace_seal_put(struct trace_seal *seal, uint64_t off, const void *piece, size_t len);

/* Whether these bytes are the piece at @off, all of it. Safe in any thread while nobody puts. */
bool trace_seal_holds(const struct trace_seal *seal, uint64_t off, const void *piece, size_t len);

/* How many pieces there are. */
size_t trace_seal_piece_cnt(const struct trace_seal *seal);

/* Accepts NULL. */
void trace_seal_free(struct trace_seal *seal);

/* A file to be read. All is borrowed. */
struct trace_source {
	int fd;
	const struct trace_seal *seal;	/* of who wrote it; NULL: its bytes are taken as they are */
};

/* What is damaged in a sealed file was changed: nothing of it is believed. */
static inline int trace_source_err(const struct trace_source *from, int err)
{
	return err == -EBADMSG && from->seal ? -EKEYREJECTED : err;
}

/* The digest alone, for tests. */
uint64_t seal_siphash(const uint8_t key[SEAL_KEY_BYTES], const void *text, size_t len);

#endif /* LAB_TRACE_SEAL_H */
