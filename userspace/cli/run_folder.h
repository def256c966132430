/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_RUN_FOLDER_H
#define LAB_CLI_RUN_FOLDER_H

/*
 * run_folder - where a run's files go. Call it as the user whom they are to
 * belong to.
 */

#include <limits.h>

struct run_folder {
	char path[PATH_MAX];
	char trace_path[PATH_MAX];	/* path/trace.lab */
	char html_path[PATH_MAX];	/* path/report.html, which is not made here */
	int trace_fd;			/* open for writing, empty */
	int made;			/* the folder did not exist before */
};

/**
 * run_folder_make() - a new folder with an empty trace file in it
 * @dir: -o DIR (made if it is not there; must hold no trace), or NULL: runs/NAME-YYYYmmdd-HHMMSS,
 *       with -2, -3, ... behind it if that exists
 * @name: hostile: what is not a letter, digit, '.', '_' or '-' becomes '_'
 *
 * Return: 0, or -errno after one logged sentence.
 */
int run_folder_make(struct run_folder *folder, const char *dir, const char *name);

/* Take back what run_folder_make() made: for a run that never began. */
void run_folder_remove(struct run_folder *folder);

#endif /* LAB_CLI_RUN_FOLDER_H */
