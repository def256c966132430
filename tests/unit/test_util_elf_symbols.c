/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "elf_fixture.h"
#include "unit.h"
#include "util/alloc.h"
#include "util/elf_debug.h"
#include "util/elf_symbols.h"
#include "util/io.h"
#include "util/minmax.h"

/* ---- the program that runs this ---- */

static int in_bss[8];
static int in_data[8] = { 1 };
int elf_symbols_test_global = 2;

/* Where the segment that can be written to is in memory. */
static int find_data(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct elf_mapping *mapping = ctx;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

		if (ph->p_type != PT_LOAD || !(ph->p_flags & PF_W))
			continue;
		*mapping = (struct elf_mapping){
			.start = (info->dlpi_addr + ph->p_vaddr) & ~(uint64_t)4095,
			.off = ph->p_offset & ~(uint64_t)4095,
			.writable = true,
		};
	}
	return 1;	/* the program itself comes first */
}

static void check_name_of(const struct elf_symbols *es, const struct elf_mapping *mapping,
			  const void *addr, const char *want, uint64_t off)
{
	struct elf_name name = { 0 };

	REQUIRE(elf_symbols_vaddr(es, mapping, (uintptr_t)addr, &name.vaddr));
	elf_symbols_name(es, &name, 1);
	CHECK_STR(name.name, want);
	CHECK_EQ(name.symbol_off, off);
	free(name.name);
}

TEST(elf_symbols_of_this_program)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct elf_mapping mapping = { 0 };
	uint8_t id[ELF_BUILD_ID_MAX];
	struct elf_symbols *es;
	uint64_t vaddr;

	REQUIRE(fd >= 0 && elf_symbols_open(&es, fd) == 0);
	dl_iterate_phdr(find_data, &mapping);
	in_bss[3] = in_data[0];
	check_name_of(es, &mapping, &in_bss[3], "in_bss", 12);
	check_name_of(es, &mapping, &in_data[0], "in_data", 0);
	check_name_of(es, &mapping, (char *)&elf_symbols_test_global + 3,
		      "elf_symbols_test_global", 3);
	CHECK(elf_symbols_has_symtab(es));
	CHECK(elf_symbols_build_id(es, id) >= 8);
	CHECK(!elf_symbols_vaddr(es, &mapping, (uintptr_t)&vaddr, &vaddr));	/* on the stack */
	mapping.writable = false;
	CHECK(!elf_symbols_vaddr(es, &mapping, (uintptr_t)&in_bss, &vaddr));
	elf_symbols_free(es);
	close(fd);
}

/* ---- made by hand ---- */

#define OBJECT(bind) ELF64_ST_INFO(bind, STT_OBJECT)

static char *name_at(const struct elf_fixture *f, uint64_t vaddr)
{
	struct elf_name name = { .vaddr = vaddr };
	int fd = elf_fixture_open(f);
	struct elf_symbols *es;

	REQUIRE(elf_symbols_open(&es, fd) == 0);
	elf_symbols_name(es, &name, 1);
	if (name.name)
		CHECK_EQ(name.vaddr, vaddr);
	elf_symbols_free(es);
	close(fd);
	return name.name;
}

