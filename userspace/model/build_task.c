/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * build_task - births, names and ends of tasks, and the stretches of their lives.
 */

#include <string.h>

#include "model/build.h"
#include "model/futex.h"
#include "util/alloc.h"
#include "util/minmax.h"

/* clone(2) */
#define CLONE_VM_BIT 0x100u

static void copy_comm(char *dst, const char *src)
{
	memset(dst, 0, LAB_COMM_LEN + 1);
	memcpy(dst, src, strnlen(src, LAB_COMM_LEN));
}

/* Skew-binary jump pointers (Myers, 1983): O(1) to add a task, O(log depth) to climb. */
static void set_parent(struct model_builder *b, uint32_t idx, uint32_t parent)
{
	struct btask *t = &b->tasks[idx];
	const struct btask *p = &b->tasks[parent], *j = &b->tasks[p->jump];

	t->parent = parent;
	t->depth = p->depth + 1;
	t->jump = p->depth - j->depth == j->depth - b->tasks[j->jump].depth ? j->jump : parent;
	t->t.parent_id = p->t.id;
}

bool task_descends(const struct model_builder *b, uint32_t idx, uint32_t ancestor)
{
	uint32_t depth = b->tasks[ancestor].depth;

	if (idx == ancestor)
		return false;
	while (b->tasks[idx].depth > depth) {
		uint32_t jump = b->tasks[idx].jump;

		idx = b->tasks[jump].depth >= depth ? jump : b->tasks[idx].parent;
	}
	return idx == ancestor;
}

/* @upper, or else the first task of its process, is above. */
static bool is_above(const struct model_builder *b, uint32_t upper, uint32_t idx)
{
	uint32_t leader = b->tasks[upper].leader;

	return task_descends(b, idx, upper) ||
	       (leader != b->tasks[idx].leader && task_descends(b, idx, leader));
}

bool task_is_kin(const struct model_builder *b, uint32_t idx, uint32_t other)
{
	return is_above(b, idx, other) || is_above(b, other, idx);
}

/* The task's next span is a wait in a futex. */
static void note_futex(struct model_builder *b, struct btask *t)
{
	vec_add(b->futex_links, b->futex_link_cnt, b->futex_link_cap,
		(struct futex_link){ t->t.span_cnt, 0, t->t.wait_val, t->t.wait_owner_tid });
	if (t->futex_last)
		b->futex_links[t->futex_last - 1].next = b->futex_link_cnt;
	else
		t->futex_first = b->futex_link_cnt;
	t->futex_last = b->futex_link_cnt;
}

void task_close(struct model_builder *b, struct btask *t, uint64_t ts_ns)
{
	struct model_span *span = &t->open;
	uint32_t idx = (uint32_t)(t - b->tasks);

	if (t->life == LIFE_UNBORN || t->life == LIFE_DEAD || ts_ns <= span->start_ns)
		return;
	task_settle_reason(b, t);
	span->end_ns = ts_ns;
	if (span->flags & SPAN_ACROSS_GAP)
		b->cpus[span->cpu].lost_until_ns = max_u64(b->cpus[span->cpu].lost_until_ns, ts_ns);
	if (span->flags & SPAN_FUTEX)
		note_futex(b, t);
	vec_add(t->t.spans, t->t.span_cnt, t->t.span_cap, *span);
	turn_note(b, idx, ts_ns);
	if (span->state == SPAN_RUNNING)
		b->cpus[span->cpu].stay_cnt++;
	if (span->state == SPAN_BLOCKED && span->reason == REASON_EPOLL) {
		t->epoll_span = t->t.span_cnt;
		t->epoll_returned = false;
	}
}

static void note_futex_wait(struct btask *t, const struct sleep *sleep)
{
	t->t.wait_val = t->futex_val;
	t->t.wait_owner_tid = t->futex_val & FUTEX_VAL_WAITERS ? t->futex_val & FUTEX_VAL_TID :
								 sleep->futex_owner;
	if (t->open.futex_private)
		t->open.mm_id = t->t.mm_id;
}

void task_block(struct btask *t, uint64_t ts_ns, const struct sleep *sleep)
{
	task_open(t, LIFE_BLOCKED, ts_ns, NO_CPU);
	reason_classify(sleep, &t->open);
	t->futex_val = (uint32_t)sleep->args[2];
	if (t->open.flags & SPAN_FUTEX)
		note_futex_wait(t, sleep);
}

/* Whether a living task has what @t waits for: see futex.h. */
static bool names_owner(const struct model_builder *b, const struct btask *t)
{
	const uint32_t *idx = t->t.wait_owner_tid ?
			      idmap_get(&b->task_by_tid, t->t.wait_owner_tid, 0) : NULL;
	const struct btask *owner = idx ? &b->tasks[*idx] : NULL;

	return owner && owner != t && owner->death_ns >= t->open.start_ns &&
	       (!t->open.futex_private || owner->t.tgid == t->t.tgid);
}

