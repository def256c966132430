/* SPDX-License-Identifier: GPL-2.0-only */
/* replay - the records one by one: which count, and what each task does (sections 2, 3 and 7). */
#include "verify/facts.h"

/* ---- section 3: stretches ---- */

static void begin(struct facts *f, struct task *t, enum what what, uint64_t ns)
{
	t->now = (struct stretch){ .start_ns = ns, .task = place_of_task(f, t),
				   .what = (uint8_t)what };
	t->acted_ns = t->woken_ready_ns = NEVER;
	t->woken_cpu = ANY_CPU;
	t->as_seeded = false;
}

/* What @t did ends. A stretch that takes no time is dropped. */
static void finish(struct facts *f, struct task *t, uint64_t ns)
{
	struct stretch *s = &t->now;

	if (s->what == UNBORN || s->what == DEAD || ns <= s->start_ns)
		return;
	s->end_ns = ns;
	if (s->what == WAIT)
		wait_end(f, t);
	else if (s->what == RUN && s->marks & ACROSS)
		f->cpus[s->cpu].across_ns = max_u64(f->cpus[s->cpu].across_ns, ns);
	ADD(f->stretches, *s);
}

/* It has a CPU from @ns on. If it slept, and was woken before that, then it did not sleep. */
static void leave(struct facts *f, struct task *t, uint64_t ns)
{
	if (t->now.what == WAIT && t->woken)
		t->now.what = READY;
	if (t->now.what == WAIT) {
		t->now.ender = BY_UNSEEN;
		f->unseen++;
	}
	finish(f, t, ns);
	t->woken = t->woken_in_time = false;
}

static void run(struct facts *f, struct task *t, uint64_t ns, uint64_t earliest_ns, uint32_t cpu)
{
	begin(f, t, RUN, ns);
	t->now.earliest_ns = earliest_ns;
	t->now.cpu = t->put_cpu = (uint16_t)cpu;
	t->unwoken = t->unwoken_met = false;
	f->cpus[cpu].owner = place_of_task(f, t);
}

/* "Who acts in a record", if it was met before. */
static void acts(struct facts *f, uint64_t id, const struct head *h)
{
	uint32_t place = map_get(&f->by_id, id, 0);
	struct task *t = place == NONE ? NULL : &f->tasks.v[place];

	if (t && t->acted_ns == NEVER && (t->now.what == READY || t->now.what == WAIT)) {
		t->acted_ns = h->ts_ns;
		t->acted_cpu = (uint16_t)h->cpu;
	}
}

/* "A CPU goes to somebody else" than the task that the records say has it. */
static void lose(struct facts *f, uint32_t cpu, const struct task *to, uint64_t ns)
{
	uint32_t owner = f->cpus[cpu].owner;
	struct task *t = owner == NONE ? NULL : &f->tasks.v[owner];

	if (!t || t == to)
		return;
	f->cpus[cpu].owner = NONE;
	ns = max_u64(ns, t->now.start_ns);
	doubt(f, t, "switch-out lost", cpu, t->now.start_ns, ns);
	t->now.marks |= ACROSS;
	finish(f, t, ns);
	begin(f, t, WAIT, ns);
	t->woken = t->woken_in_time = false;
	t->now.sort = IDLE;
	t->now.waker = t->now.futex = t->now.loop = NONE;
}

/* When it went, if a switch_in or a cpu_class says so. */
static uint64_t lost_ns(const struct facts *f, const struct event *ev)
{
	uint32_t owner = f->cpus[ev->head.cpu].owner;
	uint64_t since_ns = ev->f[F_SINCE], ns = ev->head.ts_ns;

	return owner != NONE && since_ns > f->tasks.v[owner].now.start_ns && since_ns < ns ?
	       since_ns : ns;
}

/* It takes a CPU at @ns, and ran already, or was not born. */
static void doubt_taking(struct facts *f, struct task *t, uint64_t ns, uint64_t now_ns)
{
	if (t->now.what == UNBORN)
		doubt(f, t, "runs before its birth", ANY_CPU, t->now.start_ns, now_ns);
	if (t->now.what != RUN)
		return;
	doubt(f, t, "takes a second CPU", t->now.cpu, t->now.start_ns, ns);
	t->now.marks |= ACROSS;
	if (f->cpus[t->now.cpu].owner == place_of_task(f, t))
		f->cpus[t->now.cpu].owner = NONE;
}

