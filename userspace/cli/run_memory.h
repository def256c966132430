/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_RUN_MEMORY_H
#define LAB_CLI_RUN_MEMORY_H

/* run_memory - how much memory a process and its children have at a moment. Logs nothing. */

#include <stdint.h>
#include <sys/types.h>

/*
 * The sum, over @root and its children, of the most that each had resident so far (VmHWM). A page
 * that several share counts in each. Return: bytes; 0: not known, or @root has ended.
 */
uint64_t run_memory_bytes(pid_t root);

#endif /* LAB_CLI_RUN_MEMORY_H */
