/* SPDX-License-Identifier: GPL-2.0-only */
/* schedule_cpu - who has the CPUs, who waits for them, and wakings. */

#include "schedule_sim.h"
#include "util/alloc.h"

static uint64_t clock_of(const struct sim *s, const struct kcpu *c)
{
	return sim_stamp(s, c) + SIM_CLOCK_OFF - c->steal_ns;
}

/* ---- queues ---- */

static void enqueue(struct kcpu *c, struct ktask *t)
{
	t->state = K_QUEUED;
	t->cpu = c->idx;
	*vec_push(c->queue, c->queue_cnt, c->queue_cap) = t;
}

static void dequeue(struct kcpu *c, size_t at)
{
	for (c->queue_cnt--; at < c->queue_cnt; at++)
		c->queue[at] = c->queue[at + 1];
}

static bool may_use(const struct ktask *t, const struct kcpu *c)
{
	return t->allowed >> c->idx & 1;
}

/* Move @t, which is on no CPU, to @dest; the probe runs on @c. @waking: or it is pulled by @c. */
static void migrate(struct sim *s, struct kcpu *c, struct ktask *t, uint32_t dest, bool waking)
{
	if (t->cpu == dest)
		return;
	if (record_migrate(s, c, t, dest, waking))
		truth_moved(s, t, c, t->cpu, dest, waking);
	else if (t->marked)
		s->out->truth.hidden_moves++;
	t->migrations++;
	t->cpu = dest;
	t->last_ns = s->now_ns;
}

/* Another CPU's queued task, where one may be had; NULL. */
static struct ktask *pull(struct sim *s, struct kcpu *c)
{
	uint32_t first = sim_random(s, s->opt->cpu_cnt);

	for (uint32_t i = 0; i < s->opt->cpu_cnt; i++) {
		struct kcpu *from = &s->cpus[(first + i) % s->opt->cpu_cnt];

		for (size_t j = 0; from != c && j < from->queue_cnt; j++) {
			struct ktask *t = from->queue[j];

			if (!may_use(t, c) || t->last_ns + sim_gap(s) > s->now_ns)
				continue;
			dequeue(from, j);
			migrate(s, c, t, c->idx, false);
			sim_moment(s);
			return t;
		}
	}
	return NULL;
}

/* Who has @c next, off its queue. NULL: nobody. */
static struct ktask *pick(struct sim *s, struct kcpu *c)
{
	uint32_t first = c->queue_cnt && sim_chance(s, 4) ?
			 sim_random(s, (uint32_t)c->queue_cnt) : 0;

	for (size_t i = 0; i < c->queue_cnt; i++) {
		size_t at = (first + i) % c->queue_cnt;
		struct ktask *t = c->queue[at];

		if (may_use(t, c)) {
			dequeue(c, at);
			return t;
		}
	}
	return sim_chance(s, 8) ? pull(s, c) : NULL;
}

/* ---- switches ---- */

static void tick_later(struct sim *s, struct kcpu *c, struct ktask *t)
{
	struct kevent *e;

	e = sim_event(s, KE_TICK, s->now_ns + sim_span_ns(s, 1ull << (s->opt->pace + 2)));
	e->cpu = c->idx;
	e->task = t;
	e->gen = t->gen;
}

static void begin_stay(struct sim *s, struct kcpu *c, struct ktask *t)
{
	struct kevent *e;

	t->state = K_RUNNING;
	t->cpu = c->idx;
	t->gen++;
	t->in_ns = s->now_ns;
	t->clock_in_ns = clock_of(s, c);
	t->last_ns = s->now_ns;
	/* A stay that is not seen to begin is drawn from what was charged: never for no time. */
	if (t->marked && !t->in_seen && !t->left_ns)
		t->left_ns = s->opt->grain_ns;
	t->due_ns = s->now_ns + t->left_ns;
	e = sim_event(s, t->wait.committed ? KE_SLEEP : KE_COMPUTED, t->due_ns);
	e->task = t;
	e->gen = t->gen;
	tick_later(s, c, t);
}