/* "A task takes a CPU", by a record. */
static void take(struct facts *f, struct task *t, const struct event *ev)
{
	uint64_t ns = ev->head.ts_ns;
	uint32_t cpu = ev->head.cpu;
	bool unwoken = t->now.what == WAIT && !t->woken_in_time;
	bool timely = t->woken_cpu != ANY_CPU && t->woken_cpu != cpu;

	if (t->now.what == DEAD) {
		fault(f, t, "runs after its death", 0, 1, false);
		return;
	}
	doubt_taking(f, t, ns, ns);
	leave(f, t, ns);
	f->misplaced |= t->put_cpu != ANY_CPU && t->put_cpu != cpu;
	run(f, t, ns, ns, cpu);
	t->open_clock_ns = ev->f[F_CLOCK];
	t->open_no_rq = ev->f[F_FLAGS] & NO_RQ;
	t->unwoken = unwoken;
	f->unwoken_runs += unwoken;
	f->timely_wakings += timely;
	f->first_ns = min_u64(f->first_ns, ns);
	if (t->first_ns == NEVER) {
		t->first_ns = ns;
		t->first_cpu = (uint16_t)cpu;
	}
}

/* ---- section 3: switch_out ---- */

/* Case 4: where the run is drawn, and its bound. */
static uint64_t hidden_start(const struct facts *f, const struct task *t, const struct event *ev,
			     uint64_t *bound_ns)
{
	const struct cpu *c = &f->cpus[ev->head.cpu];
	uint64_t ns = ev->head.ts_ns, charged_ns = 1, sum_ns = ev->f[F_SUM_EXEC];

	*bound_ns = max_u64(max_u64(c->stated_ns, t->seen_off_ns), t->now.start_ns);
	if (t->counted && sum_ns > t->last.sum_exec_ns)
		charged_ns = sum_ns - t->last.sum_exec_ns;
	ns = max_u64(ns > charged_ns ? ns - charged_ns : 0, *bound_ns);
	if (t->acted_ns != NEVER && t->acted_cpu == ev->head.cpu && t->acted_ns >= *bound_ns)
		ns = min_u64(ns, t->acted_ns);
	return max_u64(ns, c->across_ns);
}

static void hidden_run(struct facts *f, struct task *t, const struct event *ev)
{
	uint64_t bound_ns, start_ns = hidden_start(f, t, ev, &bound_ns);
	bool woken = t->now.what == READY && t->woken_ready_ns != NEVER &&
		     t->woken_ready_ns >= start_ns;

	doubt_taking(f, t, start_ns, ev->head.ts_ns);
	leave(f, t, start_ns);
	lose(f, ev->head.cpu, t, start_ns);
	run(f, t, start_ns, bound_ns, ev->head.cpu);
	t->now.marks = HIDDEN;
	t->woken = t->woken_in_time = woken;
	f->hidden++;
	f->first_ns = min_u64(f->first_ns, start_ns);
}

/* Cases 2 to 4: make @t run on this CPU, if the records before did not. */
static void find_run(struct facts *f, struct task *t, const struct event *ev)
{
	uint64_t counted = ev->f[F_NVCSW] + ev->f[F_NIVCSW], start_ns = t->now.start_ns;
	uint32_t cpu = ev->head.cpu;

	if (t->now.what == RUN && (t->now.cpu == cpu || t->as_seeded)) {
		lose(f, cpu, t, start_ns);
		t->now.cpu = t->put_cpu = (uint16_t)cpu;
	} else if (t->as_seeded && counted == t->base_cnt) {
		lose(f, cpu, t, start_ns);
		run(f, t, start_ns, start_ns, cpu);
		t->now.marks = CUT_START;
	} else {
		hidden_run(f, t, ev);
	}
}

static void switch_out(struct facts *f, struct task *t, struct task *next, const struct event *ev)
{
	uint64_t ns = ev->head.ts_ns, state = ev->f[F_STATE];
	bool ready = ev->f[F_FLAGS] & OUT_PREEMPT || !state;

	if (t->now.what == DEAD) {	/* case 1 */
		fault(f, t, "runs after its death", 0, 1, false);
		lose(f, ev->head.cpu, NULL, ns);
		check_counters(f, t, ev);
	} else {
		find_run(f, t, ev);
		check_counters(f, t, ev);
		finish(f, t, ns);
		t->seen_off_ns = ns;
		begin(f, t, state & 0x80 ? DEAD : ready ? READY : WAIT, ns);
		if (t->now.what == WAIT)
			wait_begin(f, t, ev);
		else
			t->woken = t->woken_in_time = false;
		if (t->now.what == DEAD)
			t->death_ns = f->last_death_ns = ns;
	}
	f->cpus[ev->head.cpu].owner = NONE;
	if (next)
		take(f, next, ev);
}

