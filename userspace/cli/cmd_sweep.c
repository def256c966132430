/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/scaling.h"
#include "cli/apart.h"
#include "cli/exit.h"
#include "cli/output.h"
#include "cli/privilege.h"
#include "cli/run.h"
#include "cli/sweep_range.h"
#include "cli/trial.h"
#include "render/sweep.h"
#include "util/alloc.h"
#include "util/log.h"
#include "util/minmax.h"
#include "util/nearest.h"
#include "workload/workload.h"

#define TASKS_DEFAULT "1..8"

enum format { FORMAT_TERM, FORMAT_JSON, FORMAT_SVG };

struct sweep_opts {
	const char *tasks;
	const char *cpus;
	const char *file;	/* NULL or "-": standard output */
	const char *json;	/* NULL: none; "": in place of the table */
	uint32_t format;	/* enum format */
	uint32_t repeats;
	bool keep_root;
	struct output_look look;
};

static const char *const format_choices[] = { "term", "json", "svg", NULL };

static const struct opt sweep_opts[] = {
	{ .name = "tasks", .kind = OPT_STRING, .off = offsetof(struct sweep_opts, tasks),
	  .metavar = "RANGE", .help = "numbers of tasks, such as 1..16 or 1,2,4,8 (default 1..8)" },
	{ .name = "cpus", .kind = OPT_STRING, .off = offsetof(struct sweep_opts, cpus),
	  .metavar = "RANGE", .help = "numbers of CPUs instead, the first of those there are: "
				      "1..4, 1..N (all)" },
	{ .name = "repeat", .kind = OPT_U32, .off = offsetof(struct sweep_opts, repeats),
	  .metavar = "N",
	  .help = "how often each number is run, in turn with the others (default 5)",
	  .min = 1, .max = COMPARISON_REPEATS_MAX },
	{ .name = "format", .letter = 'f', .kind = OPT_CHOICE,
	  .off = offsetof(struct sweep_opts, format),
	  .metavar = "FORMAT", .choices = format_choices, .help = "term (default), json or svg" },
	{ .name = "output", .letter = 'o', .kind = OPT_STRING,
	  .off = offsetof(struct sweep_opts, file),
	  .metavar = "FILE", .help = "write to FILE, whole or not at all; - is standard output" },
	{ .name = "json", .kind = OPT_OPTIONAL_STRING, .off = offsetof(struct sweep_opts, json),
	  .metavar = "FILE", .help = "JSON to FILE besides, or in place of the table" },
	{ .name = "root", .kind = OPT_FLAG, .off = offsetof(struct sweep_opts, keep_root),
	  .help = "under sudo: run everything as root" },
	OUTPUT_LOOK_OPTS(struct sweep_opts, look),
	{ .name = NULL },
};

struct sweep {
	struct sweep_opts opts;
	struct workload_args args;
	const struct workload *workload;
	struct privilege_user user;
	uint16_t cpus[TRACE_CPUS_MAX];	/* those that lab may use */
	uint32_t cpu_cnt;
	uint64_t amounts[SCALING_POINTS_MAX];
	struct scaling result;
};

/* ---- what was asked for ---- */

static void list_workloads(char *list, size_t size)
{
	size_t used = 0;

	list[0] = '\0';
	for (size_t i = 0; workloads[i] && used < size; i++)
		if (workloads[i]->amount)
			used += (size_t)snprintf(list + used, size - used, "%s%s", used ? ", " : "",
						 workloads[i]->name);
}

static int print_help(void)
{
	char list[256];

	list_workloads(list, sizeof(list));
	command_print_help(command_find("sweep"));
	printf("\nworkloads whose work can be measured: %s\n", list);
	return LAB_EXIT_OK;
}

/* Return: -1 to go on, else the exit status. */
static int find_workload(struct sweep *s, const char *name)
{
	char list[256], otherwise[320];

	list_workloads(list, sizeof(list));
	s->workload = workload_find(name);
	if (s->workload && s->workload->amount)
		return -1;
	if (s->workload) {
		log_err("%s works for a time, or for what it has to show, so that how long it "
			"takes says nothing: "
			"sweep one of %s", name, list);
		return LAB_EXIT_USAGE;
	}
	snprintf(otherwise, sizeof(otherwise), "; sweep one of %s", list);
	log_err("there is no workload '%s'%s", name,
		nearest_or(NEAREST_OF(name, workloads), otherwise).s);
	return LAB_EXIT_USAGE;
}

/* The workload's options, but for --tasks, and those of sweep, behind the workload's name. */
static struct opt *all_opts(const struct workload *workload)
{
	struct opt *table = NULL;
	size_t cnt = 0, cap = 0;