TEST(elf_symbols_smallest_then_global_then_first)
{
	static const struct elf_fixture_symbol symbols[] = {
		{ "all", 0x4100, 0x100, OBJECT(STB_GLOBAL), 1 },
		{ "local", 0x4110, 8, OBJECT(STB_LOCAL), 1 },
		{ "weak", 0x4110, 8, OBJECT(STB_WEAK), 1 },
		{ "global_b", 0x4110, 8, OBJECT(STB_GLOBAL), 1 },
		{ "global_a", 0x4110, 8, OBJECT(STB_GLOBAL), 1 },
		{ "no_size", 0x4120, 0, OBJECT(STB_GLOBAL), 1 },
		{ "of_threads", 0x4120, 4, ELF64_ST_INFO(STB_GLOBAL, STT_TLS), 1 },
		{ "section", 0x4120, 4, ELF64_ST_INFO(STB_LOCAL, STT_SECTION), 1 },
		{ "elsewhere", 0x4120, 4, OBJECT(STB_GLOBAL), SHN_UNDEF },
		{ "absolute", 0x4120, 4, OBJECT(STB_GLOBAL), SHN_ABS },
		{ "", 0x4120, 2, OBJECT(STB_GLOBAL), 1 },
	};
	static const struct {
		uint64_t vaddr;
		const char *name;
	} want[] = {
		{ 0x40ff, NULL }, { 0x4100, "all" }, { 0x410f, "all" }, { 0x4110, "global_a" },
		{ 0x4117, "global_a" }, { 0x4118, "all" }, { 0x4120, "all" }, { 0x41ff, "all" },
		{ 0x4200, NULL }, { 0, NULL }, { UINT64_MAX, NULL },
	};
	const uint32_t tables[] = { SHT_SYMTAB, SHT_DYNSYM };

	for (size_t t = 0; t < 2; t++) {
		struct elf_fixture f = { .type = ET_DYN, .symbols = symbols, .table = tables[t],
					 .symbol_cnt = ARRAY_SIZE(symbols) };

		for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
			char *name = name_at(&f, want[i].vaddr);

			CHECK_STR(name, want[i].name);
			free(name);
		}
	}
}

TEST(elf_symbols_names_many_at_once)
{
	static const struct elf_fixture_symbol symbols[] = {
		{ "b", 0x4110, 0x10, OBJECT(STB_GLOBAL), 1 },
		{ "a", 0x4100, 0x10, OBJECT(STB_GLOBAL), 1 },
	};
	struct elf_fixture f = { .type = ET_DYN, .symbols = symbols, .table = SHT_SYMTAB,
				 .symbol_cnt = 2 };
	struct elf_name names[] = { { .vaddr = 0x4100 }, { .vaddr = 0x4100 }, { .vaddr = 0x410f },
				    { .vaddr = 0x4110 }, { .vaddr = 0x4120 } };
	int fd = elf_fixture_open(&f);
	struct elf_symbols *es;

	REQUIRE(elf_symbols_open(&es, fd) == 0);
	elf_symbols_name(es, names, ARRAY_SIZE(names));
	CHECK_STR(names[0].name, "a");
	CHECK_STR(names[1].name, "a");
	CHECK_STR(names[2].name, "a");
	CHECK_EQ(names[2].symbol_off, 15);
	CHECK_STR(names[3].name, "b");
	CHECK(!names[4].name);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		free(names[i].name);
	elf_symbols_free(es);
	close(fd);
}

TEST(elf_symbols_addresses_by_mapping)
{
	struct elf_fixture f = { .type = ET_DYN };
	struct elf_mapping m = { .start = 0x7f0000001000, .off = 0x2000, .writable = true };
	int fd = elf_fixture_open(&f);
	struct elf_symbols *es;
	uint64_t vaddr = 0;

	REQUIRE(elf_symbols_open(&es, fd) == 0);
	CHECK(elf_symbols_vaddr(es, &m, 0x7f0000001100, &vaddr));
	CHECK_EQ(vaddr, 0x4100);
	CHECK(elf_symbols_vaddr(es, &m, 0x7f00000011ff, &vaddr));	/* last byte, not in file */
	CHECK_EQ(vaddr, 0x41ff);
	CHECK(!elf_symbols_vaddr(es, &m, 0x7f00000010ff, &vaddr));
	CHECK(!elf_symbols_vaddr(es, &m, 0x7f0000001200, &vaddr));
	CHECK(!elf_symbols_vaddr(es, &m, 0, &vaddr));
	CHECK(!elf_symbols_vaddr(es, &m, UINT64_MAX, &vaddr));
	m.off = 0x1000;
	CHECK(!elf_symbols_vaddr(es, &m, 0x7f0000001100, &vaddr));
	m.off = 0x3000;
	CHECK(!elf_symbols_vaddr(es, &m, 0x7f0000001100, &vaddr));
	elf_symbols_free(es);
	close(fd);

	/* A fixed program is where it says, or it is another. */
	f.type = ET_EXEC;
	m.off = 0x2000;
	fd = elf_fixture_open(&f);
	REQUIRE(elf_symbols_open(&es, fd) == 0);
	CHECK(!elf_symbols_vaddr(es, &m, 0x7f0000001100, &vaddr));
	m.start = 0x4000;
	CHECK(elf_symbols_vaddr(es, &m, 0x4100, &vaddr));
	CHECK_EQ(vaddr, 0x4100);
	elf_symbols_free(es);
	close(fd);
}

