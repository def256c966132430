/* SPDX-License-Identifier: GPL-2.0-only */
#include "verify/replay.h"

#include <string.h>

#include "util/minmax.h"

#define ROOT 1
#define OUT_PREEMPT 0x01
#define OUT_NO_RQ 0x10
#define STATE_DEAD 0x80
#define CLONE_SHARES_MEMORY 0x100

/* ---- tasks ---- */

static void begin(struct task *t, enum phase phase, enum sort sort, uint64_t ts_ns)
{
	t->phase = phase;
	t->raced = t->woken = t->unwoken = t->late = false;
	t->woken_ready_ns = NEVER;
	t->acted_ns = NEVER;
	t->now = (struct stretch){ .start_ns = ts_ns, .least_ns = ts_ns, .sort = sort };
}

/* Whether another task that has not died before the wait has what @t waits for. */
static bool names_owner(const struct facts *f, const struct task *t)
{
	uint32_t place = t->owner ? map_get(&f->by_tid, t->owner, 0) : MAP_NONE;
	const struct task *owner = place == MAP_NONE ? t : &f->tasks[f->had_tid[place]];

	return owner != t && owner->death_ns >= t->now.start_ns &&
	       (!t->now.mm || owner->tgid == t->tgid);
}

/* What a task does now ends; nothing is kept of what took no time. */
static void finish(struct facts *f, struct task *t, uint64_t ts_ns)
{
	struct stretch *s;

	if (t->phase == UNBORN || t->phase == DEAD || ts_ns <= t->now.start_ns)
		return;
	if (t->phase == SLEEPING && names_owner(f, t))
		t->now.marks |= M_OWNED;
	if (t->phase == SLEEPING)
		waits_settle(&t->now, map_get(&f->threads, (uint64_t)t->tgid << 32 | t->now.value,
					      0) != MAP_NONE);
	s = vec_push(f->stretches, f->stretch_cnt, f->stretch_cap);
	*s = t->now;
	s->end_ns = ts_ns;
	s->task = (uint32_t)(t - f->tasks);
	if (s->loop == LOOP_EPOLL) {
		t->loop_at = f->stretch_cnt;
		t->loop_back = false;
	}
	if (s->marks & M_GAP)
		f->cpus[s->cpu].lost_ns = max_u64(f->cpus[s->cpu].lost_ns, ts_ns);
}

/* Its place; one more if its birth number is new. *@first: it is. */
static uint32_t place_of(struct facts *f, uint64_t id, uint64_t ts_ns, bool *first)
{
	uint32_t place = map_put(&f->by_id, id, 0);
	struct task *t;

	*first = place == f->task_cnt;
	if (!*first)
		return place;
	t = vec_push(f->tasks, f->task_cnt, f->task_cap);
	t->id = (uint32_t)id;
	t->parent = NOBODY;
	t->made_ns = ts_ns;
	t->death_ns = t->acted_ns = t->woken_ready_ns = t->first_ns = NEVER;
	t->put_on = NOBODY;
	t->mm = ++f->mm_cnt;
	t->leader = place;
	return place;
}

/* The same; one that nothing announced is taken to have been ready. Pointers to tasks move. */
static uint32_t meet(struct facts *f, uint64_t id, uint64_t ts_ns)
{
	bool first;
	uint32_t place = place_of(f, id, ts_ns, &first);
	struct task *t = &f->tasks[place];

	if (first) {
		t->unannounced = true;
		t->seen_off_ns = ts_ns;
		begin(t, WAITING_CPU, READY, ts_ns);
		t->now.marks = M_CUT_START;
	}
	return place;
}

static struct task *subject(struct facts *f, const struct event *ev)
{
	uint32_t place = meet(f, ev->f[F_TASK], ev->head.ts_ns);

	return &f->tasks[place];
}

/* A task did something in a record of @cpu, so it was there. */
static void acts(struct facts *f, uint64_t id, uint32_t cpu, uint64_t ts_ns)
{
	uint32_t place = map_get(&f->by_id, id, 0);
	struct task *t = place == MAP_NONE ? NULL : &f->tasks[place];

	if (!t || (t->phase != WAITING_CPU && t->phase != SLEEPING) || t->acted_ns != NEVER)
		return;
	t->acted_ns = ts_ns;
	t->acted_cpu = cpu;
}

