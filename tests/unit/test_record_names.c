/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "record/name_finder.h"
#include "record/names.h"
#include "unit.h"
#include "util/alloc.h"

#define PRIVATE 128
#define S LAB_STATE_INTERRUPTIBLE
#define SECOND_NS 1000000000ULL

static uint32_t names_test_word[4];

static int confined(void)
{
	return 0;
}

static struct lab_task_slot *make_slots(uint32_t tgid)
{
	struct lab_task_slot *slots = mmap(NULL, LAB_TASK_SLOTS * sizeof(*slots),
					   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
					   -1, 0);

	REQUIRE(slots != MAP_FAILED);
	for (uint32_t id = 1; id < 8; id++)
		slots[id] = (struct lab_task_slot){ .id = id, .tgid = tgid };
	return slots;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND_NS + (uint64_t)ts.tv_nsec;
}

static union lab_event wait_of(uint32_t task, uint64_t ts_ns, const void *addr)
{
	union lab_event ev = {
		.head = { .kind = LAB_EV_SWITCH_OUT, .task = task, .ts_ns = ts_ns },
	};

	ev.switch_out.syscall = 202;
	ev.switch_out.prev_state = S;
	ev.switch_out.args[0] = (uintptr_t)addr;
	ev.switch_out.args[1] = PRIVATE;
	return ev;
}

static union lab_event exec_of(uint32_t task, uint64_t ts_ns)
{
	return (union lab_event){ .head = { .kind = LAB_EV_EXEC, .task = task, .ts_ns = ts_ns } };
}

/* All that comes of these events, seen in this process. */
static void names_of(struct lab_task_slot *slots, const union lab_event *evs, size_t cnt,
		     struct trace_symbols *out)
{
	struct names *n = names_start(&(struct names_opts){ slots, confined, confined });
	uint64_t cpu_ns;

	REQUIRE(n);
	for (size_t i = 0; i < cnt; i++)
		names_see(n, &evs[i]);
	names_finish(n, UINT64_MAX, 0, out, &cpu_ns);
	CHECK(cpu_ns > 0 && cpu_ns < SECOND_NS);
	names_free(n);
	CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);	/* nobody is left behind */
}

static const struct trace_symbol *row_at(const struct trace_symbols *s, const void *addr)
{
	for (size_t i = 0; i < s->row_cnt; i++)
		if (s->rows[i].addr == (uintptr_t)addr)
			return &s->rows[i];
	return NULL;
}

TEST(names_of_what_this_process_has)
{
	struct lab_task_slot *slots = make_slots((uint32_t)getpid());
	uint32_t *heap = xmalloc(sizeof(*heap)), stack[4];
	void *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			    memfd_create("names_test", MFD_CLOEXEC), 0);
	union lab_event evs[] = {
		wait_of(1, now_ns(), &names_test_word[2]), wait_of(2, now_ns(), heap),
		wait_of(3, now_ns(), stack), wait_of(4, now_ns(), (char *)shared + 64),
		wait_of(5, now_ns(), (void *)16), wait_of(6, now_ns(), &names_test_word[2]),
	};
	struct trace_symbols s;
	const struct trace_symbol *row;

	REQUIRE(shared != MAP_FAILED);
	evs[3].switch_out.args[1] = 0;
	names_of(slots, evs, sizeof(evs) / sizeof(evs[0]), &s);
	row = row_at(&s, &names_test_word[2]);
	REQUIRE(row && row->symbol != TRACE_NO_TEXT);
	CHECK_STR(s.texts[row->symbol], "names_test_word");
	CHECK_EQ(row->symbol_off, 8);
	CHECK(strstr(s.texts[row->object], "/unit"));
	CHECK_EQ(row->task, 1);		/* task 6 asked for nothing new */
	CHECK_EQ(row->wait_ns, evs[0].head.ts_ns);
	CHECK(!row->is_shared);
	row = row_at(&s, stack);
	REQUIRE(row);
	CHECK_STR(s.texts[row->object], "[stack]");
	CHECK_EQ(row->symbol, TRACE_NO_TEXT);
	row = row_at(&s, (char *)shared + 64);
	REQUIRE(row);
	CHECK(strstr(s.texts[row->object], "/memfd:names_test"));
	CHECK_EQ(row->offset, 64);
	CHECK(row->is_shared);
	CHECK(row_at(&s, heap));
	CHECK(!row_at(&s, (void *)16));
	CHECK_EQ(s.row_cnt, 4);
	trace_symbols_release(&s);
	free(heap);
}

