/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_ORACLE_BLAME_H
#define TESTS_ORACLE_BLAME_H

/*
 * oracle_blame - which reasons the blocked tasks of one instant give to idle CPUs, as report.h
 * says it: every chain of waits is followed by itself, task after task.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

#define BLAME_NOBODY SIZE_MAX

/* What a task does at this instant. */
struct blame_view {
	bool blocked;
	uint8_t reason;
	bool endless;		/* the wait never ended */
	bool helper;
	size_t awaited;		/* index of whom it waits for; BLAME_NOBODY: no task of ours */
};

struct blamed {
	uint64_t ends[REASON_CNT], behind[REASON_CNT];
	uint64_t end_cnt, behind_cnt;
};

/* @busy: a task runs or is ready. */
struct blamed oracle_blame(const struct blame_view *tasks, size_t cnt, bool busy);

/* How many of @cpus go to the ends, and to those behind them. */
uint64_t blamed_first(const struct blamed *b, uint64_t cpus);
uint64_t blamed_rest(const struct blamed *b, uint64_t cpus);

#endif /* TESTS_ORACLE_BLAME_H */
