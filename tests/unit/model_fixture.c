/* SPDX-License-Identifier: GPL-2.0-only */
#include "model_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

#define FX_CPUS_MAX 64
#define FX_CLOCK_OFF 5000000u	/* clock_task less CLOCK_MONOTONIC */

struct fx_task {
	uint32_t id, tid, tgid;
	uint64_t in_ns;		/* of the stay that is open */
	uint64_t nvcsw, nivcsw, sum_exec_ns;
	uint32_t migrations, migrations_at_out;
	uint64_t outs, migrates, last_out_ns;
	int cpu;		/* -1: on none */
	bool dead;
};

struct fx_cpu {
	int32_t cur;
	uint64_t seq;
	uint64_t last_switch_ns;
	uint8_t last_class;
};

struct fx {
	struct trace_meta meta;
	struct trace_end end;
	bool ended;
	unsigned int cpu_cnt;
	struct fx_cpu cpus[FX_CPUS_MAX];
	struct fx_task *tasks;
	size_t task_cnt, task_cap;
	union lab_event *events;
	size_t event_cnt, event_cap;
	const struct trace_symbols *symbols;
};

/* ---- hows ---- */

struct fx_how fx_preempted(void)
{
	return (struct fx_how){ .flags = LAB_F_PREEMPT, .syscall = LAB_SYSCALL_NONE };
}

struct fx_how fx_none(void)
{
	return fx_preempted();
}

struct fx_how fx_yield(void)
{
	return (struct fx_how){ .syscall = FX_NR_SCHED_YIELD };
}

struct fx_how fx_dead(void)
{
	return (struct fx_how){ .state = LAB_STATE_DEAD, .flags = LAB_F_EXITING, .syscall = 60 };
}

struct fx_how fx_call(int32_t nr, uint64_t arg0)
{
	return (struct fx_how){
		.state = LAB_STATE_INTERRUPTIBLE, .syscall = nr, .args = { arg0 }
	};
}

struct fx_how fx_read(uint8_t fd_type)
{
	struct fx_how how = fx_call(FX_NR_READ, 3);

	how.fd_type = fd_type;
	return how;
}

struct fx_how fx_futex(uint64_t addr, uint32_t op, uint32_t val)
{
	struct fx_how how = fx_call(FX_NR_FUTEX, addr);

	how.args[1] = op;
	how.args[2] = val;
	return how;
}

struct fx_how fx_disk(void)
{
	struct fx_how how = fx_call(FX_NR_READ, 3);

	how.state = LAB_STATE_UNINTERRUPTIBLE;
	how.flags = LAB_F_IOWAIT;
	return how;
}

struct fx_how fx_fault(void)
{
	struct fx_how how = fx_disk();

	how.syscall = LAB_SYSCALL_NONE;
	return how;
}

struct fx_how fx_kernel(void)
{
	struct fx_how how = fx_call(FX_NR_READ, 3);

	how.state = LAB_STATE_UNINTERRUPTIBLE | LAB_STATE_WAKEKILL;
	return how;
}

/* ---- the events ---- */

struct fx *fx_new(unsigned int cpu_cnt)
{
	struct fx *f = xcalloc(1, sizeof(*f));

	if (cpu_cnt > FX_CPUS_MAX)
		abort();
	f->cpu_cnt = cpu_cnt;
	f->meta.lab_version = xstrdup("0.0.0");
	f->meta.name = xstrdup("fixture");
	f->meta.argv = xcalloc(2, sizeof(*f->meta.argv));
	f->meta.argv[0] = xstrdup("fixture");
	f->meta.argc = 1;
	f->meta.release = xstrdup("6.18.0");
	f->meta.machine = xstrdup("x86_64");
	f->meta.virtualized = xstrdup("");
	f->meta.cpus_online = cpu_cnt;
	f->meta.cpus_usable = xcalloc(cpu_cnt, sizeof(*f->meta.cpus_usable));
	f->meta.cpus_usable_cnt = cpu_cnt;
	for (unsigned int i = 0; i < cpu_cnt; i++) {
		f->meta.cpus_usable[i] = (uint16_t)i;
		f->cpus[i].last_class = LAB_CPU_IDLE;
	}
	return f;
}

