/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TESTS_ELF_FIXTURE_H
#define LAB_TESTS_ELF_FIXTURE_H

/*
 * elf_fixture - small object files made by hand: one segment that is loaded
 * and can be written to, FIXTURE_BYTES of it in the file at offset FIXTURE_OFF, as many again
 * behind it (.bss), at address FIXTURE_VADDR.
 */

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#define FIXTURE_OFF 0x2100
#define FIXTURE_VADDR 0x4100	/* in the same place of its page as in the file */
#define FIXTURE_BYTES 0x80

struct elf_fixture_symbol {
	const char *name;
	uint64_t value, size;
	uint8_t info;		/* ELF64_ST_INFO() */
	uint16_t shndx;
};

struct elf_fixture {
	uint16_t type;		/* ET_DYN, ET_EXEC */
	const struct elf_fixture_symbol *symbols;
	size_t symbol_cnt;
	uint32_t table;		/* SHT_SYMTAB or SHT_DYNSYM; 0: no symbols */
	const char *build_id;	/* its bytes as text; NULL: none */
	const char *debug_link;	/* NULL: none */
	uint32_t debug_crc;
};

/* Write the file to @fd, from its start. Return: its length. */
size_t elf_fixture_write(const struct elf_fixture *f, int fd);

/* The same in memory. */
int elf_fixture_open(const struct elf_fixture *f);

#endif /* LAB_TESTS_ELF_FIXTURE_H */
