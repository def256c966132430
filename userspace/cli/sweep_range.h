/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_SWEEP_RANGE_H
#define LAB_CLI_SWEEP_RANGE_H

/*
 * sweep_range - "1..16", "1,2,4,8", "1..4,8,16": the numbers that a sweep goes over. Logs nothing.
 */

#include <stddef.h>
#include <stdint.h>

/**
 * sweep_range_parse() - the numbers that a text says
 * @all: what the letter N stands for; 0: it stands for nothing
 * @n: caller's storage for @cap numbers, ascending, each once, all above 0
 *
 * Return: how many, or -EINVAL (malformed, empty, descending, a 0) or -ERANGE (more than @cap, or a
 * number beyond a million).
 */
int sweep_range_parse(const char *text, uint32_t all, uint32_t *n, size_t cap);

#endif /* LAB_CLI_SWEEP_RANGE_H */
