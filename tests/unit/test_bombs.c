/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a trace costs to read grows as its events do, whatever it says; four times as many may take
 * TIMES_MAX times as long.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bomb_fixture.h"
#include "unit.h"
#include "verify/verify.h"

#define BYTES_PER_EVENT_MAX 3200	/* docs/trace-format.md, section 10 */
#define GROWTH 4
#define TIMES_MAX 10
#define COST_MIN_NS 100000000	/* what is less tells nothing */
/* Sanitizers need more of all, and find the same in less. */
#ifdef __SANITIZE_ADDRESS__
#define SMALL 500
#else
#define SMALL 2000
#endif
#define T(i) (BOMB_SEC + 1000 + (uint64_t)(i) * 1000)

/* @n: of what makes it large */
typedef int bomb_fn(uint32_t n);

static void check_growth(bomb_fn *make, uint32_t n)
{
	struct bomb_cost small, large;
	int fd = make(n);

	small = bomb_cost(fd);
	close(fd);
	fd = make(GROWTH * n);
	large = bomb_cost(fd);
	close(fd);
	if (getenv("BOMB_VERBOSE"))
		fprintf(stderr,
			"%u: %llu events %llu ms in %s, %llu MB, %llu B/event (n: %llu ms)\n",
			GROWTH * n, (unsigned long long)large.events,
			(unsigned long long)large.cpu_ns / 1000000, large.step,
			(unsigned long long)large.bytes >> 20,
			(unsigned long long)(large.bytes / large.events),
			(unsigned long long)small.cpu_ns / 1000000);
	if (small.cpu_ns < COST_MIN_NS / GROWTH)
		small.cpu_ns = COST_MIN_NS / GROWTH;
	if (large.cpu_ns > TIMES_MAX * small.cpu_ns)
		unit_failed(__FILE__, __LINE__, "%s takes %llu ms for %u, and %llu ms for %u",
			    large.step, (unsigned long long)small.cpu_ns / 1000000, n,
			    (unsigned long long)large.cpu_ns / 1000000, GROWTH * n);
	/* Sanitizers need a multiple of their own. */
#ifndef __SANITIZE_ADDRESS__
	if (large.bytes - small.bytes > BYTES_PER_EVENT_MAX * (large.events - small.events))
		unit_failed(__FILE__, __LINE__, "%llu more events take %llu more bytes",
			    (unsigned long long)(large.events - small.events),
			    (unsigned long long)(large.bytes - small.bytes));
#endif
}

static int unknown_tasks(uint32_t n)
{
	struct bomb *b = bomb_new(1);

	for (uint32_t i = 0; i < n; i++)
		bomb_add(b, LAB_EV_WAKEUP_NEW, T(i), 0, 2 + i);
	return bomb_end(b, T(n), TRACE_END_FOR);
}

TEST(bombs_unknown_tasks)
{
	check_growth(unknown_tasks, 10 * SMALL);
}

/* All wait on one queue, which is throttled again and again. */
static int throttles(uint32_t n)
{
	struct bomb *b = bomb_new(1);
	struct lab_ev_throttle *ev;

	for (uint32_t i = 0; i < n; i++) {
		bomb_add(b, LAB_EV_GROUP, T(i), 0, 2 + i)->group.group = 1;
		bomb_task(b, T(i), 0, 2 + i, 1, true);
	}
	for (uint32_t i = 0; i < n; i++) {
		ev = &bomb_add(b, LAB_EV_THROTTLE, T(n), 0, 0)->throttle;
		ev->group = 1;
		ev->head.flags = i % 2 ? 0 : LAB_F_THROTTLED;
	}
	return bomb_end(b, T(n + 1), TRACE_END_FOR);
}

TEST(bombs_throttles)
{
	check_growth(throttles, 4 * SMALL);
}

