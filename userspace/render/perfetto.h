/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_PERFETTO_H
#define LAB_RENDER_PERFETTO_H

/*
 * perfetto - a model in the words of the kernel's scheduler events: who is called by which number,
 * in which state a CPU was left, who woke whom where. Internal to perfetto.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

/* Tids and their processes' tgids, [index into model.tasks]; no two tasks have the same tid. */
struct perfetto_pids {
	uint32_t *tids, *tgids;
};

void perfetto_pids_init(struct perfetto_pids *pids, const struct model *m);
void perfetto_pids_release(struct perfetto_pids *pids);

/* prev_state of the switch that ends @seg: 0 runs on, 1 S, 2 D, 4 T, 0x10 dead, 0x100 preempted. */
uint32_t perfetto_left_as(const struct model *m, const struct model_cpu_seg *seg);

struct perfetto_waking {
	uint64_t at_ns;
	uint32_t task;		/* index into model.tasks */
	uint16_t cpu, target_cpu;
	bool by_nobody;		/* by an interrupt or unknown: the CPU's task is not to blame */
};

/* In the order of model.cpus, and then of time. The caller frees *@out. Return: how many. */
size_t perfetto_wakings(const struct model *m, struct perfetto_waking **out);

#endif /* LAB_RENDER_PERFETTO_H */
