/* SPDX-License-Identifier: GPL-2.0-only */
/* schedule_wait - what programs wait for: futexes, pipes, children, and the rest. */

#include "schedule_sim.h"
#include "util/minmax.h"

#define NR_FUTEX 202
#define NR_FUTEX_WAITV 449
#define NR_FUTEX_WAIT 455
#define PRIVATE 128u
#define OP_WAIT 0
#define OP_LOCK_PI 6
#define OP_WAIT_BITSET 9
#define OP_WAIT_REQUEUE_PI 11
#define OP_LOCK_PI2 13
#define WAITERS 0x80000000u
#define COND_ADDR 0x20000
#define JOIN_ADDR 0x30000

struct khow wait_how(int32_t syscall, uint64_t arg0, enum reason reason)
{
	return (struct khow){
		.state = LAB_STATE_INTERRUPTIBLE, .syscall = syscall, .args = { arg0 },
		.reason = reason, .meant = reason,
	};
}

static struct khow futex_how(uint64_t addr, uint32_t op, uint32_t val, enum reason meant)
{
	struct khow how = wait_how(NR_FUTEX, addr, REASON_NONE);

	how.args[1] = op;
	how.args[2] = val;
	how.meant = meant;
	return how;
}

/* An io_uring worker has no registers that would tell. */
static void as_worker(struct khow *how)
{
	bool disk = how->state & LAB_STATE_UNINTERRUPTIBLE;

	how->syscall = LAB_SYSCALL_NONE;
	how->flags |= LAB_F_WORKER;
	how->fd_type = 0;
	how->accept = false;
	how->args[0] = how->args[1] = how->args[2] = 0;
	how->reason = disk ? (how->flags & LAB_F_IOWAIT ? REASON_DISK : REASON_KERNEL) :
			     REASON_URING;
	if (how->state & (LAB_STATE_STOPPED | LAB_STATE_TRACED))
		how->reason = REASON_STOPPED;
	else if (!disk && !(how->state & LAB_STATE_INTERRUPTIBLE))
		how->reason = REASON_OTHER;
	how->meant = how->reason;
}

void wait_for(struct sim *s, struct ktask *t, const struct khow *how, uint64_t chan,
	      uint64_t timeout_ns, enum kwake_mode mode)
{
	struct kwait *w = &t->wait;
	struct kevent *e;

	*w = (struct kwait){
		.how = *how, .chan = chan, .gen = w->gen + 1, .on = true, .committed = true,
		.signal = !t->foreign && how->state & LAB_STATE_INTERRUPTIBLE &&
			  !sim_random(s, 40),
	};
	if (t->worker)
		as_worker(&w->how);
	if (timeout_ns) {
		e = sim_event(s, KE_WAKE, s->now_ns + timeout_ns);
		e->task = t;
		e->gen = w->gen;
		e->arg = mode;
	}
	t->due_ns = s->now_ns + sim_span_ns(s, 2000);
	e = sim_event(s, KE_SLEEP, t->due_ns);
	e->task = t;
	e->gen = t->gen;
}

/* It has a signal to look after instead. */
static void turn_back(struct sim *s, struct ktask *t)
{
	struct khow how = t->wait.how;

	t->wait.on = false;
	t->wait.gen++;
	if (s->cpus[t->cpu].queue_cnt) {
		if (!s->opt->stale_state)
			how = (struct khow){ .syscall = how.syscall };
		cpu_leave(s, t, &how, false, true);
		t->wait.signal = false;
		return;
	}
	t->wait.signal = false;
	action_next(s, t);
}

