/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_COMMAND_H
#define LAB_CLI_COMMAND_H

/*
 * command - the verbs of the command line. One file each, defining
 * `const struct command command_NAME`, and one line COMMAND(NAME) in
 * command.def.
 */

#include <stdbool.h>
#include <stddef.h>

#include "util/opts.h"

struct command {
	const char *name;
	const char *summary;	/* one line for `lab --help`, no full stop */
	const char *usage;	/* its forms, one per line, each starting "lab NAME" */
	const struct opt *opts;	/* for its --help; NULL: it has none */
	const char *details;	/* paragraphs after the options, or NULL */

	/**
	 * main - do it
	 * @argc, @argv: argv[0] is the command's name; the strings outlive the call
	 *
	 * "NAME --help" calls it too: it must then print command_print_help() and
	 * return 0. Return: the exit status.
	 */
	int (*main)(int argc, char **argv);
};

/* All of command.def, in its order, ended by NULL. */
extern const struct command *const commands[];

/* Return: the command, or NULL. */
const struct command *command_find(const char *name);

/* What `lab NAME --help` shows, on stdout. */
void command_print_help(const struct command *cmd);

/**
 * command_parse() - options and operands in any order
 * @table, @values, @what: as in opts_parse()
 * @argc, @argv: as main got them
 * @operands: caller's storage for @operand_cap words, borrowed from @argv
 * @want_help: set when -h or --help was met; the rest is then not parsed
 *
 * Words after "--" are operands. Not for `run`, whose operands have options of their own.
 *
 * Return: the number of operands, or -EINVAL after one logged sentence (wrong option, or too
 * many operands).
 */
int command_parse(const struct opt *table, void *values, int argc, char **argv, const char *what,
		  const char **operands, int operand_cap, bool *want_help);

/* The program: everything from the locale to the exit status. */
int command_dispatch(int argc, char **argv);

#endif /* LAB_CLI_COMMAND_H */
