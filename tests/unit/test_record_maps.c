/* SPDX-License-Identifier: GPL-2.0-only */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record/maps.h"
#include "unit.h"
#include "util/alloc.h"
#include "util/io.h"
#include "util/minmax.h"

static bool parse(const char *line, struct map *map)
{
	size_t len = strlen(line);
	char *copy = xmalloc(len + 1);	/* so that a sanitizer sees its end */
	bool ok;

	memcpy(copy, line, len);
	copy = xreallocarray(copy, len ? len : 1, 1);
	ok = map_parse(copy, len, map);
	free(copy);
	return ok;
}

TEST(maps_line)
{
	struct map m;

	REQUIRE(parse("7f1c2000-7f1c3000 rw-p 0001f000 fd:1a 1835009          "
		      "/a b/lib c.so (deleted)", &m));
	CHECK_EQ(m.start, 0x7f1c2000);
	CHECK_EQ(m.end, 0x7f1c3000);
	CHECK_EQ(m.off, 0x1f000);
	CHECK_EQ(m.dev_major, 0xfd);
	CHECK_EQ(m.dev_minor, 0x1a);
	CHECK_EQ(m.ino, 1835009);
	CHECK(m.writable);
	CHECK_STR(m.path, "/a b/lib c.so (deleted)");
	REQUIRE(parse("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  "
		      "[vsyscall]", &m));
	CHECK_EQ(m.start, 0xffffffffff600000);
	CHECK(!m.writable);
	CHECK_STR(m.path, "[vsyscall]");
	REQUIRE(parse("1000-2000 rw-p 00000000 00:00 0 ", &m));
	CHECK_STR(m.path, "");
}

TEST(maps_lines_that_are_none)
{
	static const char *const lines[] = {
		"", "-", "1000", "1000-", "1000-2000", "1000-2000 ", "1000-2000 rw",
		"1000-2000 rw-p", "1000-2000 rw-p ", "1000-2000 rw-p 0 00:00",
		"1000-2000 rw-p 0 00:00 ", "1000-2000 rw-p 0 00-00 0 ", "2000-1000 rw-p 0 00:00 0 ",
		"1000-1000 rw-p 0 00:00 0 ", "g000-2000 rw-p 0 00:00 0 ",
		"10000000000000000-20000000000000000 rw-p 0 00:00 0 ", "1000-2000 rw-p 0 00:00 1f ",
		"1000-2000 rw-p 0 100000000:00 0 ", "1000-2000 rw-p 0 00:00 18446744073709551616 ",
		" 1000-2000 rw-p 0 00:00 0 ",
	};
	char line[MAPS_PATH_MAX + 64];
	struct map m;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		CHECK(!parse(lines[i], &m));
	memset(line, 'a', sizeof(line));
	memcpy(line, "1000-2000 rw-p 0 00:00 0 ", 25);
	line[25 + MAPS_PATH_MAX] = '\0';
	CHECK(!parse(line, &m));
	line[25 + MAPS_PATH_MAX - 1] = '\0';
	CHECK(parse(line, &m));
	CHECK_EQ(strlen(m.path), MAPS_PATH_MAX - 1);
}

/* What maps_find() reported, one line for each address. */
struct log {
	char text[4096];
	size_t calls;
};

static void note(void *ctx, size_t idx, const struct map *at, const struct map *before)
{
	struct log *log = ctx;
	size_t len = strlen(log->text);

	snprintf(log->text + len, sizeof(log->text) - len, "%zu %s %s\n", idx, at->path,
		 before ? before->path : "-");
	log->calls++;
}

static void find(const char *maps, const uint64_t *addrs, size_t cnt, struct log *log)
{
	int fd = memfd_create("maps", MFD_CLOEXEC);

	REQUIRE(fd >= 0 && io_write_all(fd, maps, strlen(maps)) == 0 &&
		lseek(fd, 0, SEEK_SET) == 0);
	*log = (struct log){ .calls = 0 };
	CHECK_EQ(maps_find(fd, addrs, cnt, note, log), 0);
	close(fd);
}

TEST(maps_find_the_mapping_and_the_file_before_it)
{
	static const char maps[] =
		"1000-2000 r--p 00000000 08:01 7 /prog\n"
		"2000-3000 rw-p 00001000 08:01 7 /prog\n"
		"3000-4000 rw-p 00000000 00:00 0 \n"		/* .bss */
		"4000-5000 rw-p 00000000 00:00 0 [heap]\n"	/* adjoins, where ASLR is off */
		"6000-7000 rw-p 00000000 00:00 0 \n"		/* does not */
		"7000-8000 rw-p 00000000 00:00 0 \n"
		"8000-9000 rw-s 00000000 00:05 9 /dev/shm/x\n"
		"nonsense\n"
		"9000-a000 rw-p 00000000 00:00 0 \n"
		"f000-ffff rw-p 00000000 00:00 0 [stack]\n";
	static const uint64_t addrs[] = {
		0, 0x1fff, 0x2000, 0x3000, 0x4800, 0x5000, 0x6000, 0x7000, 0x8000, 0x9000, 0xb000,
		0xf000, UINT64_MAX,
	};
	struct log log;

	find(maps, addrs, ARRAY_SIZE(addrs), &log);
	CHECK_STR(log.text, "1 /prog -\n2 /prog -\n3  /prog\n4 [heap] /prog\n6  -\n7  -\n"
			    "8 /dev/shm/x -\n9  -\n11 [stack] -\n");
	find(maps, addrs, 0, &log);
	CHECK_EQ(log.calls, 0);
	find("", addrs, ARRAY_SIZE(addrs), &log);
	CHECK_EQ(log.calls, 0);
	find("2000-3000 rw-p 00001000 08:01 7 /cut", addrs, ARRAY_SIZE(addrs), &log);
	CHECK_EQ(log.calls, 0);
}

/* More than one buffer, and more than is read of one process. */
TEST(maps_find_in_many_lines)
{
	const uint64_t lines = 200000, last = 0x1000 * (lines - 1);
	char *maps = xmalloc(lines * 64);
	size_t len = 0;
	const uint64_t addrs[] = { 0x5000, 0x1000 * 50000, last };
	struct log log;

	for (uint64_t i = 0; i < lines; i++)
		len += (size_t)snprintf(maps + len, 64,
					"%llx-%llx rw-p 00000000 00:00 %llu /file\n",
					(unsigned long long)i * 0x1000,
					(unsigned long long)(i + 1) * 0x1000,
					(unsigned long long)i + 1);
	CHECK(len > MAPS_BYTES_MAX);
	find(maps, addrs, 3, &log);
	CHECK_EQ(log.calls, 2);
	free(maps);
}

TEST(maps_find_in_this_process)
{
	static int word;
	uint64_t addrs[] = { (uintptr_t)&word, (uintptr_t)&addrs };
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	struct log log = { .calls = 0 };

	REQUIRE(fd >= 0);
	CHECK_EQ(maps_find(fd, addrs, 2, note, &log), 0);
	CHECK_EQ(log.calls, 2);
	CHECK(strstr(log.text, "/unit"));
	CHECK(strstr(log.text, "\n1 [stack] -\n"));
	close(fd);
}