static void cause(struct task *t, enum cause which, const struct head *h)
{
	t->causes[which].ts_ns = h->ts_ns;
	t->causes[which].cpu = h->cpu;
	t->causes[which].set = true;
}

static void leave_cpu(struct facts *f, const struct task *t)
{
	struct cpu *c = &f->cpus[t->now.cpu];

	if (c->task == t - f->tasks)
		c->task = NOBODY;
}

/* Readiness or a wait ends because the task runs from @ts_ns on. */
static void end_wait(struct facts *f, struct task *t, uint64_t ts_ns)
{
	if (t->phase == SLEEPING && t->raced)
		begin(t, WAITING_CPU, READY, t->now.start_ns);
	f->wakings_unseen += t->phase == SLEEPING;
	finish(f, t, ts_ns);
}

/* The CPU went to somebody else, and no record says that @c->task left it. */
static void lose_holder(struct facts *f, struct cpu *c, uint64_t ts_ns)
{
	struct task *t;
	uint64_t start_ns;

	if (c->task == NOBODY)
		return;
	t = &f->tasks[c->task];
	c->task = NOBODY;
	start_ns = t->now.start_ns;
	fault_unless_lost(f, "switch-out lost", t, t->now.cpu, start_ns, ts_ns);
	t->now.marks |= M_GAP;
	finish(f, t, ts_ns);
	begin(t, SLEEPING, IDLES, max_u64(ts_ns, start_ns));
}

/* A record says that a task takes a CPU. */
static void take_cpu(struct facts *f, uint32_t place, const struct event *ev)
{
	struct task *t = &f->tasks[place];
	uint64_t ts_ns = ev->head.ts_ns;
	bool unwoken = t->phase == SLEEPING && (!t->raced || t->late);

	switch (t->phase) {
	case DEAD:
		fault(f, "runs after its death", t, 0, 1, false);
		return;
	case RUNNING:
		fault_unless_lost(f, "takes a second CPU", t, t->now.cpu, t->now.start_ns, ts_ns);
		leave_cpu(f, t);
		t->now.marks |= M_GAP;
		finish(f, t, ts_ns);
		break;
	case UNBORN:
		fault_unless_lost(f, "runs before its birth", t, NOBODY, t->made_ns, ts_ns);
		break;
	case WAITING_CPU:
	case SLEEPING:
		end_wait(f, t, ts_ns);
	}
	f->release_ns = min_u64(f->release_ns, ts_ns);
	account_in(f, t, ev->head.cpu, ts_ns);
	f->moves_hidden += t->put_on != NOBODY && t->put_on != ev->head.cpu;
	t->put_on = ev->head.cpu;
	begin(t, RUNNING, RUNS, ts_ns);
	t->unwoken = unwoken;
	f->unwoken_runs += unwoken;
	if (t->first_ns == NEVER) {
		t->first_ns = ts_ns;
		t->first_cpu = ev->head.cpu;
	}
	t->now.cpu = (uint16_t)ev->head.cpu;
	t->now.seq_in = ev->head.seq;
	t->clock_in_ns = ev->f[F_CLOCK];
	t->clock_in_known = !(ev->f[F_FLAGS] & OUT_NO_RQ);
	f->cpus[ev->head.cpu].task = place;
}

/* A run that ends and of which no record told the begin: from its bounds and what was charged. */
static void hidden_run(struct facts *f, struct task *t, const struct event *ev)
{
	const struct cpu *c = &f->cpus[ev->head.cpu];
	uint64_t ts_ns = ev->head.ts_ns, charged = 1, start_ns, bound_ns;
	uint64_t woken_ns = t->woken_ready_ns;

	bound_ns = max_u64(c->stated ? c->stated_ns : 0, t->seen_off_ns);
	bound_ns = max_u64(bound_ns, t->phase == UNBORN ? t->made_ns : t->now.start_ns);
	if (!t->unannounced && ev->f[F_SUM_EXEC] > t->last.sum_exec_ns)
		charged = ev->f[F_SUM_EXEC] - t->last.sum_exec_ns;
	start_ns = max_u64(ts_ns - min_u64(charged, ts_ns), bound_ns);
	if (t->acted_ns != NEVER && t->acted_cpu == ev->head.cpu && t->acted_ns >= bound_ns)
		start_ns = min_u64(start_ns, t->acted_ns);
	start_ns = max_u64(start_ns, min_u64(c->lost_ns, ts_ns));
	end_wait(f, t, start_ns);
	f->release_ns = min_u64(f->release_ns, start_ns);
	memset(t->causes, 0, sizeof(t->causes));
	begin(t, RUNNING, RUNS, start_ns);
	t->now.cpu = (uint16_t)ev->head.cpu;
	t->now.least_ns = bound_ns;
	t->now.marks = M_HIDDEN;
	t->woken = woken_ns != NEVER && woken_ns >= start_ns;
	t->clock_in_known = false;
	f->hidden++;
}

