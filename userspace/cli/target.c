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
	char *folder = slash ? xstrndup(place->path,
					(size_t)(slash - place->path) + 1) : xstrdup(".");

	target->name = xstrdup(slash ? slash + 1 : place->path);
	target->folder_fd = openat(place->folder_fd, folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	return target->folder_fd < 0 ? -errno : 0;
}

/* The file of that name: the one that has none yet, or a new one. Return: 0 or -errno. */
static int put_there(struct target *target, const char *name)
{
	char unnamed[32];

	if (target->unnamed_fd < 0) {
		target->fd = io_create_at(target->folder_fd, name);
		return target->fd < 0 ? target->fd : 0;
	}
	snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", target->unnamed_fd);
	return linkat(AT_FDCWD, unnamed, target->folder_fd, name, AT_SYMLINK_FOLLOW) ? -errno : 0;
}

static int name_temporary(struct target *target)
{
	int err = -EEXIST;

	for (unsigned int i = 0; err == -EEXIST && i < NAMES_MAX; i++) {
		target->temporary = xasprintf(".lab-%ld-%u.tmp", (long)getpid(), i);
		err = put_there(target, target->temporary);
		if (err) {
			free(target->temporary);
			target->temporary = NULL;
		}
	}
	return err;
}

/* Without a name nothing is left of it if lab is killed. Not every file system can do that. */
static int create_beside(struct target *target)
{
	target->unnamed_fd = openat(target->folder_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (target->unnamed_fd < 0)
		return name_temporary(target);
	target->fd = fcntl(target->unnamed_fd, F_DUPFD_CLOEXEC, 0);
	return target->fd < 0 ? -errno : 0;
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

	*target = (struct target){ .fd = -1, .unnamed_fd = -1, .folder_fd = -1,
				   .mode = place->mode };
	err = open_folder(target, place);
	if (!err)
		err = open_named(target, place);
	if (err)
		target_abandon(target);
	return err;
}

static void release(struct target *target)
{
	if (target->unnamed_fd >= 0)
		close(target->unnamed_fd);
	if (target->folder_fd >= 0)
		close(target->folder_fd);
	free(target->name);
	free(target->temporary);
	*target = (struct target){ .fd = -1, .unnamed_fd = -1, .folder_fd = -1 };
}

int target_commit(struct target *target)
{
	int err = target->unnamed_fd >= 0 ? name_temporary(target) : 0;

	if (!err && target->temporary && target->mode &&
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
