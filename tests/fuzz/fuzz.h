/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TESTS_FUZZ_H
#define LAB_TESTS_FUZZ_H

/*
 * fuzz - what a harness gives to fuzz_main.c, so that it runs without
 * libFuzzer: a few seconds of the same mutations each time, as one TAP test.
 *
 *	fuzz_trace [SECONDS [SEED]]	(default 3 1)
 *	fuzz_trace FILE...		each file once
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address and the harness without fuzz_main.c.
 */

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's entry: aborts on a wrong result. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Seed input @n, written to a new file in memory; the caller closes it.
 * Return: its fd, or -1 when there is no such seed.
 */
int fuzz_seed(unsigned int n);

extern const char *const fuzz_name;

#endif /* LAB_TESTS_FUZZ_H */
