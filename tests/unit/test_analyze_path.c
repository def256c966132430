/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <string.h>

#include "analyze_fixture.h"
#include "unit.h"

#define UNIT_NS 1000

/* One segment that the path must have, in units from the start. */
struct want {
	uint32_t task_id;
	char kind;		/* r run, w ready, b blocked, - none */
	unsigned int from, until;
};

static char kind_of(const struct path_segment *seg)
{
	return !seg->task_id ? '-' : "rwb"[seg->state];
}

static void check_sums(const struct afx *f)
{
	const struct report_path *p = &f->r.path;
	uint64_t sum_ns = p->run_ns + p->ready_ns + p->none_ns, at_ns = f->m.start_ns, top_ns = 0;

	for (int i = 0; i < REASON_CNT; i++)
		sum_ns += p->blocked_ns[i];
	CHECK_EQ(p->length_ns, f->m.end_ns - f->m.start_ns);
	CHECK_EQ(sum_ns, p->length_ns);
	for (size_t i = 0; i < p->segment_cnt; i++) {
		CHECK_EQ(p->segments[i].start_ns, at_ns);
		CHECK(p->segments[i].end_ns > at_ns);
		at_ns = p->segments[i].end_ns;
	}
	CHECK_EQ(at_ns, f->m.end_ns);
	for (uint32_t i = 0; i < p->task_cnt && i < PATH_TOP_MAX; i++) {
		CHECK(!i || p->top[i].ns <= p->top[i - 1].ns);
		top_ns += p->top[i].ns;
	}
	CHECK_EQ(p->task_cnt <= PATH_TOP_MAX, top_ns + p->none_ns == p->length_ns);
}

static void check_path(struct afx *f, const struct want *want, size_t cnt)
{
	afx_compute(f);
	check_sums(f);
	CHECK_EQ(f->r.path.segment_cnt, cnt);
	for (size_t i = 0; i < cnt && i < f->r.path.segment_cnt; i++) {
		const struct path_segment *seg = &f->r.path.segments[i];

		CHECK_EQ(seg->task_id, want[i].task_id);
		CHECK_EQ(kind_of(seg), want[i].kind);
		CHECK_EQ((seg->start_ns - AFX_START_NS) / f->unit_ns, want[i].from);
		CHECK_EQ((seg->end_ns - AFX_START_NS) / f->unit_ns, want[i].until);
	}
}

#define CHECK_PATH(f, ...) \
	check_path(f, (const struct want[]){ __VA_ARGS__ }, \
		   sizeof((const struct want[]){ __VA_ARGS__ }) / sizeof(struct want))

static void woken_by(struct afx *f, size_t task, size_t nth, uint32_t id)
{
	struct model_span *s = afx_span(f, task, nth);

	s->waker_id = id;
	s->waker_tid = 100 + id;
}

static void at_futex(struct afx *f, size_t task, size_t nth, uint64_t addr)
{
	struct model_span *s = afx_span(f, task, nth);

	s->flags |= SPAN_FUTEX;
	s->addr = addr;
	s->mm_id = 1;
}

TEST(analyze_path_of_one_task_is_its_life)
{
	struct afx f;

	afx_init(&f, 1, UNIT_NS, 10);
	afx_task(&f, 0, "00..SSSD00");
	CHECK_PATH(&f, { 1, 'r', 0, 2 }, { 1, 'w', 2, 4 }, { 1, 'b', 4, 7 }, { 1, 'b', 7, 8 },
		   { 1, 'r', 8, 10 });
	CHECK_EQ(f.r.path.blocked_ns[REASON_SLEEP], 3 * UNIT_NS);
	CHECK_EQ(f.r.path.blocked_ns[REASON_DISK], UNIT_NS);
	afx_release(&f);
}

TEST(analyze_path_goes_through_the_thread_that_was_joined_and_to_its_birth)
{
	struct afx f;

	afx_init(&f, 2, UNIT_NS, 10);
	afx_task(&f, 0, "000JJJJJ00");
	afx_task(&f, 2, "..1111");
	woken_by(&f, 0, 1, 2);
	CHECK_PATH(&f, { 1, 'r', 0, 2 }, { 2, 'w', 2, 4 }, { 2, 'r', 4, 8 }, { 1, 'r', 8, 10 });
	CHECK_EQ(f.r.path.task_cnt, 2);
	CHECK_EQ(f.r.path.top[0].task_id, 2);
	CHECK_EQ(f.r.path.top[0].ns, 6 * UNIT_NS);
	afx_release(&f);
}

