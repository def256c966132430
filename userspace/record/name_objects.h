/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RECORD_NAME_OBJECTS_H
#define LAB_RECORD_NAME_OBJECTS_H

/*
 * name_objects - the files (and other mappings) in which futexes lie, kept
 * open while recording, and the symbols in them afterwards. Part of the name
 * finder's process.
 */

#include <stddef.h>
#include <stdint.h>

#include "record/maps.h"
#include "util/elf_symbols.h"

#define OBJECT_NONE UINT32_MAX
#define OBJECTS_OPEN_MAX 256

struct object {
	char *path;		/* as the kernel shows it; "[anon]" if it shows none */
	uint64_t ino;		/* 0: not a file */
	uint32_t dev_major, dev_minor;
	int fd;			/* -1: no file, or it could not be had */
};

/* An all-zero one is empty. It lives as long as the process. */
struct objects {
	struct object *v;
	size_t cnt, cap;
	size_t open_cnt;
};

/* Where one address lies. */
struct place {
	uint64_t addr;
	uint64_t read_ns;
	uint64_t offset;	/* in the file or mapping; places_resolve(): as in trace_symbol */
	uint64_t symbol_off;
	char *symbol;		/* places_resolve(): NULL: none */
	struct elf_mapping mapping; /* of the file that may have its symbol */
	uint32_t idx;
	uint32_t object;	/* OBJECT_NONE: forgotten */
	uint32_t file;		/* whose segment the address may be of; OBJECT_NONE: none */
};

/**
 * objects_get() - the number of what is mapped there; new ones are opened
 * @proc_fd: the folder in /proc of a process that has it mapped
 *
 * Return: OBJECT_NONE if there are too many.
 */
uint32_t objects_get(struct objects *objects, int proc_fd, const struct map *map);

/* Forget those with this idx. */
void places_forget(struct place *places, size_t cnt, uint32_t idx);

/* Find the symbols; the places are sorted. */
void places_resolve(struct place *places, size_t cnt, const struct objects *objects);

#endif /* LAB_RECORD_NAME_OBJECTS_H */
