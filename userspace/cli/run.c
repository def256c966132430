/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/run.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/exit.h"
#include "cli/run_advice.h"
#include "cli/run_meta.h"
#include "cli/self.h"
#include "trace/seal.h"
#include "util/alloc.h"
#include "util/io.h"
#include "util/log.h"

/* so that a machine full of runnable tasks does not keep the rings from being emptied */
#define READER_NICE (-10)

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
	meta->attempt = run->attempt;
	meta->attempts_max = run->opts.attempts_max;
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

/* A lab that is set-user-ID shows nobody what is not his. */
static bool may_attach(uint32_t pid)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%" PRIu32, pid);
	return privilege_root_called() || (!stat(path, &st) && st.st_uid == getuid());
}

static int attach(struct run *run)
{
	run->attach_pidfd = syscall(SYS_pidfd_open, run->opts.pid, 0);
	if (run->attach_pidfd >= 0 && may_attach(run->opts.pid))
		return -1;
	if (run->attach_pidfd >= 0)
		errno = EPERM;
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
		.user = &run->child_user, .cpus = run->cpus, .cpu_cnt = run->cpu_cnt,
		.marks = run->opts.ops, .hooks = &run->opts.hooks,
	};
	int err, pidfd;

	if (run->opts.pid) {
		int status = attach(run);

		if (status >= 0)
			return status;
	} else {
		err = hook_choose(&run->opts.hooks);
		if (!err)
			err = hook_keeper_start(&run->hook_keeper, &run->opts.hooks,
						&run->child_user);
		child.hook_keeper_fd = run->hook_keeper.fd;
		if (!err)
			err = run_child_start(&run->child, &child);
		if (err)
			return err == -EINVAL ? LAB_EXIT_USAGE : LAB_EXIT_CANNOT_TRACE;
	}
	if (trace_keeper_start(&run->trace_keeper, &run->user))
		return LAB_EXIT_CANNOT_TRACE;
	signal(SIGPIPE, SIG_IGN);
	run_loop_block_signals();
	setpriority(PRIO_PROCESS, 0, READER_NICE);
	if (fill_meta(run))
		return LAB_EXIT_CANNOT_TRACE;
	if (record_open(&run->record, &opts))
		return LAB_EXIT_CANNOT_TRACE;
	run->meta.throttling = record_throttling(run->record);
	pidfd = run->opts.pid ? run->attach_pidfd : run->child.pidfd;
	err = record_start(run->record, pidfd, run->meta.cpus_usable, run->meta.cpus_usable_cnt,
			   &run->meta.armed_ns);
	if (err == -ESRCH && !run_loop_signal_waits())
		log_err("the process ended before lab could attach to it");
	return err ? LAB_EXIT_CANNOT_TRACE : -1;
}

/* A command that could not be executed leaves no run behind. */
static int not_executed(struct run *run, int exec_errno)
{
	const char *why = exec_errno == ENOENT ? "there is no such command" : strerror(exec_errno);
	char advice[RUN_ADVICE_MAX];

	if (run_advice(run->argc, run->argv, advice))
		log_err("cannot run '%s': %s; %s", run->argv[0], why, advice);
	else
		log_err("cannot run '%s': %s", run->argv[0], why);
	run_discard(run);
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
		log_err("the end of '%s' could not be written: %s; what was recorded before is "
			"readable",
			run->folder.trace_path, io_reason(-err));
	run->seal = trace_writer_seal(run->writer);
	run->result.write_err = err;
}