/* Each task runs before it is born, and records are missing everywhere. */
static int doubts(uint32_t n)
{
	struct bomb *b = bomb_new(1);

	for (uint32_t i = 0; i < n; i++) {
		struct lab_ev_task *ev = &bomb_add(b, LAB_EV_TASK_NEW, T(2 * i), 0, 2 + i)->task;

		ev->parent_id = 1;
		ev->tid = 2 + i;
		ev->tgid = 1;
		bomb_out(b, T(2 * i + 1), 0, 2 + i, 0, 1);
		bomb_lose(b, 0);
	}
	return bomb_end(b, T(2 * n), TRACE_END_FOR);
}

TEST(bombs_doubts)
{
	check_growth(doubts, 5 * SMALL);
}

/* All sleep while records of another CPU are missing again and again. */
static int sleepers_and_gaps(uint32_t n)
{
	struct bomb *b = bomb_new(2);

	for (uint32_t i = 0; i < n; i++)
		bomb_task(b, T(i), 0, 2 + i, 1, true);
	for (uint32_t i = 0; i < n; i++) {
		bomb_class(b, T(n + 2 * i), 1, true);
		bomb_lose(b, 1);
		bomb_class(b, T(n + 2 * i + 1), 1, false);
	}
	return bomb_end(b, T(3 * n), TRACE_END_FOR);
}

TEST(bombs_sleepers_and_gaps)
{
	check_growth(sleepers_and_gaps, 2 * SMALL);
}

/* Each makes the next, and waits for it until the cut. */
static int generations(uint32_t n)
{
	struct bomb *b = bomb_new(1);
	uint32_t i;

	for (i = 1; i < n; i++) {
		bomb_task(b, T(2 * i), 0, i + 1, i, false);
		bomb_out(b, T(2 * i + 1), 0, i, i + 1, 61);
	}
	bomb_out(b, T(2 * i), 0, i, 0, 202)->fd_flags = LAB_FUTEX_NO_LIMIT;
	return bomb_end(b, T(3 * n) + BOMB_SEC, TRACE_END_FOR);
}

TEST(bombs_generations)
{
	check_growth(generations, 5 * SMALL);
}

/* A chain of wakers that goes on from one task to the next. */
static int wakers(uint32_t n)
{
	struct bomb *b = bomb_new(1);

	for (uint32_t i = 1; i < n; i++) {
		bomb_task(b, T(4 * i), 0, i + 1, i, true);
		bomb_out(b, T(4 * i + 1), 0, i, i + 1, 202)->args[0] = 8 * i;
		bomb_out(b, T(4 * i + 2), 0, i + 1, 0, 202)->args[0] = 16;
		bomb_wake(b, T(4 * i + 3), 0, i + 1, i);
	}
	return bomb_end(b, T(4 * n), TRACE_END_FOR);
}

TEST(bombs_wakers)
{
	check_growth(wakers, 5 * SMALL);
}

/* Each has a lock, and waits for the next one's. */
static int circle(uint32_t n)
{
	struct bomb *b = bomb_new(1);

	for (uint32_t i = 2; i < n + 2; i++)
		bomb_task(b, T(i), 0, i, 1, true);
	for (uint32_t i = 2; i < n + 2; i++) {
		struct lab_ev_switch_out *ev = bomb_out(b, T(n + i), 0, i - 1, i, 202);

		ev->args[0] = i;
		ev->args[1] = 128 | 6;
		ev->fd_flags = LAB_FUTEX_NO_LIMIT;
		ev->futex_owner = i == n + 1 ? 2 : i;
	}
	return bomb_end(b, T(2 * n) + BOMB_SEC, TRACE_END_FOR);
}

TEST(bombs_circle)
{
	check_growth(circle, 5 * SMALL);
}

/* All wait for what no thread has. */
static int foreign_owners(uint32_t n)
{
	struct bomb *b = bomb_new(1);

	for (uint32_t i = 2; i < n + 2; i++)
		bomb_task(b, T(i), 0, i, 1, true);
	for (uint32_t i = 2; i < n + 3; i++) {
		struct lab_ev_switch_out *ev =
			bomb_out(b, T(n + i), 0, i - 1, i < n + 2 ? i : 0, 202);

		ev->args[0] = i;
		ev->args[1] = 128 | 6;
		ev->fd_flags = LAB_FUTEX_NO_LIMIT;
		ev->futex_owner = 5000000 + i;
	}
	return bomb_end(b, T(2 * n) + BOMB_SEC, TRACE_END_FOR);
}

