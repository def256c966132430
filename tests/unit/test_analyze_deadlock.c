/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "analyze_fixture.h"
#include "model/futex.h"
#include "unit.h"
#include "util/alloc.h"

#define MS AFX_MS
#define LOCK_A 0x1000ULL
#define LOCK_B 0x2000ULL
#define LOCK_C 0x3000ULL

#define TID(id) (100 + (id))	/* as afx_task() gives them */

/* The nth span of task @id is a wait at @addr for what @owner (a birth number, 0: unknown) has. */
static struct model_span *waits_for(struct afx *f, uint32_t id, size_t nth, uint64_t addr,
				    uint32_t owner)
{
	struct model_span *s = afx_span(f, id - 1, nth);
	struct model_task *t = &f->m.tasks[id - 1];

	CHECK_EQ(s->state, SPAN_BLOCKED);
	s->flags |= SPAN_FUTEX;
	s->addr = addr;
	s->mm_id = 1;
	if (s->start_ns >= t->wait_start_ns) {
		t->wait_start_ns = s->start_ns;
		t->wait_val = 2;
		t->wait_owner_tid = owner ? TID(owner) : 0;
	}
	return s;
}

/* Tasks that are alive at the cut; their last spans went on beyond it. */
static void cut(struct afx *f)
{
	f->m.end.reason = TRACE_END_FOR;
	for (size_t i = 0; i < f->m.task_cnt; i++) {
		struct model_task *t = &f->m.tasks[i];

		if (t->end_ns != f->m.end_ns)
			continue;
		t->alive = true;
		t->spans[t->span_cnt - 1].flags |= SPAN_CUT_END;
	}
}

/* 1 has A and wants B; 2 has B and wants A. */
static void crosswise(struct afx *f)
{
	afx_init(f, 2, MS, 10);
	afx_task(f, 0, "000LLLLLLL");
	afx_task(f, 0, "1111LLLLLL");
	waits_for(f, 1, 1, LOCK_B, 2);
	waits_for(f, 2, 1, LOCK_A, 1);
	cut(f);
}

static bool is_present(struct afx *f)
{
	afx_compute(f);
	CHECK(f->r.deadlock.known);
	CHECK_EQ(f->r.deadlock.present, f->r.deadlock.wait_cnt > 0);
	CHECK_EQ(f->r.deadlock.present, f->r.deadlock.circles > 0);
	return f->r.deadlock.present;
}

TEST(analyze_deadlock_of_two)
{
	const struct report_deadlock *d;
	struct afx f;

	crosswise(&f);
	REQUIRE(is_present(&f));
	d = &f.r.deadlock;
	REQUIRE(d->wait_cnt == 2);
	CHECK_EQ(d->since_ns, AFX_START_NS + 4 * MS);
	CHECK_EQ(d->circles, 1);
	CHECK_EQ(d->behind_cnt, 0);
	CHECK_EQ(d->waits[0].task_id, 1);
	CHECK_EQ(d->waits[0].owner_id, 2);
	CHECK_EQ(d->waits[0].addr, LOCK_B);
	CHECK_EQ(d->waits[0].start_ns, AFX_START_NS + 3 * MS);
	CHECK_EQ(d->waits[0].evidence, EVIDENCE_LIBRARY);
	CHECK_EQ(d->waits[1].task_id, 2);
	CHECK_EQ(d->waits[1].owner_id, 1);
	CHECK_EQ(d->waits[1].addr, LOCK_A);

	f.m.tasks[0].wait_val = FUTEX_VAL_WAITERS | TID(2);
	afx_span(&f, 1, 1)->futex_op = FUTEX_OP_LOCK_PI;
	REQUIRE(is_present(&f));
	CHECK_EQ(d->waits[0].evidence, EVIDENCE_VALUE);
	CHECK_EQ(d->waits[1].evidence, EVIDENCE_PI);
	afx_release(&f);
}

