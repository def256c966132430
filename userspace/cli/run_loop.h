/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_RUN_LOOP_H
#define LAB_CLI_RUN_LOOP_H

/*
 * run_loop - from the release to the end of recording: empties the rings,
 * shows the status line, and decides when and why a run ends.
 */

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/signalfd.h>
#include <sys/types.h>

#include "cli/run_sender.h"
#include "record/record.h"
#include "trace/trace.h"

struct run_loop_opts {
	struct record *record;
	struct trace_writer *writer;
	int pidfd;		/* of the root, or of the process attached to */
	pid_t pid;		/* the root, to be reaped; 0: attached */
	uint64_t for_ns;	/* --for; 0: none */
	uint64_t grace_ns;	/* how long what the root left behind may go on */
	struct run_sender *sender; /* that ends the workload; all-zero: attached */
	bool status_line;
	bool memory;		/* look how much memory there is, too */
};

struct run_loop_result {
	struct trace_end end;	/* reason, end_ns, root_reaped, wait_status, left, left_known */
	bool interrupted;	/* a signal asked for the end, whatever the reason is in the end */
	bool abandoned;		/* a second Ctrl-C: leave at once */
	/* the most that was seen (run_memory.h); 0: not looked for, or not known */
	uint64_t memory_bytes;
	/* -errno that ended the recording early; the workload was let run on */
	int write_err;
};

/*
 * Those that the loop takes: Ctrl-C's, TERM, and HUP unless it is ignored, as under nohup(1): what
 * is blocked is not.
 */
void run_loop_signals(sigset_t *set);

/* Block the signals that the loop takes. Before record_start(), after the fork. */
void run_loop_block_signals(void);

/*
 * The loop has returned, and the rest of the trace is being written: one more signal is ignored, a
 * second one (the first, if the run was interrupted by one already) ends lab at once.
 */
void run_loop_allow_leaving(bool interrupted);

/*
 * The run is over: what came for it is forgotten, and from now on these signals do what they always
 * do.
 */
void run_loop_release_signals(void);

/*
 * Whether the kernel sent the signal to the workload, too. It does so with the signals of a
 * terminal. Two exceptions: a hangup goes to the leader of the session alone, and what somebody
 * sends by kill(2) goes to lab alone.
 */
bool run_loop_signal_is_shared(const struct signalfd_siginfo *info);

/* One of these signals waits to be taken. */
bool run_loop_signal_waits(void);

/* Returns when the recording is over; the caller still has to record_finish(). */
void run_loop(const struct run_loop_opts *opts, struct run_loop_result *result);

#endif /* LAB_CLI_RUN_LOOP_H */