void task_settle_reason(struct model_builder *b, struct btask *t)
{
	uint64_t thread = (uint64_t)t->t.tgid << 32 | t->futex_val;

	if (t->open.state != SPAN_BLOCKED)
		return;
	if (t->open.flags & SPAN_FUTEX) {
		t->open.futex_owned = names_owner(b, t);
		t->open.reason = futex_judge_alone(&t->open, idmap_get(&b->threads, thread, 0));
	} else if (t->open.reason == REASON_NONE) {
		t->open.reason = REASON_OTHER;
	}
}

static void note_tid(struct model_builder *b, const struct btask *t)
{
	uint32_t idx = (uint32_t)(t - b->tasks);

	idmap_put(&b->threads, (uint64_t)t->t.tgid << 32 | t->t.tid, 0, 1);
	*idmap_put(&b->task_by_tid, t->t.tid, 0, idx) = idx;
}

static void set_identity(struct model_builder *b, struct btask *t, const struct lab_ev_task *ev)
{
	uint32_t idx = (uint32_t)(t - b->tasks), *leader;

	leader = idmap_put(&b->leaders, ev->tgid, 0, idx);
	if (ev->tid == ev->tgid)
		*leader = idx;
	t->leader = *leader;
	t->implicit = false;
	t->t.tid = ev->tid;
	t->t.tgid = ev->tgid;
	t->t.policy = ev->policy;
	t->t.nice = ev->nice;
	copy_comm(t->t.comm, ev->comm);
	note_tid(b, t);
}

/* The task that a NEW or a SEED introduces; NO_TASK if it was introduced before. */
static uint32_t introduce(struct model_builder *b, const struct lab_ev_task *ev, bool *is_new)
{
	uint32_t *known = idmap_get(&b->task_by_id, ev->head.task, 0);

	*is_new = !known;
	if (!known)
		return task_add(b, ev->head.task, ev->head.ts_ns);
	if (b->tasks[*known].implicit)
		return *known;
	audit_fail(b, "born_twice", ev->head.task, 1, 2);
	return NO_TASK;
}

void task_on_new(struct model_builder *b, const struct lab_ev_task *ev)
{
	uint32_t parent = NO_TASK, idx;
	bool is_new;

	if (ev->parent_id && ev->parent_id != ev->head.task) {
		parent = task_lookup(b, ev->parent_id, ev->head.ts_ns);
		task_acted(b, ev->parent_id, ev->head.cpu, ev->head.ts_ns);
	}
	idx = introduce(b, ev, &is_new);
	if (idx == NO_TASK)
		return;
	set_identity(b, &b->tasks[idx], ev);
	b->tasks[idx].uncounted = false;
	if (parent == NO_TASK)
		audit_fail(b, "no_parent", ev->head.task, 1, 0);
	if (!is_new)
		audit_birth_late(b, &b->tasks[idx], ev->head.cpu, ev->head.ts_ns);
	/* A process with the number of one that is gone. */
	if (ev->tid == ev->tgid) {
		ops_forget(b, ev->tgid);
		markers_forget(b, ev->tgid, ev->head.ts_ns);
	}
	if (parent != NO_TASK)
		place_born(b, idx, parent, ev->head.ts_ns);
	/* One seen before its birth may have children already: a parent could close a cycle. */
	if (!is_new || parent == NO_TASK)
		return;
	set_parent(b, idx, parent);
	if (ev->clone_flags & CLONE_VM_BIT)
		b->tasks[idx].t.mm_id = b->tasks[parent].t.mm_id;
}

static void seed_state(struct model_builder *b, struct btask *t, const struct lab_ev_task *ev)
{
	uint64_t ts_ns = ev->head.ts_ns;
	bool cpu_exists = cpu_state(b, ev->task_cpu);

	t->own_ns = ts_ns;
	t->queued_cpu = cpu_exists ? ev->task_cpu : NO_CPU;
	if (ev->on_cpu && cpu_exists) {
		task_open(t, LIFE_RUNNING, ts_ns, ev->task_cpu);
		t->seeded_on_cpu = true;
	} else if (!ev->state) {
		task_open(t, LIFE_READY, ts_ns, t->queued_cpu);
	} else {
		struct sleep sleep = {
			.state = ev->state,
			.syscall = ev->syscall,
			.args = { ev->args[0], ev->args[1], ev->args[2] },
			.fd_type = ev->fd_type,
		};

		task_block(t, ts_ns, &sleep);
	}
	t->open.flags |= SPAN_CUT_START;
}

void task_on_seed(struct model_builder *b, const struct lab_ev_task *ev)
{
	bool is_new;
	uint32_t idx = introduce(b, ev, &is_new);
	struct btask *t;
	uint32_t *mm;

	if (idx == NO_TASK)
		return;
	b->any_seed = true;
	b->last_seed_ns = ev->head.ts_ns;
	t = &b->tasks[idx];
	set_identity(b, t, ev);
	t->seeded = true;
	mm = idmap_put(&b->mm_of_tgid, ev->tgid, 0, t->t.mm_id);
	t->t.mm_id = *mm;
	t->seed_counts = is_new;
	if (!is_new)
		return;
	t->base = (struct counters){
		.nvcsw = ev->nvcsw,
		.nivcsw = ev->nivcsw,
		.sum_exec_ns = ev->sum_exec_ns,
		.migrations = ev->migrations,
	};
	t->last = t->base;
	seed_state(b, t, ev);
	if (t->life == LIFE_READY)
		place_ready(b, idx, t->queued_cpu, false, ev->head.ts_ns);
}

