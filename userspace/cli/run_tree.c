/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/run_tree.h"

#include <dirent.h>
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

static void signal_one(const struct process *process, int sig)
{
	int pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);

	if (pidfd < 0)
		return;
	if (parent_of(process->pid) == process->parent)
		syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
	close(pidfd);
}

void run_tree_signal(pid_t root, int sig)
{
	struct processes all, tree = { 0 };

	read_processes(&all);
	*vec_push(tree.v, tree.cnt, tree.cap) = (struct process){ root, getpid() };
	for (size_t i = 0; i < tree.cnt; i++)
		for (size_t k = 0; k < all.cnt; k++)
			if (all.v[k].parent == tree.v[i].pid)
				*vec_push(tree.v, tree.cnt, tree.cap) = all.v[k];
	for (size_t i = 0; i < tree.cnt; i++)
		signal_one(&tree.v[i], sig);
	free(all.v);
	free(tree.v);
}
