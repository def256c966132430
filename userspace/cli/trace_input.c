/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/trace_input.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/trace.h"
#include "util/alloc.h"
#include "util/log.h"

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* To be freed; NULL after one logged sentence. */
static char *file_of(const char *operand)
{
	size_t len = strlen(operand);
	struct stat st;
	char *file;

	if (!is_folder(operand))
		return xstrdup(operand);
	file = xasprintf("%s%s" TRACE_FILE_NAME, operand, len && operand[len - 1] == '/' ? "" :
			 "/");
	if (!stat(file, &st) || errno != ENOENT)
		return file;
	log_err("%s is a folder without a " TRACE_FILE_NAME ": name a trace, or the folder of a "
							    "run",
		operand);
	free(file);
	return NULL;
}

int trace_input_open(struct trace_input *in, const char *operand, int flags)
{
	*in = (struct trace_input){ .fd = -1, .path = file_of(operand) };
	if (!in->path)
		return -EISDIR;
	in->fd = trace_open(in->path, flags);
	return in->fd < 0 ? in->fd : 0;
}

void trace_input_log_dense(const struct trace_input *in)
{
	log_err("%s holds more records than any recording of its size, and may be made to use up "
		"time and "
		"memory; if you trust it, add --force", in->path);
}

void trace_input_close(struct trace_input *in)
{
	if (in->path && in->fd >= 0)
		close(in->fd);
	free(in->path);
	*in = (struct trace_input){ 0 };
}
