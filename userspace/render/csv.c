/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * csv - one line per span of each task, for a spreadsheet or a data frame (RFC 4180, except that
 * lines end in a newline alone). Times are ns since the window's start. A column that does not
 * apply is empty.
 */
#include <errno.h>
#include <inttypes.h>

#include "render/slices.h"
#include "util/text.h"

static void put_wait(FILE *out, const struct model_span *s)
{
	fprintf(out, ",%s,", reason_name(s->reason));
	if (s->syscall != LAB_SYSCALL_NONE)
		fprintf(out, "%" PRId32, s->syscall);
	fputc(',', out);
	if (s->flags & SPAN_FUTEX)
		fprintf(out, "0x%" PRIx64, s->addr);
	fputc(',', out);
	if (s->waker_id)
		fprintf(out, "%" PRIu32, s->waker_id);
	fputc(',', out);
	if (s->waker_tid)
		fprintf(out, "%" PRIu32, s->waker_tid);
	fputc('\n', out);
}

static void put_span(FILE *out, const struct model *m, const struct model_task *t,
		     const struct model_span *s)
{
	fprintf(out, "%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",", t->id, t->tid, t->tgid);
	text_csv(out, t->comm, sizeof(t->comm));
	fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%s,", slice_rel(m, s->start_ns),
		slice_rel(m, s->end_ns), slice_state_name(s));
	if (s->state == SPAN_RUNNING)
		fprintf(out, "%u", s->cpu);
	if (s->state == SPAN_BLOCKED)
		put_wait(out, s);
	else
		fputs(",,,,,\n", out);
}

static int csv_render(const struct model *m, const struct report *r, const struct render_opts *opts,
		      FILE *out)
{
	(void)r;
	(void)opts;
	fputs("id,tid,tgid,comm,start_ns,end_ns,state,cpu,reason,syscall,futex,"
	      "waker_id,waker_tid\n", out);
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];

		for (size_t k = 0; k < t->span_cnt; k++)
			put_span(out, m, t, &t->spans[k]);
	}
	return ferror(out) ? -EIO : 0;
}

const struct renderer renderer_csv = {
	.name = "csv",
	.help = "every stretch of every task, a line each",
	.render = csv_render,
};
