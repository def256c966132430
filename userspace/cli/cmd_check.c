/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check_eval.h"
#include "cli/exit.h"
#include "cli/output.h"
#include "cli/reading.h"
#include "util/alloc.h"
#include "util/io.h"
#include "util/log.h"
#include "util/text.h"

/* What one word of the command line asks. */
struct question {
	struct check_expr expr;
	struct check_result result;
};

struct check_opts {
	bool force;
};

static const struct opt check_opts[] = {
	TRACE_INPUT_FORCE_OPT(struct check_opts, force),
	{ .name = NULL },
};

/* All that are wrong are named, before anything is read. */
static int parse_all(struct question *questions, const char *const *words, int cnt)
{
	int status = LAB_EXIT_OK;

	for (int i = 0; i < cnt; i++) {
		char error[CHECK_ERROR_MAX];

		if (!check_parse(&questions[i].expr, words[i], error))
			continue;
		log_err("lab check: cannot read the assertion '%.200s': %s", words[i], error);
		status = LAB_EXIT_USAGE;
	}
	return status;
}

/*
 * The report of a trace, as -f json gives it. Return: 0, or -errno after one logged sentence;
 * @report is to be released in any case.
 */
static int load_report(const struct trace_input *trace, struct json_doc *report)
{
	struct output out;
	int err = output_load(&out, trace);

	if (!err && out.damaged) {
		log_err("%s is damaged: nothing can be asserted of it", trace->path);
		err = -EBADMSG;
	}
	if (!err)
		json_report(&out.model, &out.report,
			    &(struct render_opts){ .certificate = out.certificate }, report);
	output_release(&out);
	return err;
}

static int eval_all(struct question *questions, int cnt, const struct json_doc *report)
{
	int status = LAB_EXIT_OK;

	for (int i = 0; i < cnt; i++) {
		struct question *q = &questions[i];

		if (!check_eval(&q->expr, report, &q->result))
			continue;
		log_err("lab check: the assertion '%s' cannot be judged: %s", q->expr.text,
			q->result.why);
		status = LAB_EXIT_USAGE;
	}
	return status;
}

/* Text of others on a line of TAP, where '#' begins a directive. */
static void put_text(const char *text)
{
	char safe[2 * CHECK_OBSERVED_MAX];

	text_for_terminal(safe, sizeof(safe), text, strlen(text), sizeof(safe), false);
	for (const char *c = safe; *c; c++) {
		if (*c == '#' || *c == '\\')
			putchar('\\');
		putchar(*c);
	}
}

static void print_failure(const struct question *q, const struct json_doc *report)
{
	char line[CHECK_OBSERVED_MAX];
	size_t cursor = 0;

	while (check_observed(&q->expr, report, &cursor, line)) {
		printf("#   ");
		put_text(line);
		putchar('\n');
	}
}

/* Undecided is neither ok nor not ok: in TAP that is a test that was skipped. */
static int print_all(const struct question *questions, int cnt, const struct json_doc *report)
{
	int status = LAB_EXIT_OK;

	printf("1..%d\n", cnt);
	for (int i = 0; i < cnt; i++) {
		const struct question *q = &questions[i];

		printf("%s %d - ", q->result.outcome == CHECK_FAILS ? "not ok" : "ok", i + 1);
		put_text(q->expr.text);
		if (q->result.outcome == CHECK_UNDECIDED) {
			printf(" # SKIP undecided: ");
			put_text(q->result.why);
		}
		putchar('\n');
		if (q->result.outcome == CHECK_FAILS) {
			print_failure(q, report);
			status = LAB_EXIT_CONTRADICTED;
		} else if (q->result.outcome == CHECK_UNDECIDED && status == LAB_EXIT_OK) {
			status = LAB_EXIT_UNDECIDED;
		}
	}
	return status;
}

/* Everything from here on handles the trace's bytes, without root. */
static int check(const struct trace_input *trace, struct question *questions, int cnt)
{
	struct json_doc report = { 0 };
	int status = LAB_EXIT_FILE;

	if (!load_report(trace, &report)) {
		status = eval_all(questions, cnt, &report);
		if (status == LAB_EXIT_OK)
			status = print_all(questions, cnt, &report);
	}
	json_doc_release(&report);
	return status;
}

static int check_words(const char *const *words, int cnt, bool force)
{
	struct trace_input trace = { 0 };
	struct question *questions;
	int status;

	if (cnt < 2) {
		log_err("lab check: name a trace and what to assert: lab check TRACE "
			"'verdict.class==parallel'");
		return LAB_EXIT_USAGE;
	}
	questions = xcalloc((size_t)cnt - 1, sizeof(*questions));
	status = parse_all(questions, words + 1, cnt - 1);
	if (status == LAB_EXIT_OK)
		status = reading_open(&trace, words[0], O_RDONLY,
				      force) ?: reading_confine(&trace) ?:
			 check(&trace, questions, cnt - 1);
	trace_input_close(&trace);
	free(questions);
	return status;
}

static int cmd_check(int argc, char **argv)
{
	const char **words = xcalloc((size_t)argc, sizeof(*words));
	struct check_opts opts = { 0 };
	bool want_help;
	int cnt = command_parse(check_opts, &opts, argc, argv, "lab check", words, argc,
				&want_help);
	int status = LAB_EXIT_OK;

	if (cnt < 0)
		status = LAB_EXIT_USAGE;
	else if (want_help)
		command_print_help(command_find("check"));
	else
		status = check_words(words, cnt, opts.force);
	free(words);
	return status;
}

const struct command command_check = {
	.name = "check",
	.summary = "Assert something of a recorded trace",
	.usage = "lab check TRACE ASSERTION... [OPTIONS]",
	.opts = check_opts,
	.details =
		"An assertion compares keys of the JSON report (lab report TRACE -f json), as "
		"in\n\n"
		"  lab check runs/... 'verdict.class==parallel' \\\n"
		"                     'parallelism.average/host.cpus_online >= 80%' \\\n"
		"                     'wakeup_latency.p99_ns < 10ms' 'len(tasks)==5'\n\n"
		"Each is one word of the shell: quote it, or < and > name files. It has\n\n"
		"  == != < <= > >=   one of these, or none if the key is true or false by itself\n"
		"  + - * / ( )       exact, as are all comparisons\n"
		"  a.b.0.c           a key, an index; in capacity, a part without its _ns is a "
		"share:\n"
		"                    capacity.blocked.lock is that of capacity.total_ns,\n"
		"                    capacity.blocked that of all reasons together\n"
		"  len(a.b)          how many elements a list has\n"
		"  5 0.25 5% 10ms    numbers; ns, us, ms and s are nanoseconds\n"
		"  'text' \"text\"     quotes may be left out on the right of == and !=\n"
		"  true false null\n\n"
		"The result is TAP, with what was observed where one fails. The status is 0 if "
		"all\n"
		"hold; 1 if one fails; 4 if none fails, but something is undecided: the verdict "
		"is\n"
		"inconclusive, records were lost, a key is null or absent, the verdict that the "
		"trace\n"
		"stores does not follow from its records (lab verify), the CPUs were too few or\n"
		"too busy, or the host took more than 1 % of their time (steal).\n"
		"Undecided is not failed: run it again. 2 is an assertion that cannot be read or "
		"an\n"
		"unknown key, and 5 a trace that cannot be read or is damaged.\n",
	.main = cmd_check,
};
