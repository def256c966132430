/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tree - trees of processes that are hard to end, for root_tree.bats.
 *
 *	tree KIND MARK COUNT
 *
 * Each process ends by itself after a minute, whatever happens. MARK is there to be found by.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIFE_S 60
#define AT_ONCE 50	/* daemons of one parent */

static void rest(void)
{
	for (;;)
		pause();
}

/* @cnt processes, each of a session of its own, whose parent has ended. Return: 1 in each of them. */
static int be_daemons(int cnt)
{
	pid_t pid = fork();

	if (pid > 0)
		waitpid(pid, NULL, 0);
	if (pid)
		return 0;
	while (cnt-- > 0) {
		if (!fork()) {
			setsid();
			alarm(LIFE_S);
			return 1;
		}
	}
	_exit(0);
}

static void make_daemons(int cnt)
{
	for (; cnt > 0; cnt -= AT_ONCE)
		if (be_daemons(cnt < AT_ONCE ? cnt : AT_ONCE))
			rest();
}

static void ignore_signals(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
}

int main(int argc, char **argv)
{
	const char *kind = argc == 4 ? argv[1] : "";
	int cnt = argc == 4 ? (int)strtol(argv[3], NULL, 10) : 0;

	alarm(LIFE_S);
	if (!strcmp(kind, "daemons")) {
		make_daemons(cnt);
		rest();
	} else if (!strcmp(kind, "stubborn")) {
		ignore_signals();
		make_daemons(cnt);
		rest();
	} else if (!strcmp(kind, "half")) {
		ignore_signals();
		make_daemons(cnt);
		signal(SIGINT, SIG_DFL);
		rest();
	} else if (!strcmp(kind, "leave")) {
		make_daemons(cnt);
	} else if (!strcmp(kind, "short") || !strcmp(kind, "die")) {
		if (be_daemons(cnt)) {
			usleep(20000);
			return 0;
		}
		if (kind[0] == 'd')
			rest();
	} else if (!strcmp(kind, "grow")) {
		ignore_signals();
		for (int i = 0; i < cnt; i++) {
			make_daemons(1);
			usleep(1000);
		}
	} else if (!strcmp(kind, "hop")) {
		ignore_signals();
		for (int i = 0; i < cnt && !fork(); i++)
			;
	} else if (!strcmp(kind, "later")) {
		usleep(500000);
		make_daemons(1);
	} else {
		fprintf(stderr, "tree KIND MARK COUNT\n");
		return 2;
	}
	return 0;
}
