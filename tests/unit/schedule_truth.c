/* SPDX-License-Identifier: GPL-2.0-only */
/* schedule_truth - what happens is written down as it happens, and cut to the window at the end. */

#include <stdlib.h>
#include <string.h>

#include "schedule_sim.h"
#include "util/alloc.h"
#include "util/minmax.h"

static struct truth_span *open_of(struct ktask *t)
{
	return &t->life.spans[t->life.span_cnt - 1];
}

static struct kplace place_on(const struct sim *s, const struct kcpu *c)
{
	return (struct kplace){ sim_stamp(s, c), c->slot.seq, c->number, true };
}

static bool is_before(const struct kplace *a, const struct kplace *b)
{
	if (a->ts != b->ts)
		return a->ts < b->ts;
	return a->cpu != b->cpu ? a->cpu < b->cpu : a->seq < b->seq;
}

static struct truth_span *begin(struct ktask *t, uint64_t ts, enum span_state state, uint16_t cpu)
{
	struct truth_span *span;

	if (t->life.span_cnt && open_of(t)->start_ns >= ts)
		t->life.span_cnt--;	/* it took no time */
	else if (t->life.span_cnt)
		open_of(t)->end_ns = ts;
	span = vec_push(t->life.spans, t->life.span_cnt, t->life.span_cap);
	*span = (struct truth_span){
		.start_ns = ts,
		.earliest_ns = ts,
		.end_ns = UINT64_MAX,
		.state = (uint8_t)state,
		.cpu = cpu,
		.syscall = LAB_SYSCALL_NONE,
	};
	return span;
}

static struct truth_span *begin_block(struct ktask *t, uint64_t ts, const struct khow *how)
{
	struct truth_span *span = begin(t, ts, SPAN_BLOCKED, TRUTH_NO_CPU);
	bool compat = how->flags & LAB_F_COMPAT;

	span->reason = (uint8_t)how->reason;
	span->meant = (uint8_t)how->meant;
	span->syscall = how->syscall;
	span->accept = how->accept;
	span->compat = compat;
	if (how->syscall != LAB_SYSCALL_NONE && !compat)
		span->addr = how->args[0];
	if (how->reason != REASON_NONE)
		return span;
	span->futex = true;
	span->futex_op = how->syscall == 449 ? 32 : how->syscall == 455 ? 0 : how->args[1] & 127;
	span->futex_private = how->args[1] & 128;
	span->futex_limited = !how_has_no_limit(how);
	span->futex_val = (uint32_t)how->args[2];
	span->owner = span->futex_val & 0x80000000u ? span->futex_val & 0x3fffffff : how->owner;
	span->mm = span->futex_private ? t->proc->mm : 0;
	return span;
}

/* ---- wakings ---- */

/* Where a probe cannot tell interrupts, a waker at the same futex is sure. */
static bool is_sure(const struct truth_span *block, const struct kwaking *w)
{
	return !(w->flags & LAB_F_CTX_UNKNOWN) ||
	       (block->futex && w->syscall == 202 && w->arg0 == block->addr);
}

static void end_block(struct ktask *t, const struct kwaking *w)
{
	struct truth_span *block = open_of(t);

	if (w->flags & (LAB_F_HARDIRQ | LAB_F_SOFTIRQ | LAB_F_NMI)) {
		block->by_interrupt = true;
	} else if (is_sure(block, w)) {
		block->waker_id = w->waker_id;
		block->waker_tid = w->waker_tid;
		block->waker_syscall = w->syscall;
		block->by_exiting = w->flags & LAB_F_WAKER_EXITING;
		block->many = w->flags & LAB_F_WAKES_MANY;
		block->by_signal = block->futex && !block->by_exiting &&
				   w->syscall != 202 && w->syscall != 449 && w->syscall != 455;
	}
	begin(t, w->at.ts, SPAN_READY, t->known_cpu);
	t->own_ts = w->at.ts;
}

void truth_woken(struct sim *s, struct ktask *t, struct kcpu *c, uint8_t flags,
		 const struct ktask *waker, int32_t syscall, uint64_t arg0)
{
	struct kplace at = place_on(s, c);

	at.seq--;		/* it was recorded just now */
	if (t == s->root && !s->opt->attach && !s->release_ts)
		s->release_ts = at.ts;
	if (!t->living)
		return;
	t->waking = (struct kwaking){
		.at = at, .flags = flags, .syscall = syscall, .arg0 = arg0,
		.waker_id = waker && waker->marked ? waker->id : 0,
		.waker_tid = waker ? waker->tid : 0,
	};
	if (open_of(t)->state != SPAN_BLOCKED)
		return;
	if (t->out.set && is_before(&at, &t->out))
		t->woken_before_out = true;
	else
		end_block(t, &t->waking);
}

