/* SPDX-License-Identifier: GPL-2.0-only */
/* oracle_model - the model that was read from the file is the truth, span by span. */

#include <stdio.h>
#include <string.h>

#include "oracle.h"

#include "model/futex.h"

/* Memories have other numbers in the model: the same ones for the same. */
struct mms {
	uint32_t ours[1024], theirs[1024];
	size_t cnt;
};

static bool same_mm(struct mms *mms, uint32_t ours, uint32_t theirs)
{
	if (!ours || !theirs)
		return ours == theirs;
	for (size_t i = 0; i < mms->cnt; i++)
		if (mms->ours[i] == ours || mms->theirs[i] == theirs)
			return mms->ours[i] == ours && mms->theirs[i] == theirs;
	if (mms->cnt < 1024) {
		mms->ours[mms->cnt] = ours;
		mms->theirs[mms->cnt++] = theirs;
	}
	return true;
}

static uint16_t flags_of(const struct oracle *o, const struct truth_task *task,
			 const struct truth_span *s)
{
	uint16_t flags = 0;

	flags |= s->hidden ? SPAN_HIDDEN_START : 0;
	flags |= s->cut_start ? SPAN_CUT_START : 0;
	flags |= s->cut_end ? SPAN_CUT_END : 0;
	flags |= s->preempted ? SPAN_PREEMPTED : 0;
	flags |= s->by_interrupt ? SPAN_WOKEN_BY_IRQ : 0;
	flags |= s->by_exiting ? SPAN_WAKER_EXITING : 0;
	flags |= s->by_signal ? SPAN_WOKEN_BY_SIGNAL : 0;
	flags |= truth_by_kin(o->t, task, s) ? SPAN_WAKER_KIN : 0;
	flags |= s->accept ? SPAN_ACCEPT : 0;
	flags |= s->unseen ? SPAN_WOKEN_UNSEEN : 0;
	flags |= s->futex ? SPAN_FUTEX | (s->futex_limited ? 0 : SPAN_NO_LIMIT) : 0;
	flags |= s->compat ? SPAN_COMPAT : 0;
	return flags;
}

static void describe(char *text, size_t size, unsigned int state, unsigned int reason,
		     uint64_t start_ns, uint64_t end_ns, unsigned int cpu, unsigned int flags)
{
	static const char *const states[] = { "running", "ready", "blocked" };

	snprintf(text, size, "%s/%s [%" PRIu64 ", %" PRIu64 ") cpu %u flags %x", states[state],
		 reason_name((enum reason)reason), start_ns, end_ns, cpu, flags);
}

static bool same_block(struct mms *mms, const struct model_span *a, const struct truth_span *b)
{
	if (a->waker_id != b->waker_id || a->waker_tid != b->waker_tid ||
	    a->syscall != b->syscall || a->addr != b->addr)
		return false;
	if (!b->futex)
		return true;
	return a->futex_owned == b->owned && a->futex_many == b->many &&
	       a->futex_op == b->futex_op && a->futex_private == b->futex_private &&
	       same_mm(mms, b->mm, a->mm_id);
}

static bool same_span(struct mms *mms, const struct model_span *a, const struct truth_span *b,
		      uint16_t flags)
{
	if (a->state != b->state || a->reason != b->reason || a->start_ns != b->start_ns ||
	    a->end_ns != b->end_ns || a->cpu != b->cpu ||
	    (a->flags & ~(SPAN_OBSERVED | SPAN_YIELDED)) != flags)
		return false;
	switch (b->state) {
	case SPAN_RUNNING:
		return a->start_min_ns == b->earliest_ns &&
		       (b->hidden || b->cut_start || a->seq_in == b->seq_in) &&
		       (b->cut_end || a->seq_out == b->seq_out);
	case SPAN_READY:
		return true;
	default:
		return same_block(mms, a, b);
	}
}