/* Without root. Return: -1 to go on to the report, else the exit status. */
static int record_run(struct run *run)
{
	const struct trace_meta *meta = &run->meta;
	struct run_loop_opts loop = {
		.record = run->record, .for_ns = run->opts.for_ns, .grace_ns = run->opts.grace_ns,
		.pidfd = run->opts.pid ? run->attach_pidfd : run->child.pidfd,
		.pid = run->child.pid,
		.memory = run->opts.memory, .sender = &run->child.sender,
		/* A command that writes to this terminal has it to itself. */
		.status_line = isatty(STDERR_FILENO) && !run->opts.look.brief &&
			       !(run->is_command && isatty(STDOUT_FILENO)),
	};
	uint64_t steal_ns, cpu_ns;
	int exec_errno = 0, err = trace_writer_open(&run->writer, run->folder.trace_fd, meta);

	if (err) {
		log_err("cannot write '%s': %s", run->folder.trace_path, io_reason(-err));
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
	run_loop_allow_leaving(run->result.interrupted);
	run->result.end.steal_ns =
		run_meta_steal_ns(meta->cpus_usable, meta->cpus_usable_cnt) - steal_ns;
	run->result.end.reader_cpu_ns = own_cpu_ns() - cpu_ns;
	finish_file(run);
	return run->result.abandoned ? 128 + SIGINT : -1;
}

int run_workload_status(const struct run *run)
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

int run_check_root(int argc, char **argv)
{
	char words[SELF_WORDS_MAX];

	if (!geteuid())
		return -1;
	self_words(words, argc, argv);
	log_err("only root may trace: sudo %s%s", self_command(), words);
	return LAB_EXIT_CANNOT_TRACE;
}

/* Node.js does not start without the file that it was told to load. */
static void release_hooks(struct run *run)
{
	enum trace_end_reason reason = run->result.end.reason;
	bool left = reason == TRACE_END_DAEMON || reason == TRACE_END_WRITE_ERROR;

	if (left && run->opts.hooks.folder[0])
		log_info("%s is left: processes go on that may need it; remove it when they have "
			 "ended",
			 run->opts.hooks.folder);
	hook_keeper_end(&run->hook_keeper, !left);
}

void run_release(struct run *run)
{
	run_loop_release_signals();
	setpriority(PRIO_PROCESS, 0, run->nice);
	trace_writer_free(run->writer);
	record_free(run->record);
	run_child_close(&run->child);
	release_hooks(run);
	if (run->attach_pidfd > 0)
		close(run->attach_pidfd);
	trace_meta_release(&run->meta);
}

struct trace_input run_trace(const struct run *run)
{
	return (struct trace_input){ .fd = run->folder.trace_fd,
				     .path = (char *)run->folder.trace_path, .seal = run->seal,
				     .by_sudo = run->by_sudo };
}

int run_close(struct run *run)
{
	int err = 0;

	if (run->folder.path[0] && !run_folder_is_named(&run->folder)) {
		log_err("what is called '%s' now is not what lab wrote: it was moved, or another "
			"file put in its "
			"place, while lab ran", run->folder.trace_path);
		err = -ESTALE;
	}
	trace_keeper_end(&run->trace_keeper);
	run_folder_close(&run->folder);
	trace_seal_free(run->seal);
	run->seal = NULL;
	return err;
}

void run_discard(struct run *run)
{
	trace_keeper_end(&run->trace_keeper);
	run_folder_remove(&run->folder);
	run_folder_close(&run->folder);
	trace_seal_free(run->seal);
	run->seal = NULL;
}

int run_record(struct run *run)
{
	int status;

	run->nice = getpriority(PRIO_PROCESS, 0);
	status = prepare(run);
	if (status < 0 && privilege_become(&run->user))
		status = LAB_EXIT_CANNOT_TRACE;
	/* A root who stays root can still write to another user's folder here. */
	if (status < 0 && run_folder_make(&run->folder, run->opts.folder, run->meta.name,
					 run->opts.mode))
		status = LAB_EXIT_FILE;
	if (status < 0)
		trace_keeper_take(&run->trace_keeper, run->folder.trace_fd);
	if (status < 0)
		record_names(run->record, privilege_drop_but_looking, privilege_drop_capabilities);
	if (status < 0 && privilege_drop_capabilities())
		status = LAB_EXIT_CANNOT_TRACE;
	if (status < 0)
		status = record_run(run);
	return status;
}