/* What the kernel charges for the stay that ends. */
static void charge(struct sim *s, struct kcpu *c, struct ktask *t)
{
	uint64_t clock_ns, again = 0;

	if (s->opt->steal && sim_chance(s, 4)) {
		uint64_t stolen = sim_span_ns(s, 1 + (s->now_ns - t->in_ns) / 2);

		if (stolen < s->now_ns - t->in_ns)
			c->steal_ns += stolen;
	}
	clock_ns = clock_of(s, c) - t->clock_in_ns;
	/* It slept and was picked again without a switch. */
	if (s->opt->steal && !sim_random(s, 50) && s->again_ns < 900000)
		again = clock_ns / 16 < 2000 ? clock_ns / 16 : 2000;
	s->again_ns += again;
	t->sum_exec_ns += clock_ns - again;
}

static void switch_to(struct sim *s, struct kcpu *c, struct ktask *next, const struct khow *how,
		      bool preempt, bool ready)
{
	struct ktask *prev = c->cur;
	enum khow_seen seen;
	uint64_t seq;
	bool ran;

	if (prev) {
		bool voluntary = !preempt && (how->state || prev->wait.signal);

		charge(s, c, prev);
		prev->nvcsw += voluntary;
		prev->nivcsw += !voluntary;
		prev->last_ns = prev->left_cpu_ns = s->now_ns;
		prev->gen++;
	}
	ran = record_switch(s, c, next, how, preempt, &seen, &seq);
	if (prev)
		ktask_seed_read(s, prev);
	if (next)
		ktask_seed_read(s, next);
	if (prev && prev->marked)
		truth_out(s, prev, c, how, ready, ready && (preempt || how->syscall != 24), seq);
	truth_holds(s, c, next, seen);
	if (next && next->marked)
		truth_in(s, next, c, ran, seq);
	if (seen == SEEN_RECORDED) {
		c->recorded = true;
		c->recorded_ts = sim_stamp(s, c);
	}
	c->cur = next;
	if (next)
		begin_stay(s, c, next);
}

void cpu_leave(struct sim *s, struct ktask *t, const struct khow *how, bool preempt, bool stays)
{
	struct kcpu *c = &s->cpus[t->cpu];
	bool dead = how->state & LAB_STATE_DEAD, ready = preempt || !how->state;
	struct ktask *next;

	next = pick(s, c);
	t->left_ns = t->due_ns > s->now_ns ? t->due_ns - s->now_ns : 0;
	switch_to(s, c, next, how, preempt, ready);
	if (dead)
		t->state = K_DEAD;
	else if (ready || stays)
		enqueue(c, t);
	else
		t->state = K_ASLEEP;
	/* Others may want it, and nobody came. */
	if (!next && c->queue_cnt)
		sim_event(s, KE_RESCHED, s->now_ns + sim_gap(s))->cpu = c->idx;
}

/* The tick, or one who comes: @c's task goes to the queue's end. */
static void preempt(struct sim *s, struct kcpu *c)
{
	struct ktask *t = c->cur;
	bool asleep_soon = t->wait.committed && t->wait.on;
	bool argument = sim_chance(s, 8) || asleep_soon;
	struct khow how = { .syscall = LAB_SYSCALL_NONE };

	t->wait.race = false;
	if (asleep_soon)
		how = t->wait.how;
	else if (!argument && sim_chance(s, 4))
		how.syscall = 999;
	cpu_leave(s, t, &how, argument, true);
}

void cpu_on_resched(struct sim *s, const struct kevent *e)
{
	struct kcpu *c = &s->cpus[e->cpu];
	static const struct khow none = { .syscall = LAB_SYSCALL_NONE };
	struct ktask *next;

	if (c->cur) {
		if (c->queue_cnt && s->now_ns > c->cur->in_ns)
			preempt(s, c);
		return;
	}
	next = pick(s, c);
	if (next)
		switch_to(s, c, next, &none, false, false);
	else if (c->queue_cnt)
		sim_event(s, KE_RESCHED, s->now_ns + sim_span_ns(s, 4000))->cpu = c->idx;
}