void fx_free(struct fx *f)
{
	if (!f)
		return;
	trace_meta_release(&f->meta);
	free(f->tasks);
	free(f->events);
	free(f);
}

struct trace_meta *fx_meta(struct fx *f)
{
	return &f->meta;
}

struct trace_end *fx_end_of(struct fx *f)
{
	return &f->end;
}

static struct fx_task *task_of(struct fx *f, uint32_t id)
{
	struct fx_task *t;

	for (size_t i = 0; i < f->task_cnt; i++) {
		if (f->tasks[i].id == id)
			return &f->tasks[i];
	}
	t = vec_push(f->tasks, f->task_cnt, f->task_cap);
	t->id = id;
	t->tid = 1000 + id;
	t->tgid = t->tid;
	t->cpu = -1;
	return t;
}

static union lab_event *emit(struct fx *f, uint64_t ts, unsigned int cpu, uint32_t task,
			     uint8_t kind)
{
	union lab_event *ev = vec_push(f->events, f->event_cnt, f->event_cap);

	ev->head.ts_ns = ts;
	ev->head.seq = f->cpus[cpu].seq++;
	ev->head.task = task;
	ev->head.cpu = (uint16_t)cpu;
	ev->head.kind = kind;
	return ev;
}

union lab_event *fx_events(struct fx *f, size_t *cnt)
{
	*cnt = f->event_cnt;
	return f->events;
}

union lab_event *fx_last(struct fx *f)
{
	return &f->events[f->event_cnt - 1];
}

void fx_raw(struct fx *f, const union lab_event *ev)
{
	*vec_push(f->events, f->event_cnt, f->event_cap) = *ev;
}

void fx_drop(struct fx *f, size_t idx)
{
	memmove(&f->events[idx], &f->events[idx + 1],
		(f->event_cnt - idx - 1) * sizeof(*f->events));
	f->event_cnt--;
}

/* ---- switches ---- */

static uint8_t class_of(int32_t who)
{
	return who > 0 ? LAB_CPU_OURS : who < 0 ? LAB_CPU_FOREIGN : LAB_CPU_IDLE;
}

static uint32_t tid_of(struct fx *f, int32_t who)
{
	return who > 0 ? task_of(f, (uint32_t)who)->tid : (uint32_t)-who;
}

static void comm_of(int32_t who, char *comm)
{
	memset(comm, 0, LAB_COMM_LEN);
	if (who < 0)
		snprintf(comm, LAB_COMM_LEN, "f%d", -who);
	else
		snprintf(comm, LAB_COMM_LEN, "swapper");
}

static void emit_out(struct fx *f, uint64_t ts, unsigned int cpu, int32_t next, struct fx_how how)
{
	struct fx_task *t = task_of(f, (uint32_t)f->cpus[cpu].cur);
	struct lab_ev_switch_out *ev = &emit(f, ts, cpu, t->id, LAB_EV_SWITCH_OUT)->switch_out;
	bool voluntary = !(how.flags & LAB_F_PREEMPT) && how.state;

	t->sum_exec_ns += ts - t->in_ns;
	t->nvcsw += voluntary;
	t->nivcsw += !voluntary;
	t->outs++;
	t->last_out_ns = ts;
	t->migrations_at_out = t->migrations;
	t->cpu = -1;
	t->dead = how.state & LAB_STATE_DEAD;
	ev->head.flags = how.flags;
	ev->next_id = next > 0 ? (uint32_t)next : 0;
	ev->prev_state = how.state;
	ev->nvcsw = t->nvcsw;
	ev->nivcsw = t->nivcsw;
	ev->sum_exec_ns = t->sum_exec_ns;
	ev->exec_start_ns = ts + FX_CLOCK_OFF;
	ev->clock_task_ns = ts + FX_CLOCK_OFF;
	memcpy(ev->args, how.args, sizeof(ev->args));
	ev->syscall = how.syscall;
	ev->migrations = t->migrations;
	ev->fd_type = how.fd_type;
	ev->next_class = class_of(next);
	ev->next_tid = tid_of(f, next);
}