void wait_on_sleep(struct sim *s, const struct kevent *e)
{
	struct ktask *t = e->task;
	struct kwait *w = &t->wait;

	if (t->state != K_RUNNING || t->gen != e->gen)
		return;
	/* A waking of before, that it has seen, stands before its sleep on every clock. */
	if (!w->race && t->woken_ns && t->woken_ns + sim_gap(s) > s->now_ns) {
		struct kevent *again = sim_event(s, KE_SLEEP, t->woken_ns + sim_gap(s));

		again->task = t;
		again->gen = e->gen;
		return;
	}
	w->committed = false;
	if (w->race) {
		w->race = false;
		cpu_leave_woken(s, t, &w->how);
	} else if (!w->on) {
		action_next(s, t);
	} else if (w->signal) {
		turn_back(s, t);
	} else {
		cpu_leave(s, t, &w->how, false, false);
	}
}

/* ---- locks ---- */

static void mutex_init(struct sim *s, struct kmutex *m, uint64_t addr, uint32_t mm)
{
	static const uint32_t ops[] = {
		OP_WAIT, OP_WAIT, OP_WAIT_BITSET, OP_LOCK_PI, OP_LOCK_PI2, OP_WAIT,
	};
	uint32_t kind = sim_random(s, ARRAY_SIZE(ops) + 1);

	*m = (struct kmutex){ .addr = addr, .mm = mm };
	m->by_turns = kind == ARRAY_SIZE(ops);
	m->op = (kind < ARRAY_SIZE(ops) ? ops[kind] : OP_WAIT_BITSET) | (mm ? PRIVATE : 0);
	m->robust = kind == 5;
	m->new_call = kind == 1 && !s->opt->attach && sim_chance(s, 6);
}

void wait_mutexes(struct sim *s, struct kproc *p)
{
	for (uint32_t i = 0; i < SIM_MUTEXES; i++)
		mutex_init(s, &p->mutexes[i], 0x10000 + i * 0x100, p->mm);
	for (uint32_t i = 0; i < ARRAY_SIZE(s->shared) && !s->shared[i].addr; i++)
		mutex_init(s, &s->shared[i], 0x50000 + i * 0x100, 0);
}

struct kmutex *wait_mutex(struct sim *s, struct ktask *t, uint32_t arg)
{
	return arg < SIM_MUTEXES ? &t->proc->mutexes[arg] : &s->shared[arg - SIM_MUTEXES];
}

static uint64_t mutex_chan(const struct ktask *t, const struct kmutex *m)
{
	return chan_of(CHAN_FUTEX, m->mm ? t->proc->number + 1 : 0, m->addr);
}

static struct khow mutex_how(struct sim *s, struct ktask *t, const struct kmutex *m)
{
	uint32_t val = m->robust ? m->owner->tid | WAITERS : 2;
	struct khow how = futex_how(m->addr, m->op, val, REASON_LOCK);

	if (m->by_turns) {
		how.args[2] = 10 + sim_random(s, 4);
		how.meant = REASON_NONE;
	}
	if (m->new_call) {
		how.syscall = t->number & 1 ? NR_FUTEX_WAITV : NR_FUTEX_WAIT;
		how.args[1] = m->mm ? PRIVATE : 0;
	}
	/* Of a PI lock the word is read; of the others what glibc keeps beside it. */
	if (m->op & OP_LOCK_PI)
		how.args[2] = 0;
	if (!m->robust && !m->by_turns && !m->new_call)
		how.owner = m->owner->tid;
	return how;
}

/* @again: woken to try once more. */
void wait_lock(struct sim *s, struct ktask *t, struct kmutex *m, bool again)
{
	struct khow how;

	if (!m->owner) {
		m->owner = t;
		m->state = again ? 2 : 1;
		t->todo = TODO_UNLOCK;
		action_compute(s, t, 1ull << (s->opt->pace - 1));
		return;
	}
	m->state = 2;
	t->todo = TODO_LOCK;
	how = mutex_how(s, t, m);
	wait_for(s, t, &how, mutex_chan(t, m),
		 m->by_turns ? sim_span_ns(s, 1ull << (s->opt->pace + 1)) : 0, WAKE_HARDIRQ);
}

