/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/host.h"

#include <cpuid.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "util/io.h"
#include "util/minmax.h"
#include "util/opts.h"

/* Inode numbers of the machine's first namespaces: fixed in the kernel's proc_ns.h. */
#define PID_NS_FIRST 0xEFFFFFFCu
#define USER_NS_FIRST 0xEFFFFFFDu

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* ---- CPUs ---- */

static void read_cpus(struct host *host)
{
	uint16_t online[HOST_CPUS_MAX];
	char text[4096];
	cpu_set_t *set = CPU_ALLOC(HOST_CPUS_MAX);
	size_t size = CPU_ALLOC_SIZE(HOST_CPUS_MAX);
	int cnt = -1;

	if (io_read_text("/sys/devices/system/cpu/online", text, sizeof(text)) > 0)
		cnt = opts_parse_cpulist(text, online, HOST_CPUS_MAX);
	if (cnt < 0) {
		long conf = sysconf(_SC_NPROCESSORS_ONLN);

		cnt = conf > 0 ? (int)min_u64((uint64_t)conf, HOST_CPUS_MAX) : 1;
		for (int i = 0; i < cnt; i++)
			online[i] = (uint16_t)i;
	}
	host->cpus_online = (uint32_t)cnt;

	if (set && sched_getaffinity(0, size, set) == 0)
		for (int i = 0; i < cnt; i++)
			if (CPU_ISSET_S(online[i], size, set))
				host->cpus_allowed[host->cpus_allowed_cnt++] = online[i];
	CPU_FREE(set);
}

static void read_smt(struct host *host)
{
	char text[16];

	host->smt = io_read_text("/sys/devices/system/cpu/smt/active", text, sizeof(text)) > 0 &&
		    !strcmp(text, "1");
}

bool host_one_core(uint16_t cpu_a, uint16_t cpu_b)
{
	uint16_t siblings[HOST_CPUS_MAX];
	char path[96], text[4096];
	int cnt = -1;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list",
		 cpu_a);
	if (io_read_text(path, text, sizeof(text)) > 0)
		cnt = opts_parse_cpulist(text, siblings, HOST_CPUS_MAX);
	for (int i = 0; i < cnt; i++)
		if (siblings[i] == cpu_b)
			return true;
	return false;
}

/* ---- cgroup quota ---- */

static void take_quota(struct host *host, uint64_t quota, uint64_t period)
{
	uint64_t milli = period ? quota * 1000 / period : 0;

	milli = min_u64(max_u64(milli, 1), UINT32_MAX);
	if (period && quota < UINT64_MAX / 1000 &&
	    (!host->quota_milli_cpus || milli < host->quota_milli_cpus))
		host->quota_milli_cpus = (uint32_t)milli;
}

/* One group of the second version: "max 100000" or "50000 100000". */
static void read_quota_v2(struct host *host, const char *folder)
{
	char path[PATH_MAX + 32], text[64];
	uint64_t quota, period;

	snprintf(path, sizeof(path), "%s/cpu.max", folder);
	if (io_read_text(path, text, sizeof(text)) > 0 &&
	    sscanf(text, "%" SCNu64 " %" SCNu64, &quota, &period) == 2)
		take_quota(host, quota, period);
}

/* One group of the first version: two files; a quota of -1 is none. */
static void read_quota_v1(struct host *host, const char *folder)
{
	char path[PATH_MAX + 32], text[64];
	int64_t quota, period;

	snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", folder);
	if (io_read_text(path, text, sizeof(text)) <= 0 || sscanf(text, "%" SCNd64, &quota) != 1 ||
	    quota <= 0)
		return;
	snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", folder);
	if (io_read_text(path, text, sizeof(text)) > 0 && sscanf(text, "%" SCNd64, &period) == 1 &&
	    period > 0)
		take_quota(host, (uint64_t)quota, (uint64_t)period);
}

/* The group and all above it, up to the mount. */
static void walk_quota(struct host *host, const char *mount, const char *group,
		       void (*read_one)(struct host *host, const char *folder))
{
	char folder[PATH_MAX];
	size_t mount_len = strlen(mount);
	int len = snprintf(folder, sizeof(folder), "%s%s", mount, strcmp(group, "/") ? group : "");

	if (len < 0 || (size_t)len >= sizeof(folder) || strstr(group, "/..") || !exists(mount))
		return;
	for (;;) {
		char *slash;

		read_one(host, folder);
		slash = strrchr(folder, '/');
		if (!slash || (size_t)(slash - folder) < mount_len)
			return;
		*slash = '\0';
	}
}

