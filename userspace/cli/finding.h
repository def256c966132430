/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_FINDING_H
#define LAB_CLI_FINDING_H

/*
 * finding - a line of what `lab doctor` answers, and the line below it that says what to do.
 */

#include <stdbool.h>

enum health {
	HEALTH_OK,	/* as it should be */
	HEALTH_UNTRIED,	/* only root can tell */
	HEALTH_WARN,	/* tracing works; something about its results is worth knowing */
	HEALTH_FAIL,	/* no tracing until it is mended */
	HEALTH_CNT,
};

struct finding {
	enum health health;
	char found[256];	/* made safe for the terminal when it is printed */
	char remedy[256];	/* "": nothing to do */
};

/* Set what was found, or what to do about it. Longer texts are cut. */
__attribute__((format(printf, 3, 4)))
void found(struct finding *f, enum health health, const char *fmt, ...);
__attribute__((format(printf, 2, 3)))
void remedy(struct finding *f, const char *fmt, ...);

/* One or two lines to stdout. @subject: what the line is about. */
void print_finding(const char *subject, const struct finding *f, bool color);

#endif /* LAB_CLI_FINDING_H */
