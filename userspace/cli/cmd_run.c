/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/exit.h"
#include "cli/output.h"
#include "cli/privilege.h"
#include "cli/run_child.h"
#include "cli/run_folder.h"
#include "cli/run_loop.h"
#include "cli/run_meta.h"
#include "record/record.h"
#include "trace/trace.h"
#include "util/alloc.h"
#include "util/io.h"
#include "util/log.h"
#include "util/minmax.h"
#include "util/text.h"
#include "workload/workload.h"

#define GRACE_DEFAULT_NS UINT64_C(2000000000)
#define READER_NICE (-10)	/* so that a machine full of runnable tasks does not keep the rings from being emptied */

struct run_opts {
	const char *folder;
	const char *json;	/* NULL: none; "": instead of the report */
	const char *cpus;
	uint64_t for_ns;
	uint64_t grace_ns;
	uint32_t expect;	/* enum verdict_class */
	uint32_t pid;
	uint32_t ring_mib;
	bool ops;
	bool python;
	bool keep_root;
	bool measure_overhead;
	bool debug;
	struct output_look look;
};

static const char *const expect_choices[] = { "none", "sequential", "concurrent", "parallel", NULL };

static const struct opt run_opts[] = {
	{ .name = "output", .letter = 'o', .kind = OPT_STRING, .off = offsetof(struct run_opts, folder),
	  .metavar = "DIR", .help = "keep the run's files there (default: runs/NAME-TIME)" },
	{ .name = "for", .kind = OPT_DURATION, .off = offsetof(struct run_opts, for_ns),
	  .metavar = "TIME", .help = "end the run after TIME, such as 5s: for servers",
	  .min = 1000000, .max = UINT64_C(86400000000000) },
	{ .name = "pid", .kind = OPT_U32, .off = offsetof(struct run_opts, pid), .metavar = "PID",
	  .help = "attach to a running process and its threads, and leave it running",
	  .min = 1, .max = INT32_MAX },
	{ .name = "cpus", .kind = OPT_CPULIST, .off = offsetof(struct run_opts, cpus),
	  .metavar = "LIST", .help = "let the workload use these CPUs only, such as 0 or 0-3,5" },
	{ .name = "expect", .kind = OPT_CHOICE, .off = offsetof(struct run_opts, expect),
	  .metavar = "CLASS", .choices = expect_choices,
	  .help = "exit 1 if the verdict is another: sequential, concurrent or parallel" },
	{ .name = "ops", .kind = OPT_FLAG, .off = offsetof(struct run_opts, ops),
	  .help = "hook system calls, to see an event loop's operations, and markers" },
	{ .name = "python", .kind = OPT_FLAG, .off = offsetof(struct run_opts, python),
	  .help = "asyncio's tasks are operations, threads and workers named: for Python; with --ops" },
	{ .name = "json", .kind = OPT_OPTIONAL_STRING, .off = offsetof(struct run_opts, json),
	  .metavar = "FILE", .help = "the report as JSON, to FILE or in place of the report" },
	{ .name = "grace", .kind = OPT_DURATION, .off = offsetof(struct run_opts, grace_ns),
	  .metavar = "TIME", .help = "how long what the command leaves behind may go on (default: 2s)",
	  .max = UINT64_C(3600000000000) },
	{ .name = "buffer", .kind = OPT_U32, .off = offsetof(struct run_opts, ring_mib),
	  .metavar = "MIB", .help = "ring per CPU, a power of two (default: 16, 256 for all at most)",
	  .min = 1, .max = 1024 },
	{ .name = "root", .kind = OPT_FLAG, .off = offsetof(struct run_opts, keep_root),
	  .help = "under sudo: run the workload as root, and make the files root's" },
	{ .name = "measure-overhead", .kind = OPT_FLAG,
	  .off = offsetof(struct run_opts, measure_overhead),
	  .help = "let the kernel time the probes themselves" },
	{ .name = "debug", .kind = OPT_FLAG, .off = offsetof(struct run_opts, debug),
	  .help = "show what libbpf and the kernel's verifier say" },
	OUTPUT_LOOK_OPTS(struct run_opts, look),
	{ .name = NULL },
};

/* One run, from the command line to the exit status. */
struct run {
	struct run_opts opts;
	const struct workload *workload;	/* NULL: a command, or --pid */
	struct workload_args args;
	char **argv;			/* what is run, argc words; --pid: none */
	int argc;
	bool is_command;
	uint16_t cpus[TRACE_CPUS_MAX];	/* --cpus */
	uint32_t cpu_cnt;
	struct privilege_user user;
	struct run_child child;
	struct python_hook python;
	int attach_pidfd;
	struct record *record;
	struct run_folder folder;
	struct trace_meta meta;
	struct trace_writer *writer;
	struct run_loop_result result;
};

