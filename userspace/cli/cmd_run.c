/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analyze/judge.h"
#include "cli/exit.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/run_advice.h"
#include "cli/run_attempts.h"
#include "cli/self.h"
#include "cli/trust.h"
#include "util/alloc.h"
#include "util/log.h"
#include "util/minmax.h"
#include "util/nearest.h"
#include "workload/workload.h"

static const char *const expect_choices[] = { "none", "sequential", "concurrent", "parallel",
					      NULL };

static const char *const mode_choices[] = { "600", "640", "644", NULL };
static const mode_t modes[] = { 0600, 0640, 0644 };

static const struct opt run_opts[] = {
	{ .name = "output", .letter = 'o', .kind = OPT_STRING,
	  .off = offsetof(struct run_opts, folder),
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
	{ .name = "until-quiet", .kind = OPT_U32, .off = offsetof(struct run_opts, attempts_max),
	  .metavar = "N", .min = 1, .max = 1000,
	  .help = "run it again, up to N times, while other programs, or the host, leave the "
		  "verdict open" },
	{ .name = "ops", .kind = OPT_FLAG, .off = offsetof(struct run_opts, ops),
	  .help = "hook system calls, to see an event loop's operations, and markers" },
#define HOOK(id, programs, variable, separator, in_front, before_path, file, example, about) \
	{ .name = #id, .kind = OPT_FLAG, \
	  .off = offsetof(struct run_opts, hooks.wanted[HOOK_##id]), \
	  .help = about },
#define HOOK_FILE(...)
#include "cli/hook.def"
#undef HOOK
#undef HOOK_FILE
	{ .name = "json", .kind = OPT_OPTIONAL_STRING, .off = offsetof(struct run_opts, json),
	  .metavar = "FILE", .help = "the report as JSON, to FILE or in place of the report" },
	{ .name = "grace", .kind = OPT_DURATION, .off = offsetof(struct run_opts, grace_ns),
	  .metavar = "TIME",
	  .help = "how long what the command leaves behind may go on (default: 2s)",
	  .max = UINT64_C(3600000000000) },
	{ .name = "buffer", .kind = OPT_U32, .off = offsetof(struct run_opts, ring_mib),
	  .metavar = "MIB",
	  .help = "ring per CPU, a power of two (default: 16, 256 for all at most)",
	  .min = 1, .max = 1024 },
	{ .name = "root", .kind = OPT_FLAG, .off = offsetof(struct run_opts, keep_root),
	  .help = "under sudo: run the workload as root, and make the files root's" },
	{ .name = "user", .kind = OPT_STRING, .off = offsetof(struct run_opts, as),
	  .metavar = "NAME",
	  .help = "run the workload as that user; the files stay those of whoever called lab" },
	{ .name = "mode", .kind = OPT_CHOICE, .off = offsetof(struct run_opts, mode),
	  .metavar = "MODE",
	  .choices = mode_choices,
	  .help = "who may read the files: 600 (you alone), 640 (their group too) or 644 (all)" },
	{ .name = "measure-overhead", .kind = OPT_FLAG,
	  .off = offsetof(struct run_opts, measure_overhead),
	  .help = "let the kernel time the probes themselves" },
	{ .name = "debug", .kind = OPT_FLAG, .off = offsetof(struct run_opts, debug),
	  .help = "show what libbpf and the kernel's verifier say" },
	OUTPUT_LOOK_OPTS(struct run_opts, look),
	OUTPUT_VERBOSE_OPT(struct run_opts, look),
	{ .name = NULL },
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
	printf("usage: lab run [OPTIONS] %s [ITS OPTIONS]\n\n%s.\nClaim: %s, since %s.\n\nits "
	       "options:\n",
	       workload->name, workload->shows, verdict_class_name(claim.class), claim.why);
	opts_print_help(workload->opts);
	printf("\nThe options of lab run --help may stand before the name or behind it.\n");
	return LAB_EXIT_OK;
}

static int unknown_workload(int argc, char **argv)
{
	char words[SELF_WORDS_MAX], advice[RUN_ADVICE_MAX];

	self_words(words, argc, argv);
	if (!run_advice(argc, argv, advice))
		snprintf(advice, sizeof(advice), "a program of your own: %s%s run --%s",
			 self_sudo(),
			 self_command(), words);
	log_err("there is no workload '%s'%s (%s)", argv[0],
		nearest_or(NEAREST_OF(argv[0], workloads), "; lab list shows all").s, advice);
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
		return unknown_workload(argc, argv);
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

/* Return: whether options do not go with each other (logged). @rest: how many words are left. */
static bool contradicts(const struct run *run, int rest)
{
	if (run->opts.as && !geteuid() && !privilege_root_called()) {
		log_err("--user is for root; this lab is set-user-ID, and runs what you run as "
			"you");
		return true;
	}
	if (run->opts.as && (run->opts.pid || run->opts.keep_root)) {
		log_err("--user does not go with %s: it says as whom the workload is run",
			run->opts.pid ? "--pid" : "--root");
		return true;
	}
	if (run->opts.pid && run->opts.attempts_max) {
		log_err("--until-quiet does not go with --pid: a running process cannot be run "
			"again");
		return true;
	}
	if (run->opts.pid && rest) {
		log_err("--pid attaches to a running process: it takes no workload or command "
			"besides");
		return true;
	}
	return false;
}

/* Return: -1 to go on, else the exit status. */
static int parse(struct run *run, int argc, char **argv)
{
	bool want_help = false, dashdash = false;
	int used = opts_parse(run_opts, &run->opts, argc - 1, argv + 1, "lab run", &want_help,
			      &dashdash);
	const struct hook *hook = hook_first(&run->opts.hooks);
	int rest;

	if (used < 0)
		return LAB_EXIT_USAGE;
	if (want_help)
		return print_run_help(NULL);
	rest = argc - 1 - used;
	argv += 1 + used;
	if (contradicts(run, rest))
		return LAB_EXIT_USAGE;
	if (!run->opts.pid && !rest) {
		log_err("say what to run: a workload, such as %s%s run procs (lab list shows all), "
			"or a "
			"program of your own: %s%s run -- ./PROGRAM", self_sudo(), self_command(),
			self_sudo(), self_command());
		return LAB_EXIT_USAGE;
	}
	if (hook && !dashdash) {
		log_err("--%s is for a command: lab run --%s -- %s", hook->name, hook->name,
			hook->example);
		return LAB_EXIT_USAGE;
	}
	if (run->opts.pid)
		return parse_cpus(run);
	if (!dashdash) {
		int status = parse_workload(run, rest, argv);

		return status < 0 ? parse_cpus(run) : status;
	}
	run->opts.ops |= hook != NULL;
	run->is_command = true;
	run->argv = argv;
	run->argc = rest;
	if (run->opts.json && !run->opts.json[0]) {
		log_err("--json needs a file with a command, whose output stdout is: --json=FILE");
		return LAB_EXIT_USAGE;
	}
	if (run->opts.attempts_max && run_attempts_check_stdin())
		return LAB_EXIT_USAGE;
	return parse_cpus(run);
}

/* ---- the report and the exit status ---- */

static int command_status(const struct run *run)
{
	int status = run->result.end.wait_status;

	if (!trace_end_failed(&run->result.end))
		return LAB_EXIT_OK;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int show(const struct run *run, const struct output *out)
{
	const struct target_place page = { .folder_fd = run->folder.fd, .path = RUN_HTML_NAME,
					   .shown = run->folder.html_path, .mode = run->opts.mode,
					   .kind = TARGET_OWN };
	const struct target_place data = { .folder_fd = AT_FDCWD, .path = run->opts.json,
					   .mode = run->opts.mode, .kind = TARGET_DEVICE };
	const char *json = run->opts.json, *html = run->folder.html_path;
	int err;

	/* Without the page the report is still worth to be seen. */
	err = output_write_file(out, "html", &run->opts.look, NULL, &page);
	if (err)
		html = NULL;
	if (json && json[0] && output_write_file(out, "json", &run->opts.look, NULL, &data))
		return LAB_EXIT_FILE;
	if (json && !json[0])
		err = output_write(out, "json", &run->opts.look, NULL, stdout, "the report") ?: err;
	else
		err = output_write(out, "term", &run->opts.look, html,
				   run->is_command ? stderr : stdout, "the report") ?: err;
	return err && err != -EPIPE ? LAB_EXIT_FILE : LAB_EXIT_OK;
}

/*
 * Another run may tell more; not if this one was interrupted, or left processes that would disturb
 * the next.
 */
static bool is_worth_another(const struct run *run, const struct output *out)
{
	enum trace_end_reason reason = run->result.end.reason;

	return run->attempt < run->opts.attempts_max &&
	       (judge_others_decide(&out->report) || judge_chance_decides(&out->report)) &&
	       (reason == TRACE_END_EXIT || reason == TRACE_END_FOR) && !run->result.end.left;
}

/*
 * A command that ran has its own status whatever became of the report, as under time(1).
 * Return: the exit status, or -1 if the run is to be made again and its files are gone.
 */
static int report(struct run *run)
{
	struct trace_input trace = run_trace(run);
	struct output out;
	int status = LAB_EXIT_FILE;

	if (!output_load(&out, &trace)) {
		if (is_worth_another(run, &out)) {
			if (!run->opts.look.brief)
				log_info("run %" PRIu32 " of at most %" PRIu32
					 ": %s; running it again",
					 run->attempt, run->opts.attempts_max,
					 judge_others_decide(&out.report) ?
					 "other programs had CPUs and could have changed the "
					 "verdict" :
					 out.report.verdict.reason);
			output_release(&out);
			run_discard(run);
			return -1;
		}
		out.hooked = hook_first(&run->opts.hooks) != NULL;
		if (out.model.complete)
			output_certify(&out);
		status = show(run, &out);
	}
	if (run_close(run) && status == LAB_EXIT_OK)
		status = LAB_EXIT_FILE;
	if (run->is_command && !run->opts.expect)
		status = command_status(run);
	else if (status == LAB_EXIT_OK && run->workload)
		status = run_workload_status(run);
	if (status == LAB_EXIT_OK && (run->opts.expect || !run->is_command))
		status = output_exit_code(&out);
	/* What a program was expected to be does not make up for its failure. */
	if (status != LAB_EXIT_CONTRADICTED && run->is_command && command_status(run))
		status = command_status(run);
	if (status == LAB_EXIT_OK && run->result.write_err && !run->is_command)
		status = LAB_EXIT_FILE;
	output_release(&out);
	return status;
}

static int record_and_report(struct run *run)
{
	int status = run_record(run);

	if (run->result.abandoned)
		log_info("left at once; the trace is %s", run->folder.trace_path);
	run_release(run);
	if (status < 0)
		return report(run);
	run_close(run);
	return status;
}

/* Of a command: a workload of lab's own changes nothing. */
static void say_trust(const struct run *run)
{
	char self[PATH_MAX], which[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (!run->is_command)
		return;
	if (trust_caller_unknown() && !run->opts.keep_root && !run->opts.as)
		log_warn("the command runs as root, as nothing says who called lab (sudo does): "
			 "--user NAME runs it as "
			 "NAME, --root says that root is meant");
	if (len <= 0 || run->opts.look.brief || !run->child_user.differs)
		return;
	self[len] = '\0';
	if (trust_changeable(self, &run->child_user, which))
		log_info("this lab can be changed by %s, as whom the command runs (%s is "
			 "writable): for grades, install "
			 "it (sudo make install)", run->child_user.name, which);
}

static int cmd_run(int argc, char **argv)
{
	struct run *run = xcalloc(1, sizeof(*run));
	int status;

	run->opts.grace_ns = RUN_GRACE_DEFAULT_NS;
	run->by_sudo = self_needs_sudo();
	status = parse(run, argc, argv);
	run->opts.mode = modes[run->opts.mode];
	if (run->opts.debug)
		log_set_level(LOG_DEBUG);
	if (status < 0 && privilege_workload_ids(run->opts.keep_root, &run->user))
		status = LAB_EXIT_USAGE;
	run->child_user = run->user;
	if (status < 0 && run->opts.as && privilege_by_name(run->opts.as, &run->child_user))
		status = LAB_EXIT_USAGE;
	if (status < 0)
		status = run_check_root(argc, argv);
	if (status < 0)
		say_trust(run);
	if (status < 0)
		status = run->opts.attempts_max ? run_attempts(run, record_and_report) :
						  record_and_report(run);
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
	.details = "A workload's report goes to stdout. A COMMAND keeps stdin, stdout, stderr and "
		   "its exit\n"
		   "status; the report goes to stderr. Ctrl-C ends the workload, and the report "
		   "still comes;\n"
		   "a second one leaves at once.\n",
	.main = cmd_run,
};
