/* SPDX-License-Identifier: GPL-2.0-only */
/* fuzz_objects - what the name finder reads: files of other programs, and their maps. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/maps.h"
#include "util/alloc.h"
#include "util/elf_debug.h"
#include "util/elf_symbols.h"
#include "util/minmax.h"

void fuzz_elf(const uint8_t *data, size_t size);
void fuzz_maps(const uint8_t *data, size_t size);

static void name_addresses(const struct elf_symbols *es)
{
	static const uint64_t addrs[] = {
		0, 1, 0x1000, 0x2000, 0x4100, 0x4108, 0x4110, 0x4118, 0x4140, 0x4180, 0x41ff,
		0x10000,
		UINT64_MAX,
	};
	struct elf_name names[ARRAY_SIZE(addrs)] = { { 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(addrs); i++)
		names[i].vaddr = addrs[i];
	elf_symbols_name(es, names, ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(addrs); i++) {
		NEED(!names[i].name || (names[i].symbol_off <= names[i].vaddr && names[i].name[0] &&
					strlen(names[i].name) <= ELF_NAME_MAX));
		free(names[i].name);
	}
}

static void find_addresses(const struct elf_symbols *es)
{
	static const struct elf_mapping mappings[] = {
		{ 0x555555554000, 0, false }, { 0x555555556000, 0x2000, true },
		{ UINT64_MAX & ~0xfffull, 0x2000, true }, { 0x1000, UINT64_MAX & ~0xfffull, false },
	};
	uint64_t vaddr;

	for (size_t i = 0; i < ARRAY_SIZE(mappings); i++)
		for (uint64_t at = 0; at < 0x4000; at += 0x880)
			elf_symbols_vaddr(es, &mappings[i], mappings[i].start + at, &vaddr);
}

void fuzz_elf(const uint8_t *data, size_t size)
{
	const struct fuzz_file *file = fuzz_file(0, data, size);
	char name[ELF_NAME_MAX];
	uint8_t id[ELF_BUILD_ID_MAX];
	struct elf_symbols *es;
	uint32_t crc;
	int fd;

	if (elf_symbols_open(&es, file->fd))
		return;
	elf_symbols_has_symtab(es);
	NEED(elf_symbols_build_id(es, id) <= ELF_BUILD_ID_MAX);
	if (elf_symbols_debug_link(es, name, &crc))
		NEED(strnlen(name, sizeof(name)) < sizeof(name));
	name_addresses(es);
	find_addresses(es);
	fd = elf_debug_open(es, "/nowhere/program", "/nowhere/debug");
	NEED(fd < 0);
	elf_symbols_free(es);
}

/* ---- maps ---- */

static void found(void *ctx, size_t idx, const struct map *at, const struct map *before)
{
	const uint64_t *addrs = ctx;

	NEED(addrs[idx] >= at->start && addrs[idx] < at->end);
	NEED(strnlen(at->path, MAPS_PATH_MAX) < MAPS_PATH_MAX);
	NEED(!before || (before->ino && !at->ino && before->end <= at->start));
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

#define ADDRS_MAX 64

/* Looked up are the ends of what the lines name. */
void fuzz_maps(const uint8_t *data, size_t size)
{
	const struct fuzz_file *file = fuzz_file(0, data, size);
	char *text = fuzz_text(data, size), *rest = text, *line;
	uint64_t addrs[ADDRS_MAX] = { 0, UINT64_MAX };
	struct map *map = xmalloc(sizeof(*map));
	size_t cnt = 2;

	while ((line = strsep(&rest, "\n")) && cnt + 3 < ADDRS_MAX) {
		if (!map_parse(line, strlen(line), map))
			continue;
		addrs[cnt++] = map->start;
		addrs[cnt++] = map->end - 1;
		addrs[cnt++] = map->end;
	}
	qsort(addrs, cnt, sizeof(*addrs), by_number);
	lseek(file->fd, 0, SEEK_SET);
	NEED(!maps_find(file->fd, addrs, cnt, found, addrs));
	free(map);
	free(text);
}