static int print_run_help(const struct workload *workload)
{
	struct claim claim;

	if (!workload) {
		command_print_help(command_find("run"));
		printf("\nworkloads (lab run NAME --help shows its own options):\n");
		for (size_t i = 0; workloads[i]; i++)
			printf("  %-12s %s\n", workloads[i]->name, workloads[i]->shows);
		return LAB_EXIT_OK;
	}
	workload->claim(&workload->defaults, &claim);
	printf("usage: lab run [OPTIONS] %s [ITS OPTIONS]\n\n%s.\nClaim: %s, since %s.\n\nits options:\n",
	       workload->name, workload->shows, verdict_class_name(claim.class), claim.why);
	opts_print_help(workload->opts);
	printf("\nThe options of lab run --help may stand before the name or behind it.\n");
	return LAB_EXIT_OK;
}

static int unknown_workload(const char *name)
{
	const char *names[64], *near;
	size_t cnt = 0;

	for (; workloads[cnt] && cnt < ARRAY_SIZE(names); cnt++)
		names[cnt] = workloads[cnt]->name;
	near = text_nearest(name, names, cnt);
	if (near)
		log_err("there is no workload '%s': did you mean '%s'? (a program of your own: "
			"lab run -- %s)", name, near, name);
	else
		log_err("there is no workload '%s': lab list shows them (a program of your own: "
			"lab run -- %s)", name, name);
	return LAB_EXIT_USAGE;
}

/* Behind a workload's name, its own options and those of run may stand in any order. */
static struct opt *all_opts(const struct workload *workload)
{
	struct opt *table = NULL;
	size_t cnt = 0, cap = 0;

	for (const struct opt *opt = workload->opts; opt->name; opt++) {
		*vec_push(table, cnt, cap) = *opt;
		table[cnt - 1].off += offsetof(struct run, args);
	}
	for (const struct opt *opt = run_opts; opt->name; opt++) {
		*vec_push(table, cnt, cap) = *opt;
		table[cnt - 1].off += offsetof(struct run, opts);
	}
	vec_push(table, cnt, cap);
	return table;
}

/* Return: -1 to go on, else the exit status. */
static int parse_workload(struct run *run, int argc, char **argv)
{
	struct opt *table;
	char what[64];
	bool want_help = false;
	int used;

	run->workload = workload_find(argv[0]);
	if (!run->workload)
		return unknown_workload(argv[0]);
	snprintf(what, sizeof(what), "lab run %s", run->workload->name);
	run->args = run->workload->defaults;
	table = all_opts(run->workload);
	used = opts_parse(table, run, argc - 1, argv + 1, what, &want_help, NULL);
	free(table);
	if (used < 0)
		return LAB_EXIT_USAGE;
	if (want_help)
		return print_run_help(run->workload);
	if (used < argc - 1) {
		log_err("%s takes no word '%s': lab run %s --help", what, argv[1 + used],
			run->workload->name);
		return LAB_EXIT_USAGE;
	}
	run->argv = argv;
	run->argc = argc;
	run->opts.ops |= run->workload->wants_ops;
	return run->workload->check && run->workload->check(&run->args) ? LAB_EXIT_USAGE : -1;
}

/* --cpus, once it is known where it came from. Return: -1 to go on, else the exit status. */
static int parse_cpus(struct run *run)
{
	int cnt;

	if (!run->opts.cpus)
		return -1;
	if (run->opts.pid) {
		log_err("--cpus does not go with --pid: the process runs where it runs");
		return LAB_EXIT_USAGE;
	}
	cnt = opts_parse_cpulist(run->opts.cpus, run->cpus, ARRAY_SIZE(run->cpus));
	if (cnt < 0) {
		log_err("--cpus: lab handles CPUs up to %d", TRACE_CPUS_MAX - 1);
		return LAB_EXIT_USAGE;
	}
	run->cpu_cnt = cnt;
	return -1;
}

