/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/name_objects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "record/name_finder.h"
#include "util/alloc.h"
#include "util/elf_debug.h"

/* ---- opening ---- */

struct identity {
	uint64_t ino;
	uint32_t dev_major, dev_minor;
};

static void take_identity(void *ctx, size_t idx, const struct map *at, const struct map *before)
{
	(void)idx;
	(void)before;
	*(struct identity *)ctx = (struct identity){ at->ino, at->dev_major, at->dev_minor };
}

/*
 * What fstat(2) tells need not be what maps shows: btrfs and overlayfs have
 * several names for a device. So it is mapped here, and the kernel asked in the same words.
 */
static struct identity identity_mapped(int fd)
{
	void *page = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);
	uint64_t addr = (uintptr_t)page;
	struct identity id = { 0 };
	int maps_fd;

	if (page == MAP_FAILED)
		return id;
	maps_fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	if (maps_fd >= 0) {
		maps_find(maps_fd, &addr, 1, take_identity, &id);
		close(maps_fd);
	}
	munmap(page, 1);
	return id;
}

static bool is_that_file(int fd, const struct stat *st, const struct map *map)
{
	struct identity id;

	if (st->st_ino == map->ino && major(st->st_dev) == map->dev_major &&
	    minor(st->st_dev) == map->dev_minor)
		return true;
	id = identity_mapped(fd);
	return id.ino == map->ino && id.dev_major == map->dev_major &&
	       id.dev_minor == map->dev_minor;
}

/* Only a regular file is opened, and kept only if it is the one that is mapped. Takes @path_fd. */
static int open_if_that(int path_fd, const struct map *map)
{
	char self[32];
	struct stat st;
	int fd = -1;

	if (path_fd < 0)
		return -1;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", path_fd);
	if (!fstat(path_fd, &st) && S_ISREG(st.st_mode))
		fd = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	close(path_fd);
	if (fd >= 0 && !is_that_file(fd, &st, map)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/*
 * As that process finds it, whatever root folder and mounts it has. The program itself can be
 * had also where it was deleted, or lies below a folder that is closed to us.
 */
static int open_mapped(int proc_fd, const struct map *map)
{
	char path[MAPS_PATH_MAX + 8];
	int fd;

	snprintf(path, sizeof(path), "root%s", map->path);
	fd = open_if_that(openat(proc_fd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC), map);
	if (fd < 0)
		fd = open_if_that(openat(proc_fd, "exe", O_PATH | O_CLOEXEC), map);
	return fd;
}

uint32_t objects_get(struct objects *objects, int proc_fd, const struct map *map)
{
	const char *path = map->path[0] ? map->path : "[anon]";
	struct object *o;

	for (size_t i = 0; i < objects->cnt; i++) {
		o = &objects->v[i];
		if (o->ino == map->ino && o->dev_major == map->dev_major &&
		    o->dev_minor == map->dev_minor && !strcmp(o->path, path))
			return (uint32_t)i;
	}
	if (objects->cnt == FINDER_OBJECTS_MAX)
		return OBJECT_NONE;
	o = vec_push(objects->v, objects->cnt, objects->cap);
	*o = (struct object){
		.path = xstrdup(path), .ino = map->ino, .dev_major = map->dev_major,
		.dev_minor = map->dev_minor, .fd = -1,
	};
	if (map->ino && path[0] == '/' && objects->open_cnt < OBJECTS_OPEN_MAX)
		o->fd = open_mapped(proc_fd, map);
	objects->open_cnt += o->fd >= 0;
	return (uint32_t)objects->cnt - 1;
}

/* ---- symbols ---- */

void places_forget(struct place *places, size_t cnt, uint32_t idx)
{
	for (size_t i = 0; i < cnt; i++)
		if (places[i].idx == idx)
			places[i].object = OBJECT_NONE;
}

static int file_cmp(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->file > y->file) - (x->file < y->file);
}

/* An address of the file, and whose it is. */
struct wanted {
	struct elf_name name;
	struct place *place;
};

static int wanted_cmp(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	return (x->name.vaddr > y->name.vaddr) - (x->name.vaddr < y->name.vaddr);
}

static void name_all(const struct elf_symbols *es, const char *path, struct elf_name *names,
		     size_t cnt)
{
	struct elf_symbols *debug;
	int fd;

	elf_symbols_name(es, names, cnt);
	fd = elf_symbols_has_symtab(es) ? -1 : elf_debug_open(es, path, ELF_DEBUG_ROOT);
	if (fd < 0)
		return;
	if (!elf_symbols_open(&debug, fd)) {
		elf_symbols_name(debug, names, cnt);
		elf_symbols_free(debug);
	}
	close(fd);
}

/* @places: of one file, which is number @file. */
static void resolve_in(const struct elf_symbols *es, uint32_t file, const char *path,
		       struct place *places, size_t cnt)
{
	struct wanted *wanted = xcalloc(cnt, sizeof(*wanted));
	struct elf_name *names = xcalloc(cnt, sizeof(*names));
	size_t wanted_cnt = 0;

	for (size_t i = 0; i < cnt; i++) {
		struct wanted *w = &wanted[wanted_cnt];

		w->place = &places[i];
		wanted_cnt += elf_symbols_vaddr(es, &places[i].mapping, places[i].addr,
						&w->name.vaddr);
	}
	qsort(wanted, wanted_cnt, sizeof(*wanted), wanted_cmp);
	for (size_t i = 0; i < wanted_cnt; i++)
		names[i] = wanted[i].name;
	name_all(es, path, names, wanted_cnt);
	for (size_t i = 0; i < wanted_cnt; i++) {
		struct place *p = wanted[i].place;

		p->object = p->object == OBJECT_NONE ? OBJECT_NONE : file;
		p->offset = names[i].vaddr;
		p->symbol = names[i].name;
		p->symbol_off = names[i].symbol_off;
	}
	free(wanted);
	free(names);
}

void places_resolve(struct place *places, size_t cnt, const struct objects *objects)
{
	if (cnt)
		qsort(places, cnt, sizeof(*places), file_cmp);
	for (size_t first = 0, end; first < cnt; first = end) {
		uint32_t file = places[first].file;
		struct elf_symbols *es;

		end = first + 1;
		while (end < cnt && places[end].file == file)
			end++;
		if (file >= objects->cnt || objects->v[file].fd < 0 ||
		    elf_symbols_open(&es, objects->v[file].fd))
			continue;
		resolve_in(es, file, objects->v[file].path, &places[first], end - first);
		elf_symbols_free(es);
	}
}
