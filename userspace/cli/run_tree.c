/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/run_tree.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/io.h"

struct process {
	pid_t pid, parent;
};

struct processes {
	struct process *v;
	size_t cnt, cap;
};

/* The parent of @pid, or 0 if it has ended. */
static pid_t parent_of(pid_t pid)
{
	char path[64], text[512];
	const char *end;
	int parent;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (io_read_text(path, text, sizeof(text)) < 0)
		return 0;
	/* The name, in parentheses, may hold anything, parentheses included. */
	end = strrchr(text, ')');
	return end && sscanf(end, ") %*c %d", &parent) == 1 ? parent : 0;
}

static void read_processes(struct processes *all)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	*all = (struct processes){ 0 };
	while (proc && (entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		pid_t parent = pid > 0 ? parent_of(pid) : 0;

		if (parent)
			*vec_push(all->v, all->cnt, all->cap) = (struct process){ pid, parent };
	}
	if (proc)
		closedir(proc);
}

static bool is_held(const struct run_tree *tree, pid_t pid)
{
	for (size_t i = 0; i < tree->cnt; i++)
		if (tree->v[i].pid == pid)
			return true;
	return false;
}

static void hold(struct run_tree *tree, const struct process *process)
{
	int pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);

	if (pidfd < 0)
		return;
	if (parent_of(process->pid) == process->parent)
		*vec_push(tree->v, tree->cnt, tree->cap) =
			(struct run_process){ process->pid, pidfd };
	else
		close(pidfd);
}

static bool is_gone(const struct run_process *process)
{
	struct pollfd fd = { .fd = process->pidfd, .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

/* Whoever is there still when all have been read had its number then: children are its own, not a stranger's. */
void run_tree_gather(struct run_tree *tree, pid_t root, pid_t parent)
{
	struct processes all;

	read_processes(&all);
	if (!is_held(tree, root))
		hold(tree, &(struct process){ root, parent });
	for (size_t i = 0; i < tree->cnt; i++) {
		if (is_gone(&tree->v[i]))
			continue;
		for (size_t k = 0; k < all.cnt; k++)
			if (all.v[k].parent == tree->v[i].pid && !is_held(tree, all.v[k].pid))
				hold(tree, &all.v[k]);
	}
	free(all.v);
}

void run_tree_signal(const struct run_tree *tree, int sig)
{
	for (size_t i = 0; i < tree->cnt; i++)
		syscall(SYS_pidfd_send_signal, tree->v[i].pidfd, sig, NULL, 0);
}

bool run_tree_is_gone(const struct run_tree *tree)
{
	for (size_t i = 0; i < tree->cnt; i++)
		if (!is_gone(&tree->v[i]))
			return false;
	return true;
}

void run_tree_release(struct run_tree *tree)
{
	for (size_t i = 0; i < tree->cnt; i++)
		close(tree->v[i].pidfd);
	free(tree->v);
	*tree = (struct run_tree){ 0 };
}