/* ---- section 3: waking, wakeup_new, migrate ---- */

static void waking(struct facts *f, struct task *t, const struct event *ev)
{
	uint64_t ns = ev->head.ts_ns;

	f->first_ns = min_u64(f->first_ns, ns);
	if (t->now.what == READY) {
		t->woken_ready_ns = ns;
	} else if (t->now.what == WAIT) {
		wait_woken(f, t, ev);
		finish(f, t, ns);
		begin(f, t, READY, ns);
		t->woken_cpu = (uint16_t)ev->head.cpu;
		t->woken = t->woken_in_time = false;
		t->seen_off_ns = ns;
	} else if (t->now.what == RUN) {	/* section 8 says which are late */
		bool late = t->unwoken && !t->unwoken_met &&
			    is_early(f, ev->head.cpu, ns, t->now.cpu, t->now.start_ns);

		t->unwoken_met = t->woken = true;
		t->woken_in_time |= !late;
		f->late_wakings += late;
	}
}

static void wakeup_new(struct facts *f, struct task *t, const struct event *ev)
{
	if (t->now.what == UNBORN) {
		begin(f, t, READY, ev->head.ts_ns);
		t->seen_off_ns = ev->head.ts_ns;
		t->put_cpu = (uint16_t)ev->f[F_DEST_CPU];
	} else if (t->announced) {
		fault(f, t, "is queued first after it ran", 0, 1, false);
	}
}

static void migrate(struct facts *f, struct task *t, const struct event *ev)
{
	if (ev->f[F_ORIG_CPU] == ev->f[F_DEST_CPU])
		return;
	if (!t->moves++ && t->seed_counts)	/* section 8: the baseline */
		t->base_migrations = (uint32_t)min_u64(t->base_migrations, ev->f[F_MIGRATIONS]);
	if (t->now.what == RUN) {
		doubt(f, t, "is moved while it runs", t->now.cpu, t->now.start_ns, ev->head.ts_ns);
	} else if (t->now.what == DEAD) {
		fault(f, t, "is moved after its death", 0, 1, false);
	} else {
		t->acted_ns = NEVER;
		t->seen_off_ns = ev->head.ts_ns;
		t->put_cpu = (uint16_t)ev->f[F_DEST_CPU];
	}
}

/* ---- sections 3 and 5: births, numbers, leaders ---- */

static struct task *task_make(struct facts *f, uint64_t id, enum what what, uint64_t ns)
{
	struct task *t = PUSH(f->tasks);
	uint32_t place = place_of_task(f, t);

	*map_at(&f->by_id, id, 0) = place;
	t->id = (uint32_t)id;
	t->leader = t->parent = t->jump = place;
	t->memory = f->memory_cnt++;
	t->first_ns = t->death_ns = NEVER;
	t->epoll_wait = NONE;
	t->put_cpu = ANY_CPU;
	begin(f, t, what, ns);
	return t;
}

static struct task *task_met(struct facts *f, uint64_t id)
{
	uint32_t place = map_get(&f->by_id, id, 0);

	return place != NONE ? &f->tasks.v[place] : task_make(f, id, READY, f->now_ns);
}

/* From here on it has these numbers. */
static void give_numbers(struct facts *f, struct task *t, uint64_t tgid, uint64_t tid)
{
	t->tid = (uint32_t)tid;
	t->tgid = (uint32_t)tgid;
	*map_at(&f->threads, tgid, tid) = 1;
	*map_at(&f->by_tid, tid, 0) = place_of_task(f, t);
}

/*
 * Its parent, which was met before: so the parents of a task lead to the first of all, or to one
 * without.
 */
static void give_parent(struct facts *f, struct task *t, uint32_t parent)
{
	const struct task *p = &f->tasks.v[parent], *far = &f->tasks.v[p->jump];

	t->parent = parent;
	t->depth = p->depth + 1;
	/*
	 * As far from here as the parent's two jumps lead, if they are equally far; else one step.
	 */
	t->jump = p->depth - far->depth == far->depth - f->tasks.v[far->jump].depth ?
		  far->jump : parent;
}