void cpu_on_tick(struct sim *s, const struct kevent *e)
{
	struct kcpu *c = &s->cpus[e->cpu];

	if (c->cur != e->task || e->task->gen != e->gen)
		return;
	if (c->queue_cnt || !may_use(c->cur, c)) {
		preempt(s, c);
		return;
	}
	tick_later(s, c, c->cur);
}

/* ---- placing ---- */

static uint32_t choose(struct sim *s, const struct ktask *t)
{
	uint32_t first = sim_random(s, s->opt->cpu_cnt), some = t->cpu;

	if (may_use(t, &s->cpus[t->cpu]) && sim_chance(s, 8))
		return t->cpu;
	for (uint32_t i = 0; i < s->opt->cpu_cnt; i++) {
		const struct kcpu *c = &s->cpus[(first + i) % s->opt->cpu_cnt];

		if (!may_use(t, c))
			continue;
		some = c->idx;
		if (!c->cur && !c->queue_cnt)
			break;
	}
	return some;
}

static void place_later(struct sim *s, struct ktask *t)
{
	struct kevent *e = sim_event(s, KE_PLACE, s->now_ns + sim_gap(s) + sim_span_ns(s, 1000));

	t->state = K_PLACED;
	e->task = t;
	e->cpu = t->cpu;
}

void cpu_leave_woken(struct sim *s, struct ktask *t, const struct khow *how)
{
	struct kcpu *c = &s->cpus[t->cpu];

	t->wait.race = true;
	cpu_leave(s, t, how, false, false);
	t->wait.race = false;
	sim_moment(s);
	migrate(s, c, t, choose(s, t), true);
	place_later(s, t);
}

void cpu_place_new(struct sim *s, struct ktask *t, struct kcpu *c)
{
	t->cpu = choose(s, t);
	t->last_ns = s->now_ns;
	record_wakeup_new(s, c, t);
	if (t->marked)
		truth_born(s, t, c);
	place_later(s, t);
}

void cpu_on_place(struct sim *s, const struct kevent *e)
{
	struct kcpu *c = &s->cpus[e->cpu];

	enqueue(c, e->task);
	if (!c->cur)
		sim_event(s, KE_RESCHED, s->now_ns + sim_span_ns(s, 1500))->cpu = c->idx;
	else if (sim_chance(s, 5))
		sim_event(s, KE_RESCHED, s->now_ns + sim_span_ns(s, 3000))->cpu = c->idx;
}

/* ---- wakings ---- */

/*
 * What no record could show: it was woken unseen, has a CPU unseen, and is woken
 * on its way to the next sleep. Then the records say that it slept until here.
 */
static bool looks_asleep(const struct ktask *t)
{
	return t->marked && t->state == K_RUNNING && !t->in_seen && t->came_unwoken;
}