TEST(analyze_deadlock_takes_a_known_owner_who_waits_too)
{
	struct afx f;

	crosswise(&f);
	f.m.tasks[0].wait_owner_tid = 0;
	CHECK(!is_present(&f));
	f.m.tasks[0].wait_owner_tid = 4711;	/* nobody's */
	CHECK(!is_present(&f));
	f.m.tasks[0].wait_owner_tid = TID(2);
	CHECK(is_present(&f));
	f.m.tasks[1].mm_id = 2;			/* no thread that shares the lock's memory */
	CHECK(!is_present(&f));
	f.m.tasks[1].mm_id = 1;
	afx_span(&f, 0, 1)->reason = REASON_COND;
	CHECK(!is_present(&f));
	afx_release(&f);

	afx_init(&f, 2, MS, 10);
	afx_task(&f, 0, "000LLLLLLL");
	afx_task(&f, 0, "1111LLLL11");		/* 2 goes on; 1 may get it */
	waits_for(&f, 1, 1, LOCK_B, 2);
	waits_for(&f, 2, 1, LOCK_A, 1);
	cut(&f);
	CHECK(!is_present(&f));
	afx_release(&f);

	afx_init(&f, 2, MS, 10);
	afx_task(&f, 0, "000LLLLLLL");
	afx_task(&f, 0, "1111SSSSSS");		/* 2 sleeps, which will end */
	waits_for(&f, 1, 1, LOCK_B, 2);
	cut(&f);
	CHECK(!is_present(&f));
	afx_release(&f);
}

TEST(analyze_deadlock_that_the_end_of_the_process_breaks_off)
{
	static const char *const lives[] = { "000LLLL.0", "000LLLL0K0", "000LLLL|.0D0" };

	for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		struct model_span *a, *b;
		struct afx f;

		afx_init(&f, 2, MS, 12);
		afx_task(&f, 0, lives[i]);
		afx_task(&f, 0, "1111LLL.1");
		a = waits_for(&f, 1, 1, LOCK_B, 2);
		b = waits_for(&f, 2, 1, LOCK_A, 1);
		a->flags |= SPAN_WOKEN_BY_SIGNAL;
		b->flags |= SPAN_WOKEN_BY_SIGNAL;
		CHECK(is_present(&f));

		/* A timer's end, or a wake, is no end of the process. */
		a->flags ^= SPAN_WOKEN_BY_SIGNAL | SPAN_WOKEN_BY_IRQ;
		CHECK(!is_present(&f));
		a->flags &= ~SPAN_WOKEN_BY_IRQ;
		CHECK(!is_present(&f));
		a->flags |= SPAN_WOKEN_BY_SIGNAL;
		CHECK(is_present(&f));

		/* It is alive: it handled the signal. */
		f.m.tasks[0].alive = true;
		CHECK(!is_present(&f));
		afx_release(&f);
	}
}

TEST(analyze_deadlock_of_waits_that_never_met)
{
	struct model_span *a, *b;
	struct afx f;

	/* 1 was killed before 2 began to wait for what 1 had. */
	afx_init(&f, 2, MS, 12);
	afx_task(&f, 0, "0LLL0");
	afx_task(&f, 0, "1111LLL.1");
	a = waits_for(&f, 1, 1, LOCK_B, 2);
	b = waits_for(&f, 2, 1, LOCK_A, 1);
	a->flags |= SPAN_WOKEN_BY_SIGNAL;
	b->flags |= SPAN_WOKEN_BY_SIGNAL;
	CHECK(!is_present(&f));
	afx_release(&f);
}

TEST(analyze_deadlock_with_oneself)
{
	struct afx f;

	afx_init(&f, 1, MS, 10);
	afx_task(&f, 0, "000LLLLLLL");
	waits_for(&f, 1, 1, LOCK_A, 1);
	cut(&f);
	REQUIRE(is_present(&f));
	CHECK_EQ(f.r.deadlock.wait_cnt, 1);
	CHECK_EQ(f.r.deadlock.waits[0].owner_id, 1);
	afx_release(&f);
}

/* Who joins a thread while he has what it waits for. */
TEST(analyze_deadlock_through_a_join)
{
	struct model_span *join;
	struct afx f;

	afx_init(&f, 2, MS, 10);
	afx_task(&f, 0, "00000JJJJJ");
	afx_task(&f, 0, "1111LLLLLL");
	join = waits_for(&f, 1, 1, 0x9990, 0);
	f.m.tasks[0].wait_val = TID(2);
	join->mm_id = 0;
	waits_for(&f, 2, 1, LOCK_A, 1);
	cut(&f);
	REQUIRE(is_present(&f));
	CHECK_EQ(f.r.deadlock.waits[0].evidence, EVIDENCE_JOIN);
	CHECK_EQ(f.r.deadlock.waits[0].owner_id, 2);
	f.m.tasks[0].wait_val = TID(1) + 1000;
	CHECK(!is_present(&f));
	afx_release(&f);
}

