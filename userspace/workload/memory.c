/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memory - workers write into memory that their parent had before they were born, and look
 * for what the others wrote. Threads find it; processes find their own only, for the first
 * write to a page gives a process a copy of its own.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "util/log.h"
#include "util/minmax.h"
#include "workload/gang.h"
#include "workload/room.h"
#include "workload/rows.h"
#include "workload/work.h"

#define TASKS_MAX 32
#define TOUCH_MIB_MAX 1024
#define PAGE_BYTES 4096		/* of the pages here; larger ones of the machine hold several */
#define PAGE_CNT_PER_MIB (1024 * 1024 / PAGE_BYTES)

enum how { HOW_THREADS = 0, HOW_PROCS = 1 };

/* What every page of the memory holds. */
struct page {
	uint64_t number;		/* the parent's: its number and the seed */
	uint64_t marks[TASKS_MAX];	/* [worker]: what it wrote, 0 before */
	char rest[PAGE_BYTES - 8 * (TASKS_MAX + 1)];
};

_Static_assert(sizeof(struct page) == PAGE_BYTES, "a page");

/* In memory that processes, too, share because they were told to. */
struct shared {
	pthread_barrier_t written;
	uint64_t fault_cnt[TASKS_MAX];	/* page faults of the writing */
	uint64_t write_ns[TASKS_MAX];	/* of CPU time */
};

struct house {
	enum how how;
	uint32_t tasks, seed, mib;
	uint64_t duration_ns;
	struct page *pages;
	uint64_t page_cnt;
	struct shared *shared;
};

static const char *const how_names[] = { "threads", "procs", NULL };

static const struct opt memory_opts[] = {
	ROW_CHOICE("how", how, "threads|procs", how_names,
		   "what the workers are (default threads)"),
	ROW_TASKS(2, TASKS_MAX, "how many workers (default 2)"),
	ROW_SECONDS("how long they read what they have written (default 0.3)"),
	{ .name = "touch", .kind = OPT_U32, .off = offsetof(struct workload_args, touch_mib),
	  .metavar = "MIB", .help = "memory that each of them writes to (default 16)",
	  .min = 1, .max = TOUCH_MIB_MAX },
	ROW_SEED,
	{ .name = NULL },
};

static void memory_claim(const struct workload_args *args, struct claim *claim)
{
	const char *who = args->how == HOW_PROCS ? "processes" : "threads";

	*claim = (struct claim){ .class = CLASS_PARALLEL, .needs_cpus = 2 };
	snprintf(claim->why, sizeof(claim->why),
		 "%s use every CPU, whether or not they share memory", who);
}

static int memory_check(const struct workload_args *args)
{
	uint64_t copies = args->how == HOW_PROCS ? args->tasks + 1 : 1;

	return room_check("memory", copies * args->touch_mib);
}

static uint64_t mark_of(const struct house *house, uint32_t idx)
{
	return (uint64_t)house->seed << 32 | (idx + 1);
}

static uint64_t fault_cnt(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) ? 0 : (uint64_t)usage.ru_minflt;
}

static void write_all(const struct house *house, uint32_t idx)
{
	uint64_t start_ns = work_thread_cpu_ns(), before_cnt = fault_cnt();

	for (uint64_t i = 0; i < house->page_cnt; i++)
		house->pages[i].marks[idx] = mark_of(house, idx);
	house->shared->fault_cnt[idx] = fault_cnt() - before_cnt;
	house->shared->write_ns[idx] = work_thread_cpu_ns() - start_ns;
}

/* As the one who sees it: worker @me, or the parent if @me is house->tasks. */
static int check_page(const struct house *house, uint64_t i, uint32_t me)
{
	const struct page *page = &house->pages[i];

	if (page->number != (i ^ house->seed))
		return -EBADMSG;
	for (uint32_t j = 0; j < house->tasks; j++) {
		bool visible = j == me || house->how == HOW_THREADS;

		if (page->marks[j] != (visible ? mark_of(house, j) : 0))
			return -EBADMSG;
	}
	return 0;
}