TEST(elf_symbols_refuses_what_is_no_object)
{
	int fd = memfd_create("object", MFD_CLOEXEC);
	struct elf_symbols *es;

	CHECK_EQ(elf_symbols_open(&es, fd), -ENOEXEC);
	REQUIRE(io_pwrite_all(fd, "!<arch>\n"
			      "/               0           0     0     0       0         `\n",
			      68, 0) == 0);
	CHECK_EQ(elf_symbols_open(&es, fd), -ENOEXEC);
	REQUIRE(io_pwrite_all(fd, "\177ELF\2\1\1", 7, 0) == 0);
	CHECK_EQ(elf_symbols_open(&es, fd), -ENOEXEC);
	elf_symbols_free(NULL);
	close(fd);
}

/* Everything that is asked of an object. */
static void use(int fd)
{
	struct elf_mapping m = { .start = 0x1000, .off = 0x2000, .writable = true };
	struct elf_name names[] = { { .vaddr = 0x4100 }, { .vaddr = 0x4110 }, { .vaddr = 0x41ff } };
	uint8_t id[ELF_BUILD_ID_MAX];
	char link[ELF_NAME_MAX];
	struct elf_symbols *es;
	uint64_t vaddr;
	uint32_t crc;

	if (elf_symbols_open(&es, fd))
		return;
	elf_symbols_vaddr(es, &m, 0x1100, &vaddr);
	elf_symbols_name(es, names, ARRAY_SIZE(names));
	CHECK(elf_symbols_build_id(es, id) <= sizeof(id));
	if (elf_symbols_debug_link(es, link, &crc))
		CHECK(strnlen(link, sizeof(link)) < sizeof(link));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CHECK(!names[i].name || names[i].name[0]);
		free(names[i].name);
	}
	elf_symbols_free(es);
}

TEST(elf_symbols_survives_any_byte_and_any_length)
{
	static const struct elf_fixture_symbol symbols[] = {
		{ "one", 0x4100, 0x20, OBJECT(STB_GLOBAL), 1 },
		{ "two", 0x4110, 8, OBJECT(STB_LOCAL), 1 },
	};
	struct elf_fixture f = { .type = ET_DYN, .symbols = symbols, .symbol_cnt = 2,
				 .table = SHT_SYMTAB, .build_id = "0123456789abcdef",
				 .debug_link = "object.debug", .debug_crc = 7 };
	static const uint8_t bytes[] = { 0, 1, 2, 7, 0x7f, 0x80, 0xff };
	int fd = elf_fixture_open(&f);
	size_t len = (size_t)lseek(fd, 0, SEEK_END);
	uint8_t *good = xmalloc(len);

	REQUIRE(io_pread_all(fd, good, len, 0) == 0);
	for (size_t i = 0; i < len; i++)
		for (size_t k = 0; k < ARRAY_SIZE(bytes); k++) {
			REQUIRE(io_pwrite_all(fd, &bytes[k], 1, i) == 0);
			use(fd);
			REQUIRE(io_pwrite_all(fd, &good[i], 1, i) == 0);
		}
	for (size_t cut = len; cut > 0; cut--) {
		REQUIRE(ftruncate(fd, (off_t)cut - 1) == 0);
		use(fd);
	}
	free(good);
	close(fd);
}

/* ---- separate debug files ---- */

static void make_folders(const char *root, const char *path)
{
	char folder[256];

	snprintf(folder, sizeof(folder), "%s%s", root, path);
	for (char *slash = folder + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL;
	     slash++) {
		*slash = '\0';
		REQUIRE(mkdir(folder, 0700) == 0 || errno == EEXIST);
		*slash = '/';
	}
}