TEST(analyze_path_follows_a_lock_from_hand_to_hand)
{
	struct afx f;

	afx_init(&f, 3, UNIT_NS, 12);
	afx_task(&f, 0, "0000LLLLLLLL");
	afx_task(&f, 0, "LLLL.111LLLL");
	afx_task(&f, 0, "2LLLLLLL2222");
	woken_by(&f, 1, 0, 1);
	woken_by(&f, 2, 1, 2);
	CHECK_PATH(&f, { 1, 'r', 0, 4 }, { 2, 'w', 4, 5 }, { 2, 'r', 5, 8 }, { 3, 'r', 8, 12 });
	afx_release(&f);
}

TEST(analyze_path_stays_where_no_task_of_ours_ended_the_wait)
{
	struct afx f;

	afx_init(&f, 2, UNIT_NS, 10);
	afx_task(&f, 0, "00EEEE0NN0");
	afx_task(&f, 0, "1111111111");
	afx_span(&f, 1, 0)->end_ns -= UNIT_NS;
	f.m.tasks[1].end_ns -= UNIT_NS;
	woken_by(&f, 0, 1, 2);
	afx_span(&f, 0, 1)->flags |= SPAN_WOKEN_BY_IRQ;	/* task 2 was a bystander */
	afx_span(&f, 0, 3)->waker_tid = 999;		/* another program's */
	CHECK_PATH(&f, { 1, 'r', 0, 2 }, { 1, 'b', 2, 6 }, { 1, 'r', 6, 7 }, { 1, 'b', 7, 9 },
		   { 1, 'r', 9, 10 });
	afx_release(&f);
}

TEST(analyze_path_does_not_follow_a_fake_wakeup)
{
	struct afx f;

	/* Woken by task 2, back at the futex at once, and then a timeout ended it. */
	afx_init(&f, 2, UNIT_NS, 12);
	afx_task(&f, 0, "0LLL.0LLL000");
	afx_task(&f, 0, "11111111111");
	woken_by(&f, 0, 1, 2);
	at_futex(&f, 0, 1, 0x1000);
	at_futex(&f, 0, 4, 0x1000);
	afx_span(&f, 0, 4)->flags |= SPAN_WOKEN_BY_IRQ;
	CHECK_PATH(&f, { 1, 'r', 0, 1 }, { 1, 'b', 1, 4 }, { 1, 'w', 4, 5 }, { 1, 'r', 5, 6 },
		   { 1, 'b', 6, 9 }, { 1, 'r', 9, 12 });

	/* Another futex: it had got what it waited for. */
	at_futex(&f, 0, 4, 0x2000);
	CHECK_PATH(&f, { 2, 'r', 0, 4 }, { 1, 'w', 4, 5 }, { 1, 'r', 5, 6 }, { 1, 'b', 6, 9 },
		   { 1, 'r', 9, 12 });

	/* The wake that did end it is followed. */
	at_futex(&f, 0, 4, 0x1000);
	afx_span(&f, 0, 4)->flags &= ~SPAN_WOKEN_BY_IRQ;
	woken_by(&f, 0, 4, 2);
	CHECK_PATH(&f, { 2, 'r', 0, 9 }, { 1, 'r', 9, 12 });
	afx_release(&f);
}

TEST(analyze_path_takes_a_longer_run_for_progress)
{
	struct afx f;

	afx_init(&f, 2, 60000, 8);
	afx_task(&f, 0, "0LLL0LL0");
	afx_task(&f, 0, "1111111");
	woken_by(&f, 0, 1, 2);
	at_futex(&f, 0, 1, 0x1000);
	at_futex(&f, 0, 3, 0x1000);
	CHECK_PATH(&f, { 2, 'r', 0, 4 }, { 1, 'r', 4, 5 }, { 1, 'b', 5, 7 }, { 1, 'r', 7, 8 });
	afx_release(&f);
}