TEST(analyze_deadlock_others_behind_it)
{
	struct afx f;

	/* 5 waits for A as well, 4 for what 5 has; 6 for what a running task has. */
	afx_init(&f, 8, MS, 10);
	afx_task(&f, 0, "000LLLLLLL");
	afx_task(&f, 0, "1111LLLLLL");
	afx_task(&f, 0, "2222222222");
	afx_task(&f, 0, "33LLLLLLLL");
	afx_task(&f, 0, "44444LLLLL");
	afx_task(&f, 0, "55LLLLLLLL");
	waits_for(&f, 1, 1, LOCK_B, 2);
	waits_for(&f, 2, 1, LOCK_A, 1);
	waits_for(&f, 4, 1, LOCK_C, 5);
	waits_for(&f, 5, 1, LOCK_A, 1);
	waits_for(&f, 6, 1, 0x7770, 3);
	cut(&f);
	REQUIRE(is_present(&f));
	CHECK_EQ(f.r.deadlock.wait_cnt, 2);
	CHECK_EQ(f.r.deadlock.behind_cnt, 2);
	CHECK_EQ(f.r.deadlock.circles, 1);
	afx_release(&f);
}

TEST(analyze_deadlock_two_circles)
{
	struct afx f;

	afx_init(&f, 4, MS, 10);
	for (char c = '0'; c < '5'; c++) {
		char life[] = "0000LLLLLL";

		memset(life, c, 4);
		afx_task(&f, 0, life);
	}
	waits_for(&f, 5, 1, LOCK_A, 4);
	waits_for(&f, 4, 1, LOCK_B, 5);
	waits_for(&f, 3, 1, LOCK_C, 1);
	waits_for(&f, 1, 1, 0x4440, 2);
	waits_for(&f, 2, 1, 0x5550, 3);
	cut(&f);
	REQUIRE(is_present(&f));
	CHECK_EQ(f.r.deadlock.circles, 2);
	REQUIRE(f.r.deadlock.wait_cnt == 3);
	CHECK_EQ(f.r.deadlock.waits[0].task_id, 1);
	CHECK_EQ(f.r.deadlock.waits[1].task_id, 2);
	CHECK_EQ(f.r.deadlock.waits[2].task_id, 3);
	CHECK_EQ(f.r.deadlock.waits[2].owner_id, 1);
	afx_release(&f);
}

/* 2 let go of B and woke 3; so what 1 saw when it began to wait no longer holds. */
TEST(analyze_deadlock_after_the_lock_was_handed_on)
{
	struct model_span *s;
	struct afx f;

	afx_init(&f, 3, MS, 10);
	afx_task(&f, 0, "000LLLLLLL");
	afx_task(&f, 0, "111111LLLL");
	afx_task(&f, 0, "2LLLL22222");
	waits_for(&f, 1, 1, LOCK_B, 2);
	waits_for(&f, 2, 1, LOCK_A, 1);
	waits_for(&f, 3, 1, LOCK_B, 2)->waker_tid = TID(2);
	cut(&f);
	CHECK(!is_present(&f));

	/* The same if 3 was woken before it slept. */
	s = afx_span(&f, 2, 1);
	s->addr = LOCK_C;
	CHECK(is_present(&f));
	*vec_push(f.m.early_wakes, f.m.early_wake_cnt, f.m.early_wake_cap) =
		(struct model_early_wake){ AFX_START_NS + 5 * MS, LOCK_B, 3 };
	CHECK(!is_present(&f));
	f.m.early_wakes[0].at_ns = AFX_START_NS + 2 * MS;
	CHECK(is_present(&f));
	f.m.early_wakes[0].at_ns = AFX_START_NS + 5 * MS;
	f.m.early_wakes[0].addr = 0x7770;
	CHECK(is_present(&f));
	afx_release(&f);

	/* 3, who was woken, now waits for what 1 has. */
	afx_init(&f, 3, MS, 10);
	afx_task(&f, 0, "000LLLLLLL");
	afx_task(&f, 0, "111111SSSS");
	afx_task(&f, 0, "2LLLL22LLL");
	waits_for(&f, 1, 1, LOCK_B, 2);
	waits_for(&f, 3, 1, LOCK_B, 2);
	waits_for(&f, 3, 3, LOCK_A, 1);
	cut(&f);
	REQUIRE(is_present(&f));
	REQUIRE(f.r.deadlock.wait_cnt == 2);
	CHECK_EQ(f.r.deadlock.waits[0].owner_id, 3);
	CHECK_EQ(f.r.deadlock.waits[0].evidence, EVIDENCE_WAKE);
	CHECK_EQ(f.r.deadlock.waits[1].evidence, EVIDENCE_LIBRARY);
	/* A lock that keeps no owner may be let go of by anybody. */
	f.m.tasks[0].wait_owner_tid = 0;
	CHECK(!is_present(&f));
	afx_release(&f);
}