static void emit_in(struct fx *f, uint64_t ts, unsigned int cpu, int32_t next)
{
	struct fx_cpu *c = &f->cpus[cpu];
	struct lab_ev_switch_in *ev =
		&emit(f, ts, cpu, (uint32_t)next, LAB_EV_SWITCH_IN)->switch_in;

	ev->clock_task_ns = ts + FX_CLOCK_OFF;
	ev->prev_since_ns = c->last_switch_ns;
	ev->prev_tid = tid_of(f, c->cur);
	ev->prev_class = class_of(c->cur);
	comm_of(c->cur, ev->prev_comm);
}

static void emit_class(struct fx *f, uint64_t ts, unsigned int cpu, int32_t next)
{
	struct fx_cpu *c = &f->cpus[cpu];
	struct lab_ev_cpu_class *ev;

	if (class_of(c->cur) == c->last_class && class_of(next) == c->last_class)
		return;
	ev = &emit(f, ts, cpu, 0, LAB_EV_CPU_CLASS)->cpu_class;
	ev->prev_since_ns = c->last_switch_ns;
	ev->prev_tid = tid_of(f, c->cur);
	ev->next_tid = tid_of(f, next);
	ev->prev_class = class_of(c->cur);
	ev->next_class = class_of(next);
	ev->last_class = c->last_class;
	comm_of(c->cur, ev->prev_comm);
}

static void take_cpu(struct fx *f, uint64_t ts, unsigned int cpu, int32_t next)
{
	f->cpus[cpu].cur = next;
	if (next > 0) {
		task_of(f, (uint32_t)next)->cpu = (int)cpu;
		task_of(f, (uint32_t)next)->in_ns = ts;
	}
}

void fx_switch(struct fx *f, uint64_t ts, unsigned int cpu, int32_t next, struct fx_how how)
{
	struct fx_cpu *c = &f->cpus[cpu];

	if (c->cur > 0)
		emit_out(f, ts, cpu, next, how);
	else if (next > 0)
		emit_in(f, ts, cpu, next);
	else
		emit_class(f, ts, cpu, next);
	take_cpu(f, ts, cpu, next);
	c->last_switch_ns = ts;
	c->last_class = class_of(next);
}

void fx_switch_hidden(struct fx *f, uint64_t ts, unsigned int cpu, int32_t next)
{
	take_cpu(f, ts, cpu, next);
}

/* ---- the rest of the scheduler ---- */

void fx_wake(struct fx *f, uint64_t ts, uint32_t waker, uint32_t id)
{
	struct fx_task *w = task_of(f, waker);
	struct lab_ev_waking *ev;

	ev = &emit(f, ts, w->cpu < 0 ? 0 : (unsigned int)w->cpu, id, LAB_EV_WAKING)->waking;
	ev->waker_id = waker;
	ev->waker_tid = w->tid;
	ev->waker_syscall = FX_NR_FUTEX;
	ev->state = LAB_STATE_INTERRUPTIBLE;
	snprintf(ev->waker_comm, sizeof(ev->waker_comm), "t%u", waker);
}

