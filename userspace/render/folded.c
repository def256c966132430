/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * folded - "task;state;reason nanoseconds" lines, the input of flame graph tools: where each task's
 * lifetime went.
 */
#include <errno.h>
#include <inttypes.h>

#include "render/slices.h"
#include "util/text.h"

static void put_line(FILE *out, const struct model_task *t, const char *state, const char *reason,
		     uint64_t ns)
{
	struct slice_name name = slice_task_name(t);

	if (!ns)
		return;
	text_folded(out, name.s, sizeof(name.s));
	fprintf(out, ";%s%s%s %" PRIu64 "\n", state, reason ? ";" : "", reason ? reason : "", ns);
}

static int folded_render(const struct model *m, const struct report *r,
			 const struct render_opts *opts, FILE *out)
{
	(void)opts;
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct report_task *row = &r->tasks[i];

		put_line(out, &m->tasks[i], "running", NULL, row->run_ns);
		put_line(out, &m->tasks[i], "ready", NULL, row->ready_ns);
		for (int reason = 1; reason < REASON_CNT; reason++)
			put_line(out, &m->tasks[i], "blocked", reason_name(reason),
				 row->blocked_ns[reason]);
		put_line(out, &m->tasks[i], "not known", NULL, row->unknown_ns);
	}
	return ferror(out) ? -EIO : 0;
}

const struct renderer renderer_folded = {
	.name = "folded",
	.help = "stacks of task, state and reason with nanoseconds, for flame graph tools",
	.render = folded_render,
};
