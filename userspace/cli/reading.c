/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/reading.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/confine.h"
#include "cli/exit.h"
#include "cli/privilege.h"
#include "util/io.h"
#include "util/log.h"

int reading_open(struct trace_input *in, const char *operand, int flags, bool force)
{
	struct privilege_user user;
	bool is_open = flags == O_RDONLY && privilege_root_called();

	*in = (struct trace_input){ .fd = -1 };
	if (privilege_workload_ids(false, &user))
		return LAB_EXIT_USAGE;
	if (is_open && trace_input_open(in, operand, flags))
		return LAB_EXIT_FILE;
	if (privilege_become(&user) || (!is_open && trace_input_open(in, operand, flags)))
		return LAB_EXIT_FILE;
	in->force = force;
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