/* What a task_seed says of a task that was not met before. */
static void seed_state(struct facts *f, struct task *t, const struct event *ev)
{
	uint32_t cpu = (uint32_t)ev->f[F_TASK_CPU], owner = f->cpus[cpu].owner;
	uint64_t ns = ev->head.ts_ns;

	t->last = counters_of(ev);
	t->base_cnt = t->last.nvcsw + t->last.nivcsw;
	t->base_migrations = (uint32_t)t->last.migrations;
	t->put_cpu = (uint16_t)cpu;
	t->seen_off_ns = ns;
	if (ev->f[F_ON_CPU]) {
		run(f, t, ns, ns, cpu);
		f->cpus[cpu].owner = owner;	/* a seed does not say who has a CPU */
	} else {
		begin(f, t, ev->f[F_STATE] ? WAIT : READY, ns);
		if (t->now.what == WAIT)
			wait_begin(f, t, ev);
	}
	t->now.marks |= CUT_START;
	t->as_seeded = t->seed_counts = t->counted = true;
}

static void task_seed(struct facts *f, struct task *t, bool met, const struct event *ev)
{
	uint32_t *memory = map_at(&f->memory_of, t->tgid, 0);

	if (*memory == NONE)
		*memory = t->memory;
	t->memory = *memory;
	f->seeded = true;
	f->root_seeded |= t->id == 1;
	f->last_seed_ns = ev->head.ts_ns;
	if (!met)
		seed_state(f, t, ev);
}

static void task_new(struct facts *f, struct task *t, bool met, const struct event *ev)
{
	uint64_t parent_id = ev->f[F_PARENT];

	t->counted = true;
	if (!parent_id || parent_id == t->id) {
		fault(f, t, "has no parent", 1, 0, false);
	} else if (!met) {
		give_parent(f, t, map_get(&f->by_id, parent_id, 0));
		if (ev->f[F_CLONE] & 0x100)
			t->memory = f->tasks.v[t->parent].memory;
	}
	if (met && t->first_ns != NEVER &&
	    is_early(f, ev->head.cpu, ev->head.ts_ns, t->first_cpu, t->first_ns))
		fault(f, t, "runs before it is made", 0, 1, false);
	if (t->tid == t->tgid)
		process_ends(f, t->tid, ev->head.ts_ns);
}

static void announce(struct facts *f, const struct event *ev)
{
	bool is_new = ev->head.kind == KIND_NEW, met;
	uint64_t id = ev->f[F_TASK], parent_id = is_new ? ev->f[F_PARENT] : 0;
	uint32_t *leader;
	struct task *t;

	if (parent_id && parent_id != id)
		acts(f, task_met(f, parent_id)->id, &ev->head);
	met = map_get(&f->by_id, id, 0) != NONE;
	t = met ? task_met(f, id) : task_make(f, id, UNBORN, ev->head.ts_ns);
	if (t->announced) {
		fault(f, t, "is born twice", 1, 2, false);
		return;
	}
	t->announced = true;
	give_numbers(f, t, ev->f[F_TGID], ev->f[F_TID]);
	leader = map_at(&f->leader_of, t->tgid, 0);
	if (*leader == NONE || t->tid == t->tgid)
		*leader = place_of_task(f, t);
	t->leader = *leader;
	if (is_new)
		task_new(f, t, met, ev);
	else
		task_seed(f, t, met, ev);
}

/* ---- one record ---- */

/* Section 3: a record of a task that was met, but for switch_out. */
static void task_event(struct facts *f, struct task *t, const struct event *ev)
{
	switch (ev->head.kind) {
	case KIND_IN:
		lose(f, ev->head.cpu, t, lost_ns(f, ev));
		take(f, t, ev);
		break;
	case KIND_WAKING:
		waking(f, t, ev);
		break;
	case KIND_WAKEUP_NEW:
		wakeup_new(f, t, ev);
		break;
	case KIND_MIGRATE:
		migrate(f, t, ev);
		break;
	case KIND_EXEC:
		give_numbers(f, t, ev->f[F_TID], ev->f[F_TID]);
		t->memory = f->memory_cnt++;
		process_ends(f, t->tid, ev->head.ts_ns);
		break;
	case KIND_CTL: case KIND_WAIT: case KIND_READY: case KIND_MARKER:
		operations_event(f, t, ev);
	}
}

/* Section 3: who acts, who is met, and what the record does. */
static void take_event(struct facts *f, const struct event *ev)
{
	uint64_t next_id = ev->head.kind == KIND_OUT ? ev->f[F_NEXT_ID] : 0;
	uint32_t kind = ev->head.kind, next = NONE;
	struct task *t;

	if (kind == KIND_WAKING && !(ev->f[F_FLAGS] & (WAKE_INTERRUPT | WAKE_UNKNOWN)))
		acts(f, ev->f[F_WAKER_ID], &ev->head);
	if (next_id)
		next = place_of_task(f, task_met(f, next_id));
	t = task_met(f, ev->f[F_TASK]);
	if (kind == KIND_EXEC || kind == KIND_EXIT || kind == KIND_CTL || kind == KIND_WAIT ||
	    kind == KIND_MARKER)
		acts(f, t->id, &ev->head);
	if (kind == KIND_OUT)
		switch_out(f, t, next == NONE ? NULL : &f->tasks.v[next], ev);
	else
		task_event(f, t, ev);
}