/* ---- switches ---- */

void truth_in(struct sim *s, struct ktask *t, struct kcpu *c, bool seen, uint64_t seq)
{
	struct kplace in = place_on(s, c);
	struct truth_span *span = open_of(t);

	in.seq = seq;
	t->came_unwoken = span->state == SPAN_BLOCKED;
	t->before_in = *span;
	if (span->state == SPAN_BLOCKED && t->woken_before_out) {
		uint64_t since = span->start_ns;

		*span = (struct truth_span){
			.start_ns = since, .earliest_ns = since, .state = SPAN_READY,
			.syscall = LAB_SYSCALL_NONE,
		};
	} else if (span->state == SPAN_BLOCKED) {
		span->unseen = true;
	}
	if (span->state == SPAN_READY)
		span->cpu = c->number;
	span = begin(t, in.ts, SPAN_RUNNING, c->number);
	span->seq_in = seq;
	span->hidden = !seen;
	if (!seen && c->recorded && c->recorded_ts > t->own_ts)
		span->earliest_ns = c->recorded_ts;
	else if (!seen)
		span->earliest_ns = t->own_ts;
	t->in = in;
	t->in_seen = seen;
	t->known_cpu = c->number;
}

void truth_out(struct sim *s, struct ktask *t, struct kcpu *c, const struct khow *how, bool ready,
	       bool preempted, uint64_t seq)
{
	struct kplace out = place_on(s, c);
	struct truth_span *span = open_of(t);
	bool woken = t->waking.at.set && is_before(&t->in, &t->waking.at);

	out.seq = seq;
	span->seq_out = seq;
	if (span->hidden)
		s->out->truth.hidden_cnt++;
	t->out = out;
	t->own_ts = out.ts;
	t->known_cpu = c->number;
	t->woken_before_out = woken && is_before(&t->waking.at, &out);
	if (how->state & LAB_STATE_DEAD) {
		begin(t, out.ts, SPAN_READY, 0);
		t->life.span_cnt--;
		t->life.end_ns = out.ts;
		t->living = false;
	} else if (ready) {
		begin(t, out.ts, SPAN_READY, c->number)->preempted = preempted;
	} else {
		begin_block(t, out.ts, how);
		if (t->wait.race && woken && !t->woken_before_out)
			end_block(t, &t->waking);
	}
}

/* What of it affinity does not explain; see affinity_moves(). */
static enum move_cause cause_of(struct ktask *t, bool waking)
{
	if (waking)
		return MOVE_WAKEUP;
	return t->living && open_of(t)->state == SPAN_READY ? MOVE_BALANCE : MOVE_UNKNOWN;
}

void truth_moved(struct sim *s, struct ktask *t, struct kcpu *c, uint32_t from, uint32_t to,
		 bool waking)
{
	struct truth *truth = &s->out->truth;
	struct kplace at = place_on(s, c);

	*vec_push(truth->moves, truth->move_cnt, truth->move_cap) = (struct truth_move){
		at.ts, at.seq, t->id, at.cpu, s->cpus[from].number, s->cpus[to].number,
		cause_of(t, waking)
	};
	t->life.migrations++;
	if (!t->living)
		return;
	t->own_ts = max_u64(t->own_ts, at.ts);
	t->known_cpu = s->cpus[to].number;
	if (open_of(t)->state == SPAN_READY)
		open_of(t)->cpu = t->known_cpu;
}

void truth_bound(struct sim *s, const struct ktask *t, const struct kcpu *c, uint32_t set)
{
	struct truth *truth = &s->out->truth;
	struct truth_bound *bound = vec_push(truth->bounds, truth->bound_cnt, truth->bound_cap);

	*bound = (struct truth_bound){
		.from_ns = sim_stamp(s, c), .seq = c->slot.seq, .task_id = t->id, .cpu = c->number,
	};
	for (uint32_t i = 0; i < s->opt->cpu_cnt; i++)
		if (set >> i & 1)
			bound->words[s->cpus[i].number / 64] |=
				UINT64_C(1) << s->cpus[i].number % 64;
}

