/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/log.h"

/* What reaches stderr from here to capture_end(). */
struct capture {
	int kept, ends[2];
};

static void capture_begin(struct capture *c)
{
	c->kept = dup(STDERR_FILENO);
	REQUIRE(c->kept >= 0 && pipe2(c->ends, O_NONBLOCK) == 0);
	REQUIRE(dup2(c->ends[1], STDERR_FILENO) >= 0);
}

static void capture_end(struct capture *c, char *dst, size_t size)
{
	ssize_t len;

	REQUIRE(dup2(c->kept, STDERR_FILENO) >= 0);
	len = read(c->ends[0], dst, size - 1);
	dst[len > 0 ? len : 0] = '\0';
	close(c->kept);
	close(c->ends[0]);
	close(c->ends[1]);
}

TEST(log_lines_are_safe_and_marked)
{
	struct capture c;
	char got[256];

	capture_begin(&c);
	log_err("cannot open \"%s\"", "a\033]52;c;x\a\nlab: forged");
	log_info("%d tasks", 3);
	log_debug("not shown");
	capture_end(&c, got, sizeof(got));
	CHECK_STR(got, "lab: cannot open \"a?]52;c;x??lab: forged\"\nlab: 3 tasks\n");
}

TEST(log_level_decides)
{
	struct capture c;
	char got[256];

	CHECK_EQ(log_get_level(), LOG_INFO);
	log_set_level(LOG_ERR);
	capture_begin(&c);
	log_warn("not shown");
	log_err("shown");
	capture_end(&c, got, sizeof(got));
	CHECK_STR(got, "lab: shown\n");
	log_set_level(LOG_DEBUG);
	CHECK_EQ(log_get_level(), LOG_DEBUG);
}

TEST(log_long_message_is_one_cut_line)
{
	static char path[20000];
	struct capture c;
	char got[8192];
	size_t len;

	memset(path, 'x', sizeof(path) - 1);
	errno = EAGAIN;
	capture_begin(&c);
	log_err("%s", path);
	CHECK_EQ(errno, EAGAIN);
	capture_end(&c, got, sizeof(got));
	len = strlen(got);
	CHECK_EQ(len, 4095);
	CHECK_STR(got + len - 3, "x~\n");
	CHECK(strchr(got, '\n') == got + len - 1);
}

static void check_and_free(char *text, const char *expected)
{
	CHECK_STR(text, expected);
	free(text);
}

TEST(alloc_never_returns_null)
{
	free(xmalloc(0));
	free(xcalloc(0, 8));
	free(xreallocarray(xmalloc(3), 0, 8));
	check_and_free(xstrdup(""), "");
	check_and_free(xstrndup("abc", 2), "ab");
	check_and_free(xstrndup("abc", 99), "abc");
	check_and_free(xasprintf("%s-%d", "a", 7), "a-7");
}

TEST(alloc_dies_with_status_5)
{
	volatile size_t huge = (size_t)-1 / 4;
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		xreallocarray(NULL, huge, 8);	/* overflows */
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
}

TEST(alloc_vector_grows_zeroed)
{
	size_t cnt = 0, cap = 0;
	int *v = NULL;

	for (int i = 0; i < 1000; i++) {
		int *added = vec_push(v, cnt, cap);

		CHECK_EQ(*added, 0);
		*added = i;
	}
	CHECK_EQ(cnt, 1000);
	CHECK(cap >= cnt);
	for (int i = 0; i < 1000; i++)
		CHECK_EQ(v[i], i);
	free(v);
	/* An emptied vector keeps its room, and what it held is gone. */
	v = NULL;
	cnt = cap = 0;
	*vec_push(v, cnt, cap) = 5;
	cnt = 0;
	CHECK_EQ(*vec_push(v, cnt, cap), 0);
	free(v);
}
