/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/python_hook.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/io.h"
#include "util/minmax.h"

#define REMOVE_FDS 8

/* The bytes of a file of the sources, between NAME and NAME_end; the Makefile knows that they are used here. */
#define EMBED(name, path) \
	__asm__(".section .rodata\n" #name ":\n.incbin \"" path "\"\n" #name "_end:\n.previous\n"); \
	extern const char name[], name##_end[]

EMBED(embedded_markers, "userspace/markers/lab.py");
EMBED(embedded_sitecustomize, "userspace/markers/sitecustomize.py");

static const struct {
	const char *name;
	const char *start, *end;
} files[] = {
	{ "lab.py", embedded_markers, embedded_markers_end },
	{ "sitecustomize.py", embedded_sitecustomize, embedded_sitecustomize_end },
};

int python_hook_choose(struct python_hook *hook)
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -errno;
	snprintf(hook->folder, sizeof(hook->folder), "/tmp/lab-python-%016" PRIx64, number);
	return 0;
}

static int write_file(const char *folder, size_t i)
{
	char *path = xasprintf("%s/%s", folder, files[i].name);
	int fd = io_create_excl(path), err = fd;

	if (fd >= 0) {
		err = io_write_all(fd, files[i].start, (size_t)(files[i].end - files[i].start));
		close(fd);
	}
	free(path);
	return err;
}

int python_hook_install(const struct python_hook *hook)
{
	const char *before = getenv("PYTHONPATH");
	char *path;
	int err = mkdir(hook->folder, 0700) ? -errno : 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(files); i++)
		err = write_file(hook->folder, i);
	if (err)
		return err;
	path = xasprintf("%s%s%s", hook->folder, before && *before ? ":" : "", before ? before : "");
	if (setenv("PYTHONPATH", path, 1))
		err = -errno;
	free(path);
	return err;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	remove(path);
	return 0;
}

void python_hook_remove(const struct python_hook *hook)
{
	if (hook->folder[0])
		nftw(hook->folder, remove_one, REMOVE_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