static void take_total(struct facts *f, const struct event *ev)
{
	struct cpu *c = &f->cpus[ev->head.cpu];

	if (ev->head.kind == KIND_TASK_TOTAL) {
		*PUSH(f->totals) = (struct total){
			counters_of(ev), ev->f[F_OUTS], ev->f[F_MIGRATES], ev->f[F_DEAD],
			ev->f[F_TASK]
		};
		return;
	}
	c->has_total = true;
	c->seq_end = max_u64(c->seq_end, ev->f[F_SEQ_END]);
	c->refused += min_u64(ev->f[F_REFUSED], UINT64_MAX - c->refused);
}

/* Section 2. */
void replay_event(struct facts *f, const struct event *ev)
{
	uint32_t kind = ev->head.kind;
	struct cpu *c = &f->cpus[ev->head.cpu];

	if (kind == KIND_TASK_TOTAL || kind == KIND_CPU_TOTAL) {
		take_total(f, ev);
		return;
	}
	if (ev->head.ts_ns > BEYOND_NS) {
		fault(f, NULL, "a stamp is beyond all time", BEYOND_NS, ev->head.ts_ns, false);
		return;
	}
	if (kind < KIND_CNT && !ev->f[F_TASK] && kind != KIND_CLASS && kind != KIND_THROTTLE) {
		fault(f, NULL, "a record is of no task", 1, 0, false);
		return;
	}
	f->now_ns = ev->head.ts_ns;
	f->records++;
	c->records++;
	check_number(f, &ev->head);
	check_clock(f, ev);
	if (kind == KIND_CLASS)
		lose(f, ev->head.cpu, NULL, lost_ns(f, ev));
	else if (kind == KIND_NEW || kind == KIND_SEED)
		announce(f, ev);
	else if (kind < KIND_CNT && kind != KIND_THROTTLE)
		take_event(f, ev);
	if (kind == KIND_OUT || kind == KIND_IN || kind == KIND_CLASS) {	/* a statement */
		c->stated_ns = ev->head.ts_ns;
		while (c->open_hole < c->holes.cnt)
			c->holes.v[c->open_hole++].to_ns = ev->head.ts_ns;
	}
}

void replay_begin(struct facts *f, const struct circumstances *about)
{
	f->about = about;
	f->first_ns = NEVER;
	for (uint32_t c = 0; c < CPU_NUMBERS; c++) {
		f->cpus[c].owner = NONE;
		f->cpus[c].usable = about->usable[c];
	}
	operations_begin(f);
	clocks_begin(f);
}

/* Section 7: the window. What tasks do then ends with it. */
bool replay_end(struct facts *f)
{
	const struct circumstances *a = f->about;
	bool all_dead = true;

	for (size_t i = 0; i < f->tasks.cnt; i++)
		all_dead &= f->tasks.v[i].now.what == DEAD;
	f->start_ns = f->first_ns == NEVER ? f->now_ns : f->first_ns;
	if (a->attach_tgid)
		f->start_ns = max_u64(a->armed_ns, f->last_seed_ns);
	f->end_ns = a->end_ns > BEYOND_NS ? f->now_ns : a->end_ns;
	if (a->reason == 1)
		f->end_ns = all_dead ? f->last_death_ns : f->now_ns;
	f->end_ns = max_u64(f->end_ns, f->start_ns);
	for (size_t i = 0; i < f->tasks.cnt; i++) {
		f->tasks.v[i].now.marks |= CUT_END;
		finish(f, &f->tasks.v[i], f->end_ns);
	}
	check_all(f);
	return a->attach_tgid ? f->seeded : f->root_seeded;
}

void facts_release(struct facts *f)
{
	struct idmap *maps[] = { &f->by_id, &f->numbers, &f->leader_of, &f->threads, &f->by_tid,
			       &f->memory_of, &f->place_of, &f->loop_of };

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		idmap_release(maps[i]);
	for (uint32_t c = 0; c < CPU_NUMBERS; c++)
		free(f->cpus[c].holes.v);
	free(f->tasks.v);
	free(f->stretches.v);
	free(f->faults.v);
	free(f->totals.v);
	free(f->places.v);
	free(f->ops.v);
	operations_release(f);
}
