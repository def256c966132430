/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RECORD_KERNEL_BTF_H
#define LAB_RECORD_KERNEL_BTF_H

/*
 * kernel_btf - what the running kernel's type information says that CO-RE
 * cannot: the shape of a tracepoint, and where per-CPU variables lie.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lab_event.h"

struct btf;

struct kernel_facts {
	int switch_args;	/* of sched_switch: 4, 3, or 0 (an order lab does not know) */
	bool percpu_known;	/* both offsets below are valid */
	uint64_t runqueues_off;	/* within a CPU's own area */
	uint64_t preempt_count_off;
	bool queues_percpu;	/* a group's queues are per-CPU memory */
	enum lab_throttling throttling;	/* how this kernel tells which tasks a quota holds back */
};

/*
 * The kernel's type information, for btf__free(). It logs nothing.
 * Return: 0, -ENOTSUP (this kernel has none) or -errno.
 */
int kernel_btf_load(struct btf **out);

/**
 * kernel_facts_read() - ask /sys/kernel/btf/vmlinux
 *
 * Return: 0, or -errno after a logged sentence (-ENOTSUP: this kernel has no BTF).
 */
int kernel_facts_read(struct kernel_facts *out);

#endif /* LAB_RECORD_KERNEL_BTF_H */
