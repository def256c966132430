/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two implementations, one answer: what lab stores about a schedule, the checker must prove,
 * to the nanosecond; what lab calls inconclusive it must leave undecided.
 */
#include "verify_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model_fixture.h"
#include "trace_fixture.h"
#include "util/alloc.h"
#include "util/minmax.h"

struct tally {
	unsigned int class[CLASS_INCONCLUSIVE + 1];
};

/* The trace is @v's; nothing of it is changed. */
static void agree(const struct vfx *v, uint64_t seed, struct tally *tally)
{
	struct vfx_verdict verdict;
	enum verify_result want, got;
	int fd = vfx_write(v);
	char *text;

	vfx_judge(fd, false, &verdict);
	REQUIRE(verdict.exists);
	vfx_certify(fd, verdict.lines);
	want = verdict.class == CLASS_INCONCLUSIVE ? VERIFY_NOTHING : VERIFY_PROVEN;
	got = vfx_verify(fd, &text);
	if (got != want)
		unit_failed(__FILE__, __LINE__, "seed %llu: %s, and the checker says %d:\n%s%s",
			    (unsigned long long)seed, verdict_class_name(verdict.class), got, text,
			    verdict.lines);
	tally->class[verdict.class]++;
	free(text);
	vfx_verdict_release(&verdict);
	close(fd);
}

static void show(const struct tally *t)
{
	printf("# parallel %u, concurrent %u, sequential %u, inconclusive %u\n",
	       t->class[CLASS_PARALLEL], t->class[CLASS_CONCURRENT], t->class[CLASS_SEQUENTIAL],
	       t->class[CLASS_INCONCLUSIVE]);
}

static unsigned int seeds(unsigned int usual)
{
	const char *asked = getenv("LAB_VERIFY_SEEDS");

	return asked ? (unsigned int)strtoul(asked, NULL, 10) : usual;
}

static struct schedule *schedule(uint64_t seed)
{
	struct schedule_options opt;

	schedule_options(&opt, seed);
	return schedule_make(&opt);
}

/* What is done to a random schedule's trace; NULL: nothing. */
typedef void change_fn(struct vfx *v, struct schedule *s, uint64_t seed, uint64_t *rng);

static struct tally agree_on_schedules(unsigned int usual, change_fn *change)
{
	struct tally tally = { 0 };

	for (uint64_t seed = 1; seed <= seeds(usual); seed++) {
		uint64_t rng = seed * 0x9e3779b97f4a7c15;
		struct schedule *s = schedule(seed);
		struct vfx v;

		vfx_take(&v, s);
		if (change)
			change(&v, s, seed, &rng);
		agree(&v, seed, &tally);
		vfx_release(&v);
		schedule_free(s);
	}
	show(&tally);
	return tally;
}

TEST(verify_agrees_on_random_schedules)
{
	struct tally tally = agree_on_schedules(1200, NULL);

	CHECK(tally.class[CLASS_PARALLEL] && tally.class[CLASS_CONCURRENT] &&
	      tally.class[CLASS_SEQUENTIAL]);
}

/* ---- waits of every kind, event loops, programs that change ---- */

/* Calls of both tables, and one of neither. */
static const int32_t calls[] = {
	0, 1, 7, 17, 23, 35, 40, 42, 43, 44, 56, 58, 61, 74, 82, 102, 114, 128, 130, 142, 162, 177,
	190, 202, 202, 202, 202, 208, 230, 232, 240, 247, 256, 270, 277, 281, 284, 288, 306, 308,
	333, 364, 407, 413, 422, 426, 435, 441, 449, 455, 999, 65, 69, 72, 73, 143, 220, 221, 243,
	280, 401, 418, LAB_SYSCALL_NONE,
};

static const uint32_t states[] = {
	LAB_STATE_INTERRUPTIBLE, LAB_STATE_INTERRUPTIBLE, LAB_STATE_INTERRUPTIBLE,
	LAB_STATE_INTERRUPTIBLE | LAB_STATE_FREEZABLE, LAB_STATE_UNINTERRUPTIBLE,
	LAB_STATE_UNINTERRUPTIBLE | LAB_STATE_WAKEKILL,
	LAB_STATE_UNINTERRUPTIBLE | LAB_STATE_WAKEKILL | LAB_STATE_FREEZABLE, LAB_STATE_STOPPED,
	LAB_STATE_TRACED, LAB_STATE_FROZEN, 0x400,
};

