/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/exit.h"
#include "cli/run_advice.h"
#include "cli/self.h"
#include "util/io.h"
#include "util/log.h"
#include "util/minmax.h"
#include "util/nearest.h"
#include "workload/workload.h"

#define COMMAND(name) extern const struct command command_##name;
#include "cli/command.def"
#undef COMMAND

const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "cli/command.def"
#undef COMMAND
	NULL,
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

void command_print_help(const struct command *cmd)
{
	const char *line = cmd->usage;
	const char *head = "usage: ";

	while (*line) {
		size_t len = strcspn(line, "\n");

		printf("%s%.*s\n", head, (int)len, line);
		head = "       ";
		line += len + (line[len] == '\n');
	}
	printf("\n%s.\n", cmd->summary);
	if (cmd->opts) {
		printf("\noptions:\n");
		opts_print_help(cmd->opts);
	}
	if (cmd->details)
		printf("\n%s", cmd->details);
}

int command_parse(const struct opt *table, void *values, int argc, char **argv, const char *what,
		  const char **operands, int operand_cap, bool *want_help)
{
	bool dashdash = false;
	int cnt = 0;

	*want_help = false;
	for (int i = 1; i < argc;) {
		if (!dashdash) {
			int used = opts_parse(table, values, argc - i, argv + i, what, want_help,
					      &dashdash);

			if (used < 0)
				return used;
			if (*want_help)
				return 0;
			i += used;
			if (i >= argc)
				break;
		}
		if (cnt == operand_cap) {
			log_err("%s: '%s' is one word too many; see '%s --help'", what, argv[i],
				what);
			return -EINVAL;
		}
		operands[cnt++] = argv[i++];
	}
	return cnt;
}

static void print_commands(FILE *out)
{
	for (size_t i = 0; commands[i]; i++)
		fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
}

static void print_short_help(FILE *out)
{
	fprintf(out, "usage: lab COMMAND [OPTIONS] ...\n\n");
	print_commands(out);
	fprintf(out, "\n'lab COMMAND --help' explains one; 'lab list' shows what can be run.\n");
}

static void print_help(void)
{
	printf("usage: lab COMMAND [OPTIONS] ...\n"
	       "       lab --help | --version\n\n"
	       "lab shows, from what the Linux kernel itself saw, whether a program was\n"
	       "sequential, concurrent or parallel, and what kept the CPUs from being used.\n\n"
	       "commands:\n");
	print_commands(stdout);
	printf("\n'lab COMMAND --help' explains one. Begin with:\n\n"
	       "  sudo lab run procs                a built-in workload\n"
	       "  sudo lab run -- COMMAND ARG...    any program, with all it starts\n"
	       "  lab doctor                        what this machine allows\n\n"
	       "exit status: 0 done, and the claim or --expect (if any) holds; 1 contradicted;\n"
	       "2 usage; 3 cannot trace here; 4 inconclusive or undecided; 5 a trace is damaged,\n"
	       "or a file could not be read or written. 'lab run -- COMMAND' without --expect\n"
	       "ends with COMMAND's own status.\n");
}

/* @argv: the word that is no command, and what follows it. */
static int unknown_word(int argc, char **argv)
{
	static const char *const own_words[] = { "--help", "--version" };
	char advice[RUN_ADVICE_MAX], words[SELF_WORDS_MAX];
	bool is_option = argv[0][0] == '-';
	const char *nearest;

	if (workload_find(argv[0])) {
		log_err("'%s' is a workload: %s%s run %s", argv[0], self_sudo(), self_command(),
			argv[0]);
		return LAB_EXIT_USAGE;
	}
	if (run_advice(argc, argv, advice)) {
		log_err("there is no command '%s'; to trace a program: %s", argv[0], advice);
		return LAB_EXIT_USAGE;
	}
	if (!is_option && strchr(argv[0], '/')) {
		self_words(words, argc, argv);
		log_err("there is no command '%s'; to trace a program: %s%s run --%s", argv[0],
			self_sudo(), self_command(), words);
		return LAB_EXIT_USAGE;
	}
	nearest = is_option ? nearest_of(argv[0], own_words, ARRAY_SIZE(own_words)) :
			      NEAREST_OF(argv[0], commands);
	log_err("there is no %s '%s'%s", is_option ? "option" : "command", argv[0],
		nearest_or(nearest, "; 'lab --help' lists what there is").s);
	return LAB_EXIT_USAGE;
}

static const struct opt no_opts[] = { { .name = NULL } };

static int cmd_help(int argc, char **argv)
{
	char flag[] = "--help";
	const struct command *cmd;
	const char *name = NULL;
	bool want_help;
	int cnt = command_parse(no_opts, NULL, argc, argv, "lab help", &name, 1, &want_help);

	if (cnt < 0)
		return LAB_EXIT_USAGE;
	if (want_help) {
		command_print_help(command_find("help"));
		return LAB_EXIT_OK;
	}
	if (!cnt) {
		print_help();
		return LAB_EXIT_OK;
	}
	cmd = command_find(name);
	if (!cmd)
		return unknown_word(1, (char *[]){ (char *)name });
	return cmd->main(2, (char *[]){ (char *)cmd->name, flag, NULL });
}

const struct command command_help = {
	.name = "help",
	.summary = "Explain lab, or one of its commands",
	.usage = "lab help [COMMAND]",
	.main = cmd_help,
};

/*
 * A standard stream that the caller closed must not become the number of the
 * next file that is opened. A read-only stand-in makes writes to it fail, as on a closed one.
 */
static void occupy_standard_streams(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY | O_NOCTTY) != fd)
			_exit(LAB_EXIT_FILE);
}

/* A reader that has seen enough (`lab list | head -1`) is no error. */
static int finish_stdout(int status)
{
	errno = 0;
	if ((!fflush(stdout) && !ferror(stdout)) || errno == EPIPE)
		return status;
	log_err("cannot write to standard output: %s", errno ? io_reason(errno) :
		"an earlier write to it failed");
	return status == LAB_EXIT_OK ? LAB_EXIT_FILE : status;
}

static int dispatch(int argc, char **argv)
{
	const struct command *cmd;

	if (argc < 2) {
		print_short_help(stderr);
		return LAB_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_help();
		return LAB_EXIT_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("lab %s\n", LAB_VERSION);
		return LAB_EXIT_OK;
	}
	cmd = command_find(argv[1]);
	if (!cmd)
		return unknown_word(argc - 1, argv + 1);
	return cmd->main(argc - 1, argv + 1);
}

int command_dispatch(int argc, char **argv)
{
	occupy_standard_streams();
	/* Character widths come from the locale; numbers are written as in C. */
	setlocale(LC_ALL, "");
	setlocale(LC_NUMERIC, "C");
	return finish_stdout(dispatch(argc, argv));
}
