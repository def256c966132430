/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/hook.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/io.h"
#include "util/minmax.h"

#define REMOVE_FDS 8

/*
 * The bytes of a file of the sources, between NAME and NAME_end; the Makefile knows that they are
 * used here.
 */
#define EMBED(name, path) \
	__asm__(".section .rodata\n" \
		#name ":\n.incbin \"" path "\"\n" #name "_end:\n.previous\n"); \
	extern const char name[], name##_end[];

#define HOOK(...)
#define HOOK_FILE(id, symbol, name) EMBED(embedded_##id##_##symbol, "userspace/markers/" name)
#include "cli/hook.def"
#undef HOOK_FILE

static const struct {
	enum hook_id hook;
	const char *name;
	const char *start, *end;
} files[] = {
#define HOOK_FILE(id, symbol, name) \
	{ HOOK_##id, name, embedded_##id##_##symbol, embedded_##id##_##symbol##_end },
#include "cli/hook.def"
#undef HOOK
#undef HOOK_FILE
};

const struct hook hooks[HOOK_CNT] = {
#define HOOK(id, programs, variable, separator, in_front, before_path, file, example, help) \
	{ #id, programs, variable, separator, in_front, before_path, file, example },
#define HOOK_FILE(...)
#include "cli/hook.def"
};

const struct hook *hook_first(const struct hook_set *set)
{
	for (size_t i = 0; i < HOOK_CNT; i++)
		if (set->wanted[i])
			return &hooks[i];
	return NULL;
}

/* The length of a program's name without its version: "python3.11" is python. */
static size_t unversioned_len(const char *name)
{
	size_t len = strlen(name);

	while (len && (isdigit((unsigned char)name[len - 1]) || name[len - 1] == '.'))
		len--;
	return len;
}

static bool ends_with(const char *text, const char *end, size_t end_len)
{
	size_t len = strlen(text);

	return len > end_len && !memcmp(text + len - end_len, end, end_len);
}

static bool runs(const struct hook *hook, const char *name)
{
	size_t name_len = unversioned_len(name);

	for (const char *word = hook->programs; *word;) {
		size_t len = strcspn(word, " ");

		if (word[0] == '.' ? ends_with(name, word, len) :
				     len == name_len && !memcmp(word, name, len))
			return true;
		word += len;
		word += strspn(word, " ");
	}
	return false;
}

const struct hook *hook_of_program(const char *program)
{
	const char *slash = strrchr(program, '/');

	for (size_t i = 0; i < HOOK_CNT; i++)
		if (runs(&hooks[i], slash ? slash + 1 : program))
			return &hooks[i];
	return NULL;
}

char *hook_join(const struct hook *hook, const char *folder, const char *before)
{
	const char *separator = before && *before ? hook->separator : "";

	before = before ? before : "";
	if (hook->in_front)
		return xasprintf("%s%s%s%s%s", hook->before_path, folder, hook->file, separator,
				 before);
	return xasprintf("%s%s%s%s%s", before, separator, hook->before_path, folder, hook->file);
}

int hook_choose(struct hook_set *set)
{
	uint64_t number;

	if (!hook_first(set))
		return 0;
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -errno;
	snprintf(set->folder, sizeof(set->folder), "/tmp/lab-hook-%016" PRIx64, number);
	return 0;
}

static int write_file(const char *folder, size_t i)
{
	char *path = xasprintf("%s/%s", folder, files[i].name);
	int fd = io_create_at(AT_FDCWD, path), err = fd;

	if (fd >= 0) {
		err = io_write_all(fd, files[i].start, (size_t)(files[i].end - files[i].start));
		if (!err && fchmod(fd, 0644))
			err = -errno;
		close(fd);
	}
	free(path);
	return err;
}

static int set_variable(const struct hook *hook, const char *folder)
{
	char *text = hook_join(hook, folder, getenv(hook->variable));
	int err = setenv(hook->variable, text, 1) ? -errno : 0;

	free(text);
	return err;
}

int hook_install(const struct hook_set *set)
{
	int err = 0;

	if (!hook_first(set))
		return 0;
	/* Node.js does not start where it cannot read the file: a program may change its user. */
	if (mkdir(set->folder, 0700) || chmod(set->folder, 0755))
		return -errno;
	for (size_t i = 0; !err && i < ARRAY_SIZE(files); i++)
		if (set->wanted[files[i].hook])
			err = write_file(set->folder, i);
	for (size_t i = 0; !err && i < HOOK_CNT; i++)
		if (set->wanted[i])
			err = set_variable(&hooks[i], set->folder);
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

void hook_remove(const struct hook_set *set)
{
	if (set->folder[0])
		nftw(set->folder, remove_one, REMOVE_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
