/* SPDX-License-Identifier: GPL-2.0-only */

#include "cli/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#define SOMEBODY 61234	/* ids that nobody has */
#define GROUP 61235

TEST(trust_of_a_program_that_a_user_may_change)
{
	const struct privilege_user user = { .uid = SOMEBODY, .gid = GROUP };
	const struct {
		const char *path;
		mode_t mode;
		uid_t uid;
		gid_t gid;
		const char *which;	/* NULL: it cannot be changed */
	} cases[] = {
		{ "/d/e/lab", 0755, 0, 0, NULL },
		{ "/d/e/lab", 0500, SOMEBODY, 0, "/d/e/lab" },
		{ "/d/e/lab", 0757, 0, 0, "/d/e/lab" },
		{ "/d/e/lab", 0775, 0, 0, NULL },
		{ "/d/e/lab", 0775, 0, GROUP, "/d/e/lab" },
		{ "/d/e", 0777, 0, 0, "/d/e" },
		{ "/d/e", 01777, 0, 0, NULL },
		{ "/d/e", 0555, SOMEBODY, 0, "/d/e" },
		{ "/d", 0775, 0, GROUP, "/d" },
	};
	char top[] = "/tmp/lab-trust-XXXXXX", path[PATH_MAX], file[PATH_MAX], which[PATH_MAX];

	if (geteuid())
		SKIP("needs root");
	REQUIRE(mkdtemp(top) && !chmod(top, 0755));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/d", top);
		REQUIRE(!mkdir(path, 0755));
		snprintf(path, sizeof(path), "%s/d/e", top);
		REQUIRE(!mkdir(path, 0755));
		snprintf(file, sizeof(file), "%s/d/e/lab", top);
		f = fopen(file, "w");
		REQUIRE(f && !fclose(f) && !chmod(file, 0755));
		snprintf(path, sizeof(path), "%s%s", top, cases[i].path);
		REQUIRE(!chown(path, cases[i].uid, cases[i].gid) && !chmod(path, cases[i].mode));
		CHECK_EQ(trust_changeable(file, &user, which), cases[i].which != NULL);
		if (cases[i].which)
			CHECK_STR(which + strlen(top), cases[i].which);
		unlink(file);
		snprintf(path, sizeof(path), "%s/d/e", top);
		rmdir(path);
		snprintf(path, sizeof(path), "%s/d", top);
		rmdir(path);
	}
	rmdir(top);
	CHECK(!trust_changeable("lab", &user, which));
}
