/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_TRIAL_H
#define LAB_CLI_TRIAL_H

/*
 * trial - a traced run of which only a few numbers are kept: the run, its trace and its report are
 * made by a process of their own (apart.h), as `lab run` makes them. The trace is removed. Call
 * apart_block_signals() before the first one.
 */

#include "analyze/trial.h"
#include "cli/privilege.h"
#include "workload/workload.h"

struct trial_spec {
	const struct workload *workload;
	struct workload_args args;
	const struct privilege_user *user;
	const uint16_t *cpus;	/* cpu_cnt that it may use; 0: all */
	uint32_t cpu_cnt;
	bool keep_root;
};

/**
 * trial_run() - do it once, and wait for it
 *
 * Return: -1 with @out filled, or the exit status after one logged sentence; 128 + the signal if it
 * was interrupted, and then nothing is left behind.
 */
int trial_run(const struct trial_spec *spec, struct trial *out);

#endif /* LAB_CLI_TRIAL_H */