void fx_wake_on(struct fx *f, uint64_t ts, unsigned int cpu, uint32_t id, uint8_t flags)
{
	int32_t cur = f->cpus[cpu].cur;
	struct lab_ev_waking *ev = &emit(f, ts, cpu, id, LAB_EV_WAKING)->waking;

	ev->head.flags = flags;
	ev->waker_id = cur > 0 ? (uint32_t)cur : 0;
	ev->waker_tid = tid_of(f, cur);
	ev->waker_syscall = LAB_SYSCALL_NONE;
	ev->state = LAB_STATE_INTERRUPTIBLE;
	comm_of(cur, ev->waker_comm);
}

void fx_fork_only(struct fx *f, uint64_t ts, uint32_t parent, uint32_t child, uint64_t clone_flags)
{
	struct fx_task *c = task_of(f, child), *p = task_of(f, parent);
	struct lab_ev_task *ev;

	c = task_of(f, child);
	if (clone_flags & 0x10000)	/* CLONE_THREAD */
		c->tgid = p->tgid;
	ev = &emit(f, ts, p->cpu < 0 ? 0 : (unsigned int)p->cpu, child, LAB_EV_TASK_NEW)->task;
	ev->parent_id = parent;
	ev->tid = c->tid;
	ev->tgid = c->tgid;
	ev->clone_flags = clone_flags;
	ev->syscall = LAB_SYSCALL_NONE;
	snprintf(ev->comm, sizeof(ev->comm), "t%u", child);
}

void fx_wakeup_new(struct fx *f, uint64_t ts, unsigned int cpu, uint32_t id, unsigned int dest_cpu)
{
	emit(f, ts, cpu, id, LAB_EV_WAKEUP_NEW)->wakeup_new.dest_cpu = dest_cpu;
}

void fx_fork(struct fx *f, uint64_t ts, uint32_t parent, uint32_t child, uint64_t clone_flags,
	     unsigned int dest_cpu)
{
	struct fx_task *p = task_of(f, parent);
	unsigned int cpu = p->cpu < 0 ? 0 : (unsigned int)p->cpu;

	fx_fork_only(f, ts, parent, child, clone_flags);
	fx_wakeup_new(f, ts, cpu, child, dest_cpu);
}

void fx_migrate(struct fx *f, uint64_t ts, unsigned int cpu, uint32_t id, unsigned int orig,
		unsigned int dest)
{
	struct fx_task *t = task_of(f, id);
	struct lab_ev_migrate *ev = &emit(f, ts, cpu, id, LAB_EV_MIGRATE)->migrate;

	ev->orig_cpu = orig;
	ev->dest_cpu = dest;
	ev->migrations = t->migrations++;
	t->migrates++;
}

void fx_affinity(struct fx *f, uint64_t ts, unsigned int cpu, uint32_t id, uint64_t mask)
{
	emit(f, ts, cpu, id, LAB_EV_AFFINITY)->affinity.words[0] = mask;
}

void fx_group(struct fx *f, uint64_t ts, unsigned int cpu, uint32_t id, uint32_t group,
	      uint32_t quota_milli)
{
	union lab_event *ev = emit(f, ts, cpu, id, LAB_EV_GROUP);

	ev->group.group = group;
	ev->group.quota_milli = quota_milli;
}

void fx_throttle(struct fx *f, uint64_t ts, unsigned int cpu, uint32_t queue_cpu, uint32_t group,
		 bool throttled)
{
	union lab_event *ev = emit(f, ts, cpu, 0, LAB_EV_THROTTLE);

	ev->head.flags = throttled ? LAB_F_THROTTLED : 0;
	ev->throttle.queue_cpu = queue_cpu;
	ev->throttle.group = group;
}

void fx_exit_begin(struct fx *f, uint64_t ts, uint32_t id, uint32_t code)
{
	struct fx_task *t = task_of(f, id);

	emit(f, ts, (unsigned int)t->cpu, id, LAB_EV_EXIT)->exit.exit_code = code;
}

void fx_exit(struct fx *f, uint64_t ts, uint32_t id, int32_t next)
{
	unsigned int cpu = (unsigned int)task_of(f, id)->cpu;

	fx_exit_begin(f, ts, id, 0);
	fx_switch(f, ts, cpu, next, fx_dead());
}

