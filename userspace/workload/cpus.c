/* SPDX-License-Identifier: GPL-2.0-only */
#include "workload/cpus.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "util/log.h"

/* A cpu_set_t of the C library ends at 1024. */
union mask {
	cpu_set_t set;
	unsigned char bytes[CPUS_MAX / 8];
};

void cpus_usable(struct cpus *cpus)
{
	union mask mask;

	memset(&mask, 0, sizeof(mask));
	cpus->cnt = 0;
	if (!sched_getaffinity(0, sizeof(mask), &mask.set)) {
		for (uint32_t cpu = 0; cpu < CPUS_MAX; cpu++)
			if (CPU_ISSET_S(cpu, sizeof(mask), &mask.set))
				cpus->v[cpus->cnt++] = (uint16_t)cpu;
	}
	if (!cpus->cnt)
		cpus->v[cpus->cnt++] = cpus_current();
}

uint16_t cpus_current(void)
{
	int cpu = sched_getcpu();

	return cpu < 0 ? 0 : (uint16_t)cpu;
}

int cpus_pin(uint16_t cpu, const char *name)
{
	union mask mask;
	int err = 0;

	memset(&mask, 0, sizeof(mask));
	CPU_SET_S(cpu, sizeof(mask), &mask.set);
	if (sched_setaffinity(0, sizeof(mask), &mask.set)) {
		err = -errno;
		log_err("%s: a task cannot be put on CPU %u: %s", name, cpu, strerror(-err));
	}
	return err;
}