void wait_unlock(struct sim *s, struct ktask *t, struct kmutex *m)
{
	struct kctx ctx = { .cpu = &s->cpus[t->cpu], .syscall = NR_FUTEX, .arg0 = m->addr };
	bool contended = m->state == 2;

	m->owner = NULL;
	m->state = 0;
	if (contended)
		cpu_wake_chan(s, mutex_chan(t, m), 1, &ctx);
}

/* ---- conditions and the ends of threads ---- */

void wait_cond(struct sim *s, struct ktask *t)
{
	uint32_t which = sim_random(s, 2), seq = t->proc->cond_seq++;
	uint64_t addr = COND_ADDR + which * 8;
	struct khow how = futex_how(addr + 4 * (seq & 1), OP_WAIT_BITSET | PRIVATE, seq % 50,
				    REASON_COND);

	if (which && t->proc->number % 3 == 0)
		how.args[1] = OP_WAIT_REQUEUE_PI | PRIVATE;
	t->todo = TODO_NEXT;
	wait_for(s, t, &how, chan_of(CHAN_FUTEX, t->proc->number + 1, addr),
		 sim_chance(s, 8) ? sim_span_ns(s, 1ull << (s->opt->pace + 3)) : 0, WAKE_HARDIRQ);
}

void wait_signal_cond(struct sim *s, struct ktask *t)
{
	uint64_t addr = COND_ADDR + sim_random(s, 2) * 8;
	struct kctx ctx = { .cpu = &s->cpus[t->cpu], .syscall = NR_FUTEX, .arg0 = addr };
	bool all = !sim_chance(s, 8);

	ctx.many = all ? LAB_F_WAKES_MANY : 0;
	cpu_wake_chan(s, chan_of(CHAN_FUTEX, t->proc->number + 1, addr), all ? UINT32_MAX : 1,
		      &ctx);
}

void wait_join(struct sim *s, struct ktask *t, struct ktask *other)
{
	uint32_t op = t->proc->number & 1 ? OP_WAIT | PRIVATE : OP_WAIT_BITSET;
	struct khow how;

	t->todo = TODO_NEXT;
	if (other->state == K_DEAD) {
		action_next(s, t);
		return;
	}
	how = futex_how(JOIN_ADDR + 16 * other->number, op, other->tid, REASON_JOIN);
	t->todo = TODO_JOIN;
	t->arg = other->number;
	wait_for(s, t, &how, chan_of(CHAN_JOIN, other->number, 0),
		 sim_chance(s, 3) ? sim_span_ns(s, 1ull << (s->opt->pace + 3)) : 0,
		 sim_chance(s, 12) ? WAKE_HARDIRQ : WAKE_BY_TASK);
}

void wait_child(struct sim *s, struct ktask *t)
{
	struct khow how = wait_how(sim_chance(s, 8) ? 61 : 247, 0, REASON_CHILD);

	t->todo = TODO_NEXT;
	if (t->proc->zombies) {
		t->proc->zombies--;
		action_compute(s, t, 500);
	} else if (!t->proc->children) {
		action_compute(s, t, 500);
	} else {
		t->todo = TODO_CHILD;
		wait_for(s, t, &how, chan_of(CHAN_CHILD, t->proc->number, 0), 0, WAKE_HARDIRQ);
	}
}

/* ---- pipes ---- */

static struct khow pipe_how(uint32_t pipe, bool write)
{
	struct khow how = wait_how(write, 3 + pipe, REASON_PIPE);

	how.fd_type = 1;
	return how;
}