/* Return: -1 to go on, else the exit status. */
static int parse(struct run *run, int argc, char **argv)
{
	bool want_help = false, dashdash = false;
	int used = opts_parse(run_opts, &run->opts, argc - 1, argv + 1, "lab run", &want_help,
			      &dashdash);
	int rest;

	if (used < 0)
		return LAB_EXIT_USAGE;
	if (want_help)
		return print_run_help(NULL);
	rest = argc - 1 - used;
	argv += 1 + used;
	if (run->opts.pid && rest) {
		log_err("--pid attaches to a running process: it takes no workload or command besides");
		return LAB_EXIT_USAGE;
	}
	if (!run->opts.pid && !rest) {
		log_err("name a workload (lab list), or a command after '--': lab run -- COMMAND");
		return LAB_EXIT_USAGE;
	}
	if (run->opts.python && !dashdash) {
		log_err("--python is for a command: lab run --python -- python3 SCRIPT");
		return LAB_EXIT_USAGE;
	}
	if (run->opts.pid)
		return parse_cpus(run);
	if (!dashdash) {
		int status = parse_workload(run, rest, argv);

		return status < 0 ? parse_cpus(run) : status;
	}
	run->opts.ops |= run->opts.python;
	run->is_command = true;
	run->argv = argv;
	run->argc = rest;
	if (run->opts.json && !run->opts.json[0]) {
		log_err("--json needs a file with a command, whose output stdout is: --json=FILE");
		return LAB_EXIT_USAGE;
	}
	return parse_cpus(run);
}

/* ---- what is recorded about the run ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static void claim_of(const struct run *run, struct claim *claim)
{
	if (run->opts.expect) {
		*claim = (struct claim){ .class = run->opts.expect, .why = "as --expect says" };
		if (claim->class == CLASS_PARALLEL)
			claim->needs_cpus = 2;
	} else if (run->workload) {
		run->workload->claim(&run->args, claim);
	}
}

static void name_of_pid(char *buf, size_t size, uint32_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/comm", pid);
	if (io_read_text(path, buf, size) <= 0)
		snprintf(buf, size, "pid-%" PRIu32, pid);
}

static int fill_meta(struct run *run)
{
	struct trace_meta *meta = &run->meta;
	struct timespec now;
	char comm[64];

	clock_gettime(CLOCK_REALTIME, &now);
	meta->lab_version = xstrdup(LAB_VERSION);
	meta->started_unix_ns = (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	meta->is_command = run->is_command;
	meta->attach_tgid = run->opts.pid;
	meta->ops_hooked = run->opts.ops;
	meta->argv = xcalloc(run->argc + 1, sizeof(*meta->argv));
	for (; meta->argc < (uint32_t)run->argc; meta->argc++)
		meta->argv[meta->argc] = xstrdup(run->argv[meta->argc]);
	if (run->opts.pid) {
		name_of_pid(comm, sizeof(comm), run->opts.pid);
		meta->name = xstrdup(comm);
	} else {
		meta->name = xstrdup(run->workload ? run->workload->name : base_name(run->argv[0]));
	}
	claim_of(run, &meta->claim);
	return run_meta_host(meta, run->opts.pid ? (pid_t)run->opts.pid : run->child.pid);
}

/* ---- recording ---- */

static int attach(struct run *run)
{
	run->attach_pidfd = syscall(SYS_pidfd_open, run->opts.pid, 0);
	if (run->attach_pidfd >= 0)
		return -1;
	if (errno == EINVAL)
		log_err("--pid %" PRIu32 " is a thread: give its process", run->opts.pid);
	else
		log_err("--pid %" PRIu32 ": %s", run->opts.pid,
			errno == ESRCH ? "there is no such process" : strerror(errno));
	return LAB_EXIT_USAGE;
}

/* With root: the child, the probes, the marks. Return: -1 to go on, else the exit status. */
static int prepare(struct run *run)
{
	struct record_opts opts = {
		.ops = run->opts.ops,
		.ring_mib = run->opts.ring_mib,
		.measure_overhead = run->opts.measure_overhead,
	};
	struct run_child_opts child = {
		.workload = run->workload, .args = &run->args, .argv = run->argv,
		.user = &run->user, .cpus = run->cpus, .cpu_cnt = run->cpu_cnt,
		.marks = run->opts.ops, .python = run->opts.python ? &run->python : NULL,
	};
	int err, pidfd;

	if (run->opts.pid) {
		int status = attach(run);

		if (status >= 0)
			return status;
	} else {
		err = run->opts.python ? python_hook_choose(&run->python) : 0;
		if (!err)
			err = run_child_start(&run->child, &child);
		if (err)
			return err == -EINVAL ? LAB_EXIT_USAGE : LAB_EXIT_CANNOT_TRACE;
	}
	signal(SIGPIPE, SIG_IGN);
	run_loop_block_signals();
	setpriority(PRIO_PROCESS, 0, READER_NICE);
	if (fill_meta(run))
		return LAB_EXIT_CANNOT_TRACE;
	opts.quota = run->meta.quota_milli_cpus;
	if (record_open(&run->record, &opts))
		return LAB_EXIT_CANNOT_TRACE;
	run->meta.throttling = record_throttling(run->record);
	pidfd = run->opts.pid ? run->attach_pidfd : run->child.pidfd;
	err = record_start(run->record, pidfd, run->meta.cpus_usable, run->meta.cpus_usable_cnt,
			   &run->meta.armed_ns);
	if (err == -ESRCH)
		log_err("the process ended before lab could attach to it");
	return err ? LAB_EXIT_CANNOT_TRACE : -1;
}

