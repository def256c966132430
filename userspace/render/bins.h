/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_BINS_H
#define LAB_RENDER_BINS_H

/*
 * bins - a part of the window cut into equal stretches of time, one per column, and what
 * a lane or strip shows in each. Every cell stands for a share of time: no stretch is
 * dropped for being short. All of it is linear in spans + bins.
 *
 * Times are relative to the window's start.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"
#include "render/glyphs.h"

struct bins {
	uint64_t from_ns;	/* where the first begins */
	uint64_t len_ns;	/* of all together */
	uint64_t width_ns;	/* of a bin; the last may be shorter, or empty if all is tiny */
	uint32_t cnt;
};

/* @cnt is at least 1. */
struct bins bins_make(uint64_t from_ns, uint64_t len_ns, uint32_t cnt);

/* Start of bin @i; i == cnt is the end of the last. */
uint64_t bins_start(const struct bins *b, uint32_t i);

/* Length of bin @i. */
uint64_t bins_len(const struct bins *b, uint32_t i);

/* Time summed per bin, over spans that may overlap. */
struct load {
	uint64_t *ns;		/* [bin]; valid after load_finish() */
	int64_t *whole;		/* [bin]: change in the number of spans that cover it whole */
};

struct load load_new(const struct bins *b);
/* As far as it lies in the bins. */
void load_add(const struct bins *b, struct load *load, uint64_t start_ns, uint64_t end_ns);
void load_finish(const struct bins *b, struct load *load);
void load_free(struct load *load);

/* Add when each task ran, and when it was ready; and when operations were open. */
void load_states(const struct bins *b, const struct model *m, struct load *running,
		 struct load *ready);
void load_operations(const struct bins *b, const struct model *m, struct load *open);

#define BINS_ANY_CPU UINT32_MAX

/* For how long of each column records of @cpu are missing; and whether for half of it or more. */
struct load load_missing(const struct bins *b, const struct model *m, uint32_t cpu);
bool load_is_missing(const struct bins *b, const struct load *missing, uint32_t i);

/* How many there are on average in bin @i: in @parts-ths of @scale, rounded, at most @parts. */
uint64_t load_level(const struct bins *b, const struct load *load, uint32_t i, uint64_t scale,
		    uint64_t parts);

/* The highest average of a bin, rounded up; at least 1. */
uint64_t load_peak(const struct bins *b, const struct load *load);

/* What one column of a lane shows. */
struct lane_cell {
	uint8_t cell;		/* enum cell */
	uint16_t who;		/* CELL_RUN: the CPU; in a CPU's lane: index of the task's lane */
};

/**
 * lane_of_task() - the states of a task, column by column
 * @out: @b->cnt cells
 *
 * Each column shows one of the states present in it: the one that the columns
 * before have shown least of, compared with the time it took. So a state
 * that holds 16 % of a lane gets 16 % of its cells, even if it never dominates one.
 */
void lane_of_task(const struct bins *b, const struct model *m, const struct model_task *task,
		  struct lane_cell *out);

/**
 * lane_of_cpu() - who held a CPU, column by column
 * @lane_ids: birth numbers of the tasks that have a lane, ascending
 * @out: @b->cnt cells
 *
 * CELL_SLEEP where the CPU was busy for less than an eighth of the time; else
 * other programs, if they had more than ours; else the task that had at least
 * half of our time, or CELL_SEVERAL.
 */
void lane_of_cpu(const struct bins *b, const struct model *m, const struct model_cpu *cpu,
		 const uint32_t *lane_ids, size_t lane_cnt, struct lane_cell *out);

#endif /* LAB_RENDER_BINS_H */
