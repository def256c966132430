/* SPDX-License-Identifier: GPL-2.0-only */
#include "workload/room.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "util/io.h"
#include "util/log.h"

int room_check(const char *name, uint64_t mib)
{
	unsigned long long kib;
	char text[8192];
	const char *line;

	if (!mib || io_read_text("/proc/meminfo", text, sizeof(text)) < 0)
		return 0;
	line = strstr(text, "MemAvailable:");
	if (!line || sscanf(line, "MemAvailable: %llu kB", &kib) != 1 || kib / 1024 >= mib)
		return 0;
	log_err("%s: this would take %llu MiB, and %llu are available: give a smaller --touch",
		name, (unsigned long long)mib, kib / 1024);
	return -ENOMEM;
}

void *room_map(const char *name, uint32_t mib)
{
	size_t bytes = (size_t)mib << 20;
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	if (memory == MAP_FAILED) {
		log_err("%s: %u MiB are not to be had: %s", name, mib, strerror(errno));
		return NULL;
	}
	madvise(memory, bytes, MADV_NOHUGEPAGE);
	return memory;
}
