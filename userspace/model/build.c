/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/minmax.h"

static char *dup_or_null(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

static void *dup_array(const void *src, size_t cnt, size_t size)
{
	void *copy;

	if (!cnt)
		return NULL;
	copy = xcalloc(cnt, size);
	memcpy(copy, src, cnt * size);
	return copy;
}

static void copy_meta(struct trace_meta *dst, const struct trace_meta *src)
{
	*dst = *src;
	dst->lab_version = dup_or_null(src->lab_version);
	dst->name = dup_or_null(src->name);
	dst->release = dup_or_null(src->release);
	dst->machine = dup_or_null(src->machine);
	dst->virtualized = dup_or_null(src->virtualized);
	dst->argv = xcalloc((size_t)src->argc + 1, sizeof(*dst->argv));
	for (uint32_t i = 0; i < src->argc; i++)
		dst->argv[i] = dup_or_null(src->argv[i]);
	dst->cpus_usable = dup_array(src->cpus_usable, src->cpus_usable_cnt,
				     sizeof(*dst->cpus_usable));
	dst->clock_pairs = dup_array(src->clock_pairs, src->clock_pair_cnt,
				     sizeof(*dst->clock_pairs));
}

struct model_builder *model_builder_new(const struct trace_meta *meta)
{
	struct model_builder *b = xcalloc(1, sizeof(*b));

	copy_meta(&b->m.meta, meta);
	b->release_ns = NEVER;
	for (uint32_t i = 0; i < meta->clock_pair_cnt; i++)
		b->clock_pair_max_ns = max_u64(b->clock_pair_max_ns, meta->clock_pairs[i].eps_ns);
	/* The first name is "": not known. */
	(void)vec_push(b->m.comms, b->m.comm_cnt, b->m.comm_cap);
	idmap_put(&b->comm_idx, 0, 0, 0);
	return b;
}

/* What the recorder writes itself: it has no place in time. */
static bool feed_recorder_kind(struct model_builder *b, const union lab_event *ev)
{
	switch (ev->head.kind) {
	case LAB_EV_TASK_TOTAL:
		*vec_push(b->totals, b->total_cnt, b->total_cap) = ev->task_total;
		return true;
	case LAB_EV_CPU_TOTAL:
		seq_on_total(b, &ev->cpu_total);
		return true;
	}
	return false;
}

static void feed_probe_kind(struct model_builder *b, const union lab_event *ev)
{
	switch (ev->head.kind) {
	case LAB_EV_SWITCH_OUT:
		switch_on_out(b, &ev->switch_out);
		break;
	case LAB_EV_SWITCH_IN:
		switch_on_in(b, &ev->switch_in);
		break;
	case LAB_EV_CPU_CLASS:
		switch_on_class(b, &ev->cpu_class);
		break;
	case LAB_EV_WAKING:
		switch_on_waking(b, &ev->waking);
		break;
	case LAB_EV_WAKEUP_NEW:
		task_on_wakeup_new(b, &ev->wakeup_new);
		break;
	case LAB_EV_MIGRATE:
		task_on_migrate(b, &ev->migrate);
		break;
	case LAB_EV_TASK_NEW:
		task_on_new(b, &ev->task);
		break;
	case LAB_EV_TASK_SEED:
		task_on_seed(b, &ev->task);
		break;
	case LAB_EV_EXEC:
		task_on_exec(b, &ev->exec);
		break;
	case LAB_EV_EXIT:
		task_on_exit(b, &ev->exit);
		break;
	case LAB_EV_RENAME:
		task_on_rename(b, &ev->rename);
		break;
	case LAB_EV_AFFINITY:
		place_on_affinity(b, &ev->affinity);
		break;
	case LAB_EV_GROUP:
		place_on_group(b, &ev->group);
		break;
	case LAB_EV_THROTTLE:
		place_on_throttle(b, &ev->throttle);
		break;
	case LAB_EV_EPOLL_CTL:
		ops_on_ctl(b, &ev->epoll_ctl);
		break;
	case LAB_EV_EPOLL_WAIT:
		ops_on_wait(b, &ev->epoll_wait);
		break;
	case LAB_EV_EPOLL_READY:
		ops_on_ready(b, &ev->epoll_ready);
		break;
	case LAB_EV_MARKER:
		markers_on_marker(b, &ev->marker);
		break;
	}
}

void model_builder_feed(struct model_builder *b, const union lab_event *ev)
{
	union lab_event later;
	struct bcpu *cpu;

	b->m.event_cnt++;
	if (feed_recorder_kind(b, ev) || ev->head.kind == LAB_EV_NONE ||
	    ev->head.kind >= LAB_EV_KIND_MAX)
		return;
	cpu = cpu_state(b, ev->head.cpu);
	if (!cpu)
		return;
	if (!ev->head.task && ev->head.kind != LAB_EV_CPU_CLASS &&
	    ev->head.kind != LAB_EV_THROTTLE) {
		audit_fail(b, "unknown_task", 0, 1, 0);
		return;
	}
	if (ev->head.ts_ns > STAMP_MAX) {
		audit_fail(b, "order", ev->head.task, STAMP_MAX, ev->head.ts_ns);
		return;
	}
	if (ev->head.ts_ns < b->now_ns) {
		audit_fail(b, "order", ev->head.task, b->now_ns, ev->head.ts_ns);
		later = *ev;
		later.head.ts_ns = b->now_ns;
		ev = &later;
	}
	b->now_ns = ev->head.ts_ns;
	seq_note(b, cpu, &ev->head);
	feed_probe_kind(b, ev);
}

int model_builder_finish(struct model_builder *b, const struct trace_end *end, const char *damage,
			 struct model *out)
{
	int err;

	if (end)
		b->m.end = *end;
	b->m.damage = xstrdup(damage);
	b->m.complete = end && !damage[0];
	err = finish_window(b, end);
	if (!err) {
		seq_finish(b, end);
		finish_spans(b);
		place_finish(b, end);
		cpu_finish(b);
		markers_finish(b);
		ops_finish(b);
		symbols_finish(b);
		audit_finish(b, end);
	}
	*out = b->m;
	b->m = (struct model){ 0 };
	return err;
}

void model_builder_free(struct model_builder *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->cpu_cnt; i++) {
		free(b->cpus[i].segs);
		free(b->cpus[i].holes);
		free(b->cpus[i].late);
	}
	free(b->cpus);
	for (size_t i = 0; i < b->task_cnt; i++)
		free(b->tasks[i].t.spans);
	free(b->tasks);
	free(b->futex_links);
	free(b->turns);
	free(b->late_turns);
	free(b->totals);
	free(b->doubts);
	free(b->marked);
	idmap_release(&b->marked_by_id);
	idmap_release(&b->marked_of_tgid);
	idmap_release(&b->text_nodes);
	idmap_release(&b->name_by_text);
	free(b->past_mms);
	free(b->regs);
	free(b->users);
	idmap_release(&b->task_by_id);
	idmap_release(&b->threads);
	idmap_release(&b->task_by_tid);
	idmap_release(&b->leaders);
	idmap_release(&b->mm_of_tgid);
	idmap_release(&b->comm_idx);
	idmap_release(&b->reg_by_fd);
	idmap_release(&b->regs_of_tgid);
	idmap_release(&b->users_by_data);
	idmap_release(&b->own_ends_by_set);
	model_release(&b->m);
	free(b);
}

int model_build(struct trace_reader *r, struct model *out)
{
	struct model_builder *b = model_builder_new(trace_reader_meta(r));
	const union lab_event *ev;
	int err, got;

	*out = (struct model){ 0 };
	while ((got = trace_reader_borrow(r, &ev)) > 0)
		model_builder_feed(b, ev);
	err = got;
	if (!err) {
		model_builder_symbols(b, trace_reader_symbols(r));
		err = model_builder_finish(b, trace_reader_end(r), trace_reader_damage(r), out);
		out->file_bytes = trace_reader_bytes(r);
		out->complete = out->complete && trace_reader_complete(r);
	}
	model_builder_free(b);
	return err;
}
