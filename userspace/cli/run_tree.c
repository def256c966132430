/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/run_tree.h"

#include <ctype.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/io.h"

struct process {
	pid_t pid, parent;
	bool ended;
};

struct walk {
	struct process *v;	/* ascending by parent */
	size_t cnt, cap;
	int sig;
	struct run_tree_seen seen;
};

/* Return: false: there is none of that number, or it is not shown. */
static bool look_at(pid_t pid, struct process *process)
{
	char path[64], text[1024], state;
	int parent, threads;
	const char *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (io_read_text(path, text, sizeof(text)) < 0)
		return false;
	/* The name, in parentheses, may hold anything, parentheses included. */
	end = strrchr(text, ')');
	if (!end || sscanf(end,
			   ") %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d",
			   &state, &parent, &threads) != 3)
		return false;
	/* The first thread of a process may have ended before the others. */
	*process = (struct process){ pid, parent, (state == 'Z' || state == 'X') && threads <= 1 };
	return true;
}

static void read_processes(struct walk *walk)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		struct process process;

		if (isdigit((unsigned char)entry->d_name[0]) &&
		    look_at((pid_t)strtol(entry->d_name, NULL, 10), &process))
			*vec_push(walk->v, walk->cnt, walk->cap) = process;
	}
	if (proc)
		closedir(proc);
}

static int by_parent(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return (x->parent > y->parent) - (x->parent < y->parent);
}

static size_t first_child_of(const struct walk *walk, pid_t parent)
{
	size_t low = 0, high = walk->cnt;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (walk->v[middle].parent < parent)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Ended or not, it has its number until this process waits for it. */
static bool is_own_child(pid_t pid, bool *ended)
{
	siginfo_t info = { 0 };

	if (waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT))
		return false;
	*ended = info.si_pid != 0;
	return true;
}

static bool is_gone(int pidfd)
{
	struct pollfd fd = { .fd = pidfd, .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

static void count(struct walk *walk, pid_t pid)
{
	walk->seen.cnt++;
	walk->seen.pid = pid;
}

static void signal_child(struct walk *walk, pid_t pid, bool ended)
{
	kill(pid, walk->sig);
	if (!ended)
		count(walk, pid);
}

/* @parent, held by @parent_fd; -1: a child of this process, or itself. */
static void signal_below(struct walk *walk, pid_t parent, int parent_fd)
{
	for (size_t i = first_child_of(walk, parent);
	     i < walk->cnt && walk->v[i].parent == parent; i++) {
		struct process now;
		pid_t pid = walk->v[i].pid;
		bool ended;
		int fd;

		if (!pid)
			continue;
		/* each once, whatever the parents were while they were read */
		walk->v[i].pid = 0;
		/* Its parent may have ended since it was looked at. */
		if (is_own_child(pid, &ended)) {
			signal_child(walk, pid, ended);
			signal_below(walk, pid, -1);
			continue;
		}
		fd = (int)syscall(SYS_pidfd_open, pid, 0);
		if (fd < 0)
			continue;
		/* A parent that is still there has had its number all the time. */
		if (look_at(pid, &now) && now.parent == parent && !is_gone(parent_fd)) {
			syscall(SYS_pidfd_send_signal, fd, walk->sig, NULL, 0);
			if (!now.ended)
				count(walk, pid);
			signal_below(walk, pid, fd);
		}
		close(fd);
	}
}

struct run_tree_seen run_tree_signal(int sig)
{
	struct walk walk = { .sig = sig };

	read_processes(&walk);
	qsort(walk.v, walk.cnt, sizeof(*walk.v), by_parent);
	signal_below(&walk, getpid(), -1);
	free(walk.v);
	/* A mount of /proc may hide other users' processes. */
	return walk.seen.cnt ? walk.seen : run_tree_signal_children(sig);
}

struct run_tree_seen run_tree_signal_children(int sig)
{
	struct walk walk = { .sig = sig };
	char path[64];
	FILE *list;
	bool ended;
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	list = fopen(path, "re");
	while (list && fscanf(list, "%d", &pid) == 1)
		if (is_own_child(pid, &ended))
			signal_child(&walk, pid, ended);
	if (list)
		fclose(list);
	return walk.seen;
}
