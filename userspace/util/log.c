/* SPDX-License-Identifier: GPL-2.0-only */
#include "util/log.h"

#include <errno.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/io.h"
#include "util/text.h"

#define LOG_PREFIX "lab: "
#define LOG_LINE_MAX 4096

static enum log_level current_level = LOG_INFO;

void log_set_level(enum log_level level)
{
	current_level = level;
}

enum log_level log_get_level(void)
{
	return current_level;
}

void log_at(enum log_level level, const char *fmt, ...)
{
	/* The raw text may be longer than a line, so that the cut shows as one. */
	char raw[2 * LOG_LINE_MAX], line[LOG_LINE_MAX];
	const size_t prefix_len = strlen(LOG_PREFIX);
	int saved_errno = errno;
	size_t len;
	va_list ap;

	if (level > current_level)
		return;

	va_start(ap, fmt);
	if (vsnprintf(raw, sizeof(raw), fmt, ap) < 0)
		raw[0] = '\0';
	va_end(ap);

	memcpy(line, LOG_PREFIX, prefix_len);
	text_for_terminal(line + prefix_len, sizeof(line) - prefix_len - 1, raw, strlen(raw),
			  SIZE_MAX, !strcmp(nl_langinfo(CODESET), "UTF-8"));
	len = strlen(line);
	line[len++] = '\n';
	/* One write, so that lines of several processes do not mix; nobody is left to tell. */
	(void)io_write_all(STDERR_FILENO, line, len);
	errno = saved_errno;
}