void wait_read(struct sim *s, struct ktask *t, uint32_t pipe)
{
	struct kctx ctx = { .cpu = &s->cpus[t->cpu], .syscall = 0, .arg0 = 3 + pipe };
	struct khow how = pipe_how(pipe, false);

	t->todo = TODO_NEXT;
	if (s->pipes[pipe].bytes) {
		if (s->pipes[pipe].bytes-- == SIM_PIPE_FULL)
			cpu_wake_chan(s, chan_of(CHAN_WRITE, pipe, 0), 1, &ctx);
		action_compute(s, t, 1ull << s->opt->pace);
		return;
	}
	t->todo = TODO_READ;
	t->arg = pipe;
	wait_for(s, t, &how, chan_of(CHAN_READ, pipe, 0), 0, WAKE_HARDIRQ);
}

void wait_write(struct sim *s, struct ktask *t, uint32_t pipe)
{
	struct kctx ctx = { .cpu = &s->cpus[t->cpu], .syscall = 1, .arg0 = 3 + pipe };
	struct khow how = pipe_how(pipe, true);

	t->todo = TODO_NEXT;
	if (s->pipes[pipe].bytes < SIM_PIPE_FULL) {
		s->pipes[pipe].bytes++;
		cpu_wake_chan(s, chan_of(CHAN_READ, pipe, 0), 1, &ctx);
		action_compute(s, t, 1ull << s->opt->pace);
		return;
	}
	t->todo = TODO_WRITE;
	t->arg = pipe;
	wait_for(s, t, &how, chan_of(CHAN_WRITE, pipe, 0), 0, WAKE_HARDIRQ);
}

/* ---- all the rest ---- */

#define D LAB_STATE_UNINTERRUPTIBLE
#define KILLABLE (D | LAB_STATE_WAKEKILL)
#define FREEZABLE (LAB_STATE_INTERRUPTIBLE | LAB_STATE_FREEZABLE)