/* ---- births ---- */

void truth_born(struct sim *s, struct ktask *t, struct kcpu *c)
{
	struct kplace at = place_on(s, c);

	t->living = true;
	t->known_cpu = s->cpus[t->cpu].number;
	t->own_ts = at.ts;
	begin(t, at.ts, SPAN_READY, t->known_cpu);
}

/* A seed's record names no owner, and says nothing of a limit. */
static void begin_seeded_block(struct ktask *t, uint64_t ts)
{
	struct khow how = t->wait.how;

	how.owner = 0;
	begin_block(t, ts, &how)->futex_limited = true;
}

/* It becomes ours as it is. */
void truth_seeded(struct sim *s, struct ktask *t, uint64_t ts)
{
	t->living = true;
	t->own_ts = ts;
	t->life.born_ns = ts;
	t->known_cpu = s->cpus[t->cpu].number;
	if (t->state == K_RUNNING)
		begin(t, ts, SPAN_RUNNING, t->known_cpu);
	else if (t->wait.on)
		begin_seeded_block(t, ts);
	else
		begin(t, ts, SPAN_READY, t->known_cpu);
	open_of(t)->cut_start = true;
	t->in_seen = true;
	if (ts > s->seeded_ts)
		s->seeded_ts = ts;
}

void truth_seeded_ready(struct sim *s, struct ktask *t)
{
	struct truth *truth = &s->out->truth;
	struct truth_span *span = open_of(t);

	for (size_t i = 0; i < truth->move_cnt; i++)
		if (truth->moves[i].task_id == t->id && truth->moves[i].cause == MOVE_UNKNOWN)
			truth->moves[i].cause = MOVE_BALANCE;
	if (span->state == SPAN_BLOCKED)
		*span = (struct truth_span){
			.start_ns = span->start_ns, .earliest_ns = span->start_ns,
			.end_ns = UINT64_MAX, .state = SPAN_READY, .syscall = LAB_SYSCALL_NONE,
			.cpu = t->known_cpu, .cut_start = true,
		};
}

/* ---- the end ---- */

static bool cut_span(const struct truth *truth, struct truth_span *span)
{
	if (span->end_ns == UINT64_MAX)
		span->cut_end = true;
	if (span->end_ns <= truth->start_ns || span->start_ns >= truth->end_ns ||
	    span->end_ns <= span->start_ns)
		return false;
	if (span->earliest_ns < truth->start_ns)
		span->earliest_ns = truth->start_ns;
	if (span->start_ns < truth->start_ns) {
		span->start_ns = truth->start_ns;
		span->cut_start = true;
	}
	if (span->end_ns > truth->end_ns) {
		span->end_ns = truth->end_ns;
		span->cut_end = true;
		/* What ended it came after the window. */
		span->by_interrupt = span->by_exiting = span->by_signal = span->unseen = false;
		span->waker_id = span->waker_tid = 0;
	}
	return true;
}

/* A stay that came unseen and had no end: to the records the task is what it was before. */
static void unshow(struct truth *truth, const struct ktask *t, struct truth_task *out)
{
	const struct truth_span *last = &out->spans[out->span_cnt - 1];

	*vec_push(truth->unshown, truth->unshown_cnt, truth->unshown_cap) = *last;
	if (t->before_in.start_ns < last->start_ns)
		out->span_cnt--;
	out->spans[out->span_cnt - 1] = t->before_in;
}

static void finish_task(struct sim *s, struct ktask *t)
{
	struct truth *truth = &s->out->truth;
	struct truth_task *out = vec_push(truth->tasks, truth->task_cnt, truth->task_cap);
	const struct truth_span *last;

	*out = t->life;
	t->life = (struct truth_task){ 0 };
	out->id = t->id;
	out->parent_id = t->parent && t->parent->marked && !t->seeded ? t->parent->id : 0;
	out->tid = t->tid;
	out->tgid = t->proc->tgid;
	out->mm = t->proc->mm;
	memcpy(out->comm, t->comm, LAB_COMM_LEN);
	last = &out->spans[out->span_cnt - 1];
	if (t->total.switch_outs) {
		out->cpu_ns = t->total.sum_exec_ns - t->base_exec_ns;
		out->voluntary = t->total.nvcsw - t->base_nvcsw;
		out->involuntary = t->total.nivcsw - t->base_nivcsw;
	}
	if (!t->living)
		return;
	if (last->state == SPAN_RUNNING && last->hidden)
		unshow(truth, t, out);
	/* What begins after the end and does not end is in no record. */
	if (out->span_cnt && out->spans[out->span_cnt - 1].start_ns >= truth->end_ns)
		out->span_cnt--;
}

