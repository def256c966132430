/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>

#include "render/json_parts.h"
#include "render/names.h"
#include "util/minmax.h"

/* "running", "ready", the reason of a block, "unknown", or "none" where no task is known. */
static const char *segment_kind(const struct path_segment *seg)
{
	if (!seg->task_id)
		return "none";
	if (seg->state == SPAN_RUNNING)
		return "running";
	if (seg->state == SPAN_UNKNOWN)
		return "unknown";
	return seg->state == SPAN_READY ? "ready" : reason_name(seg->reason);
}

static void put_segment(struct json *j, const struct model *m, const struct path_segment *seg)
{
	json_open_row(j, NULL);
	json_task_ids(j, m, seg->task_id);
	json_uint(j, "start_ns", json_rel(m, seg->start_ns));
	json_uint(j, "end_ns", json_rel(m, seg->end_ns));
	json_str(j, "kind", segment_kind(seg));
	json_close_object(j);
}

void json_path(struct json *j, const struct model *m, const struct report *r, bool segments)
{
	const struct report_path *p = &r->path;

	json_open_object(j, "critical_path");
	json_uint(j, "length_ns", p->length_ns);
	json_uint(j, "run_ns", p->run_ns);
	json_uint(j, "ready_ns", p->ready_ns);
	json_open_object(j, "blocked_ns");
	for (int i = REASON_NONE + 1; i < REASON_CNT; i++)
		json_uint(j, reason_name(i), p->blocked_ns[i]);
	json_close_object(j);
	json_uint(j, "unknown_ns", p->unknown_ns);
	json_uint(j, "none_ns", p->none_ns);
	json_uint(j, "tasks", p->task_cnt);
	if (segments) {
		json_open_array(j, "segments");
		for (size_t i = 0; i < p->segment_cnt; i++)
			put_segment(j, m, &p->segments[i]);
		json_close_array(j);
	}
	json_close_object(j);
}

/* As struct report_deadlock tells them. */
static const char *evidence_name(enum deadlock_evidence evidence)
{
	switch (evidence) {
	case EVIDENCE_JOIN: return "join";
	case EVIDENCE_VALUE: return "value";
	case EVIDENCE_PI: return "pi";
	case EVIDENCE_LIBRARY: return "library";
	case EVIDENCE_WAKE: return "wake";
	}
	return "unknown";
}

static void put_deadlock_wait(struct json *j, const struct model *m, const struct deadlock_wait *w)
{
	char addr[24];

	snprintf(addr, sizeof(addr), "0x%" PRIx64, w->addr);
	json_open_row(j, NULL);
	json_task_ids(j, m, w->task_id);
	json_str(j, "addr", addr);
	json_bool(j, "shared", !w->mm_id);
	json_symbol(j, w->symbol);
	json_uint(j, "owner_id", w->owner_id);
	json_uint(j, "start_ns", json_rel(m, w->start_ns));
	json_str(j, "evidence", evidence_name(w->evidence));
	json_close_object(j);
}

/* Present is null where records are missing: one that would refute it may be among them. */
void json_deadlock(struct json *j, const struct model *m, const struct report *r)
{
	static const struct deadlock_wait none;
	const struct report_deadlock *d = &r->deadlock;

	json_open_object(j, "deadlock");
	if (d->known)
		json_bool(j, "present", d->present);
	else
		json_null(j, "present");
	json_begin_if(j, d->present);
	json_uint(j, "since_ns", json_rel(m, d->since_ns));
	json_uint(j, "cycles", d->circles);
	json_uint(j, "behind", d->behind_cnt);
	json_open_array(j, "cycle");
	for (size_t i = 0; i < json_elements(j, d->wait_cnt); i++)
		put_deadlock_wait(j, m, i < d->wait_cnt ? &d->waits[i] : &none);
	json_close_array(j);
	json_end_if(j);
	json_close_object(j);
}

static void put_stuck_wait(struct json *j, const struct model *m, const struct stuck_wait *w)
{
	bool futex = w->reason == REASON_LOCK || w->reason == REASON_COND ||
		     w->reason == REASON_JOIN;
	char addr[24];

	snprintf(addr, sizeof(addr), "0x%" PRIx64, w->addr);
	json_open_row(j, NULL);
	json_task_ids(j, m, w->task_id);
	json_str(j, "reason", reason_name(w->reason));
	json_str_or_null(j, "call", w->call);
	json_str_or_null(j, "addr", futex ? addr : NULL);
	json_symbol(j, w->symbol);
	json_uint_or_null(j, "awaits_id", w->awaits_id, w->awaits_id);
	json_uint(j, "behind", w->behind_cnt);
	json_uint(j, "start_ns", json_rel(m, w->start_ns));
	json_close_object(j);
}

/* Present is null where records are missing, as above. */
void json_stuck(struct json *j, const struct model *m, const struct report *r)
{
	static const struct stuck_wait none;
	const struct report_stuck *s = &r->stuck;

	json_open_object(j, "stuck");
	if (s->known)
		json_bool(j, "present", s->present);
	else
		json_null(j, "present");
	json_begin_if(j, s->present);
	json_uint(j, "since_ns", json_rel(m, s->since_ns));
	json_uint(j, "until_ns", json_rel(m, s->until_ns));
	json_open_array(j, "waits");
	for (size_t i = 0; i < json_elements(j, s->wait_cnt); i++)
		put_stuck_wait(j, m, i < s->wait_cnt ? &s->waits[i] : &none);
	json_close_array(j);
	json_end_if(j);
	json_close_object(j);
}

void json_serializer(struct json *j, const struct model *m, const struct report *r)
{
	const struct report_serializer *s = &r->serializer;
	uint32_t named = (uint32_t)min_u64(s->task_cnt, SERIALIZER_TASKS_MAX);
	char addr[24];

	json_open_object(j, "serializer");
	json_bool(j, "present", s->present);
	json_begin_if(j, s->measured);
	json_str(j, "kind", s->kind == SERIALIZER_LOCK ? "lock" : "handovers");
	json_str(j, "through", reason_name(s->through));
	json_begin_if(j, s->addr);
	snprintf(addr, sizeof(addr), "0x%" PRIx64, s->addr);
	json_uint(j, "tgid", s->tgid);
	json_bool(j, "shared", !s->mm_id);
	json_str(j, "addr", addr);
	json_symbol(j, s->symbol);
	json_end_if(j);
	json_ratio(j, "index", s->index_ppm, 1000000);
	json_uint(j, "demand_ns", s->demand_ns);
	json_uint(j, "reached_ns", s->reached_ns);
	json_uint(j, "ready_ns", s->ready_ns);
	json_uint(j, "locked_ns", s->locked_ns);
	json_uint(j, "waiters", s->task_cnt);
	json_uint_if(j, "had_by", s->kind == SERIALIZER_LOCK, s->had_by);
	json_open_array(j, "tasks");
	for (size_t i = 0; i < json_elements(j, named); i++) {
		json_open_row(j, NULL);
		json_task_ids(j, m, s->tasks[i]);
		json_close_object(j);
	}
	json_close_array(j);
	json_end_if(j);
	json_close_object(j);
}
