/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/names.h"

#include <inttypes.h>
#include <stdio.h>

struct op_name op_name(const struct model *m, const struct model_op *op)
{
	struct op_name name;

	if (op->fd != MODEL_OP_NO_FD)
		snprintf(name.s, sizeof(name.s), "fd %" PRId32, op->fd);
	else
		snprintf(name.s, sizeof(name.s), "%s",
			 op->name_idx < m->name_cnt ? m->names[op->name_idx] : "");
	return name;
}
