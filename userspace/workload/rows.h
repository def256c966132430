/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_WORKLOAD_ROWS_H
#define LAB_WORKLOAD_ROWS_H

/*
 * rows - the options that many workloads have, as rows of a struct opt table.
 * @text says what the number does in this workload, and its default.
 */

#include <stddef.h>

#include "util/opts.h"
#include "workload/workload.h"

#define ROW_TASKS(least, most, text) \
	{ .name = "tasks", .kind = OPT_U32, .off = offsetof(struct workload_args, tasks), \
	  .metavar = "N", .help = text, .min = least, .max = most }

#define ROW_ROUNDS(least, most, text) \
	{ .name = "rounds", .kind = OPT_U32, .off = offsetof(struct workload_args, rounds), \
	  .metavar = "N", .help = text, .min = least, .max = most }

#define ROW_SECONDS(text) \
	{ .name = "seconds", .kind = OPT_DURATION, \
	  .off = offsetof(struct workload_args, duration_ns), .metavar = "S", .help = text, \
	  .min = UINT64_C(50000000), .max = UINT64_C(3600000000000) }

#define ROW_UNIT(text) \
	{ .name = "unit", .kind = OPT_DURATION, \
	  .off = offsetof(struct workload_args, unit_ns), .metavar = "TIME", .help = text, \
	  .min = UINT64_C(10000000), .max = UINT64_C(3600000000000) }

#define ROW_SEED \
	{ .name = "seed", .kind = OPT_U32, .off = offsetof(struct workload_args, seed), \
	  .metavar = "N", .help = "where chance begins (default 1)" }

#define ROW_TOUCH(most, text) \
	{ .name = "touch", .kind = OPT_U32, .off = offsetof(struct workload_args, touch_mib), \
	  .metavar = "MIB", .help = text, .min = 0, .max = most }

/* @words: "a|b", as @names, the NULL-terminated array of them. */
#define ROW_CHOICE(option, member, words, names, text) \
	{ .name = option, .kind = OPT_CHOICE, .off = offsetof(struct workload_args, member), \
	  .metavar = words, .choices = names, .help = text }

#endif /* LAB_WORKLOAD_ROWS_H */