/* 3 was woken, but another was quicker: it waits again, and nobody knows for whom. */
TEST(analyze_deadlock_of_one_who_was_woken_in_vain)
{
	struct afx f;

	afx_init(&f, 3, MS, 10);
	afx_task(&f, 0, "000LLLLLLL");
	afx_task(&f, 0, "1111LLLLLL");
	afx_task(&f, 0, "2LLLL2LL2L");
	waits_for(&f, 1, 1, LOCK_B, 2);
	waits_for(&f, 2, 1, LOCK_C, 1);
	waits_for(&f, 3, 1, LOCK_B, 2);
	waits_for(&f, 3, 3, LOCK_B, 0)->flags |= SPAN_WOKEN_BY_IRQ;	/* it gave up */
	waits_for(&f, 3, 5, LOCK_A, 1);
	cut(&f);
	CHECK(!is_present(&f));
	afx_span(&f, 2, 3)->addr = LOCK_C;
	CHECK(is_present(&f));
	afx_release(&f);
}

/* A tid recurs: the owner is the thread that had it when the wait began. */
TEST(analyze_deadlock_of_a_tid_that_recurs)
{
	struct afx f;

	afx_init(&f, 2, MS, 10);
	afx_task(&f, 0, "00000LLLLL");
	afx_task(&f, 0, "111");
	afx_task(&f, 4, "1LLLLL");
	waits_for(&f, 1, 1, LOCK_B, 2);
	waits_for(&f, 3, 1, LOCK_A, 1);
	cut(&f);
	CHECK(!is_present(&f));		/* 2 had ended */
	f.m.tasks[2].tid = TID(2);
	CHECK(is_present(&f));
	f.m.tasks[2].start_ns = AFX_START_NS + 6 * MS;
	CHECK(!is_present(&f));
	afx_release(&f);
}

/* Two processes with a lock of their own at one address, which the trace shows as one. */
TEST(analyze_deadlock_of_locks_at_one_shared_address)
{
	struct afx f;

	afx_init(&f, 4, MS, 10);
	afx_task(&f, 0, "000LLLLLLL");
	afx_task(&f, 0, "1111SSSSSS");
	afx_task(&f, 0, "22222LLLLL");
	afx_task(&f, 0, "33333LLLLL");
	waits_for(&f, 1, 1, LOCK_A, 2)->mm_id = 0;
	waits_for(&f, 3, 1, LOCK_A, 4)->mm_id = 0;
	waits_for(&f, 4, 1, LOCK_B, 1)->mm_id = 0;
	for (size_t i = 2; i < 4; i++)
		f.m.tasks[i].tgid = 103;
	cut(&f);
	CHECK(!is_present(&f));

	/* Nor is who was woken in one process the owner of the lock in the other. */
	*vec_push(f.m.early_wakes, f.m.early_wake_cnt, f.m.early_wake_cap) =
		(struct model_early_wake){ AFX_START_NS + 4 * MS, LOCK_A, 4 };
	CHECK(!is_present(&f));
	f.m.early_wakes[0].at_ns = AFX_START_NS + 6 * MS;
	CHECK(!is_present(&f));
	f.m.tasks[3].tgid = 101;
	CHECK(is_present(&f));
	afx_release(&f);
}