void fx_exec(struct fx *f, uint64_t ts, uint32_t id, const char *comm)
{
	struct fx_task *t = task_of(f, id);
	struct lab_ev_exec *ev = &emit(f, ts, (unsigned int)t->cpu, id, LAB_EV_EXEC)->exec;

	ev->old_tid = t->tid;
	t->tid = t->tgid;
	ev->tid = t->tid;
	snprintf(ev->comm, sizeof(ev->comm), "%s", comm);
}

void fx_rename(struct fx *f, uint64_t ts, uint32_t id, const char *comm)
{
	struct fx_task *t = task_of(f, id);
	struct lab_ev_rename *ev = &emit(f, ts, (unsigned int)t->cpu, id, LAB_EV_RENAME)->rename;

	snprintf(ev->comm, sizeof(ev->comm), "%s", comm);
}

/* ---- epoll ---- */

void fx_epoll_ctl(struct fx *f, uint64_t ts, uint32_t id, int epfd, int op, int fd, uint64_t data,
		  uint8_t flags)
{
	struct fx_task *t = task_of(f, id);
	struct lab_ev_epoll_ctl *ev;

	ev = &emit(f, ts, (unsigned int)t->cpu, id, LAB_EV_EPOLL_CTL)->epoll_ctl;
	ev->head.flags = flags;
	ev->epfd = epfd;
	ev->op = (uint32_t)op;
	ev->fd = fd;
	ev->data = data;
	ev->fd_type = FX_S_IFSOCK;
}

void fx_marker(struct fx *f, uint64_t ts, uint32_t id, const char *text)
{
	union lab_event *ev = emit(f, ts, (unsigned int)task_of(f, id)->cpu, id, LAB_EV_MARKER);

	memcpy(ev->marker.text, text, strnlen(text, sizeof(ev->marker.text)));
}

void fx_epoll_wait(struct fx *f, uint64_t enter, uint64_t ts, uint32_t id, int epfd,
		   const uint64_t *data, uint32_t cnt)
{
	unsigned int cpu = (unsigned int)task_of(f, id)->cpu;
	union lab_event *ev = emit(f, ts, cpu, id, LAB_EV_EPOLL_WAIT);

	ev->epoll_wait.enter_ns = enter;
	ev->epoll_wait.epfd = epfd;
	ev->epoll_wait.ready = (int32_t)cnt;
	for (uint32_t i = 0; i < cnt; i++) {
		struct lab_ev_epoll_ready *ready;

		if (i % LAB_READY_MAX == 0) {
			ev = emit(f, ts, cpu, id, LAB_EV_EPOLL_READY);
			ev->epoll_ready.epfd = epfd;
		}
		ready = &ev->epoll_ready;
		ready->ready[ready->cnt].events = 1;
		ready->ready[ready->cnt].data_lo = (uint32_t)data[i];
		ready->ready[ready->cnt++].data_hi = (uint32_t)(data[i] >> 32);
	}
}

/* ---- beginning, end and build ---- */

void fx_seed(struct fx *f, uint64_t ts, uint32_t id, uint32_t tgid, unsigned int cpu, bool on_cpu,
	     struct fx_how how)
{
	struct fx_task *t = task_of(f, id);
	struct lab_ev_task *ev = &emit(f, ts, 0, id, LAB_EV_TASK_SEED)->task;