/* A command that could not be executed leaves no run behind. */
static int not_executed(struct run *run, int exec_errno)
{
	log_err("cannot run '%s': %s", run->argv[0],
		exec_errno == ENOENT ? "there is no such command" : strerror(exec_errno));
	run_folder_remove(&run->folder);
	return exec_errno == ENOENT ? LAB_EXIT_NOT_FOUND : LAB_EXIT_NOT_EXECUTABLE;
}

static uint64_t own_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void finish_file(struct run *run)
{
	struct trace_symbols symbols = { 0 };
	int err = run->result.write_err;

	if (!err)
		err = record_finish(run->record, run->writer, &run->result.end);
	if (!err) {
		run->result.end.reader_cpu_ns += record_names_finish(run->record, &symbols);
		err = trace_writer_symbols(run->writer, &symbols);
	}
	trace_symbols_release(&symbols);
	if (!err)
		err = trace_writer_finish(run->writer, &run->result.end);
	if (!err && fsync(run->folder.trace_fd) && errno != EINVAL)
		err = -errno;
	if (err && !run->result.write_err)
		log_err("the end of '%s' could not be written: %s; what was recorded before is readable",
			run->folder.trace_path, strerror(-err));
	close(run->folder.trace_fd);
	run->folder.trace_fd = -1;
	run->result.write_err = err;
}

/* Without root. Return: -1 to go on to the report, else the exit status. */
static int record_run(struct run *run)
{
	const struct trace_meta *meta = &run->meta;
	struct run_loop_opts loop = {
		.record = run->record, .for_ns = run->opts.for_ns, .grace_ns = run->opts.grace_ns,
		.pidfd = run->opts.pid ? run->attach_pidfd : run->child.pidfd, .pid = run->child.pid,
		/* A command that writes to this terminal has it to itself. */
		.status_line = isatty(STDERR_FILENO) && !run->opts.look.brief &&
			       !(run->is_command && isatty(STDOUT_FILENO)),
	};
	uint64_t steal_ns, cpu_ns;
	int exec_errno = 0;

	if (trace_writer_open(&run->writer, run->folder.trace_fd, meta)) {
		log_err("cannot write '%s'", run->folder.trace_path);
		return LAB_EXIT_FILE;
	}
	loop.writer = run->writer;
	record_visit_cpus(meta->cpus_usable, meta->cpus_usable_cnt);
	steal_ns = run_meta_steal_ns(meta->cpus_usable, meta->cpus_usable_cnt);
	cpu_ns = own_cpu_ns();
	if (run->child.pid && run_child_release(&run->child, &exec_errno))
		return LAB_EXIT_CANNOT_TRACE;
	if (exec_errno)
		return not_executed(run, exec_errno);
	run_loop(&loop, &run->result);
	run->result.end.steal_ns =
		run_meta_steal_ns(meta->cpus_usable, meta->cpus_usable_cnt) - steal_ns;
	run->result.end.reader_cpu_ns = own_cpu_ns() - cpu_ns;
	if (run->result.end.root_reaped)
		run->child.pid = 0;
	finish_file(run);
	if (run->result.abandoned) {
		log_info("left at once; the trace is %s", run->folder.trace_path);
		return 128 + SIGINT;
	}
	return -1;
}

/* ---- the report and the exit status ---- */

/* It died of what lab sent it when --for was over: that is how the run was to end. */
static bool ended_by_lab(const struct run *run)
{
	int status = run->result.end.wait_status;

	return run->result.stopped_by_lab && WIFSIGNALED(status) &&
	       (WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGKILL);
}