#define PICK(array, seed) ((array)[fixture_random(seed) % ARRAY_SIZE(array)])

static void any_sleep(struct lab_ev_switch_out *ev, uint64_t *seed)
{
	static const uint64_t ops[] = { 0, 128, 9 | 128, 9, 6 | 128, 13 | 128, 11 | 128, 1, 5 };
	static const uint8_t flags[] = { 0, 0, 0, 0, LAB_F_IOWAIT, LAB_F_COMPAT, LAB_F_WORKER };

	if (!ev->prev_state || ev->prev_state & LAB_STATE_DEAD || ev->head.flags & LAB_F_PREEMPT)
		return;
	ev->prev_state = PICK(states, seed);
	ev->head.flags = PICK(flags, seed);
	ev->syscall = PICK(calls, seed);
	ev->args[0] = 0x1000 + 4 * (fixture_random(seed) % 6);
	ev->args[1] = PICK(ops, seed);
	ev->args[2] = fixture_random(seed) % 3 ? fixture_random(seed) % 4 :
		      fixture_random(seed) % 2 ? 1001 + fixture_random(seed) % 5 :
					       0x80000000u |
					       (1001 + (uint32_t)fixture_random(seed) % 5);
	ev->futex_owner = fixture_random(seed) % 4 ? 0 : 1001 + (uint32_t)fixture_random(seed) % 5;
	ev->fd_type = (uint8_t)(fixture_random(seed) % 13);
	ev->fd_flags = fixture_random(seed) % 3 ? 0 : LAB_FUTEX_NO_LIMIT;
	if (ev->head.flags & LAB_F_WORKER && fixture_random(seed) % 2) {
		ev->fd_type = LAB_FD_REQUEST;
		ev->syscall = fixture_random(seed) % 4 ? LAB_SYSCALL_NONE : ev->syscall;
	}
}

static void any_waking(struct lab_ev_waking *ev, uint64_t *seed)
{
	static const uint8_t flags[] = {
		0, 0, 0, 0, LAB_F_HARDIRQ, LAB_F_SOFTIRQ, LAB_F_WAKER_EXITING,
		LAB_F_CTX_UNKNOWN, LAB_F_CTX_UNKNOWN | LAB_F_WAKER_EXITING
	};

	ev->head.flags = PICK(flags, seed) | (fixture_random(seed) % 4 ? 0 : LAB_F_WAKES_MANY);
	ev->waker_syscall = PICK(calls, seed);
	ev->waker_arg0 = 0x1000 + 4 * (fixture_random(seed) % 6);
	if (fixture_random(seed) % 3 == 0)
		ev->waker_id = 1 + (uint32_t)(fixture_random(seed) % 30);
	if (fixture_random(seed) % 5 == 0)
		ev->waker_tid = 0;
}

