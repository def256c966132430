/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/comparison.h"
#include "cli/apart.h"
#include "cli/exit.h"
#include "cli/output.h"
#include "cli/privilege.h"
#include "cli/run.h"
#include "cli/trial.h"
#include "render/compare.h"
#include "util/alloc.h"
#include "util/log.h"
#include "util/minmax.h"
#include "workload/workload.h"

enum { WORK_ALL = 0 };	/* then enum work_kind + 1 */

struct compare_opts {
	uint32_t work;
	uint32_t tasks;
	uint32_t repeats;
	uint32_t rounds;
	uint32_t seed;
	const char *cpus;
	const char *json;	/* NULL: none; "": instead of the tables */
	bool keep_root;
	struct output_look look;
};

static const char *const work_choices[] = { "all", "cpu", "io", "mixed", NULL };

static const struct opt compare_opts[] = {
	{ .name = "work", .kind = OPT_CHOICE, .off = offsetof(struct compare_opts, work),
	  .metavar = "cpu|io|mixed|all", .choices = work_choices,
	  .help = "compute, wait and compute briefly, half of each, or one after the other "
		  "(default all)" },
	{ .name = "tasks", .kind = OPT_U32, .off = offsetof(struct compare_opts, tasks),
	  .metavar = "N",
	  .help = "how many errands there are to do (default 4)", .min = 2, .max = 100 },
	{ .name = "rounds", .kind = OPT_U32, .off = offsetof(struct compare_opts, rounds),
	  .metavar = "N",
	  .help = "pieces of each errand, as in lab run errands (default "
		  "40)", .min = 1, .max = 10000 },
	{ .name = "repeat", .kind = OPT_U32, .off = offsetof(struct compare_opts, repeats),
	  .metavar = "N",
	  .help = "how often each way is run, in turn with the others (default 5)",
	  .min = 1, .max = COMPARISON_REPEATS_MAX },
	{ .name = "seed", .kind = OPT_U32, .off = offsetof(struct compare_opts, seed),
	  .metavar = "N",
	  .help = "where chance begins (default 1)" },
	{ .name = "cpus", .kind = OPT_CPULIST, .off = offsetof(struct compare_opts, cpus),
	  .metavar = "LIST", .help = "let every run use these CPUs only, such as 0 or 0-3,5" },
	{ .name = "json", .kind = OPT_OPTIONAL_STRING, .off = offsetof(struct compare_opts, json),
	  .metavar = "FILE", .help = "the comparison as JSON, to FILE or in place of the tables" },
	{ .name = "root", .kind = OPT_FLAG, .off = offsetof(struct compare_opts, keep_root),
	  .help = "under sudo: run everything as root" },
	OUTPUT_LOOK_OPTS(struct compare_opts, look),
	{ .name = NULL },
};

struct compare {
	struct compare_opts opts;
	const struct workload *workload;
	const char *ways[COMPARISON_WAYS_MAX];
	size_t way_cnt;
	uint16_t cpus[TRACE_CPUS_MAX];
	uint32_t cpu_cnt;
	struct privilege_user user;
	struct comparison result;
};

/* The ways are those that the workload has, whichever these are. */
static void find_ways(struct compare *c)
{
	const struct opt *opt = c->workload->opts;

	while (strcmp(opt->name, "as"))
		opt++;
	while (c->way_cnt < COMPARISON_WAYS_MAX && opt->choices[c->way_cnt]) {
		c->ways[c->way_cnt] = opt->choices[c->way_cnt];
		c->way_cnt++;
	}
}

static void show_progress(const struct compare *c, const char *work, size_t round, const char *way)
{
	if (isatty(STDERR_FILENO) && !c->opts.look.brief)
		fprintf(stderr, "\r\033[Klab: %s, round %zu of %u: %s", work, round + 1,
			c->opts.repeats, way);
}

static void end_progress(const struct compare *c)
{
	if (isatty(STDERR_FILENO) && !c->opts.look.brief)
		fputs("\r\033[K", stderr);
}

/*
 * Each round begins with another way, so that none always comes first. Return: -1, or the exit
 * status.
 */
static int run_work(struct compare *c, uint32_t kind, struct trial *trials)
{
	struct trial_spec spec = {
		.workload = c->workload, .args = c->workload->defaults, .user = &c->user,
		.cpus = c->cpus, .cpu_cnt = c->cpu_cnt, .keep_root = c->opts.keep_root,
	};

	spec.args.work = kind;
	spec.args.tasks = c->opts.tasks;
	spec.args.rounds = c->opts.rounds;
	spec.args.seed = c->opts.seed;
	for (size_t round = 0; round < c->opts.repeats; round++) {
		for (size_t i = 0; i < c->way_cnt; i++) {
			size_t way = (round + i) % c->way_cnt;
			int status;

			spec.args.how = (uint32_t)way;
			show_progress(c, work_choices[kind + 1], round, c->ways[way]);
			status = trial_run(&spec, &trials[round * c->way_cnt + way]);
			end_progress(c);
			if (status >= 0)
				return status;
		}
	}
	return -1;
}

