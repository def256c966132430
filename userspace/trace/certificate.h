/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TRACE_CERTIFICATE_H
#define LAB_TRACE_CERTIFICATE_H

/*
 * certificate - the verdict on a trace, stored behind its index: the one chunk
 * that may follow it. What is in it is the caller's; docs/trace-format.md
 * names the keys.
 */

#include <stdbool.h>

/**
 * trace_certificate_store() - append the CERT chunk, or replace the one that is there
 * @fd: a complete trace, open for reading and writing; its position does not matter
 * @lines: the pairs, each "KEY VALUE\n"; borrowed
 *
 * A pair is added: the digest of all chunks in front (docs/trace-format.md). If it cannot be
 * written, the file is left as it was, but for one that it had.
 *
 * Return: 0; -EBADMSG if the file does not end with its index (it is unfinished, or damaged) or a
 * line has no space; or -errno. Logs nothing.
 */
int trace_certificate_store(int fd, const char *lines);

/**
 * trace_certificate_compare() - whether the stored chunk is what trace_certificate_store() would
 * store
 * @fd: a trace, open for reading
 * @is_same: set in any case
 *
 * Return: 0; -ENOENT if no certificate is stored; -EBADMSG if the file is unfinished or damaged; or
 * -errno. Logs nothing.
 */
int trace_certificate_compare(int fd, const char *lines, bool *is_same);

#endif /* LAB_TRACE_CERTIFICATE_H */
