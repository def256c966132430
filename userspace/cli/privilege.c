/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/privilege.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/log.h"

#define CAPS_WORDS _LINUX_CAPABILITY_U32S_3
#define CAP_NONE (-1)
#define NOBODY 65534	/* the kernel's own, where no database has that name */

/* The all-ones id means "leave it" to setresuid(2): it must never come from text. */
static int parse_id(const char *text, uint32_t *id)
{
	uint64_t value = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (uint64_t)(*text - '0');
		if (value >= UINT32_MAX)
			return -EINVAL;
	}
	*id = (uint32_t)value;
	return 0;
}

/* Return: 1 and the ids, 0 if there is no sudo, -EINVAL (logged). */
static int sudo_ids(uid_t *uid, gid_t *gid)
{
	const char *uid_text = getenv("SUDO_UID");
	const char *gid_text = getenv("SUDO_GID");

	if (!uid_text && !gid_text)
		return 0;
	if (!uid_text || !gid_text) {
		log_err("%s is set but %s is not: unset it, or set both", uid_text ? "SUDO_UID" :
			"SUDO_GID",
			uid_text ? "SUDO_GID" : "SUDO_UID");
		return -EINVAL;
	}
	if (parse_id(uid_text, uid)) {
		log_err("SUDO_UID is '%s', which is no user id", uid_text);
		return -EINVAL;
	}
	if (parse_id(gid_text, gid)) {
		log_err("SUDO_GID is '%s', which is no group id", gid_text);
		return -EINVAL;
	}
	return 1;
}

static void look_up(struct privilege_user *user)
{
	struct passwd pw, *found = NULL;
	char buf[16384];

	snprintf(user->name, sizeof(user->name), "%" PRIu32, (uint32_t)user->uid);
	snprintf(user->home, sizeof(user->home), "/");
	if (getpwuid_r(user->uid, &pw, buf, sizeof(buf), &found) || !found)
		return;
	if (strlen(found->pw_name) >= sizeof(user->name) ||
	    strlen(found->pw_dir) >= sizeof(user->home))
		return;
	snprintf(user->name, sizeof(user->name), "%s", found->pw_name);
	if (found->pw_dir[0] == '/')
		snprintf(user->home, sizeof(user->home), "%s", found->pw_dir);
	user->named = true;
}

bool privilege_root_called(void)
{
	return getuid() == 0;
}

int privilege_workload_ids(bool keep_root, struct privilege_user *user)
{
	*user = (struct privilege_user){ .uid = geteuid(), .gid = getegid() };
	if (keep_root && !geteuid() && !privilege_root_called()) {
		log_err("--root is for root; this lab is set-user-ID, and runs what you run as "
			"you");
		return -EPERM;
	}
	if (!keep_root && getuid() != geteuid()) {
		user->uid = getuid();
		user->gid = getgid();
	} else if (!keep_root && geteuid() == 0) {
		uid_t uid = 0;
		gid_t gid = 0;
		int found = sudo_ids(&uid, &gid);

		if (found < 0)
			return found;
		if (found && uid != 0) {
			user->uid = uid;
			user->gid = gid;
		}
	}
	user->differs = user->uid != geteuid();
	look_up(user);
	return 0;
}

/* Return: 0 when every one of the six ids is the user's and root's cannot be had back. */
static int verify_ids(const struct privilege_user *user)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;

	if (getresuid(&ruid, &euid, &suid) || getresgid(&rgid, &egid, &sgid))
		return -errno;
	if (ruid != user->uid || euid != user->uid || suid != user->uid)
		return -EPERM;
	if (rgid != user->gid || egid != user->gid || sgid != user->gid)
		return -EPERM;
	if (user->uid != 0 && setresuid(0, 0, 0) == 0)
		return -EPERM;
	return 0;
}

int privilege_become(const struct privilege_user *user)
{
	int err = 0;

	if (!user->differs)
		return 0;
	if (user->named ? initgroups(user->name, user->gid) : setgroups(1, &user->gid))
		err = -errno;
	else if (setresgid(user->gid, user->gid, user->gid))
		err = -errno;
	else if (setresuid(user->uid, user->uid, user->uid))
		err = -errno;
	else
		err = verify_ids(user);
	if (err)
		log_err("cannot become user %s (uid %" PRIu32 ", gid %" PRIu32 "): %s", user->name,
			(uint32_t)user->uid, (uint32_t)user->gid, strerror(-err));
	return err;
}

static int drop_bounding_set(void)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		int held = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (held < 0)	/* no such capability on this kernel, nor any above it */
			return 0;
		/* Without CAP_SETPCAP it cannot be dropped; no_new_privs makes it idle. */
		if (held && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EPERM)
			return -errno;
	}
	return 0;
}

/* @keep: a capability that stays if it is held, or CAP_NONE. */
static int clear_capability_sets(int keep)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[CAPS_WORDS] = { { 0 } }, left[CAPS_WORDS];

	memset(left, 0xff, sizeof(left));
	if (syscall(SYS_capget, &head, left))
		return -errno;
	if (keep != CAP_NONE)
		caps[CAP_TO_INDEX(keep)].permitted = caps[CAP_TO_INDEX(keep)].effective =
			left[CAP_TO_INDEX(keep)].permitted & CAP_TO_MASK(keep);
	if (syscall(SYS_capset, &head, caps))
		return -errno;
	memset(left, 0xff, sizeof(left));
	if (syscall(SYS_capget, &head, left))
		return -errno;
	return memcmp(left, caps, sizeof(caps)) ? -EPERM : 0;
}

static int drop_all_but(int keep)
{
	int err = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err = -errno;
	if (!err && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
		err = -errno;
	if (!err)
		err = drop_bounding_set();
	if (!err)
		err = clear_capability_sets(keep);
	if (err)
		log_err("cannot give up root's capabilities: %s", strerror(-err));
	return err;
}

int privilege_drop_capabilities(void)
{
	return drop_all_but(CAP_NONE);
}

int privilege_drop_but_looking(void)
{
	return drop_all_but(CAP_SYS_PTRACE);
}

int privilege_drop_but_killing(void)
{
	return drop_all_but(CAP_KILL);
}

int privilege_drop_but_owning(void)
{
	return drop_all_but(CAP_CHOWN);
}

int privilege_by_name(const char *name, struct privilege_user *user)
{
	struct passwd pw, *found = NULL;
	char buf[16384];

	if (getpwnam_r(name, &pw, buf, sizeof(buf), &found) || !found ||
	    strlen(found->pw_name) >= sizeof(user->name)) {
		log_err("--user: there is no user '%s'", name);
		return -ENOENT;
	}
	*user = (struct privilege_user){ .uid = found->pw_uid, .gid = found->pw_gid };
	look_up(user);
	/* Of several names of one id, the one that was given. */
	snprintf(user->name, sizeof(user->name), "%s", found->pw_name);
	user->differs = user->uid != geteuid();
	return 0;
}

void privilege_of_file(uid_t uid, gid_t gid, struct privilege_user *user)
{
	struct passwd *nobody = uid ? NULL : getpwnam("nobody");

	*user = (struct privilege_user){ .uid = uid ? uid : nobody ? nobody->pw_uid : NOBODY,
					 .gid = uid ? gid : nobody ? nobody->pw_gid : NOBODY,
					 .differs = true };
	snprintf(user->name, sizeof(user->name), "%" PRIu32, (uint32_t)user->uid);
}

int privilege_drop_for_rendering(const struct privilege_user *user)
{
	int err = privilege_become(user);

	return err ? err : privilege_drop_capabilities();
}
