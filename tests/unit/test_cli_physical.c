/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/physical.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#define BOOT "463c774c-d187-4366-84a5-303311d27bf0"
#define HEAD "lab-physical 1 " BOOT " 1000\n"

static int read_text(struct physical *p, const char *text, size_t len)
{
	FILE *f = fmemopen((char *)text, len, "r");
	int err;

	REQUIRE(f);
	err = physical_read(p, f);
	fclose(f);
	return err;
}

static int reads(const char *text)
{
	struct physical p;
	int err = read_text(&p, text, strlen(text));

	physical_release(&p);
	return err;
}

TEST(physical_text_is_read_as_it_was_written)
{
	struct physical_pair pairs[] = { { 0, 1, 1 }, { 0, 1023, 999 }, { 1, 2, 52 } };
	struct physical p = { BOOT, UINT64_MAX, pairs, 3 }, again;
	size_t len;
	char *text;
	FILE *f = open_memstream(&text, &len);

	REQUIRE(f);
	CHECK_EQ(physical_write(&p, f), 0);
	fclose(f);
	REQUIRE(read_text(&again, text, len) == 0);
	CHECK_STR(again.boot_id, BOOT);
	CHECK_EQ(again.measured_ns, UINT64_MAX);
	REQUIRE(again.pair_cnt == 3);
	CHECK(!memcmp(again.pairs, pairs, sizeof(pairs)));
	physical_release(&again);
	free(text);
}

TEST(physical_text_that_is_not_as_it_is_written_is_refused)
{
	static const char *const bad[] = {
		"\n", "x", "lab-physical 1", "lab-physical 2 " BOOT " 1000\n",
		"lab-physical 1 " BOOT "\n", "lab-physical 1 " BOOT " -1\n",
		"lab-physical 1 " BOOT " 18446744073709551616\n", "lab-physical 1 " BOOT " 1000",
		HEAD "\n", HEAD "0 1 52", HEAD "0 1\n", HEAD "0 1 52 \n", HEAD " 0 1 52\n",
		HEAD "0 1 52 3\n", HEAD "0 1 052\n", HEAD "0 1 -52\n", HEAD "0 1 0\n",
		HEAD "0 1 1000\n", HEAD "0 1 4294967348\n", HEAD "0 65537 52\n", HEAD "0 1024 52\n",
		HEAD "1 0 52\n", HEAD "1 1 52\n", HEAD "0 1 52\n0 1 52\n", HEAD "0 2 52\n0 1 52\n",
		HEAD "1 2 52\n0 1 52\n", HEAD HEAD,
	};
	char wide[4096];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_EQ(reads(bad[i]), -EBADMSG);
	CHECK_EQ(reads(HEAD), 0);
	CHECK_EQ(reads(HEAD "0 1 52\n0 2 52\n1 2 52\n"), 0);
	memset(wide, 'x', sizeof(wide));
	memcpy(wide, "lab-physical 1 ", 15);
	wide[sizeof(wide) - 1] = '\0';
	CHECK_EQ(reads(wide), -EBADMSG);
}

TEST(physical_fact_needs_each_pair_of_the_cpus_in_this_boot)
{
	struct physical_pair pairs[] = { { 0, 1, 52 }, { 0, 2, 310 }, { 1, 2, 60 }, { 1, 7, 70 } };
	struct physical p = { BOOT, 1000, pairs, 4 }, now = { BOOT, 5000, NULL, 0 };
	const uint16_t first[] = { 0, 1 }, three[] = { 0, 1, 2 }, four[] = { 0, 1, 2, 7 };
	struct physical_fact fact;

	fact = physical_fact(&p, &now, first, 2);
	CHECK_EQ(fact.round_ns, 52);
	CHECK_EQ(fact.age_ns, 4000);
	CHECK_EQ(physical_fact(&p, &now, three, 3).round_ns, 310);
	CHECK_EQ(physical_fact(&p, &now, four, 4).round_ns, 0);
	CHECK_EQ(physical_fact(&p, &now, four, 4).age_ns, 0);
	CHECK_EQ(physical_fact(&p, &now, three, 1).round_ns, 0);
	CHECK_EQ(physical_fact(&p, &now, three, 0).round_ns, 0);
	now.measured_ns = 999;
	CHECK_EQ(physical_fact(&p, &now, first, 2).round_ns, 0);
	now.measured_ns = 5000;
	now.boot_id[0] = 'x';
	CHECK_EQ(physical_fact(&p, &now, first, 2).round_ns, 0);
}

