/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_VERIFY_VERIFY_H
#define LAB_VERIFY_VERIFY_H

/*
 * verify - the verdict that a trace stores, proved or refuted from its records.
 *
 * An implementation of docs/certificate.md, on a reader of its own (reread/reader.h). Except for
 * util, it shares no code with the rest, which recorded, modelled and judged the run. It derives
 * every number of the certificate again and demands that they are equal; it proves or refutes, and
 * never guesses. It believes no byte of the file.
 */

#include <stdio.h>

enum verify_result {
	VERIFY_PROVEN = 0,
	VERIFY_REFUTED = 1,
	VERIFY_NOTHING = 2,	/* the verdict is inconclusive, or none is stored */
	VERIFY_DAMAGED = 3,
	VERIFY_UNREADABLE = 4,	/* the system refuses */
	VERIFY_DENSE = 5,	/* more records than recordings of its size have: not read */
};

#define VERIFY_WHY_MAX 160

/**
 * verify_file() - check a trace, and say what was checked
 * @fd: of a regular file, open for reading; its position does not matter
 * @out: what was proved, with its figures, or each thing that disagrees; 80 columns of ASCII
 * @why: of a file that is damaged or cannot be read, a clause that says why; else ""
 *
 * Logs nothing.
 */
enum verify_result verify_file(int fd, FILE *out, char why[VERIFY_WHY_MAX]);

/* The same of a file that may be dense, whatever memory it takes. */
enum verify_result verify_any_file(int fd, FILE *out, char why[VERIFY_WHY_MAX]);

#endif /* LAB_VERIFY_VERIFY_H */