void task_on_wakeup_new(struct model_builder *b, const struct lab_ev_wakeup_new *ev)
{
	uint32_t idx = task_lookup(b, ev->head.task, ev->head.ts_ns);
	struct btask *t = &b->tasks[idx];

	if (ev->dest_cpu >= TRACE_CPUS_MAX) {
		audit_fail(b, "cpu_number", ev->head.task, TRACE_CPUS_MAX - 1, ev->dest_cpu);
		return;
	}
	if (t->life != LIFE_UNBORN) {
		if (!t->implicit)
			audit_fail(b, "causality", ev->head.task, 0, 1);
		return;
	}
	task_open(t, LIFE_READY, ev->head.ts_ns, (uint16_t)ev->dest_cpu);
	t->own_ns = ev->head.ts_ns;
	t->queued_cpu = (uint16_t)ev->dest_cpu;
	place_ready(b, idx, t->queued_cpu, false, ev->head.ts_ns);
}

void task_on_migrate(struct model_builder *b, const struct lab_ev_migrate *ev)
{
	uint32_t idx = task_lookup(b, ev->head.task, ev->head.ts_ns);
	struct btask *t = &b->tasks[idx];

	if (ev->orig_cpu >= TRACE_CPUS_MAX || ev->dest_cpu >= TRACE_CPUS_MAX) {
		audit_fail(b, "cpu_number", ev->head.task, TRACE_CPUS_MAX - 1,
			   ev->orig_cpu > ev->dest_cpu ? ev->orig_cpu : ev->dest_cpu);
		return;
	}
	/* Emitted also where nothing moves, and then not counted by the kernel. */
	if (ev->orig_cpu == ev->dest_cpu)
		return;
	/* A seed's count may have been read a moment after the first move that was recorded. */
	if (t->seed_counts && !t->migrates && ev->migrations < t->base.migrations) {
		t->base.migrations = ev->migrations;
		if (!t->outs)
			t->last.migrations = ev->migrations;
	}
	t->migrates++;
	*vec_push(b->m.migrations, b->m.migration_cnt, b->m.migration_cap) =
		(struct model_migration){
			.at_ns = ev->head.ts_ns,
			.task_id = ev->head.task,
			.from_cpu = (uint16_t)ev->orig_cpu,
			.to_cpu = (uint16_t)ev->dest_cpu,
			.cause = place_move_cause(b, idx, ev),
		};
	/* A task that has a CPU is never moved: the move must have come before it ran. */
	if (t->life == LIFE_RUNNING) {
		audit_doubt(b, &(struct audit_failure){ "causality", ev->head.task, 0, 1, false },
			    t->open.cpu, t->open.start_ns, ev->head.ts_ns);
		return;
	}
	if (t->life == LIFE_DEAD) {
		audit_fail(b, "causality", ev->head.task, 0, 1);
		return;
	}
	t->own_ns = ev->head.ts_ns;
	t->ran_by_ns = NEVER;
	t->queued_cpu = (uint16_t)ev->dest_cpu;
	if (t->life == LIFE_READY)
		t->open.cpu = t->queued_cpu;
	place_moved(b, idx, t->queued_cpu, ev->head.ts_ns);
}

void task_on_exec(struct model_builder *b, const struct lab_ev_exec *ev)
{
	uint32_t idx = task_lookup(b, ev->head.task, ev->head.ts_ns);
	struct btask *t = &b->tasks[idx];

	ops_forget(b, ev->tid);
	markers_forget(b, ev->tid, ev->head.ts_ns);
	*vec_push(b->past_mms, b->past_mm_cnt, b->past_mm_cap) =
		(struct past_mm){ idx, t->t.mm_id, ev->head.ts_ns };
	/* Whichever thread called it, it goes on as the leader: its tid is the group's. */
	t->t.tid = ev->tid;
	t->t.tgid = ev->tid;
	t->t.mm_id = ++b->mm_cnt;
	copy_comm(t->t.comm, ev->comm);
	note_tid(b, t);
	task_acted(b, ev->head.task, ev->head.cpu, ev->head.ts_ns);
}

void task_on_exit(struct model_builder *b, const struct lab_ev_exit *ev)
{
	struct btask *t = task_get(b, ev->head.task, ev->head.ts_ns);

	t->t.exit_code = ev->exit_code;
	task_acted(b, ev->head.task, ev->head.cpu, ev->head.ts_ns);
}

void task_on_rename(struct model_builder *b, const struct lab_ev_rename *ev)
{
	struct btask *t = task_get(b, ev->head.task, ev->head.ts_ns);

	copy_comm(t->t.comm, ev->comm);
}
