/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_RUN_H
#define LAB_CLI_RUN_H

/*
 * run - one traced run: from a parked process to a finished trace file. What `lab run` does once,
 * and the commands that compare runs do often, each time in a process of its own: root
 * is given up on the way, for good.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cli/hook.h"
#include "cli/hook_keeper.h"
#include "cli/output.h"
#include "cli/privilege.h"
#include "cli/run_child.h"
#include "cli/run_folder.h"
#include "cli/run_loop.h"
#include "cli/run_sender.h"
#include "cli/trace_keeper.h"
#include "record/record.h"
#include "trace/trace.h"
#include "workload/workload.h"

#define RUN_GRACE_DEFAULT_NS UINT64_C(2000000000)

struct run_opts {
	const char *folder;
	const char *json;	/* NULL: none; "": instead of the report */
	const char *cpus;
	const char *as;		/* --user */
	uint64_t for_ns;
	uint64_t grace_ns;
	uint32_t expect;	/* enum verdict_class */
	uint32_t pid;
	uint32_t ring_mib;
	uint32_t attempts_max;	/* --until-quiet; 0: without */
	uint32_t mode;		/* --mode: of the files; 0: TARGET_MODE */
	bool ops;
	struct hook_set hooks;
	bool keep_root;
	bool measure_overhead;
	bool debug;
	bool memory;		/* look how much memory the workload has */
	struct output_look look;
};

/* One run, from the command line to the exit status. */
struct run {
	struct run_opts opts;
	uint32_t attempt;	/* 1 .. opts.attempts_max, or 0 */
	const struct workload *workload;	/* NULL: a command, or --pid */
	struct workload_args args;
	char **argv;			/* what is run, argc words; --pid: none */
	int argc;
	bool by_sudo;		/* whoever called lab needs sudo to trace */
	bool is_command;
	uint16_t cpus[TRACE_CPUS_MAX];	/* --cpus */
	uint32_t cpu_cnt;
	struct privilege_user user;
	struct privilege_user child_user; /* as whom the workload runs: user, or --user */
	struct run_child child;
	struct side_process hook_keeper, trace_keeper;
	int attach_pidfd;
	int nice;			/* that lab was called with */
	struct record *record;
	struct run_folder folder;
	struct trace_meta meta;
	struct trace_writer *writer;
	struct trace_seal *seal;	/* of the file that it wrote */
	struct run_loop_result result;
};

/**
 * run_check_root() - refuse whoever may not trace
 * @argv: of the command, argv[0] its name: for the sentence
 *
 * Return: -1 to go on, else the exit status after one logged sentence.
 */
int run_check_root(int argc, char **argv);

/**
 * run_record() - do it, and give up root and every capability on the way
 * @run: opts, user, child_user, and workload, args or argv are filled in, all else is zero.
 * Afterwards folder, meta,
 *       and result say what there is; run_release() it in any case
 *
 * Call it while there is one thread. Return: -1 if there is a trace to report on, else the exit
 * status after one logged sentence.
 */
int run_record(struct run *run);

/* Close what recording needs. The trace stays open, and nobody but lab writes to it. */
void run_release(struct run *run);

/*
 * What the report is made from: the file that was written, whatever has its name now. Borrows from
 * @run.
 */
struct trace_input run_trace(const struct run *run);

/*
 * run_close() - the report is made: let go of the trace, which becomes the user's
 *
 * Return: 0, or -ESTALE after one logged sentence: another file has its name now, or none.
 */
int run_close(struct run *run);

/* Remove the trace, if there is one, and its folder. Call it in place of run_close(). */
void run_discard(struct run *run);

/* The workload's own failure, logged: LAB_EXIT_CONTRADICTED; else LAB_EXIT_OK. */
int run_workload_status(const struct run *run);

#endif /* LAB_CLI_RUN_H */
