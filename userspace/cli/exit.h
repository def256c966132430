/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_EXIT_H
#define LAB_CLI_EXIT_H

/*
 * exit - what lab's exit statuses mean. Only cli chooses them. `lab run --
 * COMMAND` without --expect ends with COMMAND's own status instead.
 */

enum lab_exit {
	LAB_EXIT_OK = 0,	/* done, and the claim or --expect, if any, holds */
	LAB_EXIT_CONTRADICTED = 1, /* the verdict contradicts it; an assertion or a proof failed */
	LAB_EXIT_USAGE = 2,	/* lab was called wrongly */
	LAB_EXIT_CANNOT_TRACE = 3, /* this machine, or this user, cannot trace */
	/*
	 * inconclusive (but for a claim that each class it can be keeps), or the claim cannot be
	 * decided here
	 */
	LAB_EXIT_UNDECIDED = 4,
	LAB_EXIT_FILE = 5,	/* a damaged trace, or a file that could not be read or written */
	LAB_EXIT_NOT_EXECUTABLE = 126, /* run -- COMMAND: found, but it cannot be executed */
	LAB_EXIT_NOT_FOUND = 127, /* run -- COMMAND: no such command */
};

#endif /* LAB_CLI_EXIT_H */
