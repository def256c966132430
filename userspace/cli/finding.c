/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/text.h"

void found(struct finding *f, enum health health, const char *fmt, ...)
{
	va_list ap;

	f->health = health;
	va_start(ap, fmt);
	vsnprintf(f->found, sizeof(f->found), fmt, ap);
	va_end(ap);
}

void remedy(struct finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->remedy, sizeof(f->remedy), fmt, ap);
	va_end(ap);
}

void print_finding(const char *subject, const struct finding *f, bool color)
{
	static const char *const words[HEALTH_CNT] = { "ok", "?", "warn", "FAIL" };
	static const char *const colors[HEALTH_CNT] = { "\033[32m", "\033[36m", "\033[33m",
							"\033[31m" };
	char safe[sizeof(f->found)];

	text_for_terminal(safe, sizeof(safe), f->found, strlen(f->found), sizeof(safe), false);
	printf("  %s%-4s%s  %-18s %s\n", color ? colors[f->health] : "", words[f->health],
	       color ? "\033[0m" : "", subject, safe);
	if (f->remedy[0])
		printf("  %-4s  %-18s -> %s\n", "", "", f->remedy);
}
