/* SPDX-License-Identifier: GPL-2.0-only */
#include "util/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

const char *io_reason(int err)
{
	struct rlimit limit;

	switch (err) {
	case ENOSPC:
		return "No space left on device (free some space, or write to another disk)";
	case ENOMEM:
		return "Cannot allocate memory (end other programs, or raise the limit of this "
		       "shell: "
		       "ulimit -v, or of its control group: memory.max)";
	case EMFILE:
		return "Too many open files (raise the limit of this shell: ulimit -n)";
	case EFBIG:
		if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur != RLIM_INFINITY)
			return "the file would be larger than the limit of this shell "
			       "(raise it: ulimit -f)";
		break;
	}
	return strerror(err);
}

int io_write_all(int fd, const void *buf, size_t len)
{
	struct pollfd writable = { .fd = fd, .events = POLLOUT };
	const char *at = buf;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && (poll(&writable, 1, -1) > 0 || errno == EINTR))
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int io_pwrite_all(int fd, const void *buf, size_t len, uint64_t off)
{
	const char *at = buf;

	if (off > INT64_MAX || len > INT64_MAX - off)
		return -EFBIG;
	while (len) {
		ssize_t n = pwrite(fd, at, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		at += n;
		len -= (size_t)n;
		off += (uint64_t)n;
	}
	return 0;
}

int io_pread_all(int fd, void *buf, size_t len, uint64_t off)
{
	char *at = buf;

	if (off > INT64_MAX || len > INT64_MAX - off)
		return -ENODATA;
	while (len) {
		ssize_t n = pread(fd, at, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		at += n;
		len -= (size_t)n;
		off += (uint64_t)n;
	}
	return 0;
}

/* Fill @buf until the end of the file. Return: bytes read, -EFBIG if there are more, or -errno. */
static ssize_t read_to_end(int fd, char *buf, size_t size)
{
	size_t len = 0;

	for (;;) {
		char beyond;
		ssize_t n = len < size ? read(fd, buf + len, size - len) : read(fd, &beyond, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return (ssize_t)len;
		if (len == size)
			return -EFBIG;
		len += (size_t)n;
	}
}

ssize_t io_read_text(const char *path, char *buf, size_t size)
{
	ssize_t len;
	int fd;

	if (size == 0)
		return -EINVAL;
	buf[0] = '\0';
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read_to_end(fd, buf, size - 1);
	close(fd);
	if (len > 0 && buf[len - 1] == '\n')
		len--;
	buf[len > 0 ? len : 0] = '\0';
	return len;
}

int io_create_at(int folder_fd, const char *name)
{
	int fd = openat(folder_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}
