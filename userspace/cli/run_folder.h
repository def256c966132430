/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_RUN_FOLDER_H
#define LAB_CLI_RUN_FOLDER_H

/*
 * run_folder - where a run's files go. Call it as the user whom they are to belong to.
 *
 * The folder and the trace are held open from their making on, and everything is done by these
 * descriptors: what a program does to their names changes nothing. A root who stays root follows no
 * symbolic link to the folder, as others may have planted it.
 */

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "cli/trace_input.h"

#define RUN_HTML_NAME "report.html"	/* beside TRACE_FILE_NAME */

/* All-zero is none. */
struct run_folder {
	char path[PATH_MAX];
	char trace_path[PATH_MAX];	/* path/trace.lab */
	char html_path[PATH_MAX];	/* path/report.html, which is not made here */
	int parent_fd;
	int fd;				/* of the folder */
	int trace_fd;			/* open for reading and writing, empty */
	bool made;			/* the folder did not exist before */
	bool is_numbered;		/* it is in runs */
};

/**
 * run_folder_make() - a new folder with an empty trace file in it
 * @dir: -o DIR (made if it is not there; must hold no trace), or NULL: runs/NAME-YYYYmmdd-HHMMSS,
 *       with -2, -3, ... behind it if that exists
 * @mode: of the trace; 0: TARGET_MODE
 * @name: hostile: what is not a letter, digit, '.', '_' or '-' becomes '_'
 *
 * Return: 0, or -errno after one logged sentence.
 */
int run_folder_make(struct run_folder *folder, const char *dir, const char *name, mode_t mode);

/* Whether the names still lead to the folder and the file that were made. */
bool run_folder_is_named(const struct run_folder *folder);

/* Take back what run_folder_make() made. The descriptors stay open. Accepts an all-zero one. */
void run_folder_remove(struct run_folder *folder);

/* Close what is open. Accepts an all-zero one. */
void run_folder_close(struct run_folder *folder);

#endif /* LAB_CLI_RUN_FOLDER_H */
