/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_RUN_META_H
#define LAB_CLI_RUN_META_H

/*
 * run_meta - what a trace says about the machine it was made on.
 */

#include <stdint.h>
#include <sys/types.h>

#include "trace/trace.h"

/**
 * run_meta_host() - the machine's part of @meta, and the clocks' bounds
 * @pid: whose CPUs are the usable ones: the parked root, or the process attached to
 *
 * Return: 0, or -errno after one logged sentence (the process is gone).
 */
int run_meta_host(struct trace_meta *meta, pid_t pid);

/*
 * Time that the hypervisor kept from these CPUs since boot, from /proc/stat, in steps of a tick. 0
 * if unknown.
 */
uint64_t run_meta_steal_ns(const uint16_t *cpus, uint32_t cpu_cnt);

#endif /* LAB_CLI_RUN_META_H */
