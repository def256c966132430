/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TRACE_CERTIFICATE_H
#define LAB_TRACE_CERTIFICATE_H

/*
 * certificate - the verdict on a trace, stored behind its index: the one chunk
 * that may follow it. What is in it is the caller's; docs/trace-format.md
 * names the keys.
 */

/**
 * trace_certificate_store() - append the CERT chunk, or replace the one that is there
 * @fd: a complete trace, open for reading and writing; its position does not matter
 * @lines: the pairs, each "KEY VALUE\n"; borrowed
 *
 * If it cannot be written, the file is left as it was, but for one that it had.
 *
 * Return: 0; -EBADMSG if the file does not end with its index (it is unfinished, or damaged) or a line has no
 * space; or -errno. Logs nothing.
 */
int trace_certificate_store(int fd, const char *lines);

#endif /* LAB_TRACE_CERTIFICATE_H */
