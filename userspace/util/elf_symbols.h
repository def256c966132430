/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_UTIL_ELF_SYMBOLS_H
#define LAB_UTIL_ELF_SYMBOLS_H

/*
 * elf_symbols - which symbol of an executable or a shared library an address lies in, from
 * .symtab and .dynsym, by libelf.
 *
 * The file is hostile: every length in it is checked, by libelf or here, and memory is at most
 * what two sections of ELF_SECTION_MAX bytes need; time is symbols x the names that each
 * covers. Whoever opens files of other people does it in a process that may hang or die
 * (record/name_finder.h).
 *
 * Symbols of thread-local storage, of sections and files, absolute ones and those without a
 * size name nothing. Where several cover an address the smallest is taken, then the global
 * before the weak before the local, then the first by name. Names of C++ and Rust stay
 * mangled: taking them apart would need another library. Not read: .gnu_debugdata (a
 * compressed table that some distributions put in).
 *
 * An address of memory becomes one of the file's (a "vaddr", as nm shows it) by the mapping
 * that it is seen in. Logs nothing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_NAME_MAX 1024		/* bytes; a symbol with a longer name names nothing */
#define ELF_BUILD_ID_MAX 64
#define ELF_SECTION_MAX (256u << 20)	/* bytes of a table of symbols or strings */

struct elf_symbols;

/* A part of the file in memory, as /proc/PID/maps has it. */
struct elf_mapping {
	uint64_t start;		/* address */
	uint64_t off;		/* in the file */
	bool writable;
};

/* An address to be named. All but vaddr is zero at first; free(name) releases it. */
struct elf_name {
	uint64_t vaddr;
	char *name;		/* of the best symbol so far; NULL: none */
	uint64_t symbol_off;	/* vaddr less the symbol's */
	uint64_t symbol_size;
	uint8_t binding;	/* STB_* */
};

/**
 * elf_symbols_open() - an object file
 * @fd: of a regular file; stays the caller's, open until elf_symbols_free()
 *
 * Return: 0, or -ENOEXEC: no object file, or damaged.
 */
int elf_symbols_open(struct elf_symbols **out, int fd);

/**
 * elf_symbols_vaddr() - from an address of memory to one of the file
 * @mapping: any mapping of the file from the segment that @addr belongs to; @addr may lie
 *           behind it, in the part of the segment that is not in the file (.bss)
 *
 * Return: false if @addr lies in no segment that this mapping can be of.
 */
bool elf_symbols_vaddr(const struct elf_symbols *es, const struct elf_mapping *mapping,
		       uint64_t addr, uint64_t *vaddr);

/**
 * elf_symbols_name() - name addresses; a better symbol than the one there already takes its place
 * @names: ascending by vaddr
 */
void elf_symbols_name(const struct elf_symbols *es, struct elf_name *names, size_t cnt);

/* True if there is a .symtab: .dynsym has only what other objects may refer to. */
bool elf_symbols_has_symtab(const struct elf_symbols *es);

/* The build-id, at most ELF_BUILD_ID_MAX bytes. Return: its length; 0: none. */
size_t elf_symbols_build_id(const struct elf_symbols *es, uint8_t *id);

/* The file name (ELF_NAME_MAX bytes) and CRC-32 in .gnu_debuglink. Return: false: none. */
bool elf_symbols_debug_link(const struct elf_symbols *es, char *name, uint32_t *crc);

/* Accepts NULL. */
void elf_symbols_free(struct elf_symbols *es);

#endif /* LAB_UTIL_ELF_SYMBOLS_H */
