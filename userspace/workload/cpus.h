/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_WORKLOAD_CPUS_H
#define LAB_WORKLOAD_CPUS_H

/* cpus - which CPUs a thread may use, and keeping it on one. */

#include <stdint.h>

#define CPUS_MAX 8192

struct cpus {
	uint32_t cnt;		/* 1 or more */
	uint16_t v[CPUS_MAX];	/* ascending */
};

/* Those that the calling thread may use; if the kernel does not tell, the one it is on. */
void cpus_usable(struct cpus *cpus);

/* The one that the calling thread is on. */
uint16_t cpus_current(void);

/**
 * cpus_pin() - keep the calling thread, and nothing else, on @cpu
 * @name: the workload's, for the message
 *
 * It is there when this returns.
 *
 * Return: 0, or -errno after one logged sentence.
 */
int cpus_pin(uint16_t cpu, const char *name);

#endif /* LAB_WORKLOAD_CPUS_H */