/* Before its first switch-out, what a seed says of a task may be of a moment ago. */
static bool seed_was_early(struct task *t, const struct event *ev)
{
	uint64_t counted = ev->f[F_NVCSW] + ev->f[F_NIVCSW];
	uint64_t start_ns = t->now.start_ns;

	if (!t->seeded || t->outs)
		return false;
	if (t->phase == RUNNING && t->seeded_running) {
		t->now.cpu = (uint16_t)ev->head.cpu;
		return true;
	}
	if ((t->phase != WAITING_CPU && t->phase != SLEEPING) || !(t->now.marks & M_CUT_START) ||
	    counted != t->base.nvcsw + t->base.nivcsw)
		return false;
	begin(t, RUNNING, RUNS, start_ns);
	t->now.cpu = (uint16_t)ev->head.cpu;
	t->now.marks = M_CUT_START;
	return true;
}

/* Make sure that the task runs on the CPU that it leaves. False: it cannot. */
static bool find_run(struct facts *f, struct task *t, const struct event *ev)
{
	if (t->phase == DEAD) {
		fault(f, "runs after its death", t, 0, 1, false);
		return false;
	}
	if (t->phase == RUNNING && t->now.cpu == ev->head.cpu)
		return true;
	if (t->phase == RUNNING)
		leave_cpu(f, t);
	if (seed_was_early(t, ev))
		return true;
	if (t->phase == RUNNING) {
		fault_unless_lost(f, "takes a second CPU", t, t->now.cpu, t->now.start_ns,
				  ev->head.ts_ns);
		t->now.marks |= M_GAP;
	} else if (t->phase == UNBORN) {
		fault_unless_lost(f, "runs before its birth", t, NOBODY, t->made_ns,
				  ev->head.ts_ns);
	}
	hidden_run(f, t, ev);
	return true;
}

static void fall_asleep(struct task *t, uint64_t ts_ns, const struct sleep *sleep)
{
	begin(t, SLEEPING, IDLES, ts_ns);
	waits_sort(sleep, &t->now);
	t->owner = t->now.marks & M_FUTEX ? waits_owner(sleep) : 0;
	if (t->now.mm)		/* private: the number of its memory */
		t->now.mm = t->mm;
}

/* What a task does after it left a CPU. */
static void go_on(struct task *t, const struct event *ev)
{
	bool woken = t->woken, late = t->late;

	t->seen_off_ns = ev->head.ts_ns;
	t->put_on = ev->head.cpu;
	memset(t->causes, 0, sizeof(t->causes));
	cause(t, BY_OUT, &ev->head);
	if (ev->f[F_STATE] & STATE_DEAD) {
		t->phase = DEAD;
		t->death_ns = ev->head.ts_ns;
	} else if (ev->f[F_FLAGS] & OUT_PREEMPT || !ev->f[F_STATE]) {
		begin(t, WAITING_CPU, READY, ev->head.ts_ns);
	} else {
		fall_asleep(t, ev->head.ts_ns, &(struct sleep){
			.state = ev->f[F_STATE], .flags = ev->f[F_FLAGS],
			.call = (int64_t)ev->f[F_SYSCALL], .arg0 = ev->f[F_ARG0],
			.arg1 = ev->f[F_ARG1], .arg2 = ev->f[F_ARG2], .fd_type = ev->f[F_FD_TYPE],
			.owner = ev->f[F_OWNER],
		});
		t->raced = woken;
		t->late = late;
	}
}

/* ---- records of switches and wakings ---- */