/* Records that are no waits in a futex, and waits of nobody known. */
TEST(names_are_asked_for_waits_in_futexes_only)
{
	struct lab_task_slot *slots = make_slots((uint32_t)getpid());
	const void *word = names_test_word;
	union lab_event evs[] = {
		wait_of(1, now_ns(), word), wait_of(1, now_ns(), word), wait_of(1, now_ns(), word),
		wait_of(1, now_ns(), word), wait_of(9, now_ns(), word), exec_of(1, now_ns()),
	};
	struct trace_symbols s;

	evs[0].switch_out.syscall = 0;
	evs[1].switch_out.prev_state = 0;
	evs[2].head.flags = LAB_F_COMPAT;
	evs[3].head.flags = LAB_F_PREEMPT;
	names_of(slots, evs, sizeof(evs) / sizeof(evs[0]), &s);
	CHECK_EQ(s.row_cnt, 0);
	trace_symbols_release(&s);
}

TEST(names_of_seeds_and_newer_calls)
{
	struct lab_task_slot *slots = make_slots((uint32_t)getpid());
	union lab_event evs[] = {
		{ .head = { .kind = LAB_EV_TASK_SEED, .task = 1, .ts_ns = now_ns() } },
		wait_of(2, now_ns(), &names_test_word[1]),
		wait_of(3, now_ns(), &names_test_word[2]),
	};
	struct trace_symbols s;

	evs[0].task.syscall = 202;
	evs[0].task.state = S;
	evs[0].task.args[0] = (uintptr_t)&names_test_word[0];
	evs[1].switch_out.syscall = 449;
	evs[2].switch_out.syscall = 455;
	names_of(slots, evs, 3, &s);
	CHECK_EQ(s.row_cnt, 3);
	trace_symbols_release(&s);
}

/* The waiter died, or another process has its number: nobody knows whose maps those are. */
TEST(names_of_the_dead_are_not_told)
{
	struct lab_task_slot *slots = make_slots((uint32_t)getpid());
	union lab_event evs[] = { wait_of(1, now_ns(), &names_test_word[0]),
				  wait_of(2, now_ns(), &names_test_word[1]),
				  wait_of(3, now_ns(), &names_test_word[2]) };
	struct trace_symbols s;

	slots[1].dead = 1;
	slots[3].tgid = 4194305;	/* no process has such a number */
	names_of(slots, evs, 3, &s);
	REQUIRE(s.row_cnt == 1);
	CHECK_EQ(s.rows[0].task, 2);
	trace_symbols_release(&s);
}

/* Where the first who waited is gone, the next one's wait counts; not for ever. */
TEST(names_are_asked_for_again_when_the_waiter_died)
{
	struct lab_task_slot *slots = make_slots((uint32_t)getpid());
	union lab_event evs[7];
	struct trace_symbols s;

	for (uint32_t i = 0; i < 7; i++) {
		evs[i] = wait_of(i + 1, now_ns(), names_test_word);
		slots[i + 1].dead = i + 1 != 3;
	}
	names_of(slots, evs, 7, &s);
	REQUIRE(s.row_cnt == 1);
	CHECK_EQ(s.rows[0].task, 3);
	trace_symbols_release(&s);
	slots[3].dead = 1;
	slots[5].dead = 0;	/* the fifth: asked for often enough */
	names_of(slots, evs, 7, &s);
	CHECK_EQ(s.row_cnt, 0);
	trace_symbols_release(&s);
}

/* Two answers, for who waited first had died by then: the file has another name by the second. */
TEST(names_of_a_file_that_moved_are_those_of_before)
{
	struct lab_task_slot *slots = make_slots((uint32_t)getpid());
	char path[] = "/tmp/lab-names-XXXXXX", moved[64];
	int fd = mkstemp(path);
	uint32_t *word;
	union lab_event wait;
	struct names *n;
	struct trace_symbols out;
	uint64_t cpu_ns, until_ns;
	const struct trace_symbol *row;

	REQUIRE(fd >= 0 && !ftruncate(fd, 4096));
	word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	REQUIRE(word != MAP_FAILED);
	snprintf(moved, sizeof(moved), "%s-moved", path);
	n = names_start(&(struct names_opts){ slots, confined, confined });
	REQUIRE(n);
	wait = wait_of(1, now_ns(), word);
	names_see(n, &wait);
	/* The finder says nothing until the end: it has looked well before this. */
	for (until_ns = now_ns() + SECOND_NS / 2; now_ns() < until_ns;)
		usleep(10000);
	CHECK_EQ(rename(path, moved), 0);
	slots[1].dead = 1;
	wait = wait_of(2, now_ns(), word);
	names_see(n, &wait);
	names_finish(n, UINT64_MAX, 0, &out, &cpu_ns);
	names_free(n);
	CHECK_EQ(out.row_cnt, 1);
	row = row_at(&out, word);
	REQUIRE(row);
	CHECK_STR(out.texts[row->object], path);
	trace_symbols_release(&out);
	unlink(moved);
	munmap(word, 4096);
	close(fd);
	munmap(slots, LAB_TASK_SLOTS * sizeof(*slots));
}

