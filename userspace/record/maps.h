/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RECORD_MAPS_H
#define LAB_RECORD_MAPS_H

/*
 * maps - what lies at an address of a process, from the text of its
 * /proc/PID/maps. The text is the kernel's, the paths in it are anybody's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAPS_PATH_MAX 4096
#define MAPS_BYTES_MAX (8u << 20)	/* read of one process; what lies behind has no name */

/* One line. */
struct map {
	uint64_t start, end;
	uint64_t off;		/* in the file */
	uint64_t ino;		/* 0: no file */
	uint32_t dev_major, dev_minor;
	bool writable;
	char path[MAPS_PATH_MAX]; /* as the kernel prints it, "[heap]", or "" */
};

/* Return: false if @line, without its newline, is none (or its path is too long). */
bool map_parse(const char *line, size_t len, struct map *out);

/**
 * typedef maps_found_fn - an address was found
 * @idx: of the address
 * @at: the mapping that it is in
 * @before: if that has no file: the last mapping of a file before it with nothing but such
 *          mappings between, all adjoining (.bss lies so behind the part of its segment
 *          that is in the file); NULL: none
 */
typedef void (*maps_found_fn)(void *ctx, size_t idx, const struct map *at,
			      const struct map *before);

/**
 * maps_find() - look addresses up
 * @fd: of the maps file, at its start
 * @addrs: ascending
 *
 * Return: 0 or -errno of a read. Addresses in no mapping are not reported.
 */
int maps_find(int fd, const uint64_t *addrs, size_t cnt, maps_found_fn found, void *ctx);

#endif /* LAB_RECORD_MAPS_H */
