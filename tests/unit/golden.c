/* SPDX-License-Identifier: GPL-2.0-only */
#include "golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit.h"
#include "util/alloc.h"
#include "util/io.h"

static char *read_golden(const char *path)
{
	FILE *in = fopen(path, "re");
	char *text;
	size_t len;

	if (!in)
		return NULL;
	text = xcalloc(1, 1 << 20);
	len = fread(text, 1, (1 << 20) - 1, in);
	text[len] = '\0';
	fclose(in);
	return text;
}

/* diff(1) of the file and the text, its first lines. */
static void show_difference(const char *file, int line, const char *path, const char *text)
{
	int fd = memfd_create("now", 0);
	char *command = xasprintf("diff -u --label golden --label now '%s' /proc/self/fd/%d",
				  path, fd);
	char shown[4096];
	size_t len;
	FILE *diff;

	REQUIRE(fd >= 0 && !io_write_all(fd, text, strlen(text)));
	diff = popen(command, "re");
	REQUIRE(diff);
	len = fread(shown, 1, sizeof(shown) - 1, diff);
	shown[len] = '\0';
	while (!feof(diff) && fgetc(diff) != EOF)
		;
	pclose(diff);
	unit_failed(file, line, "%s differs:\n%s", path, shown);
	close(fd);
	free(command);
}

void golden_check_at(const char *file, int line, const char *name, const char *text)
{
	const char *dir = getenv("LAB_TEST_DIR");
	char *path = xasprintf("%s/golden/%s", dir ? dir : "tests", name);
	char *golden;

	if (getenv("UPDATE_GOLDEN")) {
		FILE *out = fopen(path, "we");

		REQUIRE(out);
		CHECK(fputs(text, out) >= 0);
		CHECK_EQ(fclose(out), 0);
	}
	golden = read_golden(path);
	if (!golden)
		unit_failed(file, line, "%s cannot be read: run with UPDATE_GOLDEN=1", path);
	else if (strcmp(golden, text))
		show_difference(file, line, path, text);
	free(golden);
	free(path);
}
