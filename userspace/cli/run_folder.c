/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/run_folder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/output.h"
#include "util/io.h"
#include "util/log.h"

#define RUNS_DIR "runs"
#define NAME_MAX_LEN 40
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

/* runs/NAME-TIME, the first that does not exist yet. Return: 0 or -errno (logged). */
static int make_numbered(struct run_folder *folder, const char *name)
{
	char stamp[32], plain[NAME_MAX_LEN + 1];
	time_t now = time(NULL);
	struct tm tm;

	if (mkdir(RUNS_DIR, 0777) && errno != EEXIST) {
		int err = -errno;

		log_err("cannot make the folder '%s' here: %s (change folder, or give -o DIR)",
			RUNS_DIR, strerror(-err));
		return err;
	}
	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
	safe_name(plain, sizeof(plain), name);
	for (int i = 1; i <= SAME_SECOND_MAX; i++) {
		if (i == 1)
			snprintf(folder->path, sizeof(folder->path), "%s/%s-%s", RUNS_DIR, plain, stamp);
		else
			snprintf(folder->path, sizeof(folder->path), "%s/%s-%s-%d", RUNS_DIR, plain,
				 stamp, i);
		if (!mkdir(folder->path, 0777)) {
			folder->made = 1;
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	log_err("cannot make the folder '%s': %s (change folder, or give -o DIR)", folder->path,
		strerror(errno));
	return -errno;
}

static int make_given(struct run_folder *folder, const char *dir)
{
	if (strlen(dir) + sizeof("/" OUTPUT_HTML_NAME) > sizeof(folder->path)) {
		log_err("the folder's name is too long");
		return -ENAMETOOLONG;
	}
	snprintf(folder->path, sizeof(folder->path), "%s", dir);
	if (!mkdir(dir, 0777)) {
		folder->made = 1;
		return 0;
	}
	if (errno == EEXIST)
		return 0;
	log_err("cannot make the folder '%s': %s", dir, strerror(errno));
	return -errno;
}

static void path_in(char *out, const struct run_folder *folder, const char *name)
{
	size_t len = strlen(folder->path);

	memcpy(out, folder->path, len);
	out[len] = '/';
	memcpy(out + len + 1, name, strlen(name) + 1);
}

int run_folder_make(struct run_folder *folder, const char *dir, const char *name)
{
	int err;

	*folder = (struct run_folder){ .trace_fd = -1 };
	err = dir ? make_given(folder, dir) : make_numbered(folder, name);
	if (err)
		return err;
	path_in(folder->trace_path, folder, OUTPUT_TRACE_NAME);
	path_in(folder->html_path, folder, OUTPUT_HTML_NAME);
	folder->trace_fd = io_create_excl(folder->trace_path);
	if (folder->trace_fd >= 0)
		return 0;
	err = folder->trace_fd;
	if (err == -EEXIST)
		log_err("'%s' holds a trace already: give another folder", folder->path);
	else
		log_err("cannot write '%s': %s", folder->trace_path, strerror(-err));
	if (folder->made)
		rmdir(folder->path);
	return err;
}

void run_folder_remove(struct run_folder *folder)
{
	if (folder->trace_fd >= 0)
		close(folder->trace_fd);
	folder->trace_fd = -1;
	unlink(folder->trace_path);
	if (folder->made && !rmdir(folder->path))
		rmdir(RUNS_DIR);	/* only if it is empty */
}
