/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/io.h"

#define NAMES_MAX 100	/* to try for one that is not taken */

static int open_folder(struct target *target, const struct target_place *place)
{
	const char *slash = strrchr(place->path, '/');
	char *folder = slash ? xstrndup(place->path, (size_t)(slash - place->path) + 1) : xstrdup(".");

	target->name = xstrdup(slash ? slash + 1 : place->path);
	target->folder_fd = openat(place->folder_fd, folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	return target->folder_fd < 0 ? -errno : 0;
}

static int create_beside(struct target *target)
{
	for (unsigned int i = 0; i < NAMES_MAX; i++) {
		target->temporary = xasprintf(".lab-%ld-%u.tmp", (long)getpid(), i);
		target->fd = io_create_at(target->folder_fd, target->temporary);
		if (target->fd != -EEXIST)
			break;
		free(target->temporary);
		target->temporary = NULL;
	}
	if (target->fd >= 0)
		return 0;
	free(target->temporary);
	target->temporary = NULL;
	return target->fd;
}

static int open_named(struct target *target, const struct target_place *place)
{
	struct stat st;

	if (!target->name[0])
		return -EISDIR;
	if (fstatat(target->folder_fd, target->name, &st, AT_SYMLINK_NOFOLLOW) ||
	    S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))
		return create_beside(target);
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (place->kind == TARGET_OWN)
		return create_beside(target);
	if (!S_ISCHR(st.st_mode) && !(S_ISFIFO(st.st_mode) && place->kind == TARGET_ANY))
		return -ENXIO;
	/* If it is another one by now, O_NONBLOCK does not let it wait. */
	target->fd = openat(target->folder_fd, target->name, O_WRONLY | O_NOFOLLOW | O_NOCTTY |
			    O_CLOEXEC | (place->kind == TARGET_ANY ? 0 : O_NONBLOCK));
	return target->fd < 0 ? -errno : 0;
}

int target_open(struct target *target, const struct target_place *place)
{
	int err;

	*target = (struct target){ .fd = -1, .folder_fd = -1, .mode = place->mode };
	err = open_folder(target, place);
	if (!err)
		err = open_named(target, place);
	if (err)
		target_abandon(target);
	return err;
}

static void release(struct target *target)
{
	if (target->folder_fd >= 0)
		close(target->folder_fd);
	free(target->name);
	free(target->temporary);
	*target = (struct target){ .fd = -1, .folder_fd = -1 };
}

int target_commit(struct target *target)
{
	int err = 0;

	if (target->temporary && target->mode &&
	    fchmodat(target->folder_fd, target->temporary, target->mode, 0))
		err = -errno;
	if (!err && target->temporary &&
	    renameat(target->folder_fd, target->temporary, target->folder_fd, target->name))
		err = -errno;
	if (err)
		target_abandon(target);
	else
		release(target);
	return err;
}

void target_abandon(struct target *target)
{
	if (target->temporary)
		unlinkat(target->folder_fd, target->temporary, 0);
	release(target);
}