/* An exec since the wait, by whichever thread and in whichever order it is drained. */
TEST(names_of_another_program_are_not_told)
{
	struct lab_task_slot *slots = make_slots((uint32_t)getpid());
	uint64_t t = now_ns();
	union lab_event before[] = { exec_of(2, t), wait_of(1, t + 1, names_test_word) };
	union lab_event after[] = { wait_of(1, t, names_test_word), exec_of(2, t + 1) };
	union lab_event again[] = { wait_of(1, t, names_test_word), exec_of(2, t + 1),
				    wait_of(1, t + 2, names_test_word), exec_of(2, t) };
	struct trace_symbols s;

	names_of(slots, before, 2, &s);
	CHECK_EQ(s.row_cnt, 1);
	trace_symbols_release(&s);
	names_of(slots, after, 2, &s);
	CHECK_EQ(s.row_cnt, 0);
	trace_symbols_release(&s);
	names_of(slots, again, 4, &s);
	REQUIRE(s.row_cnt == 1);
	CHECK_EQ(s.rows[0].wait_ns, t + 2);
	trace_symbols_release(&s);
}

TEST(names_hold_for_the_memory_of_the_wait)
{
	struct names_asked a = { .wait_ns = 5 * SECOND_NS, .exec_ns = UINT64_MAX };
	const uint64_t none = UINT64_MAX, read_ns = 6 * SECOND_NS;

	CHECK(names_hold(&a, read_ns, none, 0));
	CHECK(!names_hold(&a, a.wait_ns - 1, none, 0));
	a.exec_ns = 7 * SECOND_NS + 1;
	CHECK(names_hold(&a, read_ns, none, 0));
	/* Its memory may have been there a second before the record of it. */
	a.exec_ns = 7 * SECOND_NS;
	CHECK(!names_hold(&a, read_ns, none, 0));
	a.exec_ns = none;
	CHECK(names_hold(&a, read_ns, 1, a.wait_ns - 1));
	CHECK(!names_hold(&a, read_ns, 1, a.wait_ns));
	CHECK(!names_hold(&a, read_ns, 7 * SECOND_NS, none - 1));
	CHECK(names_hold(&a, read_ns, 7 * SECOND_NS + 1, none - 1));
	CHECK(!names_hold(&a, read_ns, 1, none));
}

/* Waits at a new address each time are served up to the bound and do not block the recorder. */
TEST(names_have_a_bound)
{
	struct lab_task_slot *slots = make_slots((uint32_t)getpid());
	struct names *n = names_start(&(struct names_opts){ slots, confined, confined });
	uint64_t ts_ns = now_ns(), start_ns = ts_ns, cpu_ns;
	struct trace_symbols s;

	REQUIRE(n);
	for (uint64_t i = 0; i < 400000; i++) {
		union lab_event ev = wait_of(1, ts_ns + i * 1000, (void *)(0x1000 + 8 * i));

		names_see(n, &ev);
	}
	CHECK(now_ns() - start_ns < 10 * SECOND_NS);
	names_finish(n, UINT64_MAX, 0, &s, &cpu_ns);
	CHECK_EQ(s.row_cnt, 0);		/* nothing is mapped there */
	trace_symbols_release(&s);
	names_free(n);
	names_free(NULL);
}

static int refuse(void)
{
	return -1;
}

/* Without its finder the recorder goes on. */
TEST(names_without_a_finder)
{
	struct lab_task_slot *slots = make_slots((uint32_t)getpid());
	struct names *n = names_start(&(struct names_opts){ slots, refuse, confined });
	struct trace_symbols s;
	uint64_t cpu_ns;

	REQUIRE(n);
	for (int i = 0; i < 100; i++) {
		union lab_event ev = wait_of(1, now_ns(), names_test_word);

		names_see(n, &ev);
		usleep(1000);
	}
	names_finish(n, UINT64_MAX, 0, &s, &cpu_ns);
	CHECK_EQ(s.row_cnt, 0);
	trace_symbols_release(&s);
	names_free(n);
}