TEST(analyze_path_ends_in_a_circle_of_equal_stamps)
{
	struct afx f;

	afx_init(&f, 3, UNIT_NS, 6);
	afx_task(&f, 0, "LLLL00");
	afx_task(&f, 0, "LLLL1");
	afx_task(&f, 0, "LLLL2");
	woken_by(&f, 0, 0, 2);
	woken_by(&f, 1, 0, 3);
	woken_by(&f, 2, 0, 1);
	afx_compute(&f);
	check_sums(&f);
	CHECK_EQ(f.r.path.blocked_ns[REASON_LOCK], 4 * UNIT_NS);

	/* Nor does it believe a waker that went on being blocked, itself, or nobody. */
	woken_by(&f, 0, 0, 1);
	CHECK_PATH(&f, { 1, 'b', 0, 4 }, { 1, 'r', 4, 6 });
	woken_by(&f, 0, 0, 77);
	CHECK_PATH(&f, { 1, 'b', 0, 4 }, { 1, 'r', 4, 6 });
	woken_by(&f, 0, 0, 2);
	afx_span(&f, 1, 0)->end_ns += UNIT_NS / 2;
	CHECK_PATH(&f, { 1, 'b', 0, 4 }, { 1, 'r', 4, 6 });
	afx_release(&f);
}

TEST(analyze_path_says_where_no_task_is_known)
{
	struct afx f;

	/* The second task's birth was not recorded, and it ends before the window does. */
	afx_init(&f, 2, UNIT_NS, 10);
	afx_task(&f, 0, "0000");
	afx_task(&f, 3, "11111");
	f.m.tasks[1].parent_id = 0;
	CHECK_PATH(&f, { 0, '-', 0, 3 }, { 2, 'r', 3, 8 }, { 0, '-', 8, 10 });
	CHECK_EQ(f.r.path.none_ns, 5 * UNIT_NS);

	/* A parent that was dead by then led to nothing either. */
	f.m.tasks[1].parent_id = 1;
	f.m.tasks[0].end_ns = AFX_START_NS + 2 * UNIT_NS;
	afx_any_span(&f, 0)->end_ns = f.m.tasks[0].end_ns;
	CHECK_PATH(&f, { 0, '-', 0, 3 }, { 2, 'r', 3, 8 }, { 0, '-', 8, 10 });
	afx_release(&f);

	afx_init(&f, 1, UNIT_NS, 7);
	CHECK_PATH(&f, { 0, '-', 0, 7 });
	afx_release(&f);

	afx_init(&f, 1, UNIT_NS, 0);
	afx_task(&f, 0, "");
	afx_compute(&f);
	CHECK_EQ(f.r.path.length_ns, 0);
	CHECK_EQ(f.r.path.segment_cnt, 0);
	afx_release(&f);
}

TEST(analyze_path_at_the_cut_is_that_of_who_runs)
{
	struct afx f;

	afx_init(&f, 2, UNIT_NS, 8);
	afx_task(&f, 0, "00JJJJJJ");
	afx_task(&f, 1, "1111111");
	CHECK_PATH(&f, { 1, 'r', 0, 1 }, { 2, 'r', 1, 8 });
	afx_release(&f);
}

/* ---- random worlds, walked unit by unit ---- */

#define TASKS 6
#define UNITS 48
#define WORLDS 6000

struct world {
	struct afx f;
	char lives[TASKS][UNITS + 1];	/* ' ': not alive */
	unsigned int born[TASKS], task_cnt;
	uint32_t waker[TASKS][UNITS + 1]; /* of the block that ends at this unit */
};

static bool is_blocked(char c)
{
	return !isdigit((unsigned char)c) && c != '.' && c != ' ';
}