/* A record of an event loop, or a new program, of the same task at the same place. */
static void any_other(union lab_event *ev, uint64_t *seed)
{
	static const uint8_t kinds[] = {
		LAB_EV_EPOLL_CTL, LAB_EV_EPOLL_CTL, LAB_EV_EPOLL_READY, LAB_EV_EPOLL_READY,
		LAB_EV_EPOLL_READY, LAB_EV_EPOLL_WAIT, LAB_EV_EXEC, LAB_EV_RENAME, LAB_EV_EXIT,
		LAB_EV_MARKER, LAB_EV_MARKER
	};
	static const char *const marks[] = {
		"begin:1:a", "begin:1:a", "begin:2:", "begin:2", "begin:1.1:part",
		"begin:2.x.y:part", "suspend:1", "resume:1", "end:1", "end:2", "end:1.1",
		"end:2.x.y", "end:none", "begin::x", "begin", "", "end:1:more",
		"begin:a longer name than eight bytes:x", "end:a longer name than eight bytes",
	};
	static const uint8_t fd_types[] = {
		12, 12, 12, LAB_FD_OWN_END, LAB_FD_OWN_END, LAB_FD_EVENTFD, LAB_FD_TIMERFD,
		LAB_FD_TICK
	};
	struct lab_ev_head head = ev->head;

	memset(ev, 0, sizeof(*ev));
	ev->head = (struct lab_ev_head){
		.ts_ns = head.ts_ns, .seq = head.seq, .cpu = head.cpu, .task = head.task,
		.kind = PICK(kinds, seed),
		.flags = fixture_random(seed) % 8 == 0,
	};
	if (ev->head.kind == LAB_EV_EXEC) {
		ev->exec.tid = 1001 + (uint32_t)(fixture_random(seed) % 6);
	} else if (ev->head.kind == LAB_EV_MARKER) {
		const char *mark = PICK(marks, seed);

		memcpy(ev->marker.text, mark, strlen(mark));
	} else if (ev->head.kind == LAB_EV_EPOLL_CTL) {
		ev->epoll_ctl.epfd = 3 + (int32_t)(fixture_random(seed) % 2);
		ev->epoll_ctl.fd = 4 + (int32_t)(fixture_random(seed) % 5);
		ev->epoll_ctl.op = (uint32_t)(fixture_random(seed) % 4);
		ev->epoll_ctl.data = fixture_random(seed) % 5;
		ev->epoll_ctl.fd_type = PICK(fd_types, seed);
	} else if (ev->head.kind == LAB_EV_EPOLL_READY) {
		ev->epoll_ready.epfd = 3 + (int32_t)(fixture_random(seed) % 2);
		ev->epoll_ready.cnt = 1 + (uint32_t)(fixture_random(seed) % 18);
		for (int i = 0; i < LAB_READY_MAX; i++)
			ev->epoll_ready.ready[i].data_lo = (uint32_t)(fixture_random(seed) % 5);
	}
}

static bool is_total(const union lab_event *ev)
{
	return ev->head.kind == LAB_EV_TASK_TOTAL || ev->head.kind == LAB_EV_CPU_TOTAL;
}

/* In order of time, and numbered anew. */
static void renumber(struct vfx *v)
{
	static uint64_t seq[TRACE_CPUS_MAX];

	memset(seq, 0, sizeof(seq));
	fixture_sort(v->events, v->cnt);
	for (size_t i = 0; i < v->cnt; i++)
		if (!is_total(&v->events[i]))
			v->events[i].head.seq = seq[v->events[i].head.cpu]++;
	for (size_t i = 0; i < v->cnt; i++)
		if (v->events[i].head.kind == LAB_EV_CPU_TOTAL)
			v->events[i].cpu_total.seq_end = seq[v->events[i].head.cpu];
}

/*
 * Of a program that was running when it was attached to: read after some of its records were made,
 * or before.
 */
static void any_seed(struct lab_ev_task *ev, uint64_t *seed)
{
	if (fixture_random(seed) % 4)
		return;
	ev->head.ts_ns += fixture_random(seed) % 20000;
	ev->nvcsw += fixture_random(seed) % 3;
	ev->sum_exec_ns += fixture_random(seed) % 3 * 1000;
	ev->on_cpu = fixture_random(seed) % 2;
}

static void vary(struct vfx *v, uint64_t *seed)
{
	size_t cnt = v->cnt;

	for (size_t i = 0; i < cnt; i++) {
		union lab_event ev = v->events[i];

		if (ev.head.kind == LAB_EV_SWITCH_OUT)
			any_sleep(&v->events[i].switch_out, seed);
		else if (ev.head.kind == LAB_EV_WAKING)
			any_waking(&v->events[i].waking, seed);
		else if (ev.head.kind == LAB_EV_TASK_SEED)
			any_seed(&v->events[i].task, seed);
		if (ev.head.kind == LAB_EV_CPU_TOTAL && fixture_random(seed) % 30 == 0) {
			ev.cpu_total.refused = fixture_random(seed) % 2;
			*vec_push(v->events, v->cnt, v->cap) = ev;
		}
		if (is_total(&ev) || !ev.head.task || fixture_random(seed) % 4)
			continue;
		any_other(&ev, seed);
		*vec_push(v->events, v->cnt, v->cap) = ev;
	}
	renumber(v);
}

