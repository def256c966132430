/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/command.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor_physical.h"
#include "cli/exit.h"
#include "cli/finding.h"
#include "cli/host.h"
#include "cli/output.h"
#include "cli/physical.h"
#include "record/features.h"
#include "record/kernel_btf.h"
#include "record/record.h"
#include "util/io.h"
#include "util/log.h"
#include "util/minmax.h"

#define KERNEL_MAJOR 5
#define KERNEL_MINOR 15

/* What the checks look at. */
struct facts {
	struct host host;
	struct record_feature features[RECORD_FEATURES_MAX];
	size_t feature_cnt;
	uint64_t caps;		/* effective, one bit each */
};

struct doctor_opts {
	bool physical;
	uint32_t color;
};

static const struct opt doctor_opts[] = {
	{ .name = "physical", .kind = OPT_FLAG, .off = offsetof(struct doctor_opts, physical),
	  .help = "only tell whether the CPUs really run at once, by a handshake of each two" },
	{ .name = "color", .kind = OPT_CHOICE, .off = offsetof(struct doctor_opts, color),
	  .metavar = "WHEN", .choices = output_color_choices,
	  .help = "auto (on a terminal, unless NO_COLOR is set), always or never" },
	{ .name = NULL },
};

/* ---- the kernel and the user ---- */

static void check_kernel(const struct facts *facts, struct finding *f)
{
	const struct host *host = &facts->host;
	bool enough = host->kernel_major > KERNEL_MAJOR ||
		      (host->kernel_major == KERNEL_MAJOR && host->kernel_minor >= KERNEL_MINOR);

	found(f, HEALTH_OK, "Linux %s on %s; %d.%d or later is needed", host->release,
	      host->machine, KERNEL_MAJOR, KERNEL_MINOR);
	if (enough)
		return;
	if (record_feature_missing(facts->features, facts->feature_cnt)) {
		f->health = HEALTH_FAIL;
		remedy(f, "boot a newer kernel");
	} else {
		f->health = HEALTH_WARN;
		remedy(f, "none is needed if the features below are there: distributions backport");
	}
}

static bool has_cap(const struct facts *facts, int cap)
{
	return facts->caps >> cap & 1;
}

static void check_capabilities(const struct facts *facts, struct finding *f)
{
	if (geteuid() != 0)
		found(f, HEALTH_FAIL, "an ordinary user (uid %ld); only root may trace",
		      (long)geteuid());
	else if (has_cap(facts, CAP_SYS_ADMIN))
		found(f, HEALTH_OK, "root with CAP_SYS_ADMIN");
	else if (has_cap(facts, CAP_BPF) && has_cap(facts, CAP_PERFMON))
		found(f, HEALTH_OK, "root with CAP_BPF and CAP_PERFMON");
	else
		found(f, HEALTH_FAIL,
		      "root with neither CAP_SYS_ADMIN nor CAP_BPF and CAP_PERFMON");
	if (f->health != HEALTH_FAIL)
		return;
	remedy(f, geteuid() ? "run it under sudo: sudo lab run ..." :
			      "allow this container both, or run lab outside it");
}

static void check_unprivileged(const struct facts *facts, struct finding *f)
{
	char text[16];

	(void)facts;
	if (io_read_text("/proc/sys/kernel/unprivileged_bpf_disabled", text, sizeof(text)) <= 0)
		found(f, HEALTH_OK, "not told; tracing needs root either way");
	else
		found(f, HEALTH_OK, "%s for ordinary users; tracing needs root either way",
		      strcmp(text, "0") ? "closed" : "open");
}

static void check_lockdown(const struct facts *facts, struct finding *f)
{
	switch (facts->host.lockdown) {
	case HOST_LOCKDOWN_NONE:
		found(f, HEALTH_OK, "none");
		break;
	case HOST_LOCKDOWN_INTEGRITY:
		found(f, HEALTH_OK, "integrity, which lets programs read the kernel's memory");
		break;
	case HOST_LOCKDOWN_CONFIDENTIALITY:
		found(f, HEALTH_FAIL, "confidentiality: programs may not read the kernel's memory");
		remedy(f, "boot with lockdown=integrity, or without lockdown=");
		break;
	}
}

static void check_container(const struct facts *facts, struct finding *f)
{
	const struct host *host = &facts->host;

	if (host->user_namespace) {
		found(f, HEALTH_FAIL, "a user namespace: its root is not the machine's");
		remedy(f, "run lab outside it");
	} else if (host->pid_namespace) {
		found(f, HEALTH_WARN, "%s, a PID namespace", host->container);
		remedy(f,
		       "tids in reports are the machine's, not those seen here; run outside to "
		       "match them");
	} else if (host->container[0]) {
		found(f, HEALTH_OK, "%s by its marks, but in the machine's own namespaces",
		      host->container);
	} else {
		found(f, HEALTH_OK, "none");
	}
}

