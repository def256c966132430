/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/noise.h"
#include "analyze_fixture.h"
#include "unit.h"
#include "util/alloc.h"

/*
 * Four programs with known answers beside a neighbour that has a part of every 10 ms of one CPU or
 * of both, simulated in ticks of 50 us under three schedulers. What each program is must never be
 * contradicted, what it is not must never be said to hold.
 */
#define TICK_NS 50000
#define TICKS_MAX 200000
#define MS_TICKS 20
#define PERIOD (10 * MS_TICKS)
#define LOCK_ADDR 0x7f0000001000ULL
#define WORK (100 * MS_TICKS)	/* of each task */

enum program { PARALLEL, SEQUENTIAL, GIL, CONVOY, PROGRAM_CNT };
enum scheduler { PINNED, FREE, LAZY, SCHEDULER_CNT };

static const char *const program_names[] = { "parallel", "sequential", "GIL-bound", "convoy" };

struct sim_task {
	char life[TICKS_MAX + 1];
	int at;			/* born then; -1: not yet */
	int len;
	int piece, work;	/* ticks left of this piece, and in all */
	char state;		/* 'R': ready or running; 'L': at the lock; 'D': dead */
	bool locked;		/* this piece is under the lock */
	bool tries;		/* it looks at the lock */
	int cpu, since;
};

struct sim {
	enum program program;
	enum scheduler scheduler;
	int load, cpus;		/* percent; of one or both */
	struct sim_task tasks[2];
	int owner;		/* of the lock, or -1 */
	bool foreign[2];
	int now;
	char cpu[2][TICKS_MAX];	/* who has it: '0', '1', 'f' or ' ' */
};

static void take_lock(struct sim *s, int i)
{
	struct sim_task *t = &s->tasks[i];

	t->tries = false;
	if (s->owner >= 0 && s->owner != i) {
		t->state = 'L';
		return;
	}
	s->owner = i;
	t->locked = true;
	t->piece = s->program == GIL ? 5 * MS_TICKS : MS_TICKS;
}

static void release(struct sim *s, int i)
{
	struct sim_task *other = &s->tasks[!i];

	s->owner = -1;
	s->tasks[i].locked = false;
	if (other->state != 'L')
		return;
	other->state = 'R';
	if (s->program == GIL)
		take_lock(s, !i);	/* handed over */
	else
		other->tries = true, other->piece = 1;	/* who comes first has it */
}

static void piece_over(struct sim *s, int i)
{
	struct sim_task *t = &s->tasks[i];

	if (t->tries) {
		take_lock(s, i);
	} else if (t->locked) {
		release(s, i);
		t->piece = 1;
		if (s->program == GIL)
			take_lock(s, i);
	} else if (s->program == CONVOY) {
		take_lock(s, i);
	}
	if (t->work > 0)
		return;
	t->state = 'D';
	if (s->owner == i)
		release(s, i);
	if (s->program == SEQUENTIAL && !i) {
		s->tasks[1].at = s->now + 1;
		s->tasks[1].state = 'R';
	}
}

/* Where task @i may go on now, or -1. @taken: by the other one. */
static int place(struct sim *s, int i, int taken)
{
	const struct sim_task *t = &s->tasks[i];
	int other = !t->cpu;

	if (!s->foreign[t->cpu] && taken != t->cpu)
		return t->cpu;
	if (s->scheduler == PINNED || s->foreign[other] || taken == other)
		return -1;
	return s->scheduler == FREE || s->now % (4 * MS_TICKS) == 0 ? other : -1;
}

static void tick(struct sim *s)
{
	/* The two take turns at a CPU that both want. */
	int first = s->now / (3 * MS_TICKS) % 2, taken = -1;

	for (int cpu = 0; cpu < 2; cpu++) {
		s->foreign[cpu] = (cpu == 1 || s->cpus == 2) &&
				  (s->now + cpu * 3 * MS_TICKS) % PERIOD < s->load * PERIOD / 100;
		s->cpu[cpu][s->now] = s->foreign[cpu] ? 'f' : ' ';
	}
	for (int k = 0; k < 2; k++) {
		int i = k ? !first : first, cpu;
		struct sim_task *t = &s->tasks[i];
		char c = t->state;

		if (t->at < 0 || t->at > s->now || t->state == 'D')
			continue;
		if (t->state == 'R') {
			cpu = place(s, i, taken);
			c = cpu < 0 ? '.' : (char)('0' + cpu);
			if (cpu >= 0) {
				t->cpu = taken = cpu;
				s->cpu[cpu][s->now] = (char)('0' + i);
				t->work--;
				t->piece--;
			}
		}
		t->life[t->len++] = c;
	}
	for (int i = 0; i < 2; i++) {
		struct sim_task *t = &s->tasks[i];

		if (t->state == 'R' && t->at >= 0 && (t->work <= 0 || t->piece <= 0) && t->len &&
		    t->life[t->len - 1] != '.')
			piece_over(s, i);
	}
	s->now++;
}