static void vary_circumstances(struct schedule *s, uint64_t *seed)
{
	struct trace_meta *meta = &s->meta;
	uint32_t cnt = (uint32_t)(fixture_random(seed) % 4);

	if (fixture_random(seed) % 5 == 0) {
		meta->attach_tgid = 1001;
		meta->armed_ns = 9000 + fixture_random(seed) % 3000;
	}
	free(meta->clock_pairs);
	meta->clock_pairs = xcalloc(cnt + 1, sizeof(*meta->clock_pairs));
	meta->clock_pair_cnt = cnt;
	for (uint32_t i = 0; i < cnt; i++)
		meta->clock_pairs[i] = (struct trace_clock_pair){
			(uint16_t)(fixture_random(seed) % 8), (uint16_t)(fixture_random(seed) % 8),
			(uint32_t)(fixture_random(seed) % 500)
		};
	s->end.ready_unseen = fixture_random(seed) % 20 == 0;
	if (meta->cpus_usable_cnt > 1 && fixture_random(seed) % 3 == 0)
		meta->cpus_usable_cnt--;
}

static void vary_all(struct vfx *v, struct schedule *s, uint64_t seed, uint64_t *rng)
{
	(void)seed;
	vary_circumstances(s, rng);
	vary(v, rng);
}

TEST(verify_agrees_on_every_kind_of_wait)
{
	struct tally tally = agree_on_schedules(1200, vary_all);

	CHECK(tally.class[CLASS_PARALLEL] && tally.class[CLASS_CONCURRENT] &&
	      tally.class[CLASS_SEQUENTIAL] && tally.class[CLASS_INCONCLUSIVE]);
}

/* ---- sleeps in futexes: which of a task's waits at a word are sleeps ---- */

static void sleep_in_futex(struct lab_ev_switch_out *ev, uint64_t *seed)
{
	if (!ev->prev_state || ev->prev_state & LAB_STATE_DEAD || ev->head.flags & LAB_F_PREEMPT)
		return;
	ev->prev_state = LAB_STATE_INTERRUPTIBLE;
	ev->head.flags = 0;
	ev->syscall = 202;
	ev->args[0] = 0x1000 + 4 * (fixture_random(seed) % 3);
	ev->args[1] = 128;
	ev->args[2] = 0;
	ev->futex_owner = 0;
	ev->fd_flags = fixture_random(seed) % 8 ? 0 : LAB_FUTEX_NO_LIMIT;
}

/* Some gaps between records become so long that a wait without one is none to a wait with one. */
static void stretch_time(struct vfx *v, struct schedule *s, uint64_t *seed)
{
	uint64_t before_ns = 0, now_ns = 0;

	for (size_t i = 0; i < v->cnt; i++) {
		struct lab_ev_head *head = &v->events[i].head;

		if (!before_ns)
			now_ns = before_ns = head->ts_ns;
		now_ns += (head->ts_ns - before_ns) * (fixture_random(seed) % 4 ? 1 : 100);
		before_ns = head->ts_ns;
		head->ts_ns = now_ns;
	}
	s->end.end_ns = now_ns + 1;
}

/* No probe sees every fourth waking, and no number is missing for it. */
static void hide_wakings(struct vfx *v, uint64_t *seed)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->cnt; i++)
		if (v->events[i].head.kind != LAB_EV_WAKING || fixture_random(seed) % 4)
			v->events[kept++] = v->events[i];
	v->cnt = kept;
	renumber(v);
}

static void sleep_in_futexes(struct vfx *v, struct schedule *s, uint64_t seed, uint64_t *rng)
{
	for (size_t i = 0; i < v->cnt; i++) {
		if (v->events[i].head.kind == LAB_EV_SWITCH_OUT)
			sleep_in_futex(&v->events[i].switch_out, rng);
		else if (v->events[i].head.kind == LAB_EV_WAKING)
			v->events[i].head.flags = fixture_random(rng) % 3 ? LAB_F_HARDIRQ : 0;
	}
	if (seed % 2)
		hide_wakings(v, rng);
	stretch_time(v, s, rng);
}