/* ---- what bounds the results ---- */

static void check_cpus(const struct facts *facts, struct finding *f)
{
	const struct host *host = &facts->host;

	found(f, HEALTH_OK, "%" PRIu32 " allowed of %" PRIu32 " online", host->cpus_allowed_cnt,
	      host->cpus_online);
	if (host->cpus_allowed_cnt >= 2)
		return;
	f->health = HEALTH_WARN;
	remedy(f, "with one CPU nothing can be parallel, and such claims stay undecided; %s",
	       host->cpus_online > 1 ? "allow more with taskset or the "
				       "cpuset" : "use a larger machine");
}

static void check_quota(const struct facts *facts, struct finding *f)
{
	uint32_t milli = facts->host.quota_milli_cpus;

	if (!milli) {
		found(f, HEALTH_OK, "none");
		return;
	}
	found(f, HEALTH_WARN, "%" PRIu32 ".%03" PRIu32 " CPUs for this cgroup", milli / 1000,
	      milli % 1000);
	remedy(f, "raise cpu.max; until then tasks are held back though CPUs are idle");
}

static void check_hypervisor(const struct facts *facts, struct finding *f)
{
	if (!facts->host.hypervisor[0]) {
		found(f, HEALTH_OK, "no");
		return;
	}
	found(f, HEALTH_WARN, "%s", facts->host.hypervisor);
	remedy(f, "CPUs may be shared with other guests: lab doctor --physical tries each two");
}

static void check_smt(const struct facts *facts, struct finding *f)
{
	found(f, facts->host.smt ? HEALTH_WARN : HEALTH_OK, "%s",
	      facts->host.smt ? "on: two CPUs may be one core" : "off, or not shown");
	if (facts->host.smt)
		remedy(f, "for speed-ups to mean cores, choose one CPU of each core with --cpus");
}

static void check_folder(const struct facts *facts, struct finding *f)
{
	(void)facts;
	if (access(".", W_OK) == 0) {
		found(f, HEALTH_OK, "traces can be written to this folder");
		return;
	}
	found(f, HEALTH_WARN, "traces cannot be written to this folder");
	remedy(f, "change to another, or give 'lab run -o DIR'");
}

static const struct check {
	const char *subject;
	void (*run)(const struct facts *facts, struct finding *f);
} checks_before[] = {
	{ "kernel", check_kernel },
	{ "capabilities", check_capabilities },
	{ "unprivileged BPF", check_unprivileged },
	{ "lockdown", check_lockdown },
	{ "container", check_container },
}, checks_after[] = {
	{ "CPUs", check_cpus },
	{ "CPU quota", check_quota },
	{ "virtualized", check_hypervisor },
	{ "SMT", check_smt },
	{ "folder", check_folder },
};

/* ---- features ---- */

static void check_feature(const struct record_feature *row, struct finding *f)
{
	switch (row->state) {
	case FEATURE_PRESENT:
		found(f, HEALTH_OK, "%s (since %s)", row->use, row->since);
		break;
	case FEATURE_UNTRIED:
		found(f, HEALTH_UNTRIED, "%s (since %s): only root can try it", row->use,
		      row->since);
		break;
	case FEATURE_NO_MEMORY:
		found(f, HEALTH_FAIL, "%s (since %s): there is no memory to try it", row->use,
		      row->since);
		remedy(f, "end other programs, or raise the limit of this shell (ulimit -v)");
		break;
	default:
		found(f, row->required ? HEALTH_FAIL : HEALTH_WARN, "missing: %s", row->use);
		remedy(f, "a kernel from %s on has it%s", row->since,
		       !strcmp(row->name,
			       "BTF") ? ", where it is built with CONFIG_DEBUG_INFO_BTF" :
						   ", unless it is configured out");
	}
}

/* All are there: what is left to know is the shape of the one that changed. */
static void check_tracepoints(size_t cnt, struct finding *f)
{
	struct kernel_facts kernel = { 0 };

	if (!kernel_facts_read(&kernel) && kernel.switch_args) {
		found(f, HEALTH_OK, "all %zu; sched_switch has %d arguments", cnt,
		      kernel.switch_args);
		return;
	}
	found(f, HEALTH_FAIL, "all %zu; sched_switch has its arguments in an unknown order", cnt);
	remedy(f, "boot another kernel, and report this one");
}

/* What a run opens besides the probes is less. */
#define RUN_DESCRIPTORS 16

/*
 * The probes, loaded and attached for a moment: what is allowed, and what there is of memory and of
 * descriptors, is known when it has been tried.
 */