static void world_task(struct world *w, unsigned int t, uint64_t *seed)
{
	unsigned int from = t ? afx_random(seed, UNITS / 2) : 0;
	unsigned int until = from + 1 + afx_random(seed, UNITS - from);
	char *life = w->lives[t];
	size_t nth = 0;

	memset(life, ' ', UNITS);
	for (unsigned int u = from; u < until; u++) {
		const char states[] = { (char)('0' + t), (char)('0' + t), '.', 'L', 'S', 'J' };

		life[u] = u > from && afx_random(seed, 3) ? life[u - 1] :
			  states[afx_random(seed, 6)];
	}
	life[until] = '\0';
	w->born[t] = from;
	afx_task(&w->f, from, life + from);
	if (until < UNITS)
		life[until] = ' ';
	w->f.m.tasks[t].parent_id = t ? 1 + afx_random(seed, t) : 0;
	for (unsigned int u = from + 1; u <= until; u++) {
		if (u < until && life[u] == life[u - 1])
			continue;
		if (is_blocked(life[u - 1]) && u < until && afx_random(seed, 4)) {
			w->waker[t][u] = 1 + afx_random(seed, w->task_cnt);
			woken_by(&w->f, t, nth, w->waker[t][u]);
		}
		nth++;
	}
}

/* Alive in the unit before @u, and not in the midst of a block at its end. */
static bool can_have_woken(const struct world *w, unsigned int t, unsigned int u)
{
	char c = w->lives[t][u - 1];

	return c != ' ' && !(is_blocked(c) && u < UNITS && w->lives[t][u] == c);
}

/* Who has the unit before @u, coming from task @t: an index, or TASKS for nobody. */
static unsigned int owner_before(const struct world *w, unsigned int t, unsigned int u)
{
	for (unsigned int timeless = 0; t < TASKS;) {
		char c = w->lives[t][u - 1];
		uint32_t next = w->waker[t][u];

		if (c == ' ') {
			next = w->f.m.tasks[t].parent_id;
			if (u != w->born[t] || !next || w->born[next - 1] > u || timeless++ >= 64 ||
			    w->f.m.tasks[next - 1].end_ns < AFX_START_NS + u * UNIT_NS)
				return TASKS;
			t = next - 1;
			continue;
		}
		if (!is_blocked(c) || !next || next - 1 == t || timeless >= 64 ||
		    !can_have_woken(w, next - 1, u))
			return t;
		t = next - 1;
		timeless++;
	}
	return t;
}

static unsigned int last_of(const struct world *w)
{
	unsigned int best = 0;

	for (unsigned int t = 1; t < w->task_cnt; t++) {
		const struct model_task *a = &w->f.m.tasks[t], *b = &w->f.m.tasks[best];
		unsigned int u = (unsigned int)((a->end_ns - AFX_START_NS) / UNIT_NS);

		if (a->end_ns > b->end_ns ||
		    (a->end_ns == b->end_ns && isdigit((unsigned char)w->lives[t][u - 1]) &&
		     !isdigit((unsigned char)w->lives[best][u - 1])))
			best = t;
	}
	return best;
}

static void check_units(const struct world *w)
{
	const struct report_path *p = &w->f.r.path;
	unsigned int t = last_of(w), u = UNITS;
	size_t seg = p->segment_cnt;

	for (; u > (w->f.m.tasks[t].end_ns - AFX_START_NS) / UNIT_NS; u--)
		CHECK_EQ(p->segments[seg - 1].task_id, 0);
	for (; u > 0; u--) {
		uint64_t ns = AFX_START_NS + (u - 1) * UNIT_NS;

		while (seg && p->segments[seg - 1].start_ns > ns)
			seg--;
		REQUIRE(seg);
		t = owner_before(w, t, u);
		if (t == TASKS) {
			CHECK_EQ(p->segments[seg - 1].task_id, 0);
			continue;
		}
		CHECK_EQ(p->segments[seg - 1].task_id, t + 1);
		CHECK_EQ(p->segments[seg - 1].state,
			 isdigit((unsigned char)w->lives[t][u - 1]) ? 0 :
			 w->lives[t][u - 1] == '.' ? SPAN_READY : SPAN_BLOCKED);
		if (is_blocked(w->lives[t][u - 1]))
			CHECK_EQ(p->segments[seg - 1].reason,
				 w->lives[t][u - 1] == 'L' ? REASON_LOCK :
				 w->lives[t][u - 1] == 'S' ? REASON_SLEEP : REASON_JOIN);
	}
}

