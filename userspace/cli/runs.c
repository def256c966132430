/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/runs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/self.h"
#include "cli/trace_input.h"
#include "util/alloc.h"
#include "util/io.h"
#include "util/log.h"

int runs_open_folder(int parent_fd, const char *name)
{
	int no_link = geteuid() ? 0 : O_NOFOLLOW;
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | no_link);
	struct stat st;

	if (fd >= 0)
		return fd;
	if (errno == ENOTDIR && no_link && !fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) &&
	    S_ISLNK(st.st_mode))
		return -ELOOP;
	return -errno;
}

static int newest_first(const void *a, const void *b)
{
	const struct runs_entry *x = a, *y = b;

	if (x->written != y->written)
		return x->written > y->written ? -1 : 1;
	return strcmp(y->path, x->path);
}

static void add_run(struct runs *runs, int fd, const char *name)
{
	int run_fd = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (run_fd < 0)
		return;
	if (!fstatat(run_fd, TRACE_FILE_NAME, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode))
		*vec_push(runs->v, runs->cnt, runs->cap) = (struct runs_entry){
			.path = xasprintf(RUNS_DIR "/%s", name),
			.written = st.st_mtime, .bytes = (uint64_t)st.st_size,
		};
	close(run_fd);
}

int runs_list(struct runs *runs)
{
	int fd = runs_open_folder(AT_FDCWD, RUNS_DIR);
	const struct dirent *entry;
	DIR *dir;

	*runs = (struct runs){ 0 };
	if (fd == -ENOENT)
		return 0;
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int err = fd < 0 ? fd : -errno;

		log_err("cannot look into the folder " RUNS_DIR ": %s",
			err == -ELOOP ? "it is a symbolic link, which root does not follow" :
					io_reason(-err));
		if (fd >= 0)
			close(fd);
		return err;
	}
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			add_run(runs, fd, entry->d_name);
	closedir(dir);
	if (runs->cnt)
		qsort(runs->v, runs->cnt, sizeof(*runs->v), newest_first);
	return 0;
}

void runs_release(struct runs *runs)
{
	for (size_t i = 0; i < runs->cnt; i++)
		free(runs->v[i].path);
	free(runs->v);
	*runs = (struct runs){ 0 };
}

char *runs_newest(void)
{
	struct runs runs;
	char *path = NULL;

	if (runs_list(&runs))
		return NULL;
	if (runs.cnt)
		path = xstrdup(runs.v[0].path);
	else
		log_err("there is no run in the folder " RUNS_DIR " here: name a trace, or the "
								  "folder of a "
			"run, or make one: %s%s run procs", self_sudo(), self_command());
	runs_release(&runs);
	return path;
}
