/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/trust.h"

#include <grp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/io.h"

#define GROUPS_MAX 1024
#define NO_LOGIN UINT32_MAX	/* of a process that no login began */

struct groups {
	gid_t v[GROUPS_MAX];
	int cnt;
};

static void groups_of(const struct privilege_user *user, struct groups *groups)
{
	groups->cnt = GROUPS_MAX;
	/* Where they are more, the first ones. */
	if (user->named && getgrouplist(user->name, user->gid, groups->v, &groups->cnt) < 0)
		groups->cnt = GROUPS_MAX;
	if (user->named)
		return;
	groups->v[0] = user->gid;
	groups->cnt = 1;
}

static bool is_in(const struct groups *groups, gid_t gid)
{
	for (int i = 0; i < groups->cnt; i++)
		if (groups->v[i] == gid)
			return true;
	return false;
}

static bool may_change(const char *path, const struct privilege_user *user,
		       const struct groups *groups)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	if (st.st_uid == user->uid)
		return true;
	if (S_ISDIR(st.st_mode) && st.st_mode & S_ISVTX)
		return false;
	return (st.st_mode & S_IWOTH) || (st.st_mode & S_IWGRP && is_in(groups, st.st_gid));
}

bool trust_changeable(const char *path, const struct privilege_user *user, char which[PATH_MAX])
{
	struct groups groups;
	size_t len = strlen(path);

	if (path[0] != '/' || len >= PATH_MAX)
		return false;
	groups_of(user, &groups);
	/* "/", "/home", "/home/lab", ... */
	for (size_t i = 1; i <= len; i++) {
		if (i > 1 && path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(which, path, i);
		which[i] = '\0';
		if (may_change(which, user, &groups))
			return true;
	}
	return false;
}

/* Who logged in, whoever it became since: see proc_pid_loginuid(5). */
static uint32_t login_uid(void)
{
	char text[32];

	if (io_read_text("/proc/self/loginuid", text, sizeof(text)) <= 0)
		return NO_LOGIN;
	return (uint32_t)strtoul(text, NULL, 10);
}

bool trust_caller_unknown(void)
{
	uint32_t login = login_uid();

	if (geteuid() || getuid() || getenv("SUDO_UID"))
		return false;
	return getenv("DOAS_USER") || getenv("PKEXEC_UID") || (login && login != NO_LOGIN);
}