TEST(analyze_path_random_worlds)
{
	for (uint64_t i = 0; i < WORLDS; i++) {
		uint64_t seed = i * 104729 + 3;
		struct world w;

		memset(&w, 0, sizeof(w));
		afx_init(&w.f, TASKS, UNIT_NS, UNITS);
		w.task_cnt = 1 + afx_random(&seed, TASKS);
		for (unsigned int t = 0; t < w.task_cnt; t++)
			world_task(&w, t, &seed);
		for (unsigned int t = w.task_cnt; t < TASKS; t++)
			memset(w.lives[t], ' ', UNITS);
		afx_compute(&w.f);
		check_sums(&w.f);
		check_units(&w);
		afx_release(&w.f);
	}
}

/* ---- tasks that poll ---- */

/* A task that sleeps for 22 units at a time, on this CPU for one in between; three times. */
#define SLEEP_22 "SSSSSSSSSSSSSSSSSSSSSS"
#define POLLS(cpu) cpu SLEEP_22 cpu SLEEP_22 cpu SLEEP_22 cpu
#define RUNS_10(cpu) cpu cpu cpu cpu cpu cpu cpu cpu cpu cpu
#define RUNS_60(cpu) RUNS_10(cpu) RUNS_10(cpu) RUNS_10(cpu) RUNS_10(cpu) RUNS_10(cpu) RUNS_10(cpu)

/* Timers end all its sleeps. */
static void timed(struct afx *f, size_t task)
{
	for (size_t i = 0; i < f->m.tasks[task].span_cnt; i++)
		if (afx_span(f, task, i)->reason == REASON_SLEEP)
			afx_span(f, task, i)->flags |= SPAN_WOKEN_BY_IRQ;
}

/* Main computes, then tells a monitor to stop and joins it: what it computed is on the path. */
TEST(analyze_path_keeps_what_was_done_before_a_monitor_was_joined)
{
	struct afx f;

	afx_init(&f, 2, UNIT_NS, 72);
	afx_task(&f, 0, RUNS_60("0") "JJJJJJJJJJ00");
	afx_task(&f, 0, POLLS("1"));
	timed(&f, 1);
	afx_span(&f, 0, 1)->waker_id = 2;
	CHECK_PATH(&f, { 1, 'r', 0, 60 }, { 2, 'b', 60, 69 }, { 2, 'r', 69, 70 },
		   { 1, 'r', 70, 72 });
	afx_release(&f);
	/* The monitor has told main so, and main runs on its CPU before it is gone. */
	afx_init(&f, 2, UNIT_NS, 73);
	afx_task(&f, 0, RUNS_60("0") "JJJJJJJJJJ11");
	afx_task(&f, 0, POLLS("1") "..1");
	timed(&f, 1);
	afx_span(&f, 0, 1)->waker_id = 2;
	CHECK_PATH(&f, { 1, 'r', 0, 60 }, { 2, 'b', 60, 69 }, { 2, 'r', 69, 70 },
		   { 2, 'w', 70, 72 }, { 2, 'r', 72, 73 });
	afx_release(&f);
	/* One long sleep is what the thread was for. */
	afx_init(&f, 2, UNIT_NS, 72);
	afx_task(&f, 0, RUNS_60("0") "JJJJJJJJJJ00");
	afx_task(&f, 0, "1" SLEEP_22 SLEEP_22 SLEEP_22 "111");
	timed(&f, 1);
	afx_span(&f, 0, 1)->waker_id = 2;
	CHECK_PATH(&f, { 2, 'r', 0, 1 }, { 2, 'b', 1, 67 }, { 2, 'r', 67, 70 }, { 1, 'r', 70, 72 });
	afx_release(&f);
}

/* A thread that works between its waits is what main waited for. */
TEST(analyze_path_follows_a_worker_that_sleeps_between_pieces)
{
	struct afx f;

	afx_init(&f, 2, UNIT_NS, 72);
	afx_task(&f, 0, RUNS_60("0") "JJJJJJJJJJ00");
	afx_task(&f, 0, "1" SLEEP_22 RUNS_10("1") SLEEP_22 "111111111111111");
	timed(&f, 1);
	afx_span(&f, 0, 1)->waker_id = 2;
	CHECK_PATH(&f, { 2, 'r', 0, 1 }, { 2, 'b', 1, 23 }, { 2, 'r', 23, 33 }, { 2, 'b', 33, 55 },
		   { 2, 'r', 55, 70 }, { 1, 'r', 70, 72 });
	afx_release(&f);
}