	for (const struct opt *opt = workload->opts; opt->name; opt++) {
		if (!strcmp(opt->name, "tasks"))
			continue;
		*vec_push(table, cnt, cap) = *opt;
		table[cnt - 1].off += offsetof(struct sweep, args);
	}
	for (const struct opt *opt = sweep_opts; opt->name; opt++) {
		*vec_push(table, cnt, cap) = *opt;
		table[cnt - 1].off += offsetof(struct sweep, opts);
	}
	vec_push(table, cnt, cap);
	return table;
}

static const struct opt *tasks_opt(const struct workload *workload)
{
	const struct opt *opt = workload->opts;

	while (opt->name && strcmp(opt->name, "tasks"))
		opt++;
	return opt;
}

static void find_cpus(struct sweep *s)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	for (uint16_t cpu = 0; cpu < CPU_SETSIZE && s->cpu_cnt < ARRAY_SIZE(s->cpus); cpu++)
		if (CPU_ISSET(cpu, &set))
			s->cpus[s->cpu_cnt++] = cpu;
}

/* The numbers themselves. Return: -1 to go on, else the exit status. */
static int parse_points(struct sweep *s)
{
	const struct opt *tasks = tasks_opt(s->workload);
	bool over_cpus = s->opts.cpus;
	uint32_t n[SCALING_POINTS_MAX];
	uint64_t most = over_cpus ? s->cpu_cnt : tasks->max, least = over_cpus ? 1 : tasks->min;
	int cnt;

	if (over_cpus && s->opts.tasks) {
		cnt = sweep_range_parse(s->opts.tasks, 0, n, 1);
		if (cnt != 1) {
			log_err("a sweep goes over --tasks or over --cpus: with --cpus, --tasks "
				"takes one number");
			return LAB_EXIT_USAGE;
		}
		s->args.tasks = n[0];
	}
	cnt = sweep_range_parse(over_cpus ? s->opts.cpus : s->opts.tasks ? s->opts.tasks :
				TASKS_DEFAULT,
				over_cpus ? s->cpu_cnt : 0, n, ARRAY_SIZE(n));
	if (cnt < 0) {
		log_err("--%s takes numbers such as 1..8 or 1,2,4, at most %d of them, not \"%s\"",
			over_cpus ? "cpus" : "tasks", SCALING_POINTS_MAX,
			over_cpus ? s->opts.cpus : s->opts.tasks);
		return LAB_EXIT_USAGE;
	}
	if (n[0] < least || n[cnt - 1] > most ||
	    (over_cpus && (s->args.tasks < tasks->min || s->args.tasks > tasks->max))) {
		log_err("--%s: %s takes from %llu to %llu here", over_cpus ? "cpus" : "tasks",
			over_cpus ? "this machine" : s->workload->name, (unsigned long long)least,
			(unsigned long long)most);
		return LAB_EXIT_USAGE;
	}
	s->result.over_cpus = over_cpus;
	s->result.point_cnt = (size_t)cnt;
	for (int i = 0; i < cnt; i++)
		s->result.points[i].n = n[i];
	return -1;
}

/* The arguments at a point. */
static struct workload_args args_at(const struct sweep *s, size_t point)
{
	struct workload_args args = s->args;

	if (!s->result.over_cpus)
		args.tasks = s->result.points[point].n;
	return args;
}

/* Return: -1 to go on, else the exit status. */
static int check_points(struct sweep *s)
{
	for (size_t p = 0; p < s->result.point_cnt; p++) {
		struct workload_args args = args_at(s, p);

		if (s->workload->check && s->workload->check(&args))
			return LAB_EXIT_USAGE;
		s->amounts[p] = s->workload->amount(&args);
	}
	return -1;
}

/* Return: -1 to go on, else the exit status. */
static int parse(struct sweep *s, int argc, char **argv)
{
	bool want_help = false;
	struct opt *table;
	char what[64];
	int used = opts_parse(sweep_opts, &s->opts, argc - 1, argv + 1, "lab sweep", &want_help,
			      NULL);
	int status;

	if (used < 0)
		return LAB_EXIT_USAGE;
	if (want_help)
		return print_help();
	argc -= 1 + used;
	argv += 1 + used;
	if (!argc) {
		log_err("name a workload: lab sweep amdahl");
		return LAB_EXIT_USAGE;
	}
	status = find_workload(s, argv[0]);
	if (status >= 0)
		return status;
	s->args = s->workload->defaults;
	snprintf(what, sizeof(what), "lab sweep %s", s->workload->name);
	table = all_opts(s->workload);
	used = opts_parse(table, s, argc - 1, argv + 1, what, &want_help, NULL);
	if (used >= 0 && want_help) {
		print_help();
		printf("\noptions of %s:\n", s->workload->name);
		opts_print_help(s->workload->opts);
	}
	free(table);
	if (used < 0 || want_help)
		return used < 0 ? LAB_EXIT_USAGE : LAB_EXIT_OK;
	if (used < argc - 1) {
		log_err("%s takes no word '%s'", what, argv[1 + used]);
		return LAB_EXIT_USAGE;
	}
	status = parse_points(s);
	return status < 0 ? check_points(s) : status;
}

