/* SPDX-License-Identifier: GPL-2.0-only */

#include "cli/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static void *do_nothing(void *arg)
{
	return arg;
}

/* In a child, confined for good. Return: 0, or the line of what was other than it should be. */
static int try_all(const char *file, int open_fd)
{
	char *const argv[] = { "true", NULL };
	pthread_t thread;
	char byte;
	int fd;

#define HOLDS(what) do { errno = 0; if (!(what)) return __LINE__; } while (0)
#define REFUSED(call) HOLDS((call) == -1 && errno == EPERM)
	HOLDS(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !confine_reader());
	/* What a reader does. */
	HOLDS((fd = open(file, O_RDONLY | O_CLOEXEC)) >= 0 && read(fd, &byte, 1) == 1 &&
	      !close(fd));
	HOLDS(write(open_fd, "x", 1) == 1 && !ftruncate(open_fd, 1));
	HOLDS(!pthread_create(&thread, NULL, do_nothing, NULL) && !pthread_join(thread, NULL));
	HOLDS(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	HOLDS(signal(SIGUSR1, SIG_IGN) != SIG_ERR && !raise(SIGUSR1));
	/* And what it does not. */
	REFUSED(open(file, O_WRONLY));
	REFUSED(open(file, O_RDWR));
	REFUSED(open(file, O_RDONLY | O_TRUNC));
	REFUSED(open("/tmp", O_TMPFILE | O_WRONLY, 0600));
	REFUSED(open("new", O_RDONLY | O_CREAT, 0600));
	REFUSED(unlink(file));
	REFUSED(rename(file, "other"));
	REFUSED(link(file, "other"));
	REFUSED(symlink(file, "other"));
	REFUSED(mkdir("folder", 0700));
	REFUSED(chmod(file, 0777));
	REFUSED(fchmod(open_fd, 0777));
	REFUSED(truncate(file, 0));
	REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
	REFUSED(socket(AF_INET, SOCK_STREAM, 0));
	REFUSED(kill(getppid(), 0));
	REFUSED(kill(-1, 0));
	REFUSED(ioctl(open_fd, TIOCSTI, "x"));
	REFUSED(execv("/bin/true", argv));
	return 0;
}

TEST(confine_leaves_a_reader_what_it_needs_and_nothing_else)
{
	char file[] = "/tmp/lab-confine-XXXXXX";
	int open_fd = mkstemp(file), status;
	pid_t pid;

	REQUIRE(open_fd >= 0 && write(open_fd, "x", 1) == 1);
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		int line = try_all(file, open_fd);

		if (line)
			fprintf(stderr, "line %d: %s\n", line, strerror(errno));
		_exit(line ? 1 : 0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	unlink(file);
	close(open_fd);
	CHECK_EQ(status, 0);
}