TEST(bombs_foreign_owners)
{
	check_growth(foreign_owners, 5 * SMALL);
}

static void mark(struct bomb *b, uint64_t ts_ns, uint32_t task, const char *verb, uint32_t i,
		 uint32_t part_of)
{
	struct lab_ev_marker *ev = &bomb_add(b, LAB_EV_MARKER, ts_ns, 0, task)->marker;

	if (part_of)
		snprintf(ev->text, sizeof(ev->text), "%s:%u.%u:name of it %u", verb, part_of, i, i);
	else
		snprintf(ev->text, sizeof(ev->text), "%s:%u:name of it %u", verb, i, i);
}

/* Operations that are parts of one, and are never ended. */
static int markers(uint32_t n)
{
	struct bomb *b = bomb_new(1);

	mark(b, T(0), 1, "begin", 1, 0);
	for (uint32_t i = 2; i < n; i++) {
		mark(b, T(i), 1, "begin", i, i % 2);
		mark(b, T(i), 1, "suspend", i, i % 2);
		mark(b, T(i), 1, "resume", i, i % 2);
	}
	return bomb_end(b, T(n), TRACE_END_FOR);
}

TEST(bombs_markers)
{
	check_growth(markers, 3 * SMALL);
}

/* Each task has one operation and loops that are not seen; or the same in a process of its own. */
static int loops(uint32_t n)
{
	struct bomb *b = bomb_new(1);

	for (uint32_t i = 2; i < n + 2; i++) {
		bomb_task(b, T(8 * i), 0, i, 1, i % 2);
		for (uint32_t k = 0; k < 3; k++) {
			struct lab_ev_epoll_wait *ev;

			bomb_out(b, T(8 * i + 2 * k + 1), 0, i, 0, 232)->args[0] = 3;
			bomb_wake(b, T(8 * i + 2 * k + 2), 0, i, 0);
			ev = &bomb_add(b, LAB_EV_EPOLL_WAIT, T(8 * i + 2 * k + 2), 0,
				       i)->epoll_wait;
			ev->epfd = 3;
			ev->enter_ns = T(8 * i + 2 * k + 1);
		}
	}
	for (uint32_t i = 2; i < n + 2; i++)
		mark(b, T(8 * n + 20 + i), i, "begin", i, 0);
	return bomb_end(b, T(9 * n + 40), TRACE_END_FOR);
}

TEST(bombs_loops)
{
	check_growth(loops, 3 * SMALL);
}

/* Descriptors that are open at once, and ready again and again. */
static int descriptors(uint32_t n)
{
	struct bomb *b = bomb_new(1);

	for (uint32_t i = 0; i < n; i++) {
		struct lab_ev_epoll_ctl *ev = &bomb_add(b, LAB_EV_EPOLL_CTL, T(i), 0, 1)->epoll_ctl;

		ev->epfd = 3;
		ev->op = 1;
		ev->fd = (int32_t)i + 4;
		ev->data = i / 2;
		ev->fd_type = 12;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct lab_ev_epoll_ready *ev =
			&bomb_add(b, LAB_EV_EPOLL_READY, T(n + i), 0, 1)->epoll_ready;

		ev->epfd = 3;
		ev->cnt = 16;
		for (uint32_t k = 0; k < 16; k++)
			ev->ready[k].data_lo = (i + k) % n;
	}
	return bomb_end(b, T(2 * n), TRACE_END_FOR);
}

TEST(bombs_descriptors)
{
	check_growth(descriptors, 3 * SMALL);
}

/*
 * Tasks that are bound to a CPU are ready, and one that may go elsewhere comes last, while another
 * CPU is foreign.
 */