TEST(verify_agrees_on_sleeps_in_futexes)
{
	struct tally tally = agree_on_schedules(1200, sleep_in_futexes);

	CHECK(tally.class[CLASS_PARALLEL] && tally.class[CLASS_CONCURRENT] &&
	      tally.class[CLASS_SEQUENTIAL]);
}

static void wait_in_futex(struct fx *f, uint64_t at, bool limited)
{
	fx_switch(f, at, 1, FX_IDLE, fx_futex(0x50, FX_FUTEX_WAIT, 0));
	fx_last(f)->switch_out.fd_flags = limited ? 0 : LAB_FUTEX_NO_LIMIT;
}

/*
 * Root computes. Its thread sleeps at a word some times, mostly for one time, and root wakes it in
 * some of its waits there, mostly in the last, mostly at once: at the edges of what makes a sleep
 * doubtful.
 */
static struct fx *periodic_thread(uint64_t *rng)
{
	const uint64_t shorts_ns[] = { 400, 499, 500, 501, 50000 },
		       longs_ns[] = { 0, 0, 0, 2499, 2500, 9000 };
	size_t cnt = 1 + fixture_random(rng) % 4, odd = fixture_random(rng) % 8;
	struct fx *f = fx_new(2);
	uint64_t at = 1200;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1100, 1, 2, FX_THREAD, 1);
	fx_switch(f, 1120, 1, 2, fx_none());
	for (size_t i = 0; i <= cnt + (odd == 1); i++, at += 20) {
		bool woken = i >= cnt || i == odd;

		wait_in_futex(f, at, fixture_random(rng) % 16);
		at += woken ? shorts_ns[fixture_random(rng) % ARRAY_SIZE(shorts_ns)] :
			      50000 + longs_ns[fixture_random(rng) % ARRAY_SIZE(longs_ns)];
		if (woken)
			fx_wake(f, at, 1, 2);
		else
			fx_wake_on(f, at, 1, 2, LAB_F_HARDIRQ);
		fx_switch(f, at + 10, 1, 2, fx_none());
	}
	fx_exit(f, at + 10, 2, FX_IDLE);
	fx_exit(f, at + 60, 1, FX_IDLE);
	fx_end(f, at + 100, TRACE_END_EXIT);
	return f;
}

static struct tally agree_on_fixtures(unsigned int usual, struct fx *make(uint64_t *rng))
{
	struct tally tally = { 0 };

	for (uint64_t seed = 1; seed <= seeds(usual); seed++) {
		uint64_t rng = seed * 0x9e3779b97f4a7c15;
		struct fx *f = make(&rng);
		struct vfx v = { .meta = fx_meta(f), .end = fx_end_of(f) }, own = { 0 };

		v.events = fx_events(f, &v.cnt);
		vfx_copy(&own, &v);
		agree(&own, seed, &tally);
		vfx_release(&own);
		fx_free(f);
	}
	show(&tally);
	return tally;
}

TEST(verify_agrees_on_periodic_threads)
{
	struct tally tally = agree_on_fixtures(1500, periodic_thread);

	CHECK(tally.class[CLASS_CONCURRENT] && tally.class[CLASS_SEQUENTIAL] &&
	      tally.class[CLASS_INCONCLUSIVE]);
}

/* ---- wakings that come too late ---- */

/*
 * The root and a thread wake each other, mostly across CPUs. Some of the wakings are stamped a long
 * time after the runs that they made possible, and some of the others are missing: about as many as
 * the check bears.
 */
static struct fx *late_wakings(uint64_t *rng)
{
	unsigned int cnt = 1 + fixture_random(rng) % 30, late_part = 1 + fixture_random(rng) % 16;
	struct fx *f = fx_new(3);
	struct trace_meta *meta = fx_meta(f);
	uint64_t ts = 100000;

