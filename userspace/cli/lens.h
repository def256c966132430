/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_LENS_H
#define LAB_CLI_LENS_H

/*
 * lens - from what a reader asks for (--from, --to, --task, --cpu) to the part of a
 * model that is shown.
 */

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"
#include "render/lens.h"
#include "util/opts.h"

#define LENS_TO_END UINT64_MAX

/* LENS_ASK_ALL asks for nothing. */
struct lens_ask {
	/* since the window's start; LENS_TO_END, or beyond: its end */
	uint64_t from_ns, to_ns;
	const char *tasks;		/* "worker/1,4711,py*"; NULL: all */
	const char *cpus;		/* "0-3,5"; NULL: all */
};

#define LENS_ASK_ALL { .to_ns = LENS_TO_END }

/* The rows of an option table for a struct lens_ask which is member @ask of @type. */
#define LENS_OPTS(type, ask) \
	{ .name = "from", .kind = OPT_DURATION, .off = offsetof(type, ask.from_ns), \
	  .metavar = "T", \
	  .help = "show what happened from T after the start on (250ms, 1.5s)" }, \
	{ .name = "to", .kind = OPT_DURATION, .off = offsetof(type, ask.to_ns), .metavar = "T", \
	  .help = "and until T after the start" }, \
	{ .name = "task", .kind = OPT_STRING, .off = offsetof(type, ask.tasks), \
	  .metavar = "NAME,...", \
	  .help = "only these tasks: names, beginnings of names (work*), or tids" }, \
	{ .name = "cpu", .kind = OPT_CPULIST, .off = offsetof(type, ask.cpus), .metavar = "LIST", \
	  .help = "only these CPUs: 0-3,5" }

/* Whether anything is asked for. */
bool lens_is_asked(const struct lens_ask *ask);

/* A lens with what it points to. */
struct lens {
	struct render_lens lens;
	bool *task_in, *cpu_in;		/* owned */
};

/**
 * lens_make() - find what is asked for in a model
 * @out: overwritten; lens_release() it even after an error
 *
 * Return: 0, or -EINVAL after one logged sentence: the range is empty or begins beyond the end, or
 * there is no such task or CPU.
 */
int lens_make(const struct model *m, const struct lens_ask *ask, struct lens *out);

/* Accepts an all-zero one. */
void lens_release(struct lens *lens);

#endif /* LAB_CLI_LENS_H */
