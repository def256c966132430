/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/run_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/io.h"

#define CHILDREN_TEXT_BYTES 16384	/* some 2,000 numbers */

/* 0: it has ended, or is a zombie. */
static uint64_t peak_bytes(pid_t pid)
{
	char path[64], text[8192];
	unsigned long long kib = 0;
	const char *line;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (io_read_text(path, text, sizeof(text)) < 0)
		return 0;
	line = strstr(text, "\nVmHWM:");
	if (!line || sscanf(line, "\nVmHWM: %llu kB", &kib) != 1)
		return 0;
	return (uint64_t)kib * 1024;
}

uint64_t run_memory_bytes(pid_t root)
{
	char path[64], text[CHILDREN_TEXT_BYTES];
	uint64_t sum = peak_bytes(root);
	char *at = text, *end;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)root, (int)root);
	if (!sum || io_read_text(path, text, sizeof(text)) < 0)
		return 0;	/* a kernel that does not list them: a part would be no sum */
	for (;;) {
		long pid = strtol(at, &end, 10);

		if (end == at || pid <= 0)
			return sum;
		sum += peak_bytes((pid_t)pid);
		at = end;
	}
}