static const struct khow sleeps[] = {
	{ 1, 0, 45, { 5 }, 0, false, REASON_SOCKET, REASON_SOCKET, 0 },	/* recvfrom */
	{ 1, 0, 42, { 5 }, 0, false, REASON_SOCKET, REASON_SOCKET, 0 },	/* connect */
	{ 1, 0, 0, { 5 }, 12, false, REASON_SOCKET, REASON_SOCKET, 0 },	/* read of a socket */
	{ 1, 0, 20, { 6 }, 1, false, REASON_PIPE, REASON_PIPE, 0 },	/* writev to a pipe */
	{ FREEZABLE, 0, 43, { 5 }, 0, true, REASON_SOCKET, REASON_SOCKET, 0 }, /* accept */
	{ FREEZABLE, 0, 288, { 5 }, 0, true, REASON_SOCKET, REASON_SOCKET, 0 },
	{ 1, 0, 7, { 0x7000, 2 }, 0, false, REASON_POLL, REASON_POLL, 0 },
	{ FREEZABLE, 0, 270, { 4 }, 0, false, REASON_POLL, REASON_POLL, 0 }, /* pselect6 */
	{ 1, 0, 34, { 0 }, 0, false, REASON_SIGNAL, REASON_SIGNAL, 0 },	/* pause */
	{ 1, 0, 128, { 0 }, 0, false, REASON_SIGNAL, REASON_SIGNAL, 0 }, /* rt_sigtimedwait */
	{ 1, 0, 426, { 4 }, 0, false, REASON_URING, REASON_URING, 0 },	/* io_uring_enter */
	{ 1, 0, 208, { 4 }, 0, false, REASON_DISK, REASON_DISK, 0 },	/* io_getevents */
	{ D, LAB_F_IOWAIT, 0, { 3 }, 8, false, REASON_DISK, REASON_DISK, 0 },
	{ KILLABLE, LAB_F_IOWAIT, 17, { 3 }, 8, false, REASON_DISK, REASON_DISK, 0 },
	{ D, LAB_F_IOWAIT, -1, { 0 }, 0, false, REASON_PAGEFAULT, REASON_PAGEFAULT, 0 },
	{ D, 0, 74, { 3 }, 0, false, REASON_DISK, REASON_DISK, 0 },	/* fsync */
	{ KILLABLE, 0, 74, { 3 }, 0, false, REASON_KERNEL, REASON_KERNEL, 0 },
	{ KILLABLE, 0, 9, { 0 }, 0, false, REASON_KERNEL, REASON_KERNEL, 0 }, /* mmap */
	{ D, 0, 82, { 0x7100 }, 0, false, REASON_KERNEL, REASON_KERNEL, 0 }, /* rename */
	{ LAB_STATE_STOPPED | LAB_STATE_WAKEKILL, 0, -1, { 0 }, 0, false, REASON_STOPPED,
	  REASON_STOPPED, 0 },
	{ LAB_STATE_TRACED, 0, 39, { 0 }, 0, false, REASON_STOPPED, REASON_STOPPED, 0 },
	{ 1, 0, 0, { 9 }, 2, false, REASON_OTHER, REASON_OTHER, 0 },	/* read of a terminal */
	{ 1, 0, 0, { 9 }, 17, false, REASON_EVENTFD, REASON_EVENTFD, 0 },
	{ 1, 0, 0, { 9 }, 18, false, REASON_SIGNAL, REASON_SIGNAL, 0 },
	{ 1, 0, 219, { 0 }, 0, false, REASON_OTHER, REASON_OTHER, 0 },	/* restart_syscall */
	{ 1, 0, -1, { 0 }, 0, false, REASON_PAGEFAULT, REASON_PAGEFAULT, 0 }, /* userfaultfd */
	{ 1, 0, 73, { 3 }, 0, false, REASON_FILELOCK, REASON_FILELOCK, 0 },
	{ 1, 0, 72, { 3, 7 }, 0, false, REASON_FILELOCK, REASON_FILELOCK, 0 },
	{ 1, 0, 65, { 1 }, 0, false, REASON_SEMAPHORE, REASON_SEMAPHORE, 0 },
	{ 1, 0, 70, { 1 }, 0, false, REASON_QUEUE, REASON_QUEUE, 0 },
	{ 1, LAB_F_COMPAT, 143, { 0 }, 0, false, REASON_FILELOCK, REASON_FILELOCK, 0 },
	{ 0x40, 0, 1, { 0 }, 0, false, REASON_OTHER, REASON_OTHER, 0 },	/* parked */
	{ 1, 0, NR_FUTEX, { 0x9000, 4 }, 0, false, REASON_OTHER, REASON_OTHER, 0 }, /* no wait */
	{ 1, LAB_F_COMPAT, 240, { 0, 0, 2 }, 0, false, REASON_COND, REASON_COND, 0 },
	{ 1, LAB_F_COMPAT, 422, { 0, 0, 7 }, 0, false, REASON_COND, REASON_COND, 0 },
	{ 1, LAB_F_COMPAT, 168, { 0 }, 0, false, REASON_POLL, REASON_POLL, 0 },
	{ 1, LAB_F_COMPAT, 3, { 0 }, 0, false, REASON_OTHER, REASON_OTHER, 0 }, /* read, of what? */
};

void wait_some(struct sim *s, struct ktask *t)
{
	const struct khow *how;

	/* A seed's record does not tell all that a switch-out's does. */
	do {
		how = &sleeps[sim_random(s, ARRAY_SIZE(sleeps))];
	} while (!t->marked && (how->flags || (how->fd_type == 1 && how->syscall > 1)));
	t->todo = TODO_NEXT;
	wait_for(s, t, how, 0, sim_span_ns(s, 1ull << (s->opt->pace + 2)),
		 (enum kwake_mode)sim_random(s, WAKE_MODES));
}

void wait_sleep(struct sim *s, struct ktask *t)
{
	struct khow how = wait_how(sim_chance(s, 8) ? 35 : 230, 0, REASON_SLEEP);

	t->todo = TODO_NEXT;
	wait_for(s, t, &how, 0, sim_span_ns(s, 1ull << (s->opt->pace + 2)), WAKE_HARDIRQ);
}
