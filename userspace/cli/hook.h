/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_HOOK_H
#define LAB_CLI_HOOK_H

/*
 * hook - what `lab run --python` and `--node` put in front of a program: a folder with files of
 * userspace/markers, and an environment variable that makes the runtime load them. hook.def has
 * the runtimes. The files are in lab itself.
 */

#include <stdbool.h>

enum hook_id {
#define HOOK(id, ...) HOOK_##id,
#define HOOK_FILE(...)
#include "cli/hook.def"
#undef HOOK
#undef HOOK_FILE
	HOOK_CNT
};

struct hook {
	const char *name;	/* of its option */
	const char *programs;
	const char *variable;
	const char *separator;
	bool in_front;
	const char *before_path, *file;
	const char *example;	/* of a command */
};

extern const struct hook hooks[HOOK_CNT];

/* The hooks of one run, and their folder. */
struct hook_set {
	bool wanted[HOOK_CNT];
	char folder[64];	/* "": not chosen */
};

/* One of them is wanted: the first; else NULL. */
const struct hook *hook_first(const struct hook_set *set);

/*
 * Return: the hook of the runtime that this program (argv[0]) is or needs, by its name; NULL: none.
 */
const struct hook *hook_of_program(const char *program);

/* Return: what hook->variable is set to, for free(). @before: what it holds, or NULL. */
char *hook_join(const struct hook *hook, const char *folder, const char *before);

/*
 * Choose a name that nobody can foresee, if a hook is wanted; makes nothing. Return: 0 or -errno.
 */
int hook_choose(struct hook_set *set);

/*
 * In the process that is to run the program, as its user: make the folder and its files, and set
 * the variables. Nothing if no hook is wanted. Return: 0 or -errno.
 */
int hook_install(const struct hook_set *set);

/*
 * In a process of the same user's and never root's (hook_keeper.h); what a runtime wrote into it
 * goes as well. Nothing if none was chosen or made.
 */
void hook_remove(const struct hook_set *set);

#endif /* LAB_CLI_HOOK_H */