static int command_status(const struct run *run)
{
	int status = run->result.end.wait_status;

	if (!run->result.end.root_reaped || ended_by_lab(run))
		return LAB_EXIT_OK;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int workload_status(const struct run *run)
{
	int status = run->result.end.wait_status;

	if (run->result.end.reason != TRACE_END_EXIT || (WIFEXITED(status) && !WEXITSTATUS(status)))
		return LAB_EXIT_OK;
	if (WIFEXITED(status))
		log_err("the workload itself failed (exit status %d)", WEXITSTATUS(status));
	else
		log_err("the workload itself was killed by signal %d", WTERMSIG(status));
	return LAB_EXIT_CONTRADICTED;
}

static int show(const struct run *run, const struct output *out)
{
	const char *json = run->opts.json;
	int err;

	if (json && json[0] && output_write_file(out, "json", &run->opts.look, NULL, json))
		return LAB_EXIT_FILE;
	if (json && !json[0])
		err = output_write(out, "json", &run->opts.look, NULL, stdout);
	else
		err = output_write(out, "term", &run->opts.look, NULL,
				   run->is_command ? stderr : stdout);
	return err && err != -EPIPE ? LAB_EXIT_FILE : LAB_EXIT_OK;
}

/* A command that ran has its own status whatever became of the report, as under time(1). */
static int report(const struct run *run)
{
	struct output out;
	int status = LAB_EXIT_FILE;

	if (!output_load(&out, run->folder.trace_path)) {
		if (out.model.complete)
			output_certify(&out);
		status = show(run, &out);
	}
	if (run->is_command && !run->opts.expect)
		status = command_status(run);
	else if (status == LAB_EXIT_OK && run->workload)
		status = workload_status(run);
	if (status == LAB_EXIT_OK && (run->opts.expect || !run->is_command))
		status = output_exit_code(&out);
	if (status == LAB_EXIT_OK && run->result.write_err && !run->is_command)
		status = LAB_EXIT_FILE;
	output_release(&out);
	return status;
}

static int check_root(int argc, char **argv)
{
	const char *self = getenv("LAB_COMMAND");	/* set by the launcher of a checkout */
	char words[512] = "";
	size_t len = 0;

	if (!geteuid())
		return -1;
	for (int i = 1; i < argc; i++) {
		int n = snprintf(words + len, sizeof(words) - len, " %s", argv[i]);

		if (n < 0 || (size_t)n >= sizeof(words) - len) {
			snprintf(words, sizeof(words), " ...");
			break;
		}
		len += n;
	}
	log_err("only root may trace: sudo %s run%s", self && *self ? self : "lab", words);
	return LAB_EXIT_CANNOT_TRACE;
}

static void release(struct run *run)
{
	trace_writer_free(run->writer);
	if (run->folder.trace_fd > 0)
		close(run->folder.trace_fd);
	record_free(run->record);
	run_child_close(&run->child);
	python_hook_remove(&run->python);
	if (run->attach_pidfd > 0)
		close(run->attach_pidfd);
	trace_meta_release(&run->meta);
}

static int cmd_run(int argc, char **argv)
{
	struct run *run = xcalloc(1, sizeof(*run));
	int status;

	run->opts.grace_ns = GRACE_DEFAULT_NS;
	status = parse(run, argc, argv);
	if (run->opts.debug)
		log_set_level(LOG_DEBUG);
	if (status < 0 && privilege_workload_ids(run->opts.keep_root, &run->user))
		status = LAB_EXIT_USAGE;
	if (status < 0)
		status = check_root(argc, argv);
	if (status < 0)
		status = prepare(run);
	if (status < 0 && privilege_become(&run->user))
		status = LAB_EXIT_CANNOT_TRACE;
	/* A root who stays root can still write to another user's folder here. */
	if (status < 0 && run_folder_make(&run->folder, run->opts.folder, run->meta.name))
		status = LAB_EXIT_FILE;
	if (status < 0)
		record_names(run->record, privilege_drop_but_looking, privilege_drop_capabilities);
	if (status < 0 && privilege_drop_capabilities())
		status = LAB_EXIT_CANNOT_TRACE;
	if (status < 0)
		status = record_run(run);
	release(run);
	if (status < 0)
		status = report(run);
	free(run);
	return status;
}

const struct command command_run = {
	.name = "run",
	.summary = "Run a workload, or any program, under the tracer and report on it",
	.usage = "lab run [OPTIONS] WORKLOAD [ITS OPTIONS]\n"
		 "lab run [OPTIONS] -- COMMAND [ARG...]\n"
		 "lab run [OPTIONS] --pid PID",
	.opts = run_opts,
	.details = "A workload's report goes to stdout. A COMMAND keeps stdin, stdout, stderr and its exit\n"
		   "status; the report goes to stderr. Ctrl-C ends the workload, and the report still comes;\n"
		   "a second one leaves at once.\n",
	.main = cmd_run,
};
