/* SPDX-License-Identifier: GPL-2.0-only */
#include "util/elf_symbols.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

#define PAGE_BYTES 4096u	/* x86-64 has no other */
#define SEGMENTS_MAX 64		/* loaded ones that are kept; linkers make about five */
#define SECTIONS_MAX 65536

struct segment {
	uint64_t off, file_bytes;
	uint64_t vaddr, mem_bytes;
	bool writable;
};

struct elf_symbols {
	Elf *elf;
	bool is_fixed;		/* ET_EXEC: loaded where it says */
	struct segment segments[SEGMENTS_MAX];
	size_t segment_cnt;
};

static bool read_segments(struct elf_symbols *es)
{
	size_t cnt;

	if (elf_getphdrnum(es->elf, &cnt))
		return false;
	for (size_t i = 0; i < cnt && i <= UINT16_MAX && es->segment_cnt < SEGMENTS_MAX; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(es->elf, (int)i, &ph))
			return false;
		if (ph.p_type != PT_LOAD || ph.p_filesz > ph.p_memsz ||
		    ph.p_offset > UINT64_MAX - ph.p_filesz || ph.p_vaddr > UINT64_MAX - ph.p_memsz)
			continue;
		es->segments[es->segment_cnt++] = (struct segment){
			.off = ph.p_offset, .file_bytes = ph.p_filesz, .vaddr = ph.p_vaddr,
			.mem_bytes = ph.p_memsz, .writable = ph.p_flags & PF_W,
		};
	}
	return true;
}

int elf_symbols_open(struct elf_symbols **out, int fd)
{
	struct elf_symbols *es;
	size_t sections;
	GElf_Ehdr eh;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return -ENOEXEC;
	es = xcalloc(1, sizeof(*es));
	es->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!es->elf || elf_kind(es->elf) != ELF_K_ELF || !gelf_getehdr(es->elf, &eh) ||
	    elf_getshdrnum(es->elf, &sections) || sections > SECTIONS_MAX || !read_segments(es)) {
		elf_symbols_free(es);
		return -ENOEXEC;
	}
	es->is_fixed = eh.e_type == ET_EXEC;
	*out = es;
	return 0;
}

void elf_symbols_free(struct elf_symbols *es)
{
	if (!es)
		return;
	elf_end(es->elf);
	free(es);
}

/* True if this mapping can be of this segment; then what memory is ahead of the file by. */
static bool bias_by(const struct elf_symbols *es, const struct segment *s,
		    const struct elf_mapping *m, uint64_t *bias)
{
	uint64_t first = s->off & ~(uint64_t)(PAGE_BYTES - 1);

	/* A page where two segments meet is mapped for both. */
	if (m->off < first || m->off >= s->off + s->file_bytes || m->writable != s->writable)
		return false;
	*bias = m->start - (m->off - s->off + s->vaddr);
	return !(*bias & (PAGE_BYTES - 1)) && !(es->is_fixed && *bias);
}

bool elf_symbols_vaddr(const struct elf_symbols *es, const struct elf_mapping *mapping,
		       uint64_t addr, uint64_t *vaddr)
{
	for (size_t i = 0; i < es->segment_cnt; i++) {
		const struct segment *s = &es->segments[i];
		uint64_t bias;

		if (!bias_by(es, s, mapping, &bias))
			continue;
		*vaddr = addr - bias;
		if (*vaddr >= s->vaddr && *vaddr - s->vaddr < s->mem_bytes)
			return true;
	}
	return false;
}

/* The next section of a type behind @after (NULL: the first); its header in @sh. */
static Elf_Scn *next_section(const struct elf_symbols *es, Elf_Scn *after, uint32_t type,
			     GElf_Shdr *sh)
{
	while ((after = elf_nextscn(es->elf, after)) != NULL)
		if (gelf_getshdr(after, sh) && sh->sh_type == type)
			return after;
	return NULL;
}

/* What a section holds in the file; NULL if it is too large or not there. */
static Elf_Data *section_data(Elf_Scn *scn)
{
	GElf_Shdr sh;

	if (!scn || !gelf_getshdr(scn, &sh) || sh.sh_type == SHT_NOBITS ||
	    sh.sh_size > ELF_SECTION_MAX)
		return NULL;
	return elf_getdata(scn, NULL);
}

/* ---- names ---- */

static int binding_rank(uint8_t binding)
{
	return binding == STB_GLOBAL ? 0 : binding == STB_WEAK ? 1 : 2;
}

static bool is_better(const GElf_Sym *sym, const char *name, const struct elf_name *than)
{
	uint8_t binding = GELF_ST_BIND(sym->st_info);

	if (!than->name)
		return true;
	if (sym->st_size != than->symbol_size)
		return sym->st_size < than->symbol_size;
	if (binding_rank(binding) != binding_rank(than->binding))
		return binding_rank(binding) < binding_rank(than->binding);
	return strcmp(name, than->name) < 0;
}

