/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * chrome - the Trace Event Format, which chrome://tracing, Perfetto and others open: a lane per CPU
 * under "CPUs", a lane per task under its process, wake-ups as arrows, operations as async
 * slices. Numbers of processes and threads recur in a run, so a task's lane is numbered by its
 * birth number and named by its tid. Timestamps are microseconds with three decimals. A slice is a
 * beginning and an end, not a beginning and a length: readers add these in floating point, and then
 * neighbours overlap. Some want an end to repeat what it ends.
 *
 * https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "render/json_writer.h"
#include "render/names.h"
#include "render/slices.h"

#define CPUS_PID 0	/* no task has this number */

static void put_us(struct json *j, const char *key, uint64_t ns)
{
	json_ratio(j, key, ns, 1000);
}

static void put_head(struct json *j, const char *phase, const char *name, uint32_t pid,
		     uint32_t tid)
{
	json_open_row(j, NULL);
	json_str(j, "ph", phase);
	json_str(j, "name", name);
	json_uint(j, "pid", pid);
	json_uint(j, "tid", tid);
}

static void put_label(struct json *j, const char *what, uint32_t pid, uint32_t tid,
		      const char *name)
{
	put_head(j, "M", what, pid, tid);
	json_open_row(j, "args");
	json_str(j, "name", name);
	json_close_object(j);
	json_close_object(j);
}

static void put_slice(struct json *j, const struct model *m, const struct model_task *t,
		      const struct model_span *s)
{
	for (int end = 0; end < 2; end++) {
		put_head(j, end ? "E" : "B", slice_state_words(s), t->tgid, t->id);
		put_us(j, "ts", slice_rel(m, end ? s->end_ns : s->start_ns));
		json_open_row(j, "args");
		if (s->state == SPAN_RUNNING)
			json_uint(j, "cpu", s->cpu);
		if (s->state == SPAN_BLOCKED)
			json_str(j, "reason", reason_name(s->reason));
		json_close_object(j);
		json_close_object(j);
	}
}

/* From the waker's lane to that of the task, at the end of its wait. */
static void put_wake(struct json *j, const struct model *m, const struct model_task *t,
		     const struct model_span *s, uint64_t *arrows)
{
	const struct model_task *waker = model_task(m, s->waker_id);

	if (s->state != SPAN_BLOCKED || !waker || s->flags & SPAN_CUT_END)
		return;
	++*arrows;
	for (int end = 0; end < 2; end++) {
		const struct model_task *at = end ? t : waker;

		put_head(j, end ? "f" : "s", "wake", at->tgid, at->id);
		json_str(j, "cat", "wake");
		json_uint(j, "id", *arrows);
		put_us(j, "ts", slice_rel(m, s->end_ns));
		if (end)
			json_str(j, "bp", "e");
		json_close_object(j);
	}
}

static void put_tasks(struct json *j, const struct model *m)
{
	uint64_t arrows = 0;

	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];

		if (t->tid == t->tgid)
			put_label(j, "process_name", t->tgid, t->id, t->comm);
		put_label(j, "thread_name", t->tgid, t->id, slice_task_name(t).s);
		for (size_t k = 0; k < t->span_cnt; k++) {
			put_slice(j, m, t, &t->spans[k]);
			put_wake(j, m, t, &t->spans[k], &arrows);
		}
	}
}

static void put_cpu_seg(struct json *j, const struct model *m, uint16_t cpu,
			const struct model_cpu_seg *seg)
{
	const struct model_task *t = seg->task_id ? model_task(m, seg->task_id) : NULL;
	const char *comm = seg->comm_idx < m->comm_cnt ? m->comms[seg->comm_idx] : "";

	if (seg->class == LAB_CPU_IDLE)
		return;
	for (int end = 0; end < 2; end++) {
		const char *phase = end ? "E" : "B";

		if (t)
			put_head(j, phase, slice_task_name(t).s, CPUS_PID, cpu);
		else if (seg->class == LAB_CPU_FOREIGN)
			put_head(j, phase, *comm ? comm : "another program", CPUS_PID, cpu);
		else
			put_head(j, phase, "not known", CPUS_PID, cpu);
		put_us(j, "ts", slice_rel(m, end ? seg->end_ns : seg->start_ns));
		json_open_row(j, "args");
		json_bool(j, "ours", t);
		json_close_object(j);
		json_close_object(j);
	}
}

static void put_cpus(struct json *j, const struct model *m)
{
	put_label(j, "process_name", CPUS_PID, 0, "CPUs");
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		const struct model_cpu *c = &m->cpus[i];
		char name[16];

		snprintf(name, sizeof(name), "CPU %u", c->cpu);
		put_label(j, "thread_name", CPUS_PID, c->cpu, name);
		for (size_t k = 0; k < c->seg_cnt; k++)
			put_cpu_seg(j, m, c->cpu, &m->cpu_segs[c->seg_first + k]);
	}
}

static void put_operations(struct json *j, const struct model *m)
{
	for (size_t i = 0; i < m->op_cnt; i++) {
		const struct model_op *op = &m->ops[i];
		const struct model_task *t = model_task(m, op->task_id);

		for (int end = 0; end < 2; end++) {
			put_head(j, end ? "e" : "b", op_name(m, op).s, t ? t->tgid : CPUS_PID,
				 op->task_id);
			json_str(j, "cat", "operation");
			json_uint(j, "id", op->id);
			put_us(j, "ts", slice_rel(m, end ? op->end_ns : op->start_ns));
			json_close_object(j);
		}
	}
}

static int chrome_render(const struct model *m, const struct report *r,
			 const struct render_opts *opts, FILE *out)
{
	struct json j = { .out = out };

	(void)opts;
	json_open_object(&j, NULL);
	json_str(&j, "displayTimeUnit", "ns");
	json_open_object(&j, "otherData");
	json_str(&j, "verdict", verdict_class_name(r->verdict.class));
	json_str(&j, "workload", m->meta.name);
	json_str(&j, "lab_version", m->meta.lab_version);
	json_close_object(&j);
	json_open_array(&j, "traceEvents");
	put_cpus(&j, m);
	put_tasks(&j, m);
	put_operations(&j, m);
	json_close_array(&j);
	json_close_object(&j);
	return ferror(out) ? -EIO : 0;
}

const struct renderer renderer_chrome = {
	.name = "chrome",
	.help = "trace events, for chrome://tracing, Perfetto and others",
	.render = chrome_render,
};
