/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz_engine - the entries of libFuzzer and of AFL++'s driver for it, in place of fuzz_main.c. The
 * environment variable FUZZ_TARGET names the target.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);

static const struct fuzz_target *target;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = getenv("FUZZ_TARGET");

	(void)argc;
	target = name ? fuzz_target_find(name) : NULL;
	if (!target) {
		fprintf(stderr, "%s: FUZZ_TARGET must name a line of tests/fuzz/target.def\n",
			(*argv)[0]);
		exit(2);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_run(target, data, size);
	return 0;
}

/* The target's own changes, one to a few, and the engine's. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned int seed)
{
	uint64_t random = seed * 0x9e3779b97f4a7c15 | 1;
	uint64_t changes = 1 + fuzz_below(&random, 4);

	if (target->mutate == fuzz_mutate_bytes || !fuzz_below(&random, 4))
		return LLVMFuzzerMutate(data, size, size_max);
	while (changes--)
		size = target->mutate(data, size, size_max, &random);
	return size;
}
