/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_PRIVILEGE_H
#define LAB_CLI_PRIVILEGE_H

/*
 * privilege - who the user is when lab runs as root, and the ways down from
 * root. There is no way back up.
 *
 * The functions that change the process act on every thread's ids but only on
 * the calling thread's capabilities: call them while there is one thread.
 */

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* Whose files and whose workload a run's are. */
struct privilege_user {
	uid_t uid;
	gid_t gid;
	char name[256];		/* the uid in decimal if it has no name */
	char home[PATH_MAX];	/* "/" if unknown */
	bool named;		/* the user database knows it */
	bool differs;		/* not the effective user: there is something to become */
};

/**
 * privilege_workload_ids() - the user for whom lab was called
 * @keep_root: --root: whoever is effective stays
 *
 * Under sudo SUDO_UID and SUDO_GID, which must be decimal ids; they are believed only when the real
 * user is root as well. Where the real user is not the effective one, the real one. Else the
 * effective one.
 *
 * Return: 0, or after one logged sentence -EINVAL (SUDO_UID or SUDO_GID is no id) or -EPERM
 * (@keep_root, where lab was installed set-user-ID and root did not call it).
 */
int privilege_workload_ids(bool keep_root, struct privilege_user *user);

/**
 * privilege_become() - take on that user's ids and groups for good
 *
 * Supplementary groups are the user's own from the database (none but @user->gid
 * if it has no name). Does nothing if !user->differs. Verifies that the old ids cannot be
 * had back. For the workload; the capabilities of a root that stays root are kept.
 *
 * Return: 0, or -errno after one logged sentence. The process must then not go on.
 */
int privilege_become(const struct privilege_user *user);

/**
 * privilege_drop_capabilities() - give up every capability for good
 *
 * Sets no_new_privs, clears the ambient, bounding, permitted, effective and
 * inheritable sets, and verifies it. Ids stay: root still owns its files, and nothing else.
 * A process that has none is not changed but for no_new_privs.
 *
 * Return: 0, or -errno after one logged sentence. The process must then not go on.
 */
int privilege_drop_capabilities(void);

/**
 * privilege_drop_but_looking() - the same, but for the right to look into other processes
 *
 * Keeps CAP_SYS_PTRACE, if the process has it: only a root who stays root does, and his
 * workload has capabilities that the recorder does not, so that without it the kernel shows
 * none of the workload's maps. For a process that reads only what the kernel writes; then
 * privilege_drop_capabilities().
 *
 * Return: 0, or -errno after one logged sentence. The process must then not go on.
 */
int privilege_drop_but_looking(void);

/**
 * privilege_drop_but_killing() - the same, but for the right to send signals to any process
 *
 * For a process that only ends the workload: see run_sender.h.
 *
 * Return: 0, or -errno after one logged sentence. The process must then not go on.
 */
int privilege_drop_but_killing(void);

/**
 * privilege_drop_but_owning() - the same, but for the right to give files to others
 *
 * For a process that does nothing else: see trace_keeper.h.
 *
 * Return: 0, or -errno after one logged sentence. The process must then not go on.
 */
int privilege_drop_but_owning(void);

/*
 * Whether root called, with the rights of root or by sudo; not whoever called a lab that is
 * set-user-ID, who has a right only to what is his own.
 */
bool privilege_root_called(void);

/*
 * The user of this name in the user database, for --user. Return: 0, or -ENOENT after one logged
 * sentence.
 */
int privilege_by_name(const char *name, struct privilege_user *user);

/*
 * Who may read a file that only root may open: its owner, without his groups; of root's own,
 * nobody.
 */
void privilege_of_file(uid_t uid, gid_t gid, struct privilege_user *user);

/**
 * privilege_drop_for_rendering() - before any byte of a trace is parsed
 * @user: whom the files belong to, from privilege_workload_ids(false, ...)
 *
 * Becomes @user where that is somebody else, then drops every capability.
 *
 * Return: 0, or -errno after one logged sentence. The process must then not go on.
 */
int privilege_drop_for_rendering(const struct privilege_user *user);

#endif /* LAB_CLI_PRIVILEGE_H */
