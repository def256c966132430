/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_PYTHON_HOOK_H
#define LAB_CLI_PYTHON_HOOK_H

/*
 * python_hook - what `lab run --python` puts in front of a Python program: a folder
 * with userspace/markers/{sitecustomize,lab}.py, as the first of PYTHONPATH. The files are
 * in lab itself.
 */

struct python_hook {
	char folder[64];	/* "": not chosen */
};

/* Choose a name that nobody can foresee; makes nothing. Return: 0 or -errno. */
int python_hook_choose(struct python_hook *hook);

/*
 * In the process that is to run the program, as its user: make the folder and its files, and set PYTHONPATH.
 * Return: 0 or -errno.
 */
int python_hook_install(const struct python_hook *hook);

/* As the same user; what Python wrote into it goes as well. Nothing if none was chosen or made. */
void python_hook_remove(const struct python_hook *hook);

#endif /* LAB_CLI_PYTHON_HOOK_H */