static bool can_name(const GElf_Sym *sym)
{
	switch (GELF_ST_TYPE(sym->st_info)) {
	case STT_SECTION:
	case STT_FILE:
	case STT_TLS:
		return false;
	}
	return sym->st_size && sym->st_shndx != SHN_UNDEF && sym->st_shndx != SHN_ABS &&
	       sym->st_shndx != SHN_COMMON;
}

/* The first name at or behind @vaddr. */
static size_t first_from(const struct elf_name *names, size_t cnt, uint64_t vaddr)
{
	size_t low = 0;

	while (low < cnt) {
		size_t mid = low + (cnt - low) / 2;

		if (names[mid].vaddr < vaddr)
			low = mid + 1;
		else
			cnt = mid;
	}
	return low;
}

static void offer(const struct elf_symbols *es, size_t strings, const GElf_Sym *sym,
		  struct elf_name *names, size_t cnt)
{
	size_t i = first_from(names, cnt, sym->st_value);
	const char *name;

	if (i == cnt || names[i].vaddr - sym->st_value >= sym->st_size)
		return;
	name = elf_strptr(es->elf, strings, sym->st_name);
	if (!name || !name[0] || strnlen(name, ELF_NAME_MAX + 1) > ELF_NAME_MAX)
		return;
	for (; i < cnt && names[i].vaddr - sym->st_value < sym->st_size; i++) {
		if (!is_better(sym, name, &names[i]))
			continue;
		free(names[i].name);
		names[i].name = xstrdup(name);
		names[i].symbol_off = names[i].vaddr - sym->st_value;
		names[i].symbol_size = sym->st_size;
		names[i].binding = GELF_ST_BIND(sym->st_info);
	}
}

static void name_from(const struct elf_symbols *es, uint32_t type, struct elf_name *names,
		      size_t cnt)
{
	size_t entry = gelf_fsize(es->elf, ELF_T_SYM, 1, EV_CURRENT);
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while (entry && (scn = next_section(es, scn, type, &sh)) != NULL) {
		Elf_Data *data = section_data(scn);

		/* elf_strptr() reads the strings by itself. */
		if (!data || !section_data(elf_getscn(es->elf, sh.sh_link)))
			continue;
		for (size_t i = 0; i < data->d_size / entry && i <= INT32_MAX; i++) {
			GElf_Sym sym;

			if (gelf_getsym(data, (int)i, &sym) && can_name(&sym))
				offer(es, sh.sh_link, &sym, names, cnt);
		}
	}
}

void elf_symbols_name(const struct elf_symbols *es, struct elf_name *names, size_t cnt)
{
	name_from(es, SHT_SYMTAB, names, cnt);
	name_from(es, SHT_DYNSYM, names, cnt);
}

bool elf_symbols_has_symtab(const struct elf_symbols *es)
{
	GElf_Shdr sh;

	return next_section(es, NULL, SHT_SYMTAB, &sh);
}

/* ---- where else symbols may be ---- */

static size_t build_id_in(Elf_Data *data, uint8_t *id)
{
	size_t off = 0, name_off, desc_off;
	GElf_Nhdr nh;

	while ((off = gelf_getnote(data, off, &nh, &name_off, &desc_off)) > 0) {
		const char *bytes = data->d_buf;

		if (nh.n_type != NT_GNU_BUILD_ID || nh.n_namesz != sizeof("GNU") ||
		    memcmp(bytes + name_off, "GNU", sizeof("GNU")) || !nh.n_descsz ||
		    nh.n_descsz > ELF_BUILD_ID_MAX)
			continue;
		memcpy(id, bytes + desc_off, nh.n_descsz);
		return nh.n_descsz;
	}
	return 0;
}

size_t elf_symbols_build_id(const struct elf_symbols *es, uint8_t *id)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = next_section(es, scn, SHT_NOTE, &sh)) != NULL) {
		Elf_Data *data = section_data(scn);
		size_t len = data ? build_id_in(data, id) : 0;

		if (len)
			return len;
	}
	return 0;
}

bool elf_symbols_debug_link(const struct elf_symbols *es, char *name, uint32_t *crc)
{
	Elf_Scn *scn = NULL;
	size_t strings;
	GElf_Shdr sh;

	if (elf_getshdrstrndx(es->elf, &strings))
		return false;
	while ((scn = next_section(es, scn, SHT_PROGBITS, &sh)) != NULL) {
		const char *section = elf_strptr(es->elf, strings, sh.sh_name);
		Elf_Data *data;
		size_t len;

		if (!section || strcmp(section, ".gnu_debuglink"))
			continue;
		/* A name, its NUL, up to three more to the next multiple of four, the checksum. */
		data = section_data(scn);
		if (!data || !data->d_buf)
			return false;
		len = strnlen(data->d_buf, data->d_size);
		if (!len || len >= ELF_NAME_MAX || (len + 4) / 4 * 4 + 4 > data->d_size)
			return false;
		memcpy(name, data->d_buf, len + 1);
		memcpy(crc, (const char *)data->d_buf + (len + 4) / 4 * 4, sizeof(*crc));
		return true;
	}
	return false;
}
