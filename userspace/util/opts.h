/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_UTIL_OPTS_H
#define LAB_UTIL_OPTS_H

/*
 * opts - one table row per option: parsing, defaults, ranges and --help
 * come from it.
 *
 * A long option may be written "--name VALUE" or "--name=VALUE"; "--" ends
 * the options. An option with an optional value (OPT_OPTIONAL_STRING) takes
 * it only after '='. The parse stops at the first word that is no option
 * (nothing is permuted), so that a command's own options stay its own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum opt_kind {
	OPT_FLAG,		/* bool: set true */
	OPT_U32,		/* uint32_t within [min, max] */
	OPT_DURATION,		/* uint64_t ns: "5", "5s", "250ms", "1.5s", "2m"; bare is seconds */
	OPT_STRING,		/* const char *: borrowed from argv */
	OPT_OPTIONAL_STRING,	/* const char *: "" when no value was given */
	OPT_CHOICE,		/* uint32_t: index into choices */
	OPT_CPULIST,		/* const char *: checked to be "0", "0-3,5"; borrowed from argv */
};

struct opt {
	const char *name;		/* long name without dashes; NULL ends a table */
	char letter;			/* 0: none */
	enum opt_kind kind;
	size_t off;			/* offsetof the field in the options struct */
	const char *metavar;		/* "N", "FILE"; NULL for a flag */
	const char *help;		/* one line */
	const char *const *choices;	/* OPT_CHOICE: NULL-terminated */
	uint64_t min, max;		/* OPT_U32, OPT_DURATION (ns); both 0: any */
};

/**
 * opts_parse() - fill an options struct from argv
 * @table: ends with a NULL name
 * @values: the struct that the offsets are in; holds the defaults
 * @argc, @argv: without the command's own name; strings are borrowed
 * @what: what is being parsed, for messages ("lab run", "workload procs")
 * @want_help: set when -h or --help was met (nothing further is parsed); may be NULL
 *
 * Return: the number of words consumed (the rest are operands; a "--" is consumed and, when
 * met, *@dashdash is set, if not NULL), or -EINVAL after
 * one logged sentence which names the option, and the nearest known one if it is unknown.
 */
int opts_parse(const struct opt *table, void *values, int argc, char **argv, const char *what,
	       bool *want_help, bool *dashdash);

/* The options' help lines, two columns, as `--help` shows them, to stdout. */
void opts_print_help(const struct opt *table);

/**
 * opts_parse_cpulist() - "0-3,5" to CPU numbers
 * @cpus: caller's storage for at most @cap numbers, ascending, each once
 *
 * Return: how many, or -EINVAL (malformed, empty, descending range) or -ERANGE (more than @cap
 * or a number above 65534). Logs nothing.
 */
int opts_parse_cpulist(const char *text, uint16_t *cpus, size_t cap);

/* "1.5s", "250ms", "2m", "10us", "7ns", "3" (seconds) to ns. Return: 0 or -EINVAL, -ERANGE. */
int opts_parse_duration(const char *text, uint64_t *ns);

#endif /* LAB_UTIL_OPTS_H */