/* Return: 0, or -EBADMSG, logged. */
static int check_all(const struct house *house, uint32_t me)
{
	for (uint64_t i = 0; i < house->page_cnt; i++) {
		if (!check_page(house, i, me))
			continue;
		log_err("memory: page %" PRIu64 " is not what it should be, as %s %u sees it: %s",
			i, me < house->tasks ? "worker" : "the parent of",
			me < house->tasks ? me + 1 : me,
			house->how == HOW_THREADS ? "threads must see every write" :
						    "a process must see its own writes only");
		return -EBADMSG;
	}
	return 0;
}

static int memory_work(void *ctx, uint32_t idx)
{
	const struct house *house = ctx;
	struct work_rng rng;
	uint64_t end_ns;
	int err;

	work_rng_init(&rng, house->seed, idx + 1);
	write_all(house, idx);
	pthread_barrier_wait(&house->shared->written);
	end_ns = work_now_ns() + house->duration_ns;
	do {
		err = check_all(house, idx);
		if (!err)
			err = work_compute(&rng, 1);
	} while (!err && work_now_ns() < end_ns);
	return err;
}

/* Return: 0, or -errno, logged, with nothing left. */
static int build(struct house *house)
{
	pthread_barrierattr_t attr;
	void *shared = mmap(NULL, sizeof(*house->shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED) {
		int err = -errno;

		log_err("memory: cannot map shared memory: %s", strerror(-err));
		return err;
	}
	house->shared = shared;
	house->pages = room_map("memory", house->mib);
	if (!house->pages) {
		munmap(shared, sizeof(*house->shared));
		return -ENOMEM;
	}
	house->page_cnt = (uint64_t)house->mib * PAGE_CNT_PER_MIB;
	for (uint64_t i = 0; i < house->page_cnt; i++)
		house->pages[i].number = i ^ house->seed;
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&house->shared->written, &attr, house->tasks);
	pthread_barrierattr_destroy(&attr);
	return 0;
}

static void tear_down(struct house *house)
{
	pthread_barrier_destroy(&house->shared->written);
	munmap(house->pages, (size_t)house->mib << 20);
	munmap(house->shared, sizeof(*house->shared));
}

static void tell(const struct house *house)
{
	uint64_t faults = 0, write_ns = 0, page_cnt = house->page_cnt * house->tasks;

	for (uint32_t i = 0; i < house->tasks; i++) {
		faults += house->shared->fault_cnt[i];
		write_ns += house->shared->write_ns[i];
	}
	log_info("memory: %u of %s, each wrote to %u MiB: %s; %" PRIu64 " page faults, %" PRIu64
		 " ns of CPU for each page of 4 KiB",
		 house->tasks, how_names[house->how], house->mib,
		 house->how == HOW_THREADS ? "all saw the writes of all" :
					     "each saw its own writes, and the parent none",
		 faults, write_ns / max_u64(page_cnt, 1));
}

static int memory_run(const struct workload_args *args)
{
	struct house house = {
		.how = (enum how)args->how,
		.tasks = args->tasks,
		.seed = args->seed,
		.mib = args->touch_mib,
		.duration_ns = args->duration_ns,
	};
	const struct gang gang = {
		.name = "memory", .label = "worker", .cnt = args->tasks, .ctx = &house,
		.work = memory_work,
	};
	int err = build(&house);

	if (err)
		return EXIT_FAILURE;
	err = house.how == HOW_PROCS ? gang_of_processes(&gang) : gang_of_threads(&gang);
	if (!err)
		err = check_all(&house, house.tasks);
	if (!err)
		tell(&house);
	tear_down(&house);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct workload workload_memory = {
	.name = "memory",
	.shows = "threads see each other's writes; a process that writes gets a copy of the page",
	.opts = memory_opts,
	.defaults = {
		.tasks = 2,
		.how = HOW_THREADS,
		.touch_mib = 16,
		.duration_ns = UINT64_C(300000000),
		.seed = 1,
	},
	.claim = memory_claim,
	.check = memory_check,
	.run = memory_run,
};