static void simulate(struct sim *s)
{
	s->owner = -1;
	for (int i = 0; i < 2; i++)
		s->tasks[i] = (struct sim_task){
			.work = WORK, .piece = WORK, .cpu = i, .state = 'R',
			.at = s->program == SEQUENTIAL && i ? -1 : 0,
		};
	if (s->program == SEQUENTIAL)
		s->tasks[1].state = 'D';
	if (s->program == GIL || s->program == CONVOY)
		for (int i = 0; i < 2; i++)
			take_lock(s, i);
	while (s->now < TICKS_MAX && !(s->tasks[0].state == 'D' && s->tasks[1].state == 'D'))
		tick(s);
	CHECK(s->now < TICKS_MAX);
}

static void to_model(const struct sim *s, struct afx *f)
{
	afx_init(f, 2, TICK_NS, (unsigned int)s->now);
	for (int i = 0; i < 2; i++)
		afx_task(f, (unsigned int)s->tasks[i].at, s->tasks[i].life);
	for (size_t i = 0; i < f->m.span_cnt; i++) {
		struct model_span *span = afx_any_span(f, i);

		if (span->state != SPAN_BLOCKED)
			continue;
		span->flags |= SPAN_FUTEX;
		span->addr = LOCK_ADDR;
		span->mm_id = 1;
	}
	for (int cpu = 0; cpu < 2; cpu++) {
		f->m.cpus[cpu].seg_first = f->m.cpu_seg_cnt;
		for (int at = 0, until; at < s->now; at = until) {
			char c = s->cpu[cpu][at];

			for (until = at; until < s->now && s->cpu[cpu][until] == c;)
				until++;
			*vec_push(f->m.cpu_segs, f->m.cpu_seg_cnt, f->m.cpu_seg_cap) =
				(struct model_cpu_seg){
				.start_ns = AFX_START_NS + (uint64_t)at * TICK_NS,
				.end_ns = AFX_START_NS + (uint64_t)until * TICK_NS,
				.task_id = c == '0' ? 1 : c == '1' ? 2 : 0,
				.class = c == 'f' ? LAB_CPU_FOREIGN :
					 c == ' ' ? LAB_CPU_IDLE : LAB_CPU_OURS,
			};
			f->m.cpus[cpu].seg_cnt++;
		}
	}
}

static enum claim_holds judged(struct afx *f, enum verdict_class class, uint32_t milli)
{
	f->m.meta.claim = (struct claim){ .class = class, .min_parallelism_milli = milli };
	afx_compute(f);
	return f->r.verdict.claim_holds;
}

/* Without a neighbour, the lock takes 49 % of the GIL program's CPUs, 24.4 % of the convoy's. */
static void check_lock_share(enum program program, const struct report *r)
{
	static const uint64_t percent[PROGRAM_CNT] = { [GIL] = 45, [CONVOY] = 24 };
	struct noise_range lock = noise_of_idle(r, r->capacity.blocked_ns[REASON_LOCK]);

	CHECK(lock.high * 100 >= r->capacity.total_ns * percent[program]);
	CHECK(lock.low * 100 <= r->capacity.total_ns * (percent[program] + 5));
	CHECK(lock.high <= r->capacity.total_ns - r->capacity.work_ns);
}

static void check_cell(struct sim *s)
{
	static const enum verdict_class is[] = { CLASS_PARALLEL, CLASS_SEQUENTIAL, CLASS_CONCURRENT,
						 CLASS_CONCURRENT };
	static const char words[] = {
		[CLAIM_NO] = '-', [CLAIM_YES] = '+', [CLAIM_UNDECIDED] = '?',
	};
	struct afx f;
	char line[64];
	int len;

	simulate(s);
	to_model(s, &f);
	len = snprintf(line, sizeof(line), "%-10s %d CPU %2d %% scheduler %d:",
		       program_names[s->program], s->cpus, s->load, (int)s->scheduler);
	for (int class = CLASS_SEQUENTIAL; class <= CLASS_PARALLEL; class++) {
		enum claim_holds holds = judged(&f, (enum verdict_class)class, 0);

		len += snprintf(line + len, sizeof(line) - (size_t)len, " %c", words[holds]);
		if ((enum verdict_class)class == is[s->program])
			CHECK(holds != CLAIM_NO);
		else
			CHECK(holds != CLAIM_YES);
		/* What no neighbour can bring about is always decided. */
		if (!s->load || (class == CLASS_PARALLEL && s->program != PARALLEL))
			CHECK(holds != CLAIM_UNDECIDED);
	}
	check_lock_share(s->program, &f.r);
	if (s->program == PARALLEL)
		CHECK(judged(&f, CLASS_PARALLEL, 1700) != CLAIM_NO);
	if (getenv("LAB_NOISE_TABLE"))
		printf("# %s\n", line);
	afx_release(&f);
}

TEST(analyze_noise_known_answers)
{
	static const int loads[] = { 0, 30, 60, 90 };
	struct sim *s = xcalloc(1, sizeof(*s));

	for (int program = 0; program < PROGRAM_CNT; program++)
		for (int scheduler = 0; scheduler < SCHEDULER_CNT; scheduler++)
			for (int cpus = 1; cpus <= 2; cpus++)
				for (int i = 0; i < 4; i++) {
					memset(s, 0, sizeof(*s));
					s->program = (enum program)program;
					s->scheduler = (enum scheduler)scheduler;
					s->cpus = cpus;
					s->load = loads[i];
					check_cell(s);
				}
	free(s);
}
