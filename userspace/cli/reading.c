/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/reading.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/confine.h"
#include "cli/exit.h"
#include "cli/privilege.h"
#include "cli/runs.h"
#include "cli/self.h"
#include "util/io.h"
#include "util/log.h"

/* Return: 0, or the exit status after one logged sentence. */
static int open_operand(struct trace_input *in, const char *operand, int flags)
{
	char *newest = operand ? NULL : runs_newest();
	int err;

	if (!operand && !newest)
		return LAB_EXIT_USAGE;
	err = trace_input_open(in, operand ? operand : newest, flags);
	if (!err && newest)
		log_info("the newest run: %s", newest);
	free(newest);
	return err ? LAB_EXIT_FILE : 0;
}

int reading_open(struct trace_input *in, const char *operand, int flags, bool force)
{
	struct privilege_user user;
	bool is_open = flags == O_RDONLY && privilege_root_called();
	bool by_sudo = self_needs_sudo();
	int status;

	*in = (struct trace_input){ .fd = -1 };
	if (privilege_workload_ids(false, &user))
		return LAB_EXIT_USAGE;
	status = is_open ? open_operand(in, operand, flags) : 0;
	if (!status && privilege_become(&user))
		status = LAB_EXIT_FILE;
	if (!status && !is_open)
		status = open_operand(in, operand, flags);
	if (status)
		return status;
	in->force = force;
	in->by_sudo = by_sudo;
	return 0;
}

int reading_confine(const struct trace_input *in)
{
	struct privilege_user reader;
	struct stat st;

	if (!geteuid()) {
		if (fstat(in->fd, &st)) {
			log_err("cannot look at %s: %s", in->path, io_reason(errno));
			return LAB_EXIT_FILE;
		}
		privilege_of_file(st.st_uid, st.st_gid, &reader);
		if (privilege_become(&reader))
			return LAB_EXIT_FILE;
	}
	return privilege_drop_capabilities() || confine_reader() ? LAB_EXIT_FILE : 0;
}