/* ---- the file, which is root's ---- */

struct place {
	char top[32], folder[64], file[96];
};

static void place_make(struct place *at)
{
	if (geteuid())
		SKIP("needs root");
	snprintf(at->top, sizeof(at->top), "/tmp/lab-physical-XXXXXX");
	REQUIRE(mkdtemp(at->top));
	snprintf(at->folder, sizeof(at->folder), "%s/lab", at->top);
	snprintf(at->file, sizeof(at->file), "%s/physical", at->folder);
}

static void place_remove(const struct place *at)
{
	unlink(at->file);
	unlink(at->folder);
	rmdir(at->folder);
	CHECK_EQ(rmdir(at->top), 0);
}

static int remember_52(const struct place *at)
{
	struct physical_pair pair = { 0, 1, 52 };
	struct physical p = { .pairs = &pair, .pair_cnt = 1 };

	REQUIRE(!physical_now(&p));
	return physical_remember(at->folder, &p);
}

static uint32_t recalled(const struct place *at)
{
	const uint16_t cpus[] = { 0, 1 };

	return physical_recall(at->folder, cpus, 2).round_ns;
}

TEST(physical_file_is_remembered_and_replaced)
{
	struct place at;
	struct stat st;

	place_make(&at);
	CHECK_EQ(recalled(&at), 0);
	CHECK_EQ(remember_52(&at), 0);
	CHECK_EQ(recalled(&at), 52);
	CHECK_EQ(remember_52(&at), 0);
	CHECK_EQ(recalled(&at), 52);
	REQUIRE(!stat(at.file, &st));
	CHECK_EQ(st.st_mode & 0777, 0600);
	place_remove(&at);
}

TEST(physical_file_that_others_than_root_can_change_is_not_used)
{
	struct place at;

	place_make(&at);
	CHECK_EQ(remember_52(&at), 0);
	REQUIRE(!chmod(at.file, 0602));
	CHECK_EQ(recalled(&at), 0);
	REQUIRE(!chmod(at.file, 0620));
	CHECK_EQ(recalled(&at), 0);
	REQUIRE(!chmod(at.file, 0644) && recalled(&at) == 52);
	REQUIRE(!chown(at.file, 61234, 0));
	CHECK_EQ(recalled(&at), 0);
	REQUIRE(!chown(at.file, 0, 0) && recalled(&at) == 52);
	REQUIRE(!chmod(at.folder, 0757));
	CHECK_EQ(recalled(&at), 0);
	CHECK_EQ(remember_52(&at), -EPERM);
	REQUIRE(!chmod(at.folder, 0755) && !chown(at.folder, 61234, 0));
	CHECK_EQ(recalled(&at), 0);
	CHECK_EQ(remember_52(&at), -EPERM);
	place_remove(&at);
}

TEST(physical_file_is_not_followed_through_a_link)
{
	struct place at;
	char true_file[96], true_folder[64];

	place_make(&at);
	CHECK_EQ(remember_52(&at), 0);
	snprintf(true_file, sizeof(true_file), "%s/true", at.folder);
	REQUIRE(!rename(at.file, true_file) && !symlink("true", at.file));
	CHECK_EQ(recalled(&at), 0);
	/* Writing replaces the link, and not what it leads to. */
	REQUIRE(!truncate(true_file, 0));
	CHECK_EQ(remember_52(&at), 0);
	CHECK_EQ(recalled(&at), 52);
	CHECK_EQ(unlink(true_file), 0);

	snprintf(true_folder, sizeof(true_folder), "%s/true", at.top);
	REQUIRE(!rename(at.folder, true_folder) && !symlink("true", at.folder));
	CHECK_EQ(recalled(&at), 0);
	CHECK(remember_52(&at) < 0);
	REQUIRE(!unlink(at.folder) && !rename(true_folder, at.folder));
	/* Nobody writes to it: an open must not wait. */
	REQUIRE(!unlink(at.file) && !mkfifo(at.file, 0600));
	CHECK_EQ(recalled(&at), 0);
	place_remove(&at);
}
