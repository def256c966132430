/* SPDX-License-Identifier: GPL-2.0-only */
#include "util/elf_debug.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "util/alloc.h"
#include "util/minmax.h"

#define SUMMED_MAX ((off_t)1 << 30)	/* bytes of a file whose checksum is still worth its time */

static int open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* 1: the same; 0: another; -1: one of them has none. */
static int same_build_id(const struct elf_symbols *object, int fd)
{
	uint8_t ours[ELF_BUILD_ID_MAX], theirs[ELF_BUILD_ID_MAX];
	size_t our_len = elf_symbols_build_id(object, ours), their_len;
	struct elf_symbols *debug;

	if (elf_symbols_open(&debug, fd))
		return 0;
	their_len = elf_symbols_build_id(debug, theirs);
	elf_symbols_free(debug);
	if (!our_len || !their_len)
		return -1;
	return our_len == their_len && !memcmp(ours, theirs, our_len);
}

static bool has_checksum(int fd, uint32_t want)
{
	size_t size = 1 << 16;
	struct stat st;
	uint8_t *buf;
	uLong crc = crc32(0, NULL, 0);
	off_t at = 0;
	ssize_t n = 0;

	if (fstat(fd, &st) || st.st_size > SUMMED_MAX)
		return false;
	buf = xmalloc(size);
	while (at < st.st_size && (n = pread(fd, buf, size, at)) > 0) {
		crc = crc32(crc, buf, (uInt)n);
		at += n;
	}
	free(buf);
	return at == st.st_size && crc == want;
}

static int by_build_id(const struct elf_symbols *object, const char *root)
{
	char path[PATH_MAX], hex[2 * ELF_BUILD_ID_MAX + 1] = "";
	uint8_t id[ELF_BUILD_ID_MAX];
	size_t len = elf_symbols_build_id(object, id);
	int fd;

	if (len < 2)
		return -1;
	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	if (snprintf(path, sizeof(path), "%s/.build-id/%.2s/%s.debug", root, hex, hex + 2) >=
	    (int)sizeof(path))
		return -1;
	fd = open_regular(path);
	if (fd >= 0 && same_build_id(object, fd) != 1) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int by_link(const struct elf_symbols *object, const char *object_path, const char *root)
{
	/* what stands before and behind the object's own folder */
	const char *const places[][2] = { { "", "" }, { "", "/.debug" }, { root, "" } };
	int folder_len = (int)(strrchr(object_path, '/') - object_path);
	char link[ELF_NAME_MAX], path[PATH_MAX];
	uint32_t crc;

	if (!elf_symbols_debug_link(object, link, &crc) || strchr(link, '/'))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		int fd, same;

		if (snprintf(path, sizeof(path), "%s%.*s%s/%s", places[i][0], folder_len,
			     object_path, places[i][1], link) >= (int)sizeof(path))
			continue;
		fd = open_regular(path);
		if (fd < 0)
			continue;
		same = same_build_id(object, fd);
		if (same == 1 || (same < 0 && has_checksum(fd, crc)))
			return fd;
		close(fd);
	}
	return -1;
}

int elf_debug_open(const struct elf_symbols *object, const char *path, const char *root)
{
	int fd = by_build_id(object, root);

	if (fd < 0 && path[0] == '/')
		fd = by_link(object, path, root);
	return fd < 0 ? -ENOENT : fd;
}