TEST(analyze_deadlock_is_not_told_from_a_trace_with_loss)
{
	struct afx f;

	crosswise(&f);
	f.m.dropped = 1;
	f.m.meta.claim = (struct claim){
		.class = CLASS_SEQUENTIAL, .at_least = true, .deadlock = true,
	};
	afx_compute(&f);
	CHECK(!f.r.deadlock.known && !f.r.deadlock.present);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_UNDECIDED);
	f.m.dropped = 0;
	afx_compute(&f);
	CHECK(f.r.deadlock.known && f.r.deadlock.present);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_YES);
	f.m.tasks[0].wait_owner_tid = 0;
	afx_compute(&f);
	CHECK_EQ(f.r.verdict.claim_holds, CLAIM_NO);
	CHECK_EQ(f.r.verdict.claim_fault, FAULT_DEADLOCK);
	afx_release(&f);
}

/* ---- random programs, whose locks are played through ---- */

#define TASKS 5
#define LOCKS 4
#define UNITS 16
#define WORLDS 20000

/* Within a unit of time the tasks act one after the other. */
#define AT_NS(unit, nth) ((unit) * MS + (nth) * (MS / 8))

struct play {
	uint64_t seed;
	uint64_t now_ns;		/* since the start */
	char lives[TASKS][UNITS + 1];
	unsigned int holder[LOCKS];	/* task + 1; 0: free */
	unsigned int wants[TASKS];	/* lock + 1 while it is blocked or woken; 0: none */
	struct wait {
		unsigned int task, lock, from;	/* from: unit */
		unsigned int owner;		/* task + 1 */
		uint64_t start_ns, end_ns;	/* since the start; end 0: none */
	} waits[TASKS * UNITS];
	size_t wait_cnt;
	struct model_early_wake early[TASKS * UNITS];
	size_t early_cnt;
};

static void wake_early(struct play *p, unsigned int task, unsigned int lock)
{
	p->early[p->early_cnt++] = (struct model_early_wake){
		AFX_START_NS + p->now_ns, 0x1000 * (lock + 1), task + 1,
	};
}

/* Whoever is woken tries again in its next turn, and may find that another was quicker. */
static void try_lock(struct play *p, unsigned int task, unsigned int unit)
{
	unsigned int lock = p->wants[task] - 1, holder = p->holder[lock];

	if (!holder) {
		p->holder[lock] = task + 1;
		p->wants[task] = 0;
		return;
	}
	/* The holder may let go when it is about to sleep, and does not yet. */
	if (holder != task + 1 && !p->wants[holder - 1] && !afx_random(&p->seed, 4)) {
		wake_early(p, task, lock);
		p->holder[lock] = 0;
		return;
	}
	p->lives[task][unit] = 'L';
	p->waits[p->wait_cnt++] = (struct wait){ task, lock, unit, holder, p->now_ns, 0 };
}

/* @task sleeps for @lock; if it does so since this unit only, it is woken before. */
static void wake(struct play *p, unsigned int task, unsigned int lock, unsigned int unit)
{
	size_t i = p->wait_cnt;

	while (p->waits[--i].task != task)
		;
	if (p->waits[i].from < unit) {
		p->waits[i].end_ns = p->now_ns;
		p->lives[task][unit] = '.';
		return;
	}
	p->lives[task][unit] = (char)('0' + task);
	wake_early(p, task, lock);
	memmove(&p->waits[i], &p->waits[i + 1], (--p->wait_cnt - i) * sizeof(p->waits[0]));
}

static void let_go(struct play *p, unsigned int lock, unsigned int unit)
{
	unsigned int start = afx_random(&p->seed, TASKS);

	p->holder[lock] = 0;
	for (unsigned int i = 0; i < TASKS; i++) {
		unsigned int task = (start + i) % TASKS;

		if (p->wants[task] == lock + 1 && p->lives[task][unit] == 'L') {
			wake(p, task, lock, unit);
			return;
		}
	}
}

static void act(struct play *p, unsigned int task, unsigned int unit)
{
	unsigned int lock = afx_random(&p->seed, LOCKS);

	if (p->wants[task]) {
		try_lock(p, task, unit);
	} else if (p->holder[lock] == task + 1 && afx_random(&p->seed, 32)) {
		let_go(p, lock, unit);
	} else if (!afx_random(&p->seed, 3)) {
		p->wants[task] = lock + 1;
		try_lock(p, task, unit);
	}
}

