/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TESTS_FUZZ_H
#define LAB_TESTS_FUZZ_H

/*
 * fuzz - one harness for all that reads bytes of others. A target is a function and a line of
 * target.def. fuzz_main.c runs them without any tool; with fuzz_engine.c in its place they are
 * driven by libFuzzer or AFL++ (tests/fuzz/long). Paths are those of the tree: run it from its top.
 *
 * A target takes its bytes behind the checksums: it makes lengths, checksums and deflate right
 * itself. What is wrong it says with NEED(); the sanitizers say the rest.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum fuzz_kind {
	PARSER,		/* one reader of bytes */
	WHOLE_FILE,	/* a trace file, to the readers of all its parts */
	ANALYSIS,	/* numbers, to what is computed and shown of them: no bytes are read */
	TRACE,		/* whole traces, from the file to what is shown */
};

/* Change @size bytes of an input, which has room for @size_max. Return: the new size. */
typedef size_t fuzz_mutate_fn(uint8_t *data, size_t size, size_t size_max, uint64_t *random);

struct fuzz_target {
	const char *name;		/* also of its folder in tests/fuzz/corpus */
	enum fuzz_kind kind;
	size_t size_max;		/* bytes of an input; longer ones are cut */
	fuzz_mutate_fn *mutate;
	void (*run)(const uint8_t *data, size_t size);
};

extern const struct fuzz_target fuzz_targets[];
extern const size_t fuzz_target_cnt;

/* Return: the target, or NULL. */
const struct fuzz_target *fuzz_target_find(const char *name);

/* Run it once, on bytes of its own: reading behind them is noticed. */
void fuzz_run(const struct fuzz_target *target, const uint8_t *data, size_t size);

/* Makes targets quiet: what lab logs about bad input is of no interest. Call it once. */
void fuzz_init(void);

/* Says what does not hold, and aborts. */
void fuzz_failed(const char *file, int line, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

#define NEED(ok) \
	do { \
		if (!(ok)) \
			fuzz_failed(__FILE__, __LINE__, "%s", #ok); \
	} while (0)

/* ---- changes ---- */

uint64_t fuzz_random(uint64_t *state);		/* @state is not 0 */
uint64_t fuzz_below(uint64_t *state, uint64_t n);

fuzz_mutate_fn fuzz_mutate_bytes, scenario_mutate;

/* ---- what targets share ---- */

/* A file in memory that is written anew for each input; its path is /proc/self/fd/N. */
struct fuzz_file {
	int fd;
	char path[32];
};

/* One of FUZZ_FILES files, empty or with these bytes. */
#define FUZZ_FILES 2
const struct fuzz_file *fuzz_file(unsigned int which, const uint8_t *data, size_t size);

/* A stream that takes all and keeps nothing; never closed. */
FILE *fuzz_null(void);

/* The input with a NUL behind it, to be freed. */
char *fuzz_text(const uint8_t *data, size_t size);

/* Make all lengths, numbers and checksums right that a reader of a trace's bytes could come to. */
void fuzz_mend(uint8_t *buf, size_t size);

/* Inputs that are made from the traces of the tree, for a target; @add copies. */
void fuzz_seeds(const struct fuzz_target *target,
		void (*add)(void *ctx, const uint8_t *data, size_t size), void *ctx);

#endif /* LAB_TESTS_FUZZ_H */
