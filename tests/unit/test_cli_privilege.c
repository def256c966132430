/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/privilege.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "unit.h"
#include "util/io.h"
#include "util/log.h"

#define SOMEBODY 61234	/* an id that nobody has */

/* A mask of /proc/self/status such as "CapEff", or a number such as "NoNewPrivs". */
static uint64_t status_value(const char *key)
{
	char text[8192], start[64];
	const char *at;

	snprintf(start, sizeof(start), "\n%s:", key);
	if (io_read_text("/proc/self/status", text, sizeof(text)) <= 0)
		return UINT64_MAX;
	at = strstr(text, start);
	return at ? strtoull(at + strlen(start), NULL, 16) : UINT64_MAX;
}

static void needs_root(void)
{
	if (geteuid() != 0 || !(status_value("CapEff") & 1))
		SKIP("needs root");
}

static void sudo_by(const char *uid, const char *gid)
{
	setenv("SUDO_UID", uid, 1);
	setenv("SUDO_GID", gid, 1);
}

static void no_sudo(void)
{
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
}

TEST(privilege_ids_without_sudo_are_ours)
{
	struct privilege_user user;

	no_sudo();
	CHECK_EQ(privilege_workload_ids(false, &user), 0);
	CHECK_EQ(user.uid, geteuid());
	CHECK_EQ(user.gid, getegid());
	CHECK(!user.differs);
	CHECK(user.name[0] != '\0');
	CHECK_EQ(user.home[0], '/');
}

TEST(privilege_ids_ignore_sudo_of_an_ordinary_user)
{
	struct privilege_user user;

	if (geteuid() == 0)
		REQUIRE(setresuid(SOMEBODY, SOMEBODY, SOMEBODY) == 0);
	sudo_by("0", "0");
	CHECK_EQ(privilege_workload_ids(false, &user), 0);
	CHECK_EQ(user.uid, geteuid());
	CHECK(!user.differs);
}

TEST(privilege_ids_under_sudo)
{
	struct privilege_user user;

	needs_root();
	sudo_by("61234", "61235");
	CHECK_EQ(privilege_workload_ids(false, &user), 0);
	CHECK_EQ(user.uid, 61234);
	CHECK_EQ(user.gid, 61235);
	CHECK(user.differs);
	CHECK(!user.named);
	CHECK_STR(user.name, "61234");
	CHECK_STR(user.home, "/");

	CHECK_EQ(privilege_workload_ids(true, &user), 0);
	CHECK_EQ(user.uid, 0);
	CHECK(!user.differs);

	sudo_by("0", "0");
	CHECK_EQ(privilege_workload_ids(false, &user), 0);
	CHECK_EQ(user.uid, 0);
	CHECK(!user.differs);
}

TEST(privilege_ids_refuse_what_is_no_id)
{
	static const char *const wrong[] = { "", "x", "-1", "+1", " 1", "1 ", "0x1", "4294967295",
					     "4294967296", "99999999999999999999999" };
	struct privilege_user user;

	needs_root();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		sudo_by(wrong[i], "1000");
		CHECK_EQ(privilege_workload_ids(false, &user), -EINVAL);
		sudo_by("1000", wrong[i]);
		CHECK_EQ(privilege_workload_ids(false, &user), -EINVAL);
	}
	no_sudo();
	setenv("SUDO_UID", "1000", 1);
	CHECK_EQ(privilege_workload_ids(false, &user), -EINVAL);
}

TEST(privilege_become_is_for_good)
{
	struct privilege_user user;
	gid_t groups[64];

	needs_root();
	sudo_by("61234", "61235");
	REQUIRE(privilege_workload_ids(false, &user) == 0);
	REQUIRE(privilege_become(&user) == 0);
	CHECK_EQ(getuid(), 61234);
	CHECK_EQ(geteuid(), 61234);
	CHECK_EQ(getgid(), 61235);
	CHECK_EQ(getgroups(64, groups), 1);
	CHECK_EQ(groups[0], 61235);
	CHECK_EQ(status_value("CapPrm"), 0);
	CHECK_EQ(setresuid(0, 0, 0), -1);
	CHECK_EQ(setresgid(0, 0, 0), -1);
}

TEST(privilege_of_rendering_under_sudo)
{
	struct privilege_user user;

	needs_root();
	sudo_by("61234", "61235");
	REQUIRE(privilege_workload_ids(false, &user) == 0);
	REQUIRE(privilege_drop_for_rendering(&user) == 0);
	CHECK_EQ(geteuid(), 61234);
	CHECK_EQ(status_value("CapPrm"), 0);
	CHECK_EQ(status_value("CapEff"), 0);
	CHECK_EQ(status_value("NoNewPrivs"), 1);
}

TEST(privilege_of_rendering_as_root)
{
	struct privilege_user user;

	needs_root();
	no_sudo();
	REQUIRE(privilege_workload_ids(false, &user) == 0);
	REQUIRE(privilege_drop_for_rendering(&user) == 0);
	CHECK_EQ(geteuid(), 0);
	CHECK_EQ(status_value("CapPrm"), 0);
	CHECK_EQ(status_value("CapEff"), 0);
	CHECK_EQ(status_value("CapInh"), 0);
	CHECK_EQ(status_value("CapAmb"), 0);
	CHECK_EQ(status_value("CapBnd"), 0);
	CHECK_EQ(status_value("NoNewPrivs"), 1);
	CHECK_EQ(setresuid(SOMEBODY, SOMEBODY, SOMEBODY), -1);
}

TEST(privilege_of_rendering_as_an_ordinary_user)
{
	struct privilege_user user;

	no_sudo();
	if (geteuid() == 0)
		REQUIRE(setresuid(SOMEBODY, SOMEBODY, SOMEBODY) == 0);
	REQUIRE(privilege_workload_ids(false, &user) == 0);
	CHECK_EQ(privilege_drop_for_rendering(&user), 0);
	CHECK_EQ(status_value("NoNewPrivs"), 1);
	CHECK_EQ(privilege_drop_for_rendering(&user), 0);
}

TEST(privilege_of_looking_as_root)
{
	needs_root();
	REQUIRE(privilege_drop_but_looking() == 0);
	CHECK_EQ(status_value("CapPrm"), 1 << 19);	/* CAP_SYS_PTRACE */
	CHECK_EQ(status_value("CapEff"), 1 << 19);
	CHECK_EQ(status_value("CapInh"), 0);
	CHECK_EQ(status_value("CapAmb"), 0);
	CHECK_EQ(status_value("CapBnd"), 0);
	CHECK_EQ(status_value("NoNewPrivs"), 1);
	CHECK_EQ(setresuid(SOMEBODY, SOMEBODY, SOMEBODY), -1);
	REQUIRE(privilege_drop_capabilities() == 0);
	CHECK_EQ(status_value("CapPrm"), 0);
	REQUIRE(privilege_drop_but_looking() == 0);	/* what is gone does not come back */
	CHECK_EQ(status_value("CapEff"), 0);
}

TEST(privilege_of_looking_as_an_ordinary_user)
{
	if (geteuid() == 0)
		REQUIRE(setresuid(SOMEBODY, SOMEBODY, SOMEBODY) == 0);
	REQUIRE(privilege_drop_but_looking() == 0);
	CHECK_EQ(status_value("CapPrm"), 0);
	CHECK_EQ(status_value("NoNewPrivs"), 1);
}