static void check_spans(struct oracle *o, struct mms *mms, const struct model_task *a,
			const struct truth_task *b)
{
	ORACLE(o, a->span_cnt == b->span_cnt, "task %u: %zu spans, should be %zu", b->id,
	       a->span_cnt, b->span_cnt);
	for (size_t i = 0; i < a->span_cnt && i < b->span_cnt; i++) {
		const struct model_span *got = &a->spans[i];
		const struct truth_span *want = &b->spans[i];
		uint16_t flags = flags_of(o, b, want);
		char is[120], should[120];

		if (same_span(mms, got, want, flags))
			continue;
		describe(is, sizeof(is), got->state, got->reason, got->start_ns, got->end_ns,
			 got->cpu, got->flags);
		describe(should, sizeof(should), want->state, want->reason, want->start_ns,
			 want->end_ns, want->cpu, flags);
		ORACLE(o, false, "task %u, span %zu: %s; should be %s", b->id, i, is, should);
		break;
	}
}

static void check_tasks(struct oracle *o)
{
	struct mms mms = { .cnt = 0 };

	ORACLE_EQ(o, o->m->task_cnt, o->t->task_cnt);
	for (size_t i = 0; i < o->m->task_cnt && i < o->t->task_cnt; i++) {
		const struct model_task *a = &o->m->tasks[i];
		const struct truth_task *b = &o->t->tasks[i];

		ORACLE(o, a->id == b->id && a->parent_id == b->parent_id && a->tid == b->tid &&
		       a->tgid == b->tgid,
		       "task %u is (%u, %u, %u, %u), should be (%u, %u, %u, %u)",
		       b->id, a->id, a->parent_id, a->tid, a->tgid, b->id, b->parent_id, b->tid,
		       b->tgid);
		ORACLE(o, !strcmp(a->comm, b->comm), "task %u is %s, should be %s", b->id, a->comm,
		       b->comm);
		ORACLE(o, a->alive == b->alive, "task %u: alive %d", b->id, a->alive);
		/* If the seed already counted the first switch-out, its kind is a guess. */
		ORACLE(o, a->cpu_ns == b->cpu_ns && a->migrations == b->migrations &&
		       a->voluntary + a->involuntary == b->voluntary + b->involuntary &&
		       (a->voluntary == b->voluntary || o->s->opt.attach),
		       "task %u: cpu_ns %" PRIu64 " of %" PRIu64 ", switches %" PRIu64 "+%" PRIu64
		       " of %" PRIu64 "+%" PRIu64 ", moves %" PRIu64 " of %" PRIu64, b->id,
		       a->cpu_ns, b->cpu_ns, a->voluntary, a->involuntary, b->voluntary,
		       b->involuntary, a->migrations, b->migrations);
		check_spans(o, &mms, a, b);
	}
}

static void check_cpus(struct oracle *o)
{
	const struct model *m = o->m;

	ORACLE_EQ(o, m->cpu_cnt, o->t->cpu_cnt);
	for (size_t i = 0; i < m->cpu_cnt && i < o->t->cpu_cnt; i++) {
		const struct model_cpu *a = &m->cpus[i];
		const struct truth_cpu *b = &o->t->cpus[i];

		ORACLE(o, a->cpu == b->cpu && a->usable_at_release == b->usable,
		       "CPU %u is %u, usable %d", b->cpu, a->cpu, a->usable_at_release);
		for (size_t j = 0; j < a->seg_cnt || j < b->seg_cnt; j++) {
			static const struct model_cpu_seg none;
			static const struct truth_seg nothing;
			const struct model_cpu_seg *x =
				j < a->seg_cnt ? &m->cpu_segs[a->seg_first + j] : &none;
			const struct truth_seg *y = j < b->seg_cnt ? &b->segs[j] : &nothing;
			const char *comm = m->comms[x->comm_idx];

			if (x->start_ns == y->start_ns && x->end_ns == y->end_ns &&
			    x->class == y->class && x->task_id == y->task_id && x->tid == y->tid &&
			    !strcmp(comm, y->comm))
				continue;
			ORACLE(o, false, "CPU %u, segment %zu: class %u [%" PRIu64 ", %" PRIu64
			       ") task %u tid %u %s; should be class %u [%" PRIu64 ", %" PRIu64
			       ") task %u tid %u %s", b->cpu, j, x->class, x->start_ns, x->end_ns,
			       x->task_id, x->tid, comm, y->class, y->start_ns, y->end_ns,
			       y->task_id, y->tid, y->comm);
			break;
		}
	}
}