static void on_out(struct facts *f, const struct event *ev)
{
	uint32_t place = meet(f, ev->f[F_TASK], ev->head.ts_ns);
	uint32_t next = ev->f[F_NEXT_ID] ? meet(f, ev->f[F_NEXT_ID], ev->head.ts_ns) : NOBODY;
	struct cpu *c = &f->cpus[ev->head.cpu];
	uint64_t start_ns = ev->head.ts_ns;
	struct task *t = &f->tasks[place];

	account_clock(f, c, ev);
	if (find_run(f, t, ev)) {
		start_ns = t->now.start_ns;
		account_out(f, t, ev);
		t->now.seq_out = ev->head.seq;
		finish(f, t, ev->head.ts_ns);
		go_on(t, ev);
	}
	if (c->task != place)
		lose_holder(f, c, start_ns);
	c->task = NOBODY;
	account_statement(c, ev->head.ts_ns);
	if (next != NOBODY)
		take_cpu(f, next, ev);
}

/* When somebody else came, if nothing says that the task of ours left: after that began. */
static uint64_t came_ns(const struct facts *f, const struct cpu *c, const struct event *ev)
{
	uint64_t start_ns = c->task == NOBODY ? 0 : f->tasks[c->task].now.start_ns;
	uint64_t since_ns = ev->f[F_SINCE];

	return since_ns > start_ns && since_ns < ev->head.ts_ns ? since_ns : ev->head.ts_ns;
}

static void on_in(struct facts *f, const struct event *ev)
{
	uint32_t place = meet(f, ev->f[F_TASK], ev->head.ts_ns);
	struct cpu *c = &f->cpus[ev->head.cpu];

	account_clock(f, c, ev);
	if (c->task != place)
		lose_holder(f, c, came_ns(f, c, ev));
	account_statement(c, ev->head.ts_ns);
	take_cpu(f, place, ev);
}

static void on_class(struct facts *f, const struct event *ev)
{
	struct cpu *c = &f->cpus[ev->head.cpu];

	lose_holder(f, c, came_ns(f, c, ev));
	account_statement(c, ev->head.ts_ns);
}

static void on_waking(struct facts *f, const struct event *ev)
{
	uint64_t ts_ns = ev->head.ts_ns, flags = ev->f[F_FLAGS], waker = ev->f[F_WAKER_ID];
	struct task *t = subject(f, ev);

	if (waker && !(flags & (WAKE_INTERRUPT | WAKE_UNKNOWN)))
		acts(f, waker, ev->head.cpu, ts_ns);
	f->release_ns = min_u64(f->release_ns, ts_ns);
	if (t->phase == RUNNING) {
		t->late = t->unwoken && t->now.cpu != ev->head.cpu &&
			  account_early(f, t->now.start_ns, ts_ns);
		f->late_wakings += t->late;
		t->woken = true;
		t->unwoken = false;
	}
	if (t->phase == WAITING_CPU)
		t->woken_ready_ns = ts_ns;
	if (t->phase != SLEEPING)
		return;
	waits_woken(f, t, ev);
	finish(f, t, ts_ns);
	begin(t, WAITING_CPU, READY, ts_ns);
	t->seen_off_ns = ts_ns;
	cause(t, BY_WAKING, &ev->head);
}

/* ---- records of births, moves and ends ---- */

/* A birth or a seed: NULL if the task was announced before. */
static struct task *announce(struct facts *f, const struct event *ev, bool *first)
{
	uint32_t place = place_of(f, ev->f[F_TASK], ev->head.ts_ns, first);
	struct task *t = &f->tasks[place];

	if (!*first && !t->unannounced) {
		fault(f, "is born twice", t, 1, 2, false);
		return NULL;
	}
	t->unannounced = false;
	replay_number(f, t, ev->f[F_TGID], ev->f[F_TID]);
	replay_lead(f, t);
	return t;
}