	t->tgid = tgid;
	t->nvcsw = 100;
	t->nivcsw = 50;
	t->sum_exec_ns = 7000;
	ev->tid = t->tid;
	ev->tgid = tgid;
	ev->nvcsw = t->nvcsw;
	ev->nivcsw = t->nivcsw;
	ev->sum_exec_ns = t->sum_exec_ns;
	ev->syscall = how.syscall;
	memcpy(ev->args, how.args, sizeof(ev->args));
	ev->state = on_cpu ? 0 : how.state;
	ev->fd_type = how.fd_type;
	ev->on_cpu = on_cpu;
	ev->task_cpu = (uint16_t)cpu;
	snprintf(ev->comm, sizeof(ev->comm), "t%u", id);
	if (on_cpu) {
		take_cpu(f, ts, cpu, (int32_t)id);
		f->cpus[cpu].last_class = LAB_CPU_OURS;
	}
}

void fx_start(struct fx *f, uint64_t ts)
{
	for (unsigned int i = 0; i < f->cpu_cnt; i++) {
		f->cpus[i].cur = FX_FOREIGN(900);
		f->cpus[i].last_switch_ns = ts - 310;
		f->cpus[i].last_class = LAB_CPU_FOREIGN;
		fx_switch(f, ts - 300, i, FX_IDLE, fx_none());
	}
	fx_seed(f, ts - 200, 1, 1001, 0, false, fx_read(FX_S_IFIFO));
	fx_wake_on(f, ts, 0, 1, 0);
}

void fx_end(struct fx *f, uint64_t ts, enum trace_end_reason reason)
{
	if (reason == TRACE_END_UNKNOWN)
		return;
	for (size_t i = 0; i < f->task_cnt; i++) {
		const struct fx_task *t = &f->tasks[i];
		struct lab_ev_task_total total = {
			.head = { .ts_ns = t->last_out_ns, .task = t->id,
				  .kind = LAB_EV_TASK_TOTAL },
			.switch_outs = t->outs,
			.nvcsw = t->nvcsw,
			.nivcsw = t->nivcsw,
			.sum_exec_ns = t->outs ? t->sum_exec_ns : 0,
			.migrates = t->migrates,
			.migrations = t->migrations_at_out,
			.dead = t->dead,
		};

		fx_raw(f, &(union lab_event){ .task_total = total });
	}
	for (unsigned int i = 0; i < f->cpu_cnt; i++)
		fx_raw(f, &(union lab_event){ .cpu_total = {
			.head = { .cpu = (uint16_t)i, .kind = LAB_EV_CPU_TOTAL },
			.seq_end = f->cpus[i].seq,
		} });
	f->end = (struct trace_end){
		.reason = reason,
		.end_ns = ts,
		.root_reaped = reason == TRACE_END_EXIT,
		.births = f->task_cnt,
	};
	f->ended = true;
}

static int event_cmp(const void *a, const void *b)
{
	const struct lab_ev_head *x = *(const struct lab_ev_head *const *)a;
	const struct lab_ev_head *y = *(const struct lab_ev_head *const *)b;

	if (x->ts_ns != y->ts_ns)
		return x->ts_ns < y->ts_ns ? -1 : 1;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return x < y ? -1 : x > y;
}

void fx_symbols(struct fx *f, const struct trace_symbols *symbols)
{
	f->symbols = symbols;
}

int fx_build(struct fx *f, struct model *m)
{
	struct model_builder *b = model_builder_new(&f->meta);
	const union lab_event **order = xcalloc(f->event_cnt + 1, sizeof(*order));
	int err;

	for (size_t i = 0; i < f->event_cnt; i++)
		order[i] = &f->events[i];
	qsort(order, f->event_cnt, sizeof(*order), event_cmp);
	for (size_t i = 0; i < f->event_cnt; i++)
		model_builder_feed(b, order[i]);
	model_builder_symbols(b, f->symbols);
	err = model_builder_finish(b, f->ended ? &f->end : NULL,
				   f->ended ? "" : "the end is missing", m);
	model_builder_free(b);
	free(order);
	return err;
}

const struct model_span *fx_span(const struct model *m, uint32_t id, size_t nth)
{
	const struct model_task *t = model_task(m, id);

	return t && nth < t->span_cnt ? &t->spans[nth] : NULL;
}