static bool has_op(const struct model *m, const struct truth_op *want)
{
	for (size_t i = 0; i < m->op_cnt; i++) {
		const struct model_op *op = &m->ops[i];

		if (op->task_id == want->task_id && op->fd == want->fd &&
		    op->start_ns == want->start_ns && op->end_ns == want->end_ns &&
		    op->ready_cnt == want->ready_cnt && op->open_at_end == want->open_at_end)
			return true;
	}
	return false;
}

static bool has_wait(const struct model *m, const struct truth_wait *want)
{
	for (size_t i = 0; i < m->loop_wait_cnt; i++) {
		const struct model_loop_wait *w = &m->loop_waits[i];

		if (w->task_id == want->task_id && w->epfd == want->epfd &&
		    w->enter_ns == want->enter_ns && w->return_ns == want->return_ns &&
		    w->ready == want->ready)
			return true;
	}
	return false;
}

static bool has_move(const struct model *m, const struct truth_move *want)
{
	for (size_t i = 0; i < m->migration_cnt; i++) {
		const struct model_migration *move = &m->migrations[i];

		if (move->at_ns == want->at_ns && move->task_id == want->task_id &&
		    move->from_cpu == want->from_cpu && move->to_cpu == want->to_cpu &&
		    move->cause == want->cause)
			return true;
	}
	return false;
}

static void check_rest(struct oracle *o)
{
	const struct truth *t = o->t;

	ORACLE_EQ(o, o->m->op_cnt, t->op_cnt);
	for (size_t i = 0; i < t->op_cnt; i++)
		ORACLE(o, has_op(o->m, &t->ops[i]), "no operation of task %u on fd %d from %" PRIu64
		       " to %" PRIu64 ", ready %" PRIu64 " times, open %d", t->ops[i].task_id,
		       t->ops[i].fd, t->ops[i].start_ns, t->ops[i].end_ns, t->ops[i].ready_cnt,
		       t->ops[i].open_at_end);
	ORACLE_EQ(o, o->m->loop_wait_cnt, t->wait_cnt);
	for (size_t i = 0; i < t->wait_cnt; i++)
		ORACLE(o, has_wait(o->m, &t->waits[i]), "no wait of task %u until %" PRIu64,
		       t->waits[i].task_id, t->waits[i].return_ns);
	ORACLE_EQ(o, o->m->migration_cnt, t->move_cnt);
	for (size_t i = 0; i < t->move_cnt; i++)
		ORACLE(o, has_move(o->m, &t->moves[i]),
		       "no move of task %u at %" PRIu64 ", or for another cause",
		       t->moves[i].task_id, t->moves[i].at_ns);
}

void oracle_model(struct oracle *o)
{
	ORACLE_EQ(o, o->m->start_ns, o->t->start_ns);
	ORACLE_EQ(o, o->m->end_ns, o->t->end_ns);
	check_tasks(o);
	check_cpus(o);
	check_rest(o);
}

/* Moves that no probe saw are missed only where a switch-in was unseen too; else they look lost. */
static bool is_allowed(const struct oracle *o, const struct audit_failure *f)
{
	return !strcmp(f->name, "migrations") && o->t->hidden_moves && !o->t->hidden_cnt;
}

void oracle_audit(struct oracle *o)
{
	const struct model_audit *a = &o->m->audit;

	for (size_t i = 0; i < a->failure_cnt; i++) {
		const struct audit_failure *f = &a->failures[i];

		ORACLE(o, is_allowed(o, f),
		       "%s of task %u: expected %" PRIu64 ", observed %" PRIu64,
		       f->name, f->task_id, f->expected, f->observed);
	}
	ORACLE(o, o->m->complete && !o->m->gap_cnt && !o->m->dropped, "not whole");
	ORACLE_EQ(o, a->hidden_switch_ins, o->t->hidden_cnt);
}