static void on_new(struct facts *f, const struct event *ev)
{
	uint64_t parent = ev->f[F_PARENT] == ev->f[F_TASK] ? 0 : ev->f[F_PARENT];
	uint32_t place = parent ? meet(f, parent, ev->head.ts_ns) : NOBODY;
	struct task *t;
	bool first;

	if (parent)
		acts(f, parent, ev->head.cpu, ev->head.ts_ns);
	t = announce(f, ev, &first);
	if (t && ev->f[F_TID] == ev->f[F_TGID])
		operations_forget(f, (uint32_t)ev->f[F_TGID], ev->head.ts_ns);
	if (t && !parent)
		fault(f, "has no parent", t, 1, 0, false);
	if (t && !first && t->first_ns != NEVER && t->first_cpu != ev->head.cpu &&
	    account_early(f, t->first_ns, ev->head.ts_ns))
		fault(f, "runs before it is made", t, t->first_ns, ev->head.ts_ns, false);
	if (!t || !first || !parent)
		return;
	t->parent = place;
	if (ev->f[F_CLONE] & CLONE_SHARES_MEMORY)
		t->mm = f->tasks[place].mm;
}

/* Tasks of one process that were there before share their memory. */
static uint32_t mm_of_group(struct facts *f, const struct task *t)
{
	uint32_t group = map_put(&f->group_mms, t->tgid, 0);

	if (group == f->group_cnt)
		*vec_push(f->mm_of_group, f->group_cnt, f->group_cap) = t->mm;
	return f->mm_of_group[group];
}

static void on_seed(struct facts *f, const struct event *ev)
{
	uint64_t ts_ns = ev->head.ts_ns;
	struct task *t;
	bool first;

	f->any_seed = true;
	f->last_seed_ns = ts_ns;
	t = announce(f, ev, &first);
	if (!t)
		return;
	t->seeded = true;
	f->root_seeded |= t->id == ROOT;
	t->mm = mm_of_group(f, t);
	if (!first)
		return;
	t->base = t->last = counters_of(ev);
	t->seen_off_ns = ts_ns;
	t->put_on = (uint32_t)ev->f[F_TASK_CPU];
	if (ev->f[F_ON_CPU]) {
		begin(t, RUNNING, RUNS, ts_ns);
		t->now.cpu = (uint16_t)ev->f[F_TASK_CPU];
		t->seeded_running = true;
	} else if (!ev->f[F_STATE]) {
		begin(t, WAITING_CPU, READY, ts_ns);
	} else {
		fall_asleep(t, ts_ns, &(struct sleep){
			.state = ev->f[F_STATE], .call = (int64_t)ev->f[F_SYSCALL],
			.arg0 = ev->f[F_ARG0], .arg1 = ev->f[F_ARG1], .arg2 = ev->f[F_ARG2],
			.fd_type = ev->f[F_FD_TYPE],
		});
	}
	t->now.marks |= M_CUT_START;
}

static void on_wakeup_new(struct facts *f, const struct event *ev)
{
	struct task *t = subject(f, ev);

	if (t->phase != UNBORN) {
		if (!t->unannounced)
			fault(f, "is queued first after it ran", t, 0, 1, false);
		return;
	}
	begin(t, WAITING_CPU, READY, ev->head.ts_ns);
	t->seen_off_ns = ev->head.ts_ns;
	t->put_on = (uint32_t)ev->f[F_DEST_CPU];
	cause(t, BY_WAKEUP_NEW, &ev->head);
}

static void on_migrate(struct facts *f, const struct event *ev)
{
	struct task *t = subject(f, ev);

	if (ev->f[F_ORIG_CPU] == ev->f[F_DEST_CPU])
		return;
	/* A seed's count may be of a moment after its first move. */
	if (t->seeded && !t->moves)
		t->base.migrations = min_u64(t->base.migrations, ev->f[F_MIGRATIONS]);
	t->moves++;
	if (t->phase == RUNNING) {
		fault_unless_lost(f, "is moved while it runs", t, t->now.cpu, t->now.start_ns,
				  ev->head.ts_ns);
		return;
	}
	if (t->phase == DEAD) {
		fault(f, "is moved after its death", t, 0, 1, false);
		return;
	}
	t->seen_off_ns = ev->head.ts_ns;
	t->acted_ns = NEVER;
	t->put_on = (uint32_t)ev->f[F_DEST_CPU];
	cause(t, BY_MOVE, &ev->head);
}

static void on_exec(struct facts *f, const struct event *ev)
{
	struct task *t = subject(f, ev);

	operations_forget(f, (uint32_t)ev->f[F_TID], ev->head.ts_ns);
	replay_number(f, t, ev->f[F_TID], ev->f[F_TID]);
	t->mm = ++f->mm_cnt;
	acts(f, ev->f[F_TASK], ev->head.cpu, ev->head.ts_ns);
}