/* Write the object at ROOT/PATH. Return: the checksum of its bytes. */
static uint32_t write_at(const struct elf_fixture *f, const char *root, const char *path)
{
	char name[256], bytes[0x4000];
	size_t len;
	int fd;

	make_folders(root, path);
	snprintf(name, sizeof(name), "%s%s", root, path);
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	REQUIRE(fd >= 0);
	len = elf_fixture_write(f, fd);
	REQUIRE(len <= sizeof(bytes) && io_pread_all(fd, bytes, len, 0) == 0);
	close(fd);
	return (uint32_t)crc32(0, (const uint8_t *)bytes, (uInt)len);
}

/* The inode of the debug file that is found for @f at ROOT/opt/object; 0: none. */
static ino_t found_for(const struct elf_fixture *f, const char *root)
{
	char path[256], debug[256];
	int fd = elf_fixture_open(f), debug_fd;
	struct elf_symbols *es;
	struct stat st = { 0 };

	REQUIRE(elf_symbols_open(&es, fd) == 0);
	snprintf(path, sizeof(path), "%s/opt/object", root);
	snprintf(debug, sizeof(debug), "%s/debug", root);
	debug_fd = elf_debug_open(es, path, debug);
	if (debug_fd >= 0) {
		REQUIRE(fstat(debug_fd, &st) == 0);
		close(debug_fd);
	} else {
		CHECK_EQ(debug_fd, -ENOENT);
	}
	elf_symbols_free(es);
	close(fd);
	return st.st_ino;
}

static ino_t inode_of(const char *root, const char *path)
{
	char name[256];
	struct stat st;

	snprintf(name, sizeof(name), "%s%s", root, path);
	REQUIRE(stat(name, &st) == 0);
	return st.st_ino;
}

static void remove_tree(const char *root)
{
	char *command = xasprintf("rm -rf '%s'", root);
	FILE *p = popen(command, "r");

	if (p)
		pclose(p);
	free(command);
}

TEST(elf_debug_by_build_id)
{
	const char *at = "/debug/.build-id/41/42434445.debug";
	struct elf_fixture object = { .type = ET_DYN, .build_id = "ABCDE" };
	struct elf_fixture other = { .type = ET_DYN, .build_id = "ABCDX", .table = SHT_SYMTAB };
	char root[] = "/tmp/lab-elf-XXXXXX";

	REQUIRE(mkdtemp(root));
	CHECK_EQ(found_for(&object, root), 0);
	write_at(&object, root, at);
	CHECK_EQ(found_for(&object, root), inode_of(root, at));
	write_at(&other, root, at);		/* another's, whatever its name */
	CHECK_EQ(found_for(&object, root), 0);
	object.build_id = NULL;
	CHECK_EQ(found_for(&object, root), 0);
	remove_tree(root);
}

TEST(elf_debug_by_link)
{
	struct elf_fixture debug = { .type = ET_DYN, .table = SHT_SYMTAB };
	struct elf_fixture object = { .type = ET_DYN, .debug_link = "object.debug" };
	char root[] = "/tmp/lab-elf-XXXXXX", below[128];

	REQUIRE(mkdtemp(root));
	snprintf(below, sizeof(below), "/debug%s/opt/object.debug", root);
	object.debug_crc = write_at(&debug, root, below);
	CHECK_EQ(found_for(&object, root), inode_of(root, below));
	write_at(&debug, root, "/opt/.debug/object.debug");
	CHECK_EQ(found_for(&object, root), inode_of(root, "/opt/.debug/object.debug"));
	write_at(&debug, root, "/opt/object.debug");
	CHECK_EQ(found_for(&object, root), inode_of(root, "/opt/object.debug"));
	object.debug_crc ^= 1;
	CHECK_EQ(found_for(&object, root), 0);

	/* Where both have a build-id, that counts and not the checksum. */
	object.build_id = debug.build_id = "0123456789";
	write_at(&debug, root, "/opt/object.debug");
	CHECK_EQ(found_for(&object, root), inode_of(root, "/opt/object.debug"));
	debug.build_id = "0123456780";
	object.debug_crc = write_at(&debug, root, "/opt/object.debug");
	CHECK_EQ(found_for(&object, root), 0);

	object.debug_link = "../opt/object.debug";
	CHECK_EQ(found_for(&object, root), 0);
	remove_tree(root);
}
