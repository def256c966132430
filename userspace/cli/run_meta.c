/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/run_meta.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/host.h"
#include "cli/physical.h"
#include "record/clock.h"
#include "util/alloc.h"
#include "util/log.h"

static int read_usable(struct trace_meta *meta, pid_t pid)
{
	cpu_set_t set;

	if (sched_getaffinity(pid, sizeof(set), &set)) {
		log_err("cannot read which CPUs process %d may use: %s", (int)pid, strerror(errno));
		return -errno;
	}
	meta->cpus_usable = xcalloc(CPU_COUNT(&set) + 1, sizeof(*meta->cpus_usable));
	for (int cpu = 0; cpu < CPU_SETSIZE && cpu < TRACE_CPUS_MAX; cpu++)
		if (CPU_ISSET(cpu, &set))
			meta->cpus_usable[meta->cpus_usable_cnt++] = cpu;
	return 0;
}

int run_meta_host(struct trace_meta *meta, pid_t pid)
{
	struct physical_fact physical;
	struct host host;
	int err = read_usable(meta, pid);

	if (err)
		return err;
	host_read(&host);
	meta->release = xstrdup(host.release);
	meta->machine = xstrdup(host.machine);
	meta->cpus_online = host.cpus_online;
	meta->quota_milli_cpus = host.quota_milli_cpus;
	meta->smt = host.smt;
	meta->virtualized = xstrdup(host_virtualized(&host));
	physical = physical_recall(PHYSICAL_FOLDER, meta->cpus_usable, meta->cpus_usable_cnt);
	meta->physical_round_ns = physical.round_ns;
	meta->physical_age_ns = physical.age_ns;
	meta->clock_pairs = xcalloc(meta->cpus_usable_cnt, sizeof(*meta->clock_pairs));
	meta->clock_pair_cnt = clock_compare(meta->cpus_usable, meta->cpus_usable_cnt,
					     meta->clock_pairs);
	return 0;
}

uint64_t run_meta_steal_ns(const uint16_t *cpus, uint32_t cpu_cnt)
{
	uint64_t ticks = 0, steal;
	FILE *f = fopen("/proc/stat", "re");
	char line[512];
	uint32_t cpu;

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "cpu%" SCNu32 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &cpu,
			   &steal) != 2)
			continue;
		for (uint32_t i = 0; i < cpu_cnt; i++)
			if (cpus[i] == cpu)
				ticks += steal;
	}
	fclose(f);
	return ticks * (UINT64_C(1000000000) / sysconf(_SC_CLK_TCK));
}
