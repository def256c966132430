/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_TARGET_H
#define LAB_CLI_TARGET_H

/*
 * target - a file that is written whole or not at all: made in the same folder, which is held open,
 * without a name, or under another one, and renamed over what was there. A symbolic link at the
 * name is replaced and not followed. Logs nothing; functions return 0 or -errno.
 */

#include <sys/types.h>

#define TARGET_MODE 0600	/* unless it is asked for another */

/* What is done where there is something already that is no regular file and no link. */
enum target_kind {
	/* a device or a FIFO is written to, and a FIFO waits for a reader */
	TARGET_ANY = 0,
	/* a device is: the name may have been changed by a program that lab ran */
	TARGET_DEVICE = 1,
	TARGET_OWN = 2,		/* the name is lab's, and whatever has it is replaced */
};

struct target_place {
	int folder_fd;		/* that @path is relative to, or AT_FDCWD */
	const char *path;
	const char *shown;	/* in messages; NULL: @path */
	mode_t mode;		/* 0: TARGET_MODE */
	enum target_kind kind;
};

/* One that is being written. */
struct target {
	int fd;			/* the caller's to write to, and to close before target_commit() */
	int unnamed_fd;		/* the same file, until it gets a name; -1: it has one */
	int folder_fd;
	char *name;		/* in the folder */
	char *temporary;	/* likewise; NULL: it is written where it is */
	mode_t mode;
};

/*
 * Return: 0; -EISDIR, -ENXIO (no file, device or FIFO that is written to), or what the system says.
 */
int target_open(struct target *target, const struct target_place *place);

/* All is written: it gets its name. Releases @target, in any case. */
int target_commit(struct target *target);

/* It is not to be. Releases @target, but for the descriptor. */
void target_abandon(struct target *target);

#endif /* LAB_CLI_TARGET_H */