static int run_all(struct compare *c)
{
	size_t cnt = (size_t)c->opts.repeats * c->way_cnt;
	struct trial *trials = xcalloc(cnt, sizeof(*trials));
	int status = -1;

	for (uint32_t kind = WORK_CPU; kind <= WORK_MIXED && status < 0; kind++) {
		struct comparison_work *work = &c->result.works[c->result.work_cnt];

		if (c->opts.work != WORK_ALL && c->opts.work != kind + 1)
			continue;
		status = run_work(c, kind, trials);
		if (status >= 0)
			break;
		work->name = work_choices[kind + 1];
		comparison_work(trials, c->ways, c->way_cnt, c->opts.repeats, work);
		c->result.work_cnt++;
		c->result.cpus = trials[0].cpus;
	}
	free(trials);
	return status;
}

static int show(const struct compare *c)
{
	const char *json = c->opts.json;
	const struct target_place file = { .folder_fd = AT_FDCWD, .path = json };
	int err;

	if (json && json[0] && output_file(compare_json, &c->result, &c->opts.look, &file))
		return LAB_EXIT_FILE;
	err = output_stream(json && !json[0] ? compare_json : compare_term, &c->result,
			    &c->opts.look,
			    stdout, "the report");
	return err && err != -EPIPE ? LAB_EXIT_FILE : LAB_EXIT_OK;
}

static int conclusive(const struct comparison *result)
{
	for (size_t k = 0; k < result->work_cnt; k++)
		for (size_t w = 0; w < result->works[k].row_cnt; w++)
			if (result->works[k].rows[w].class == CLASS_INCONCLUSIVE)
				return LAB_EXIT_UNDECIDED;
	return LAB_EXIT_OK;
}

/* Return: -1 to go on, else the exit status. */
static int parse(struct compare *c, int argc, char **argv)
{
	const char *operand;
	bool want_help;
	int cnt = command_parse(compare_opts, &c->opts, argc, argv, "lab compare", &operand, 1,
				&want_help);

	if (cnt < 0)
		return LAB_EXIT_USAGE;
	if (want_help) {
		command_print_help(command_find("compare"));
		return LAB_EXIT_OK;
	}
	if (cnt) {
		log_err("lab compare takes no word '%s': it compares ways to do its own errands "
			"(lab compare --help)", operand);
		return LAB_EXIT_USAGE;
	}
	if (!c->opts.cpus)
		return -1;
	cnt = opts_parse_cpulist(c->opts.cpus, c->cpus, ARRAY_SIZE(c->cpus));
	if (cnt < 0) {
		log_err("--cpus: lab handles CPUs up to %d", TRACE_CPUS_MAX - 1);
		return LAB_EXIT_USAGE;
	}
	c->cpu_cnt = (uint32_t)cnt;
	return -1;
}

static int cmd_compare(int argc, char **argv)
{
	struct compare *c = xcalloc(1, sizeof(*c));
	int status;

	c->workload = workload_find("errands");
	c->opts = (struct compare_opts){
		.tasks = c->workload->defaults.tasks, .rounds = c->workload->defaults.rounds,
		.repeats = 5, .seed = c->workload->defaults.seed,
	};
	find_ways(c);
	status = parse(c, argc, argv);
	if (status < 0 && privilege_workload_ids(c->opts.keep_root, &c->user))
		status = LAB_EXIT_USAGE;
	if (status < 0)
		status = run_check_root(argc, argv);
	if (status < 0) {
		c->result.tasks = c->opts.tasks;
		c->result.rounds = c->opts.rounds;
		c->result.seed = c->opts.seed;
		c->result.repeats = c->opts.repeats;
		apart_block_signals();
		signal(SIGPIPE, SIG_IGN);
		status = run_all(c);
	}
	if (status < 0 && privilege_drop_for_rendering(&c->user))
		status = LAB_EXIT_FILE;
	if (status < 0)
		status = show(c);
	if (status == LAB_EXIT_OK && c->result.work_cnt)
		status = conclusive(&c->result);
	free(c);
	return status;
}

const struct command command_compare = {
	.name = "compare",
	.summary = "Do the same work in several ways, and say which one when",
	.usage = "lab compare [OPTIONS]",
	.opts = compare_opts,
	.details = "The same errands (lab run errands) one after another, in threads, in processes "
		   "and in an\n"
		   "event loop: each way is traced as lab run does it, in turn with the others, "
		   "and rounds\n"
		   "begin with another way each. A figure is the median of the runs; least-most is "
		   "how far\n"
		   "the speedups of single rounds lie apart. Traces are not kept.\n\n"
		   "Ends with 4 if the verdict on some run was inconclusive.\n",
	.main = cmd_compare,
};