static int pinned(uint32_t n)
{
	struct bomb *b = bomb_new(3);

	bomb_add(b, LAB_EV_AFFINITY, T(0), 0, 1)->affinity.words[0] = 7;
	for (uint32_t i = 2; i < n + 2; i++) {
		bomb_add(b, LAB_EV_AFFINITY, T(i), 0, i)->affinity.words[0] = i < n ? 1 : 7;
		bomb_task(b, T(i), 0, i, 1, true);
	}
	for (uint32_t i = 0; i < n; i++)
		bomb_class(b, T(200 * n + 250 + i), 1 + i / 2 % 2, i % 2 == 0);
	for (uint32_t i = 2; i < n + 2; i++) {
		uint32_t long_run = i < n ? 0 : 2 * n * (i - n + 1);

		bomb_out(b, T(200 * n + 100 * i + long_run), 0, i, i < n + 1 ? i + 1 : 0,
			 1)->sum_exec_ns = 100000 * i;
	}
	return bomb_end(b, T(400 * n), TRACE_END_FOR);
}

TEST(bombs_pinned)
{
	check_growth(pinned, 3 * SMALL);
}

/* Each is bound to CPUs of its own. */
static int cpusets(uint32_t n)
{
	struct bomb *b = bomb_new(64);

	bomb_add(b, LAB_EV_AFFINITY, T(0), 0, 1)->affinity.words[0] = UINT64_MAX;
	for (uint32_t i = 2; i < n + 2; i++) {
		bomb_add(b, LAB_EV_AFFINITY, T(i), 0, i)->affinity.words[0] = 1 + i % 1000;
		bomb_task(b, T(i), 0, i, 1, true);
	}
	for (uint32_t i = 0; i < n; i++)
		bomb_class(b, T(n + 2 + i), 1 + i / 2 % 60, i % 2 == 0);
	return bomb_end(b, T(2 * n + 4), TRACE_END_FOR);
}

TEST(bombs_cpusets)
{
	check_growth(cpusets, SMALL);
}

/* A task waits for its child again and again, woken by one that only slept. */
static int sleeper(uint32_t n)
{
	struct bomb *b = bomb_new(2);
	struct lab_ev_switch_out *ev;

	bomb_task(b, T(0), 1, 2, 1, false);
	bomb_out(b, T(1), 1, 2, 0, 35);
	for (uint32_t i = 1; i < n; i++) {
		bomb_out(b, T(4 * i), 0, 1, 0, 61);
		bomb_wake(b, T(4 * i + 2), 1, 1, 2)->head.flags = 0;
		bomb_add(b, LAB_EV_SWITCH_IN, T(4 * i + 2) + 1, 0, 1);
	}
	bomb_wake(b, T(4 * n), 1, 2, 0);
	ev = bomb_out(b, T(4 * n + 1), 1, 2, 0, 60);
	ev->prev_state = LAB_STATE_DEAD;
	return bomb_end(b, T(4 * n + 4), TRACE_END_FOR);
}

TEST(bombs_sleeper)
{
	check_growth(sleeper, 5 * SMALL);
}

/* All had a CPU when they were first seen. */
static int seeds(uint32_t n)
{
	struct bomb *b = bomb_new(2);

	for (uint32_t i = 2; i < n + 2; i++) {
		struct lab_ev_task *ev = &bomb_add(b, LAB_EV_TASK_SEED, BOMB_SEC, 0, i)->task;

		ev->tid = ev->tgid = i;
		ev->on_cpu = 1;
		ev->task_cpu = (uint16_t)(i % 2);
	}
	for (uint32_t i = 2; i < n + 2; i++)
		bomb_out(b, T(i), i % 2, i, 0, 1);
	return bomb_end(b, T(n + 2), TRACE_END_FOR);
}

TEST(bombs_seeds)
{
	check_growth(seeds, 5 * SMALL);
}

/* The same word of many tasks, and each hands over to the next. */
static int futexes(uint32_t n)
{
	struct bomb *b = bomb_new(2);

	for (uint32_t i = 2; i < 102; i++)
		bomb_task(b, T(0), 0, i, 1, true);
	for (uint32_t i = 0; i < n; i++) {
		struct lab_ev_switch_out *ev = bomb_out(b, T(10 + 2 * i), 0, 2 + i % 100, 0, 202);

		ev->args[0] = i % 3 ? 0x1000 : 8 * i;
		ev->args[1] = 128;
		bomb_wake(b, T(11 + 2 * i), 0, 2 + i % 100, 2 + (i + 1) % 100);
	}
	return bomb_end(b, T(2 * n + 20), TRACE_END_FOR);
}

