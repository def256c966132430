/* SPDX-License-Identifier: GPL-2.0-only */
#include "elf_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit.h"
#include "util/io.h"

enum { SEC_NULL, SEC_NOTE, SEC_SYMBOLS, SEC_STRINGS, SEC_LINK, SEC_NAMES, SEC_CNT };

/* The file while it is put together. */
struct making {
	uint8_t bytes[0x4000];
	size_t len;
	Elf64_Shdr sections[SEC_CNT];
};

static void put(struct making *m, const void *bytes, size_t len)
{
	REQUIRE(m->len + len <= sizeof(m->bytes));
	memcpy(m->bytes + m->len, bytes, len);
	m->len += len;
}

static void align(struct making *m)
{
	m->len = (m->len + 7) / 8 * 8;
}

static void begin(struct making *m, int section, uint32_t type, uint64_t entry, uint32_t link)
{
	align(m);
	m->sections[section] = (Elf64_Shdr){
		.sh_type = type, .sh_offset = m->len, .sh_entsize = entry, .sh_link = link,
		.sh_addralign = type == SHT_NOTE ? 4 : 8,
	};
}

static void end(struct making *m, int section)
{
	m->sections[section].sh_size = m->len - m->sections[section].sh_offset;
}

static void put_note(struct making *m, const char *id)
{
	Elf64_Nhdr nh = { .n_namesz = 4, .n_descsz = (Elf64_Word)strlen(id),
			  .n_type = NT_GNU_BUILD_ID };

	begin(m, SEC_NOTE, SHT_NOTE, 0, 0);
	put(m, &nh, sizeof(nh));
	put(m, "GNU", 4);
	put(m, id, strlen(id));
	m->len = (m->len + 3) / 4 * 4;
	end(m, SEC_NOTE);
}

static void put_symbols(struct making *m, const struct elf_fixture *f)
{
	char strings[0x1000] = "";
	size_t len = 1;

	begin(m, SEC_SYMBOLS, f->table, sizeof(Elf64_Sym), SEC_STRINGS);
	put(m, &(Elf64_Sym){ 0 }, sizeof(Elf64_Sym));
	for (size_t i = 0; i < f->symbol_cnt; i++) {
		const struct elf_fixture_symbol *s = &f->symbols[i];

		put(m, &(Elf64_Sym){
			.st_name = (Elf64_Word)len, .st_value = s->value, .st_size = s->size,
			.st_info = s->info, .st_shndx = s->shndx,
		}, sizeof(Elf64_Sym));
		REQUIRE(len + strlen(s->name) + 1 < sizeof(strings));
		memcpy(strings + len, s->name, strlen(s->name));
		len += strlen(s->name) + 1;
	}
	end(m, SEC_SYMBOLS);
	begin(m, SEC_STRINGS, SHT_STRTAB, 0, 0);
	put(m, strings, len);
	end(m, SEC_STRINGS);
}

static void put_link(struct making *m, const char *name, uint32_t crc)
{
	begin(m, SEC_LINK, SHT_PROGBITS, 0, 0);
	put(m, name, strlen(name) + 1);
	m->len = (m->len + 3) / 4 * 4;
	put(m, &crc, sizeof(crc));
	end(m, SEC_LINK);
}

static void put_headers(struct making *m, const struct elf_fixture *f)
{
	Elf64_Ehdr eh = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = f->type, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
		.e_phoff = sizeof(eh), .e_ehsize = sizeof(eh), .e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1, .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = SEC_CNT,
		.e_shstrndx = SEC_NAMES,
	};
	Elf64_Phdr ph = {
		.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = FIXTURE_OFF,
		.p_vaddr = FIXTURE_VADDR, .p_filesz = FIXTURE_BYTES, .p_memsz = 2 * FIXTURE_BYTES,
		.p_align = 0x1000,
	};

	align(m);
	eh.e_shoff = m->len;
	put(m, m->sections, sizeof(m->sections));
	memcpy(m->bytes, &eh, sizeof(eh));
	memcpy(m->bytes + sizeof(eh), &ph, sizeof(ph));
}

size_t elf_fixture_write(const struct elf_fixture *f, int fd)
{
	static const char names[] = "\0.gnu_debuglink";
	struct making *m = calloc(1, sizeof(*m));
	size_t len;

	REQUIRE(m);
	m->len = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
	if (f->build_id)
		put_note(m, f->build_id);
	if (f->table)
		put_symbols(m, f);
	if (f->debug_link)
		put_link(m, f->debug_link, f->debug_crc);
	begin(m, SEC_NAMES, SHT_STRTAB, 0, 0);
	put(m, names, sizeof(names));
	end(m, SEC_NAMES);
	if (f->debug_link)
		m->sections[SEC_LINK].sh_name = 1;
	put_headers(m, f);
	len = m->len;
	REQUIRE(ftruncate(fd, 0) == 0 && io_pwrite_all(fd, m->bytes, len, 0) == 0);
	free(m);
	return len;
}

int elf_fixture_open(const struct elf_fixture *f)
{
	int fd = memfd_create("object", MFD_CLOEXEC);

	REQUIRE(fd >= 0);
	elf_fixture_write(f, fd);
	return fd;
}