/* A controller list such as "cpu,cpuacct" has @name in it. */
static bool list_has(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (; *list; list += strcspn(list, ","), list += *list == ',')
		if (!strncmp(list, name, len) && (list[len] == ',' || !list[len]))
			return true;
	return false;
}

static void read_quota(struct host *host)
{
	char text[8192], *line, *rest = text;

	if (io_read_text("/proc/self/cgroup", text, sizeof(text)) <= 0)
		return;
	while ((line = strsep(&rest, "\n"))) {
		char *number = strsep(&line, ":");
		char *controllers = line ? strsep(&line, ":") : NULL;

		if (!controllers || !line)
			continue;
		if (!strcmp(number, "0") && !*controllers) {
			walk_quota(host, "/sys/fs/cgroup", line, read_quota_v2);
			walk_quota(host, "/sys/fs/cgroup/unified", line, read_quota_v2);
		} else if (list_has(controllers, "cpu")) {
			walk_quota(host, "/sys/fs/cgroup/cpu", line, read_quota_v1);
		}
	}
}

/* ---- hypervisor, container, namespaces ---- */

static void read_hypervisor(struct host *host)
{
	static const struct {
		char signature[13];
		const char *name;
	} known[] = {
		{ "KVMKVMKVM\0\0\0", "kvm" }, { "Microsoft Hv", "hyper-v" },
		{ "VMwareVMware", "vmware" }, { "XenVMMXenVMM", "xen" },
		{ "TCGTCGTCGTCG", "qemu" }, { "VBoxVBoxVBox", "virtualbox" },
		{ "bhyve bhyve ", "bhyve" }, { "ACRNACRNACRN", "acrn" },
	};
	unsigned int eax, regs[3];

	if (!__get_cpuid(1, &eax, &regs[0], &regs[1], &regs[2]) || !(regs[1] & (1u << 31)))
		return;
	snprintf(host->hypervisor, sizeof(host->hypervisor), "vm");
	__cpuid(0x40000000, eax, regs[0], regs[1], regs[2]);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!memcmp(known[i].signature, regs, sizeof(regs)))
			snprintf(host->hypervisor, sizeof(host->hypervisor), "%s", known[i].name);
}

static bool first_namespace(const char *path, ino_t first)
{
	struct stat st;

	return stat(path, &st) || st.st_ino == first;
}

static void read_container(struct host *host)
{
	const char *name = getenv("container");

	host->pid_namespace = !first_namespace("/proc/self/ns/pid", PID_NS_FIRST);
	host->user_namespace = !first_namespace("/proc/self/ns/user", USER_NS_FIRST);
	if (name && *name)
		snprintf(host->container, sizeof(host->container), "%s", name);
	else if (exists("/.dockerenv"))
		snprintf(host->container, sizeof(host->container), "docker");
	else if (exists("/run/.containerenv"))
		snprintf(host->container, sizeof(host->container), "podman");
	else if (host->pid_namespace)
		snprintf(host->container, sizeof(host->container), "container");
}

/* "none [integrity] confidentiality": the one in brackets holds. */
static void read_lockdown(struct host *host)
{
	char text[128];

	if (io_read_text("/sys/kernel/security/lockdown", text, sizeof(text)) <= 0)
		return;
	if (strstr(text, "[integrity]"))
		host->lockdown = HOST_LOCKDOWN_INTEGRITY;
	else if (strstr(text, "[confidentiality]"))
		host->lockdown = HOST_LOCKDOWN_CONFIDENTIALITY;
}

void host_read(struct host *host)
{
	struct utsname name;

	*host = (struct host){ 0 };
	if (uname(&name) == 0) {
		snprintf(host->release, sizeof(host->release), "%s", name.release);
		snprintf(host->machine, sizeof(host->machine), "%s", name.machine);
		if (sscanf(name.release, "%" SCNu32 ".%" SCNu32, &host->kernel_major,
			   &host->kernel_minor) != 2)
			host->kernel_major = host->kernel_minor = 0;
	}
	read_cpus(host);
	read_smt(host);
	read_quota(host);
	read_hypervisor(host);
	read_container(host);
	read_lockdown(host);
}

const char *host_virtualized(const struct host *host)
{
	return host->hypervisor[0] ? host->hypervisor : host->container;
}