TEST(bombs_futexes)
{
	check_growth(futexes, 5 * SMALL);
}

/* One process runs another program again and again, and is called otherwise each time. */
static int execs(uint32_t n)
{
	struct bomb *b = bomb_new(1);

	for (uint32_t i = 0; i < n; i++) {
		struct lab_ev_exec *ev = &bomb_add(b, LAB_EV_EXEC, T(i), 0, 1)->exec;

		ev->tid = ev->old_tid = 1;
		snprintf(ev->comm, sizeof(ev->comm), "\x1b<&\"\n%u", i);
		snprintf(bomb_add(b, LAB_EV_RENAME, T(i), 0, 1)->rename.comm, LAB_COMM_LEN, "%u",
			 i);
		bomb_add(b, LAB_EV_MIGRATE, T(i), 0, 1)->migrate.dest_cpu = i % 1024;
	}
	return bomb_end(b, T(n), TRACE_END_FOR);
}

TEST(bombs_execs)
{
	check_growth(execs, 5 * SMALL);
}

/* Other programs on every CPU that there can be, each of another name. */
static int many_cpus(uint32_t n)
{
	struct bomb *b = bomb_new(TRACE_CPUS_MAX);

	for (uint32_t i = 0; i < n; i++) {
		bomb_class(b, T(i), i % TRACE_CPUS_MAX, i / TRACE_CPUS_MAX % 2 == 0);
		if (i % 16 == 0)
			bomb_lose(b, i % TRACE_CPUS_MAX);
	}
	return bomb_end(b, T(n), TRACE_END_FOR);
}

TEST(bombs_many_cpus)
{
	check_growth(many_cpus, 10 * SMALL);
}

/* Tasks that are taken from their CPU by each other, on all CPUs. */
static int stays(uint32_t n)
{
	struct bomb *b = bomb_new(64);

	for (uint32_t i = 2; i < 1002; i++)
		bomb_task(b, T(0), 0, i, 1, i % 2);
	for (uint32_t i = 0; i < n; i++)
		bomb_add(b, LAB_EV_SWITCH_IN, T(i + 1), i * 7 % 64, 2 + i % 1000);
	return bomb_end(b, T(n + 1), TRACE_END_FOR);
}

TEST(bombs_stays)
{
	check_growth(stays, 5 * SMALL);
}

/* ---- more records than a recording of the size has ---- */

/* All of them say the same, at one instant: hardly a bit each. */
static int quiet(uint32_t n)
{
	struct bomb *b = bomb_new(1);

	for (uint32_t i = 0; i < n; i++)
		bomb_add(b, LAB_EV_THROTTLE, T(0), 0, 0);
	return bomb_end(b, T(1), TRACE_END_FOR);
}

static void check_dense(int fd, bool dense)
{
	char path[32], why[VERIFY_WHY_MAX];
	FILE *out = fopen("/dev/null", "w");
	struct trace_reader *r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	REQUIRE(out && trace_reader_open(&r, path) == 0);
	CHECK_EQ(trace_reader_is_dense(r), dense);
	CHECK_EQ(trace_reader_is_dense(r),
		 trace_reader_events(r) > TRACE_EVENTS_ALWAYS + trace_reader_bytes(r));
	CHECK_EQ(verify_file(fd, out, why), dense ? VERIFY_DENSE : VERIFY_NOTHING);
	CHECK_EQ(verify_any_file(fd, out, why), VERIFY_NOTHING);
	trace_reader_free(r);
	fclose(out);
	close(fd);
}

TEST(bombs_both_readers_tell_a_dense_file)
{
	check_dense(quiet(TRACE_EVENTS_ALWAYS - 10), false);
	check_dense(quiet(TRACE_EVENTS_ALWAYS + 100000), true);
}
