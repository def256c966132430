/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_RUNS_H
#define LAB_CLI_RUNS_H

/*
 * runs - the runs that stand in the folder runs, newest first: those of lab run without -o.
 *
 * No symbolic link to a run or a trace is followed. The traces are not read.
 */

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define RUNS_DIR "runs"

struct runs_entry {
	char *path;		/* runs/NAME-TIME; raw, owned */
	time_t written;		/* when the trace was written last */
	uint64_t bytes;		/* of the trace */
};

struct runs {
	struct runs_entry *v;
	size_t cnt, cap;
};

/*
 * A folder. Root follows no link to it. Return: a descriptor, or -errno (logs nothing); -ELOOP: a
 * link.
 */
int runs_open_folder(int parent_fd, const char *name);

/* What is there; none if there is no such folder. Return: 0 or -errno after one logged sentence. */
int runs_list(struct runs *runs);

void runs_release(struct runs *runs);

/*
 * Return: the path of the newest, owned by the caller, or NULL after a sentence: none, or an error.
 */
char *runs_newest(void);

#endif /* LAB_CLI_RUNS_H */