/* ---- doing it ---- */

static void show_progress(const struct sweep *s, size_t round, uint32_t n)
{
	if (isatty(STDERR_FILENO) && !s->opts.look.brief)
		fprintf(stderr, "\r\033[Klab: round %zu of %u: %u %s%s", round + 1, s->opts.repeats,
			n,
			s->result.over_cpus ? "CPU" : "task", n == 1 ? "" : "s");
}

static void end_progress(const struct sweep *s)
{
	if (isatty(STDERR_FILENO) && !s->opts.look.brief)
		fputs("\r\033[K", stderr);
}

/* Each round begins with another point. Return: -1, or the exit status. */
static int run_all(struct sweep *s, struct trial *trials)
{
	size_t cnt = s->result.point_cnt;

	for (size_t round = 0; round < s->opts.repeats; round++)
		for (size_t i = 0; i < cnt; i++) {
			size_t p = (round + i) % cnt;
			struct trial_spec spec = {
				.workload = s->workload, .args = args_at(s, p), .user = &s->user,
				.cpus = s->cpus, .keep_root = s->opts.keep_root,
			};
			int status;

			if (s->result.over_cpus)
				spec.cpu_cnt = s->result.points[p].n;
			show_progress(s, round, s->result.points[p].n);
			status = trial_run(&spec, &trials[round * cnt + p]);
			end_progress(s);
			if (status >= 0)
				return status;
		}
	return -1;
}

static int show(const struct sweep *s)
{
	static output_fn *const renders[] = {
		[FORMAT_TERM] = sweep_term, [FORMAT_JSON] = sweep_json, [FORMAT_SVG] = sweep_svg,
	};
	const char *json = s->opts.json, *file = s->opts.file;
	struct target_place place = { .folder_fd = AT_FDCWD, .path = json };
	output_fn *render = json && !json[0] ? sweep_json : renders[s->opts.format];
	int err;

	if (json && json[0] && output_file(sweep_json, &s->result, &s->opts.look, &place))
		return LAB_EXIT_FILE;
	place.path = file;
	if (file && strcmp(file, "-"))
		err = output_file(render, &s->result, &s->opts.look, &place);
	else
		err = output_stream(render, &s->result, &s->opts.look, stdout, "the report");
	return err && err != -EPIPE ? LAB_EXIT_FILE : LAB_EXIT_OK;
}

static int conclusive(const struct scaling *result)
{
	for (size_t p = 0; p < result->point_cnt; p++)
		if (result->points[p].runs.class == CLASS_INCONCLUSIVE)
			return LAB_EXIT_UNDECIDED;
	return LAB_EXIT_OK;
}

static int measure(struct sweep *s)
{
	struct trial *trials = xcalloc(s->result.point_cnt * s->opts.repeats, sizeof(*trials));
	int status;

	s->result.workload = s->workload->name;
	s->result.repeats = s->opts.repeats;
	s->result.cpus = s->cpu_cnt;
	apart_block_signals();
	signal(SIGPIPE, SIG_IGN);
	status = run_all(s, trials);
	if (status < 0 && privilege_drop_for_rendering(&s->user))
		status = LAB_EXIT_FILE;
	if (status < 0) {
		scaling_compute(trials, s->amounts, s->args.tasks, &s->result);
		status = show(s);
	}
	if (status == LAB_EXIT_OK)
		status = conclusive(&s->result);
	free(trials);
	return status;
}

static int cmd_sweep(int argc, char **argv)
{
	struct sweep *s = xcalloc(1, sizeof(*s));
	int status;

	s->opts.repeats = 5;
	find_cpus(s);
	status = parse(s, argc, argv);
	if (status < 0 && privilege_workload_ids(s->opts.keep_root, &s->user))
		status = LAB_EXIT_USAGE;
	if (status < 0)
		status = run_check_root(argc, argv);
	if (status < 0)
		status = measure(s);
	free(s);
	return status;
}

const struct command command_sweep = {
	.name = "sweep",
	.summary = "Run a workload with more and more tasks or CPUs, and fit Amdahl's law and the "
		   "USL",
	.usage = "lab sweep [OPTIONS] WORKLOAD [ITS OPTIONS]",
	.opts = sweep_opts,
	.details = "Each run is traced as lab run does it, in turn with the others. A speedup is "
		   "throughput over\n"
		   "that of the first number, the median of the runs; * marks what is in no fit. "
		   "Where a law\n"
		   "cannot be fitted, a sentence says why. Traces are not kept.\n\n"
		   "Ends with 4 if the verdict on some run was inconclusive.\n",
	.main = cmd_sweep,
};
