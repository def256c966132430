/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/io.h"

/* An empty file that goes with the test. */
static int scratch_file(char path[static 64])
{
	int fd;

	strncpy(path, "/tmp/lab-unit-XXXXXX", 64);
	fd = mkstemp(path);
	if (fd < 0)
		SKIP("no file can be made in /tmp");
	return fd;
}

TEST(io_writes_and_reads_at_offsets)
{
	char path[64], back[8] = "";
	int fd = scratch_file(path);

	CHECK_EQ(io_write_all(fd, "abcdef", 6), 0);
	CHECK_EQ(io_pwrite_all(fd, "XY", 2, 2), 0);
	CHECK_EQ(io_pread_all(fd, back, 6, 0), 0);
	CHECK_STR(back, "abXYef");
	CHECK_EQ(io_pread_all(fd, back, 2, 5), -ENODATA);
	CHECK_EQ(io_pread_all(fd, back, 0, 99), 0);
	unlink(path);
}

TEST(io_refuses_offsets_beyond_a_file)
{
	char path[64], byte = 0;
	int fd = scratch_file(path);

	CHECK_EQ(io_pwrite_all(fd, "x", 1, UINT64_MAX), -EFBIG);
	CHECK_EQ(io_pwrite_all(fd, "x", 1, INT64_MAX), -EFBIG);
	CHECK_EQ(io_pread_all(fd, &byte, 1, UINT64_MAX), -ENODATA);
	unlink(path);
}

TEST(io_reports_errors)
{
	char byte = 0;
	int full;

	CHECK_EQ(io_write_all(-1, "x", 1), -EBADF);
	CHECK_EQ(io_pread_all(-1, &byte, 1, 0), -EBADF);
	full = open("/dev/full", O_WRONLY);
	if (full >= 0)
		CHECK_EQ(io_write_all(full, "x", 1), -ENOSPC);
}

TEST(io_write_goes_through_a_slow_pipe)
{
	static char sent[300000];
	size_t got = 0;
	int ends[2];
	pid_t pid;

	memset(sent, 'a', sizeof(sent));
	REQUIRE(pipe(ends) == 0);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		_exit(io_write_all(ends[1], sent, sizeof(sent)) == 0 ? 0 : 1);
	}
	close(ends[1]);
	for (;;) {
		char some[777];
		ssize_t n = read(ends[0], some, sizeof(some));

		if (n <= 0)
			break;
		got += (size_t)n;
	}
	CHECK_EQ(got, sizeof(sent));
	waitpid(pid, NULL, 0);
}

TEST(io_read_text_fits_or_says_so)
{
	char path[64], text[8];
	int fd = scratch_file(path);

	REQUIRE(write(fd, "123456\n", 7) == 7);
	CHECK_EQ(io_read_text(path, text, sizeof(text)), 6);
	CHECK_STR(text, "123456");
	REQUIRE(write(fd, "8", 1) == 1);
	CHECK_EQ(io_read_text(path, text, sizeof(text)), -EFBIG);
	CHECK_STR(text, "");
	REQUIRE(ftruncate(fd, 0) == 0);
	CHECK_EQ(io_read_text(path, text, sizeof(text)), 0);
	CHECK_STR(text, "");
	unlink(path);
	CHECK_EQ(io_read_text(path, text, sizeof(text)), -ENOENT);
	CHECK_EQ(io_read_text("/", text, sizeof(text)), -EISDIR);
	CHECK_EQ(io_read_text("/proc/self/status", text, 0), -EINVAL);
}

TEST(io_create_at_follows_no_link)
{
	char path[64], link_path[80];
	struct stat st;
	int fd = scratch_file(path);

	close(fd);
	CHECK_EQ(io_create_at(AT_FDCWD, path), -EEXIST);
	unlink(path);
	snprintf(link_path, sizeof(link_path), "%s.link", path);
	REQUIRE(symlink(path, link_path) == 0);
	CHECK_EQ(io_create_at(AT_FDCWD, link_path), -EEXIST);
	CHECK(access(path, F_OK) < 0);
	unlink(link_path);

	fd = io_create_at(AT_FDCWD, path);
	REQUIRE(fd >= 0);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK(fstat(fd, &st) == 0);
	CHECK_EQ(st.st_mode & 07777, 0600);
	unlink(path);
}

TEST(io_says_the_reason_and_what_to_do)
{
	const struct rlimit large = { 1 << 20, RLIM_INFINITY };

	CHECK_STR(io_reason(EACCES), "Permission denied");
	CHECK(strstr(io_reason(ENOSPC), "No space left on device (free some"));
	CHECK(strstr(io_reason(ENOMEM), "ulimit -v"));
	CHECK(strstr(io_reason(ENOMEM), "memory.max"));
	CHECK(strstr(io_reason(EMFILE), "ulimit -n"));
	if (!setrlimit(RLIMIT_FSIZE, &large))
		CHECK(strstr(io_reason(EFBIG), "limit of this shell (raise it: ulimit -f)"));
}