/* ---- all of them ---- */

static void on_others(struct facts *f, const struct event *ev)
{
	uint32_t place = meet(f, ev->f[F_TASK], ev->head.ts_ns);

	if (ev->head.kind != KIND_RENAME && ev->head.kind != KIND_READY)
		acts(f, ev->f[F_TASK], ev->head.cpu, ev->head.ts_ns);
	if (ev->head.kind == KIND_CTL)
		operations_ctl(f, place, ev);
	else if (ev->head.kind == KIND_WAIT)
		operations_wait(f, place);
	else if (ev->head.kind == KIND_READY)
		operations_ready(f, place, ev);
	else if (ev->head.kind == KIND_MARKER)
		marks_event(f, place, ev);
}

/* What binds a task: no figure of the certificate rests on it. */
static void on_binding(struct facts *f, const struct event *ev)
{
	meet(f, ev->f[F_TASK], ev->head.ts_ns);
}

static void (*const on_kind[KIND_CNT])(struct facts *f, const struct event *ev) = {
	[KIND_OUT] = on_out, [KIND_IN] = on_in, [KIND_CLASS] = on_class,
	[KIND_WAKING] = on_waking, [KIND_WAKEUP_NEW] = on_wakeup_new,
	[KIND_MIGRATE] = on_migrate, [KIND_NEW] = on_new, [KIND_SEED] = on_seed,
	[KIND_EXEC] = on_exec, [KIND_EXIT] = on_others, [KIND_RENAME] = on_others,
	[KIND_CTL] = on_others, [KIND_WAIT] = on_others, [KIND_READY] = on_others,
	[KIND_MARKER] = on_others, [KIND_AFFINITY] = on_binding, [KIND_GROUP] = on_binding,
};

void replay_event(struct facts *f, const struct event *ev)
{
	struct cpu *c = &f->cpus[ev->head.cpu];

	if (ev->head.kind == KIND_TASK_TOTAL) {
		*vec_push(f->totals, f->total_cnt, f->total_cap) = (struct total){
			(uint32_t)ev->f[F_TASK], ev->f[F_OUTS], ev->f[F_MIGRATES], ev->f[F_DEAD],
			counters_of(ev)
		};
		return;
	}
	if (ev->head.kind == KIND_CPU_TOTAL) {
		account_cpu_total(f, ev);
		return;
	}
	if (!ev->f[F_TASK] && ev->head.kind < KIND_CNT && ev->head.kind != KIND_CLASS &&
	    ev->head.kind != KIND_THROTTLE) {
		fault(f, "a record is of no task", NULL, 1, 0, false);
		return;
	}
	if (ev->head.ts_ns > STAMP_MAX) {
		fault(f, "a stamp is beyond all time", NULL, STAMP_MAX, ev->head.ts_ns, false);
		return;
	}
	f->now_ns = ev->head.ts_ns;
	f->records++;
	account_number(f, c, &ev->head);
	if (ev->head.kind < KIND_CNT && on_kind[ev->head.kind])
		on_kind[ev->head.kind](f, ev);
}

void replay_begin(struct facts *f, const struct circumstances *about)
{
	memset(f, 0, sizeof(*f));
	f->about = about;
	f->release_ns = NEVER;
	for (size_t i = 0; i < about->pair_cnt; i++)
		f->pair_max_ns = max_u64(f->pair_max_ns, about->pairs[i].eps_ns);
	for (uint32_t i = 0; i < CPU_NUMBERS; i++) {
		f->cpus[i].usable = about->usable[i];
		f->cpus[i].task = NOBODY;
	}
}

/* ---- the end ---- */

bool replay_end(struct facts *f)
{
	if (f->about->attach_tgid ? !f->any_seed : !f->root_seeded)
		return false;
	window_set(f);
	for (size_t i = 0; i < f->task_cnt; i++) {
		f->tasks[i].now.marks |= M_CUT_END;
		finish(f, &f->tasks[i], f->end_ns);
	}
	account_gaps(f);
	waits_judge(f);
	window_cut(f);
	operations_end(f);
	account_end(f);
	for (uint32_t i = 0; i < CPU_NUMBERS; i++)
		f->cpu_cnt += f->cpus[i].usable |= f->cpus[i].ran;
	return true;
}
