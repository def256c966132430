/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * speedscope - the file format of speedscope (https://www.speedscope.app/file-format-schema.json):
 * an evented profile per task, with the CPU or the reason inside the state.
 */
#include <errno.h>
#include <inttypes.h>

#include "render/json_writer.h"
#include "render/slices.h"

/* Frames: the states, the reasons, then the CPUs by their place in model.cpus. */
#define FRAME_REASON (SPAN_UNKNOWN + 1)
#define FRAME_CPU (FRAME_REASON + REASON_CNT)

static void put_frame(struct json *j, const char *name)
{
	json_open_row(j, NULL);
	json_str(j, "name", name);
	json_close_object(j);
}

static void put_frames(struct json *j, const struct model *m)
{
	json_open_object(j, "shared");
	json_open_array(j, "frames");
	for (uint8_t state = SPAN_RUNNING; state <= SPAN_UNKNOWN; state++)
		put_frame(j, slice_state_words(&(struct model_span){ .state = state }));
	for (int reason = 0; reason < REASON_CNT; reason++)
		put_frame(j, reason_name(reason));
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		char name[16];

		snprintf(name, sizeof(name), "CPU %u", m->cpus[i].cpu);
		put_frame(j, name);
	}
	json_close_array(j);
	json_close_object(j);
}

/* The frame inside that of the state; -1: none. */
static int64_t inner_frame(const struct model *m, const struct model_span *s)
{
	if (s->state == SPAN_BLOCKED)
		return FRAME_REASON + s->reason;
	for (size_t i = 0; s->state == SPAN_RUNNING && i < m->cpu_cnt; i++)
		if (m->cpus[i].cpu == s->cpu)
			return FRAME_CPU + (int64_t)i;
	return -1;
}

static void put_event(struct json *j, const char *type, int64_t frame, uint64_t at_ns)
{
	json_open_row(j, NULL);
	json_str(j, "type", type);
	json_int(j, "frame", frame);
	json_uint(j, "at", at_ns);
	json_close_object(j);
}

static void put_span(struct json *j, const struct model *m, const struct model_span *s)
{
	uint64_t start_ns = slice_rel(m, s->start_ns), end_ns = slice_rel(m, s->end_ns);
	int64_t inner = inner_frame(m, s);

	put_event(j, "O", s->state, start_ns);
	if (inner >= 0) {
		put_event(j, "O", inner, start_ns);
		put_event(j, "C", inner, end_ns);
	}
	put_event(j, "C", s->state, end_ns);
}

static void put_profile(struct json *j, const struct model *m, const struct model_task *t)
{
	json_open_object(j, NULL);
	json_str(j, "type", "evented");
	json_str(j, "name", slice_task_name(t).s);
	json_str(j, "unit", "nanoseconds");
	json_uint(j, "startValue", 0);
	json_uint(j, "endValue", slice_rel(m, m->end_ns));
	json_open_array(j, "events");
	for (size_t k = 0; k < t->span_cnt; k++)
		put_span(j, m, &t->spans[k]);
	json_close_array(j);
	json_close_object(j);
}

static int speedscope_render(const struct model *m, const struct report *r,
			     const struct render_opts *opts, FILE *out)
{
	struct json j = { .out = out };

	(void)r;
	(void)opts;
	json_open_object(&j, NULL);
	json_str(&j, "$schema", "https://www.speedscope.app/file-format-schema.json");
	json_str(&j, "name", m->meta.name);
	json_str(&j, "exporter", "lab");
	json_uint(&j, "activeProfileIndex", 0);
	put_frames(&j, m);
	json_open_array(&j, "profiles");
	for (size_t i = 0; i < m->task_cnt; i++)
		put_profile(&j, m, &m->tasks[i]);
	json_close_array(&j);
	json_close_object(&j);
	return ferror(out) ? -EIO : 0;
}

const struct renderer renderer_speedscope = {
	.name = "speedscope",
	.help = "a profile per task, for speedscope",
	.render = speedscope_render,
};