bool cpu_wake(struct sim *s, struct ktask *t, const struct kctx *ctx)
{
	struct kwait *w = &t->wait;
	struct kcpu *c = ctx->cpu;
	uint8_t flags;

	if (!w->on || looks_asleep(t))
		return false;
	ktask_seed_read(s, t);
	/* On every clock it is woken after it had its CPU, and after it was taken from it. */
	if (s->now_ns < t->in_ns + sim_gap(s))
		s->now_ns = t->in_ns + sim_gap(s);
	if ((t->state == K_QUEUED || (!t->in_seen && t->came_unwoken)) &&
	    s->now_ns < t->left_cpu_ns + sim_gap(s))
		s->now_ns = t->left_cpu_ns + sim_gap(s);
	if (record_waking(s, c, t, ctx->irq | ctx->many, ctx->syscall, ctx->arg0, &flags))
		truth_woken(s, t, c, flags, c->cur, ctx->syscall, ctx->arg0);
	w->on = false;
	w->gen++;
	t->last_ns = t->woken_ns = s->now_ns;
	if (w->committed) {
		if (t->state == K_QUEUED)
			s->now_ns += sim_gap(s);
		/* It turns back, unless it is too late for that. */
		w->race = t->state == K_RUNNING && sim_chance(s, 8);
		return true;
	}
	t->state = K_PLACED;
	t->left_ns = sim_chance(s, 13) ? sim_span_ns(s, 500) : 0;
	sim_moment(s);
	/* The waker waits until it is really off its CPU. */
	if (s->now_ns < t->left_cpu_ns + sim_gap(s))
		s->now_ns = t->left_cpu_ns + sim_gap(s);
	migrate(s, c, t, choose(s, t), true);
	place_later(s, t);
	return true;
}

unsigned int cpu_wake_chan(struct sim *s, uint64_t chan, unsigned int most, const struct kctx *ctx)
{
	uint32_t cnt = (uint32_t)s->task_cnt, first = sim_random(s, cnt);
	unsigned int woken = 0;

	for (uint32_t i = 0; i < cnt && woken < most; i++) {
		struct ktask *t = s->tasks[(first + i) % cnt];

		if (t->wait.on && t->wait.chan == chan && cpu_wake(s, t, ctx)) {
			woken++;
			sim_moment(s);
		}
	}
	return woken;
}

/* Where an interrupt comes, or a task runs that wakes @t. */
static struct kctx context(struct sim *s, const struct ktask *t, enum kwake_mode mode)
{
	struct kctx ctx = { .syscall = LAB_SYSCALL_NONE };
	uint32_t first = sim_random(s, s->opt->cpu_cnt);

	ctx.cpu = &s->cpus[sim_chance(s, 8) ? t->cpu : first];
	ctx.irq = mode == WAKE_SOFTIRQ ? LAB_F_SOFTIRQ : LAB_F_HARDIRQ;
	for (uint32_t i = 0; mode == WAKE_BY_TASK && i < s->opt->cpu_cnt; i++) {
		struct kcpu *c = &s->cpus[(first + i) % s->opt->cpu_cnt];

		if (!c->cur || c->cur == t)
			continue;
		ctx.cpu = c;
		ctx.irq = 0;
		ctx.syscall = sim_chance(s, 8) ? 202 : 1;
		ctx.arg0 = sim_chance(s, 8) ? t->wait.how.args[0] : 7;
		break;
	}
	/* Of an interrupt the registers tell what was interrupted. */
	if (ctx.irq && ctx.cpu->cur && sim_chance(s, 4)) {
		ctx.syscall = 202;
		ctx.arg0 = 0x77;
	}
	return ctx;
}

void cpu_on_wake(struct sim *s, const struct kevent *e)
{
	struct ktask *t = e->task;
	struct kctx ctx;

	if (!t->wait.on || t->wait.gen != e->gen)
		return;
	ctx = context(s, t, (enum kwake_mode)e->arg);
	if (!cpu_wake(s, t, &ctx)) {
		struct kevent *again = sim_event(s, KE_WAKE, s->now_ns + sim_span_ns(s, 1000));

		again->task = t;
		again->gen = e->gen;
		again->arg = e->arg;
	}
}

/* A queued task is moved now and then, also back and forth. */
void cpu_on_balance(struct sim *s)
{
	struct kcpu *c = &s->cpus[sim_random(s, s->opt->cpu_cnt)];
	struct ktask *t = pull(s, c);

	if (t) {
		/* Where it goes on from there is its new CPU's business. */
		t->cpu = c->idx;
		place_later(s, t);
	}
	if (!s->over || s->live)
		sim_event(s, KE_BALANCE, s->now_ns + sim_span_ns(s, 1ull << (s->opt->pace + 4)));
}