	free(meta->clock_pairs);
	meta->clock_pairs = xcalloc(1, sizeof(*meta->clock_pairs));
	meta->clock_pairs[0] = (struct trace_clock_pair){ 0, 1, 500 };
	meta->clock_pair_cnt = 1;
	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_THREAD, 1);
	fx_switch(f, 1040, 1, 2, fx_none());
	for (unsigned int i = 0; i < cnt; i++, ts += 100000) {
		unsigned int how = (unsigned int)(fixture_random(rng) % late_part);
		uint64_t late_ns = how ? 0 : 20 + (fixture_random(rng) % 3) * 500;

		fx_switch(f, ts, 0, FX_IDLE, fx_call(FX_NR_POLL, 0));
		if (how == 1 && fixture_random(rng) % 4 == 0)
			; /* hidden */
		else if (fixture_random(rng) % 8)
			fx_wake(f, ts + 1000 + late_ns, 2, 1);
		else
			fx_wake_on(f, ts + 1000, 0, 1, LAB_F_HARDIRQ);
		fx_switch(f, ts + 1010, 0, 1, fx_none());
	}
	fx_exit(f, ts, 2, FX_IDLE);
	fx_exit(f, ts + 10, 1, FX_IDLE);
	fx_end(f, ts + 100, TRACE_END_EXIT);
	return f;
}

TEST(verify_agrees_on_late_wakings)
{
	struct tally tally = agree_on_fixtures(1500, late_wakings);

	CHECK(tally.class[CLASS_PARALLEL] && tally.class[CLASS_INCONCLUSIVE]);
}

/* ---- records that found no room ---- */

static bool can_go(const union lab_event *ev)
{
	return !is_total(ev) && ev->head.kind != LAB_EV_TASK_SEED;
}

/* Take a run of records of one CPU out, and count them as refused. */
static void lose(struct vfx *v, uint64_t *seed)
{
	size_t from = fixture_random(seed) % v->cnt, kept = 0;
	uint64_t left = 1 + fixture_random(seed) % (fixture_random(seed) % 2 ? 2 : 20), lost = 0;
	uint16_t cpu = v->events[from].head.cpu;

	for (size_t i = 0; i < v->cnt; i++) {
		const union lab_event *ev = &v->events[i];

		if (i >= from && left && ev->head.cpu == cpu && can_go(ev)) {
			left--;
			lost++;
			continue;
		}
		v->events[kept++] = *ev;
	}
	v->cnt = kept;
	for (size_t i = 0; i < v->cnt; i++)
		if (v->events[i].head.kind == LAB_EV_CPU_TOTAL && v->events[i].head.cpu == cpu)
			v->events[i].cpu_total.refused += lost;
}

static void lose_some(struct vfx *v, struct schedule *s, uint64_t seed, uint64_t *rng)
{
	if (seed % 4 == 1)
		vary(v, rng);
	else
		renumber(v);
	for (uint64_t i = 0; i <= seed % 3; i++)
		lose(v, rng);
	if (seed % 7 == 0)
		s->end.recursion_misses = 1;
}

TEST(verify_agrees_on_what_is_left_after_loss)
{
	struct tally tally = agree_on_schedules(1500, lose_some);

	CHECK(tally.class[CLASS_PARALLEL] && tally.class[CLASS_INCONCLUSIVE]);
}

TEST(verify_agrees_on_real_traces_after_loss)
{
	static const char *const traces[] = {
		"docs/samples/procs.lab", "tests/fixtures/pipe.lab",
		"tests/fixtures/threads-lock.lab", "tests/fixtures/sequential.lab",
		"tests/fixtures/quota.lab", "tests/fixtures/async.lab",
	};
	uint64_t rng = 77;

	for (size_t i = 0; i < ARRAY_SIZE(traces); i++) {
		struct tally tally = { 0 };
		struct vfx whole, v = { 0 };

		vfx_read(&whole, traces[i]);
		agree(&whole, 0, &tally);
		for (unsigned int trial = 1; trial <= seeds(200); trial++) {
			vfx_copy(&v, &whole);
			for (uint64_t k = 0; k <= trial % 3; k++)
				lose(&v, &rng);
			agree(&v, trial, &tally);
		}
		printf("# %s\n", traces[i]);
		show(&tally);
		vfx_release(&v);
		vfx_release(&whole);
	}
}
