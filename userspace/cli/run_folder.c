/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/run_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/runs.h"
#include "util/alloc.h"
#include "util/io.h"
#include "util/log.h"

#define NAME_MAX_LEN 40
#define FOLDER_MODE 0777
#define SAME_SECOND_MAX 1000

static void safe_name(char *out, size_t size, const char *name)
{
	size_t len = 0;

	for (; name[len] && len + 1 < size; len++) {
		unsigned char c = name[len];
		int plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') || c == '_' || c == '-' || (c == '.' && len);

		out[len] = plain ? c : '_';
	}
	if (!len)
		out[len++] = '_';
	out[len] = '\0';
}

static int cannot_make(const char *path, int err)
{
	if (err == -ELOOP)
		log_err("'%s' is a symbolic link, which root does not follow: give the folder it "
			"leads to "
			"by -o DIR", path);
	else
		log_err("cannot make the folder '%s': %s (change folder, or give -o DIR)", path,
			io_reason(-err));
	return err;
}

static int open_made(struct run_folder *folder, const char *name)
{
	folder->made = true;
	folder->fd = openat(folder->parent_fd, name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return folder->fd < 0 ? cannot_make(folder->path, -errno) : 0;
}

/* runs/NAME-TIME, the first that does not exist yet. Return: 0 or -errno (logged). */
static int make_numbered(struct run_folder *folder, const char *name)
{
	char stamp[32], plain[NAME_MAX_LEN + 1], last[sizeof(stamp) + sizeof(plain) + 16];
	time_t now = time(NULL);
	struct tm tm;

	if (mkdir(RUNS_DIR, FOLDER_MODE) && errno != EEXIST)
		return cannot_make(RUNS_DIR, -errno);
	folder->is_numbered = true;
	folder->parent_fd = runs_open_folder(AT_FDCWD, RUNS_DIR);
	if (folder->parent_fd < 0)
		return cannot_make(RUNS_DIR, folder->parent_fd);
	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
	safe_name(plain, sizeof(plain), name);
	for (int i = 1; i <= SAME_SECOND_MAX; i++) {
		char number[16] = "";

		if (i > 1)
			snprintf(number, sizeof(number), "-%d", i);
		snprintf(last, sizeof(last), "%s-%s%s", plain, stamp, number);
		snprintf(folder->path, sizeof(folder->path), RUNS_DIR "/%s", last);
		if (!mkdirat(folder->parent_fd, last, FOLDER_MODE))
			return open_made(folder, last);
		if (errno != EEXIST)
			break;
	}
	return cannot_make(folder->path, -errno);
}

/* "a/b/" -> "a/", "b". @parent is to be freed. */
static const char *split(char *path, char **parent)
{
	size_t len = strlen(path);
	const char *slash;

	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	slash = strrchr(path, '/');
	*parent = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
	return slash && slash[1] ? slash + 1 : slash ? "." : path;
}

static int make_given(struct run_folder *folder, const char *dir)
{
	char *parent;
	const char *name;
	int err;

	if (strlen(dir) + sizeof("/" RUN_HTML_NAME) > sizeof(folder->path)) {
		log_err("the folder's name is too long");
		return -ENAMETOOLONG;
	}
	snprintf(folder->path, sizeof(folder->path), "%s", dir);
	name = split(folder->path, &parent);
	folder->parent_fd = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	err = folder->parent_fd < 0 ? -errno : 0;
	free(parent);
	if (err)
		return cannot_make(folder->path, err);
	if (!mkdirat(folder->parent_fd, name, FOLDER_MODE))
		return open_made(folder, name);
	if (errno != EEXIST)
		return cannot_make(folder->path, -errno);
	folder->fd = runs_open_folder(folder->parent_fd, name);
	if (folder->fd >= 0)
		return 0;
	return cannot_make(folder->path, folder->fd == -ENOTDIR ? -EEXIST : folder->fd);
}

static void path_in(char *out, const struct run_folder *folder, const char *name)
{
	size_t len = strlen(folder->path);

	memcpy(out, folder->path, len);
	out[len] = '/';
	memcpy(out + len + 1, name, strlen(name) + 1);
}

static int make_trace(struct run_folder *folder, mode_t mode)
{
	int err;

	path_in(folder->trace_path, folder, TRACE_FILE_NAME);
	path_in(folder->html_path, folder, RUN_HTML_NAME);
	folder->trace_fd = io_create_at(folder->fd, TRACE_FILE_NAME);
	if (folder->trace_fd >= 0 && (!mode || !fchmod(folder->trace_fd, mode)))
		return 0;
	err = folder->trace_fd < 0 ? folder->trace_fd : -errno;
	if (err == -EEXIST)
		log_err("'%s' holds a trace already: give another folder", folder->path);
	else
		log_err("cannot write '%s': %s", folder->trace_path, io_reason(-err));
	return err;
}

static const char *last_name(const struct run_folder *folder)
{
	const char *slash = strrchr(folder->path, '/');

	return slash ? slash + 1 : folder->path;
}

static void remove_folder(const struct run_folder *folder)
{
	if (!folder->made || unlinkat(folder->parent_fd, last_name(folder), AT_REMOVEDIR))
		return;
	if (folder->is_numbered)
		rmdir(RUNS_DIR);	/* only if it is empty */
}

int run_folder_make(struct run_folder *folder, const char *dir, const char *name, mode_t mode)
{
	int err;

	*folder = (struct run_folder){ .parent_fd = -1, .fd = -1, .trace_fd = -1 };
	err = dir ? make_given(folder, dir) : make_numbered(folder, name);
	if (!err) {
		err = make_trace(folder, mode);
		if (err)
			remove_folder(folder);
	}
	if (err)
		run_folder_close(folder);
	return err;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool run_folder_is_named(const struct run_folder *folder)
{
	struct stat held, named;

	if (fstat(folder->fd, &held) || stat(folder->path, &named) || !is_same(&held, &named))
		return false;
	return !fstat(folder->trace_fd, &held) &&
	       !fstatat(folder->fd, TRACE_FILE_NAME, &named, AT_SYMLINK_NOFOLLOW) &&
	       is_same(&held, &named);
}

void run_folder_remove(struct run_folder *folder)
{
	if (!folder->path[0])
		return;
	unlinkat(folder->fd, TRACE_FILE_NAME, 0);
	remove_folder(folder);
}

static void close_held(int fd)
{
	if (fd >= 0)
		close(fd);
}

void run_folder_close(struct run_folder *folder)
{
	if (!folder->path[0])
		return;
	close_held(folder->trace_fd);
	close_held(folder->fd);
	close_held(folder->parent_fd);
	*folder = (struct run_folder){ 0 };
}