static void check_probes(struct finding *f)
{
	const struct record_opts opts = { 0 };
	struct record *record = NULL;
	int spare[RUN_DESCRIPTORS], cnt = 0;

	while (cnt < RUN_DESCRIPTORS &&
	       (spare[cnt] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0)
		cnt++;
	if (cnt < RUN_DESCRIPTORS) {
		found(f, HEALTH_FAIL, "too few descriptors for a run");
		remedy(f, "raise the limit of this shell: ulimit -n");
	} else if (record_open(&record, &opts)) {
		found(f, HEALTH_FAIL, "they cannot be loaded: the reason is above");
		remedy(f, "do what that sentence says, and try again");
	} else {
		found(f, HEALTH_OK, "loaded and attached, and taken away again");
	}
	record_free(record);
	while (cnt > 0)
		close(spare[--cnt]);
}

/* ---- all of it ---- */

static bool run_checks(const struct check *checks, size_t cnt, const struct facts *facts,
		       bool color)
{
	bool possible = true;

	for (size_t i = 0; i < cnt; i++) {
		struct finding f = { 0 };

		checks[i].run(facts, &f);
		print_finding(checks[i].subject, &f, color);
		possible = possible && f.health != HEALTH_FAIL;
	}
	return possible;
}

/* Each feature has its line; the tracepoints share one unless one of them is not there. */
static bool run_features(const struct facts *facts, bool color)
{
	size_t tracepoints = 0, there = 0;
	bool possible = true;

	for (size_t i = 0; i < facts->feature_cnt; i++) {
		const struct record_feature *row = &facts->features[i];
		struct finding f = { 0 };

		tracepoints += row->tracepoint;
		if (row->tracepoint && row->state == FEATURE_PRESENT) {
			there++;
			continue;
		}
		check_feature(row, &f);
		print_finding(row->name, &f, color);
		possible = possible && f.health != HEALTH_FAIL;
	}
	if (there == tracepoints) {
		struct finding f = { 0 };

		check_tracepoints(there, &f);
		print_finding("tracepoints", &f, color);
		possible = possible && f.health != HEALTH_FAIL;
	}
	if (possible && geteuid() == 0) {
		struct finding f = { 0 };

		fflush(stdout);
		check_probes(&f);
		print_finding("probes", &f, color);
		possible = f.health != HEALTH_FAIL;
	}
	return possible;
}

static void read_facts(struct facts *facts)
{
	char text[8192];
	const char *line;

	*facts = (struct facts){ 0 };
	host_read(&facts->host);
	facts->feature_cnt = record_features(facts->features, ARRAY_SIZE(facts->features));
	if (io_read_text("/proc/self/status", text, sizeof(text)) > 0) {
		line = strstr(text, "\nCapEff:");
		if (line)
			sscanf(line, "\nCapEff: %" SCNx64, &facts->caps);
	}
}

static int cmd_doctor(int argc, char **argv)
{
	struct doctor_opts opts = { 0 };
	struct facts facts;
	bool want_help, possible, color;

	if (command_parse(doctor_opts, &opts, argc, argv, "lab doctor", NULL, 0, &want_help) < 0)
		return LAB_EXIT_USAGE;
	if (want_help) {
		command_print_help(command_find("doctor"));
		return LAB_EXIT_OK;
	}
	color = output_color_on(STDOUT_FILENO, (enum output_color)opts.color);
	if (opts.physical) {
		host_read(&facts.host);
		return doctor_physical(&facts.host, color);
	}
	read_facts(&facts);
	possible = run_checks(checks_before, ARRAY_SIZE(checks_before), &facts, color);
	possible = run_features(&facts, color) && possible;
	possible = run_checks(checks_after, ARRAY_SIZE(checks_after), &facts, color) && possible;
	printf("\n%s\n", possible ? "Tracing is possible here: lab run procs" :
				    "Tracing is not possible here until each FAIL is mended.");
	return possible ? LAB_EXIT_OK : LAB_EXIT_CANNOT_TRACE;
}

const struct command command_doctor = {
	.name = "doctor",
	.summary = "Tell what this machine lets lab trace, and how to mend what it does not",
	.usage = "lab doctor [--physical] [--color WHEN]",
	.opts = doctor_opts,
	.details = "Each line is ok, warn (tracing works; know this about its results), FAIL (it "
		   "does\n"
		   "not), or ? (only root can tell). Ends with 0 if tracing is possible for this "
		   "user,\n"
		   "else with 3. Nothing is changed, and nothing is left loaded.\n\n"
		   "--physical lets each two of the CPUs that it may use pass a cache line to and "
		   "fro,\n"
		   "which two CPUs do faster than one that they share could. Ends with 0 if each "
		   "two\n"
		   "ran at once, else with 4. Root keeps the answer in " PHYSICAL_PATH
		   " until the next\n"
		   "boot; the reports of later runs then say it.\n",
	.main = cmd_doctor,
};