static void play(struct play *p)
{
	for (unsigned int u = 0; u < UNITS; u++) {
		/* At first all go on as before; then those that run act, in a random order. */
		for (unsigned int t = 0; t < TASKS; t++)
			p->lives[t][u] = u && p->lives[t][u - 1] == 'L' ? 'L' : (char)('0' + t);
		if (!u)
			continue;
		for (unsigned int n = 0, t = afx_random(&p->seed, TASKS); n < TASKS; n++, t++) {
			p->now_ns = AT_NS(u, n);
			if (p->lives[t % TASKS][u] == (char)('0' + t % TASKS))
				act(p, t % TASKS, u);
		}
	}
}

/* Who has what @task sleeps for; TASKS: it does not sleep, or nobody has it. */
static unsigned int blocker(const struct play *p, unsigned int task)
{
	if (!p->wants[task] || p->lives[task][UNITS - 1] != 'L' || !p->holder[p->wants[task] - 1])
		return TASKS;
	return p->holder[p->wants[task] - 1] - 1;
}

/* True if @task is on a circle of those who want what the next holds. */
static bool is_in_circle(const struct play *p, unsigned int task)
{
	unsigned int at = blocker(p, task);

	for (unsigned int i = 0; i < TASKS && at != TASKS && at != task; i++)
		at = blocker(p, at);
	return at == task;
}

static bool is_behind_circle(const struct play *p, unsigned int task)
{
	unsigned int at = task;

	for (unsigned int i = 0; i < TASKS && at != TASKS; i++)
		at = blocker(p, at);
	return at != TASKS && !is_in_circle(p, task);
}

static void fill(struct afx *f, const struct play *p)
{
	afx_init(f, TASKS, MS, UNITS);
	for (unsigned int t = 0; t < TASKS; t++)
		afx_task(f, 0, p->lives[t]);
	for (size_t i = 0; i < p->wait_cnt; i++) {
		const struct wait *w = &p->waits[i];
		struct model_task *t = &f->m.tasks[w->task];
		struct model_span *s;
		size_t nth = 1;

		while (afx_span(f, w->task, nth)->start_ns / MS != AFX_START_NS / MS + w->from)
			REQUIRE(++nth < t->span_cnt);
		s = waits_for(f, w->task + 1, nth, 0x1000 * (w->lock + 1), w->owner);
		s->start_ns = s[-1].end_ns = AFX_START_NS + w->start_ns;
		t->wait_start_ns = s->start_ns;
		if (w->end_ns)
			s->end_ns = s[1].start_ns = AFX_START_NS + w->end_ns;
	}
	for (size_t i = 0; i < p->early_cnt; i++)
		vec_add(f->m.early_wakes, f->m.early_wake_cnt, f->m.early_wake_cap, p->early[i]);
	cut(f);
}

TEST(analyze_deadlock_random_programs)
{
	unsigned int present = 0, by_wake = 0;
	struct play *p = xcalloc(1, sizeof(*p));

	for (uint64_t i = 0; i < WORLDS; i++) {
		unsigned int behind = 0;
		bool expected = false;
		struct afx f;

		memset(p, 0, sizeof(*p));
		p->seed = i * 7919 + 11;
		play(p);
		fill(&f, p);
		for (unsigned int t = 0; t < TASKS; t++) {
			expected |= is_in_circle(p, t);
			behind += is_behind_circle(p, t);
		}
		if (is_present(&f) != expected) {
			unit_failed(__FILE__, __LINE__, "world %u: %d", (unsigned int)i, expected);
			for (unsigned int t = 0; t < TASKS; t++)
				unit_failed(__FILE__, __LINE__, "%s wants %u", p->lives[t],
					    p->wants[t]);
			break;
		}
		for (size_t w = 0; w < f.r.deadlock.wait_cnt; w++) {
			const struct deadlock_wait *wait = &f.r.deadlock.waits[w];

			CHECK(is_in_circle(p, wait->task_id - 1));
			CHECK_EQ(wait->owner_id, p->holder[p->wants[wait->task_id - 1] - 1]);
			by_wake += wait->evidence == EVIDENCE_WAKE;
		}
		CHECK_EQ(f.r.deadlock.behind_cnt, behind);
		present += expected;
		afx_release(&f);
	}
	CHECK(present > WORLDS / 20 && present < WORLDS - WORLDS / 20);
	CHECK(by_wake > WORLDS / 100);
	free(p);
}