static void cut_task(const struct truth *truth, struct truth_task *t)
{
	size_t kept = 0;

	t->alive = !t->end_ns || t->end_ns > truth->end_ns;
	for (size_t i = 0; i < t->span_cnt; i++)
		if (cut_span(truth, &t->spans[i]))
			t->spans[kept++] = t->spans[i];
	t->span_cnt = kept;
	t->start_ns = kept ? t->spans[0].start_ns : 0;
	t->end_ns = kept ? t->spans[kept - 1].end_ns : 0;
}

static int task_cmp(const void *a, const void *b)
{
	const struct truth_task *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static void finish_window(struct sim *s)
{
	struct truth *truth = &s->out->truth;
	uint64_t death = 0;

	for (size_t i = 0; i < s->task_cnt; i++)
		if (s->tasks[i]->marked && s->tasks[i]->life.end_ns > death)
			death = s->tasks[i]->life.end_ns;
	truth->start_ns = s->opt->attach ? s->seeded_ts : s->release_ts;
	truth->end_ns = s->opt->cut ? s->end_ts : death;
	if (truth->end_ns < truth->start_ns)
		truth->end_ns = truth->start_ns;
}

static void finish_moves(struct truth *truth)
{
	size_t kept = 0;

	for (size_t i = 0; i < truth->move_cnt; i++)
		if (truth->moves[i].at_ns >= truth->start_ns &&
		    truth->moves[i].at_ns <= truth->end_ns)
			truth->moves[kept++] = truth->moves[i];
	truth->move_cnt = kept;
}

static void finish_ops(struct truth *truth)
{
	size_t kept = 0;

	for (size_t i = 0; i < truth->op_cnt; i++) {
		struct truth_op op = truth->ops[i];

		if (op.start_ns < truth->start_ns)
			op.start_ns = truth->start_ns;
		if (op.end_ns > truth->end_ns)
			op.end_ns = truth->end_ns;
		if (op.ready_cnt && op.end_ns > op.start_ns)
			truth->ops[kept++] = op;
	}
	truth->op_cnt = kept;
	kept = 0;
	for (size_t i = 0; i < truth->wait_cnt; i++) {
		struct truth_wait wait = truth->waits[i];

		if (wait.return_ns < truth->start_ns || wait.return_ns > truth->end_ns)
			continue;
		if (wait.enter_ns < truth->start_ns)
			wait.enter_ns = truth->start_ns;
		truth->waits[kept++] = wait;
	}
	truth->wait_cnt = kept;
}

/* By the order of the records: what was told on another CPU may be stamped later than it was. */
static void affinity_moves(struct truth *truth)
{
	for (size_t i = 0; i < truth->move_cnt; i++) {
		struct truth_move *move = &truth->moves[i];
		struct kplace at = { move->at_ns, move->seq, move->cpu, true };
		const struct truth_bound *last = NULL;
		struct kplace last_told = { 0 };

		for (size_t j = 0; j < truth->bound_cnt; j++) {
			const struct truth_bound *b = &truth->bounds[j];
			struct kplace told = { b->from_ns, b->seq, b->cpu, true };

			if (b->task_id != move->task_id || !is_before(&told, &at) ||
			    (last && is_before(&told, &last_told)))
				continue;
			last = b;
			last_told = told;
		}
		if (!last)
			move->cause = MOVE_UNKNOWN;
		else if (!(last->words[move->from_cpu / 64] >> move->from_cpu % 64 & 1))
			move->cause = MOVE_AFFINITY;
	}
}

void truth_finish(struct sim *s)
{
	struct truth *truth = &s->out->truth;

	finish_window(s);
	for (size_t i = 0; i < s->task_cnt; i++)
		if (s->tasks[i]->marked)
			finish_task(s, s->tasks[i]);
	if (truth->task_cnt)
		qsort(truth->tasks, truth->task_cnt, sizeof(*truth->tasks), task_cmp);
	truth_judge(truth);
	for (size_t i = 0; i < truth->task_cnt; i++)
		cut_task(truth, &truth->tasks[i]);
	affinity_moves(truth);
	finish_moves(truth);
	finish_ops(truth);
	holdings_finish(s);
}
