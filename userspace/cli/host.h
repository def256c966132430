/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_HOST_H
#define LAB_CLI_HOST_H

/*
 * host - what the machine is, as a run records it and doctor explains it.
 *
 * Read from uname, sched_getaffinity, cpuid, /proc and /sys; what cannot be
 * read is left 0 or "". All fixed-size: nothing to release.
 */

#include <stdbool.h>
#include <stdint.h>

#define HOST_CPUS_MAX 1024	/* CPUs numbered from here on are not seen */

enum host_lockdown {
	HOST_LOCKDOWN_NONE = 0,	/* or the kernel has none */
	HOST_LOCKDOWN_INTEGRITY = 1,
	HOST_LOCKDOWN_CONFIDENTIALITY = 2, /* programs may not read the kernel's memory */
};

struct host {
	char release[65], machine[65];	/* uname */
	uint32_t kernel_major, kernel_minor; /* 0, 0: not understood */
	uint32_t cpus_online;
	uint16_t cpus_allowed[HOST_CPUS_MAX]; /* to this process, and online; ascending */
	uint32_t cpus_allowed_cnt;
	/* tightest of this cgroup and those above it, x 1000; 0: none */
	uint32_t quota_milli_cpus;
	bool smt;			/* two or more threads of one core are in use */
	/* "kvm", ..., "vm" where its name is not known; "": none seen */
	char hypervisor[32];
	char container[32];		/* "docker", ..., "container"; "": none seen */
	bool pid_namespace;		/* not the machine's first one */
	bool user_namespace;		/* likewise: root here is not root of the machine */
	enum host_lockdown lockdown;
};

/* Fill @host. Logs nothing. */
void host_read(struct host *host);

/*
 * What a trace's `virtualized` says: the hypervisor, else the container, else "". Borrowed from
 * @host.
 */
const char *host_virtualized(const struct host *host);

/* Whether two CPUs are threads of one core, as /sys says; false where it does not say. */
bool host_one_core(uint16_t cpu_a, uint16_t cpu_b);

#endif /* LAB_CLI_HOST_H */
