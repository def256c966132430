/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_UTIL_IO_H
#define LAB_UTIL_IO_H

/*
 * io - whole reads and writes, and files made safely. Logs nothing; every
 * function returns 0 (or what it says) or -errno.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Why a call failed with @err (positive), for the end of a sentence, and what to do about it where
 * that is known: a full disk, a file that `ulimit -f` allows no larger, no memory, no descriptors.
 * The text is valid until the next call.
 */
const char *io_reason(int err);

/*
 * Write all of @buf, through EINTR and short writes. It waits for a pipe that is full, also if
 * another program that has the same pipe open (as node does) made it non-blocking.
 */
int io_write_all(int fd, const void *buf, size_t len);

/* As io_write_all(), of a file, at @off. */
int io_pwrite_all(int fd, const void *buf, size_t len, uint64_t off);

/* Read exactly @len bytes at @off. Return: 0, -ENODATA at an early end, or -errno. */
int io_pread_all(int fd, void *buf, size_t len, uint64_t off);

/**
 * io_read_text() - a small file (such as one of /proc) as a string
 * @buf: caller's storage; NUL-terminated, a trailing newline is removed
 *
 * Return: the length, or -errno; -EFBIG if it does not fit.
 */
ssize_t io_read_text(const char *path, char *buf, size_t size);

/*
 * Create a file in a folder (or AT_FDCWD), with O_EXCL, O_NOFOLLOW, O_CLOEXEC and mode 0600, for
 * reading and writing. Return: an fd or -errno.
 */
int io_create_at(int folder_fd, const char *name);

#endif /* LAB_UTIL_IO_H */
