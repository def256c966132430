/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/names.h"

#include <inttypes.h>
#include <stdio.h>

/* What a descriptor is of, by its struct model_op.fd_type; "" if that is not known. */
static const char *fd_kind(uint8_t fd_type)
{
	switch (fd_type) {
	case 1: return "pipe ";	/* S_IFIFO >> 12, and so on */
	case 2: return "device ";
	case 8: return "file ";
	case 12: return "socket ";
	case LAB_FD_EVENTFD: return "eventfd ";
	case LAB_FD_SIGNALFD: return "signalfd ";
	case LAB_FD_TIMERFD: case LAB_FD_TICK: return "timer ";
	case LAB_FD_EPOLL: return "epoll ";
	case LAB_FD_OWN_END: return "own pipe or socket ";
	default: return "";
	}
}

struct op_name op_name(const struct model *m, const struct model_op *op)
{
	struct op_name name;

	if (op->fd != MODEL_OP_NO_FD)
		snprintf(name.s, sizeof(name.s), "%sfd %" PRId32, fd_kind(op->fd_type), op->fd);
	else
		snprintf(name.s, sizeof(name.s), "%s",
			 op->name_idx < m->name_cnt ? m->names[op->name_idx] : "");
	return name;
}
