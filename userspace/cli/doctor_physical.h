/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_DOCTOR_PHYSICAL_H
#define LAB_CLI_DOCTOR_PHYSICAL_H

/* doctor_physical - `lab doctor --physical`: whether the CPUs really run at once. */

#include <stdbool.h>

#include "cli/exit.h"
#include "cli/host.h"

/*
 * Let each two of @host's allowed CPUs shake hands (record/handshake.h), print what that showed,
 * and remember it (cli/physical.h) if root called. Takes about 1 ms a pair; a pair that shows
 * nothing takes up to a second, and all together take about half a minute at most.
 *
 * Return: LAB_EXIT_OK if each pair ran at once, LAB_EXIT_UNDECIDED if not, or LAB_EXIT_FILE if that
 * could not be remembered.
 */
enum lab_exit doctor_physical(const struct host *host, bool color);

#endif /* LAB_CLI_DOCTOR_PHYSICAL_H */
