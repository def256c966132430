/* SPDX-License-Identifier: GPL-2.0-only */
#include "verify_fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/report.h"
#include "render/render.h"
#include "trace/certificate.h"
#include "trace_fixture.h"
#include "util/alloc.h"

void vfx_read(struct vfx *v, const char *path)
{
	*v = (struct vfx){ 0 };
	REQUIRE(trace_reader_open(&v->reader, path) == 0);
	while (trace_reader_next(v->reader, vec_push(v->events, v->cnt, v->cap)) == 1)
		;
	v->cnt--;
	v->meta = trace_reader_meta(v->reader);
	v->end = trace_reader_end(v->reader);
	REQUIRE(v->end);
}

void vfx_take(struct vfx *v, const struct schedule *s)
{
	*v = (struct vfx){
		.meta = &s->meta, .end = &s->end, .events = schedule_sorted(s),
		.cnt = s->event_cnt, .cap = s->event_cnt,
	};
}

void vfx_copy(struct vfx *to, const struct vfx *from)
{
	free(to->events);
	*to = *from;
	to->reader = NULL;
	to->cap = from->cnt + 2;
	to->events = xcalloc(to->cap, sizeof(*to->events));
	memcpy(to->events, from->events, from->cnt * sizeof(*from->events));
}

void vfx_release(struct vfx *v)
{
	free(v->events);
	trace_reader_free(v->reader);
	*v = (struct vfx){ 0 };
}

int vfx_write(const struct vfx *v)
{
	int fd = memfd_create("verify", MFD_CLOEXEC);
	struct trace_writer *w;

	REQUIRE(fd >= 0 && trace_writer_open(&w, fd, v->meta) == 0);
	for (size_t i = 0; i < v->cnt; i++)
		REQUIRE(trace_writer_add(w, &v->events[i]) == 0);
	REQUIRE(trace_writer_finish(w, v->end) == 0);
	trace_writer_free(w);
	return fd;
}

static void path_of(int fd, char path[32])
{
	snprintf(path, 32, "/proc/self/fd/%d", fd);
}

static char *certificate_of(const struct model *m, const struct report *r)
{
	const struct render_opts opts = { 0 };
	char *lines = NULL;
	size_t len;
	FILE *out = open_memstream(&lines, &len);

	REQUIRE(out && renderer_find("certificate")->render(m, r, &opts, out) == 0);
	REQUIRE(fclose(out) == 0);
	return lines;
}

static char *text_of(const struct model *m)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	REQUIRE(out);
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];

		fprintf(out, "task %u %u %u\n", t->id, t->parent_id, t->tid);
		for (size_t k = 0; k < t->span_cnt; k++) {
			const struct model_span *s = &t->spans[k];

			fprintf(out, "%u %u %x %" PRIu64 " %" PRIu64 " %" PRIu64 " %u\n", s->state,
				s->reason, s->flags, s->start_ns, s->end_ns, s->start_min_ns,
				s->cpu);
		}
	}
	for (size_t i = 0; i < m->op_cnt; i++)
		fprintf(out, "op %u %d %" PRIu64 " %" PRIu64 "\n", m->ops[i].task_id, m->ops[i].fd,
			m->ops[i].start_ns, m->ops[i].end_ns);
	REQUIRE(fclose(out) == 0);
	return text;
}

void vfx_judge(int fd, bool with_model, struct vfx_verdict *out)
{
	struct trace_reader *reader;
	struct report report;
	struct model model;
	char path[32];

	*out = (struct vfx_verdict){ 0 };
	path_of(fd, path);
	if (trace_reader_open(&reader, path))
		return;
	if (!model_build(reader, &model)) {
		report_compute(&model, &report);
		out->exists = true;
		out->class = report.verdict.class;
		out->lossless = report.lossless;
		out->clean = report.audit_clean;
		out->lines = certificate_of(&model, &report);
		if (with_model)
			out->model = text_of(&model);
		report_release(&report);
	}
	model_release(&model);
	trace_reader_free(reader);
}

void vfx_verdict_release(struct vfx_verdict *v)
{
	free(v->lines);
	free(v->model);
	*v = (struct vfx_verdict){ 0 };
}

void vfx_certify(int fd, const char *lines)
{
	REQUIRE(trace_certificate_store(fd, lines) == 0);
}

enum verify_result vfx_verify(int fd, char **text)
{
	enum verify_result result;
	char *buf = NULL, why[VERIFY_WHY_MAX];
	size_t len;
	FILE *out = open_memstream(&buf, &len);

	REQUIRE(out);
	result = verify_file(fd, out, why);
	REQUIRE(fclose(out) == 0);
	if (text)
		*text = buf;
	else
		free(buf);
	return result;
}