/* while p.poll() is None: sleep(...) waited for the child, not for the time. */
TEST(analyze_path_of_a_parent_that_polls_goes_through_the_child)
{
	struct afx f;

	afx_init(&f, 2, UNIT_NS, 70);
	afx_task(&f, 0, POLLS("0"));
	afx_task(&f, 1, RUNS_10("1") RUNS_10("1") RUNS_10("1") RUNS_10("1") RUNS_10("1"));
	timed(&f, 0);
	CHECK_PATH(&f, { 1, 'r', 0, 1 }, { 2, 'r', 1, 51 }, { 1, 'b', 51, 69 }, { 1, 'r', 69, 70 });
	afx_release(&f);

	/* It went on sleeping after the child's end: it was not for the child. */
	afx_init(&f, 2, UNIT_NS, 70);
	afx_task(&f, 0, POLLS("0"));
	afx_task(&f, 1, RUNS_10("1") RUNS_10("1") RUNS_10("1"));
	timed(&f, 0);
	CHECK_PATH(&f, { 1, 'r', 0, 1 }, { 1, 'b', 1, 23 }, { 1, 'r', 23, 24 }, { 1, 'b', 24, 46 },
		   { 1, 'r', 46, 47 }, { 1, 'b', 47, 69 }, { 1, 'r', 69, 70 });
	afx_release(&f);
}

#define WAIT_22 "WWWWWWWWWWWWWWWWWWWWWW"
#define SLEEPER "1SSSSSSSSSSSSSSSSSSSS1"

/* A shell that waits for its sleep(1) again and again, until its other child has ended. */
TEST(analyze_path_of_a_shell_that_polls_goes_through_the_child)
{
	for (unsigned int ended = 31; ended <= 51; ended += 20) {
		struct afx f;

		afx_init(&f, 3, UNIT_NS, 70);
		afx_task(&f, 0, "0" WAIT_22 "0" WAIT_22 "0" WAIT_22 "0");
		afx_task(&f, 1, ended == 31 ? RUNS_10("2") RUNS_10("2") RUNS_10("2") :
			 RUNS_10("2") RUNS_10("2") RUNS_10("2") RUNS_10("2") RUNS_10("2"));
		for (unsigned int i = 0; i < 3; i++) {
			size_t sleeper = afx_task(&f, 1 + 23 * i, SLEEPER);

			timed(&f, sleeper);
			woken_by(&f, 0, 1 + 2 * i, (uint32_t)sleeper + 1);
		}
		if (ended == 51)
			CHECK_PATH(&f, { 1, 'r', 0, 1 }, { 2, 'r', 1, 51 }, { 1, 'b', 51, 69 },
				   { 1, 'r', 69, 70 });
		else
			/* It went on after the child's end: it was not for the child. */
			CHECK_EQ((afx_compute(&f), f.r.path.blocked_ns[REASON_SLEEP]),
				 60 * UNIT_NS);
		afx_release(&f);
	}
}

/* Shells are told of that end at once, and go on waiting for their sleep(1). */
TEST(analyze_path_of_a_shell_whose_wait_the_child_broke_off)
{
	struct afx f;

	afx_init(&f, 3, UNIT_NS, 136);
	afx_task(&f, 0, "0" WAIT_22 WAIT_22 "0" WAIT_22 WAIT_22 "0WWWW0" WAIT_22
		 "WWWWWWWWWWWWWWWWW0");
	afx_task(&f, 1, RUNS_60("2") RUNS_10("2") RUNS_10("2") RUNS_10("2") "2222");
	for (unsigned int i = 0; i < 3; i++) {
		size_t sleeper = afx_task(&f, 1 + 45 * i, "1SSSSSSSSSSSSSSSSSSSS" SLEEP_22 "1");

		timed(&f, sleeper);
		woken_by(&f, 0, i < 2 ? 1 + 2 * i : 7, (uint32_t)sleeper + 1);
	}
	woken_by(&f, 0, 5, 2);
	CHECK_PATH(&f, { 1, 'r', 0, 1 }, { 2, 'r', 1, 95 }, { 1, 'r', 95, 96 }, { 1, 'b', 96, 135 },
		   { 1, 'r', 135, 136 });
	afx_release(&f);
}
