/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * spawn - one child after the other, each of which computes for a while: what it costs to
 * make them, by fork, by vfork, by posix_spawn of a program, and as threads.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/log.h"
#include "util/minmax.h"
#include "workload/gang.h"
#include "workload/ranks.h"
#include "workload/room.h"
#include "workload/rows.h"
#include "workload/work.h"

#define NS_PER_MS UINT64_C(1000000)

#define TASKS_MAX 64
#define TOUCH_MIB_MAX 1024

/*
 * A parent and its child both want a CPU for a moment after the birth and before
 * the end. The claim is for children that live long against that. The parent of
 * posix_spawn() is woken when the child executes the program; where it finds no CPU free, it
 * waits for some milliseconds.
 */
#define CHILD_LONG_NS (20 * NS_PER_MS)
#define CHILD_LONG_SPAWN_NS (200 * NS_PER_MS)

enum how { HOW_FORK = 0, HOW_VFORK = 1, HOW_SPAWN = 2, HOW_THREAD = 3 };

/*
 * What posix_spawn() executes: a shell that counts to 1000, $1 times, which takes it about
 * $1 milliseconds. It looks after its parent, which nothing tells of a parent's death.
 */
#define SHELL_SCRIPT \
	"i=0; while [ $i -lt $1 ] && kill -0 $PPID; do " \
	"j=0; while [ $j -lt 1000 ]; do j=$((j + 1)); done; i=$((i + 1)); done; " \
	"[ $i -eq $1 ]"

struct child {
	uint32_t idx;
	pid_t pid;
	pthread_t thread;
	struct nursery *nursery;
	int err;		/* threads; read after the join */
};

struct nursery {
	enum how how;
	uint32_t seed;
	uint64_t child_ns;	/* of CPU time */
	uint64_t *took_ns;	/* [child]: the call that made it */
	uint32_t born_cnt;
};

static const char *const how_names[] = { "fork", "vfork", "spawn", "thread", NULL };

static const struct opt spawn_opts[] = {
	ROW_CHOICE("how", how, "fork|vfork|spawn|thread", how_names,
		   "what makes a child; spawn is posix_spawn of a shell (default fork)"),
	ROW_TASKS(1, TASKS_MAX, "how many children at once (default 1)"),
	ROW_ROUNDS(1, 10000, "how often, one after the other (default 20)"),
	ROW_SECONDS("how long a child computes, times rounds (default 0.8)"),
	ROW_TOUCH(TOUCH_MIB_MAX, "memory that the parent has, whose map a fork copies (default 0)"),
	ROW_SEED,
	{ .name = NULL },
};

static void spawn_claim(const struct workload_args *args, struct claim *claim)
{
	uint64_t long_ns = args->how == HOW_SPAWN && args->tasks < 2 ? CHILD_LONG_SPAWN_NS :
								       CHILD_LONG_NS;

	*claim = (struct claim){ .class = CLASS_NONE, .needs_cpus = 1 };
	if (args->duration_ns / args->rounds < long_ns) {
		snprintf(claim->why, sizeof(claim->why),
			 "beside children that live so short the births weigh too much");
	} else if (args->how == HOW_VFORK) {
		claim->class = CLASS_SEQUENTIAL;
		snprintf(claim->why, sizeof(claim->why),
			 "a parent stands still in vfork until its child is gone");
	} else if (args->tasks < 2) {
		claim->class = CLASS_SEQUENTIAL;
		snprintf(claim->why, sizeof(claim->why),
			 "a parent that waits for each child is one activity");
	} else {
		claim->class = CLASS_PARALLEL;
		claim->needs_cpus = 2;
		claim->min_parallelism_milli = 1100;
		snprintf(claim->why, sizeof(claim->why),
			 "children that are made together run at once");
	}
}

static int spawn_check(const struct workload_args *args)
{
	if (args->how == HOW_SPAWN && access("/bin/sh", X_OK)) {
		log_err("spawn: --how spawn executes /bin/sh, and here it cannot: %s",
			strerror(errno));
		return -ENOENT;
	}
	return room_check("spawn", args->touch_mib);
}

static int live(const struct nursery *nursery, uint32_t idx)
{
	struct work_rng rng;

	work_rng_init(&rng, nursery->seed, idx + 1);
	return work_compute_cpu(&rng, nursery->child_ns);
}

/* ---- births: 0 or -errno ---- */

static int be_child(const struct nursery *nursery, uint32_t idx, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return EXIT_FAILURE;
	gang_set_name("child", idx);
	return live(nursery, idx) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int by_fork(struct child *child)
{
	pid_t parent = getpid();

	child->pid = fork();
	if (!child->pid)
		_exit(be_child(child->nursery, child->idx, parent));
	return child->pid < 0 ? -errno : 0;
}

/* The child is in the parent's memory, which stands still: it changes its own frames only. */
static int by_vfork(struct child *child)
{
	pid_t parent = getpid(), pid = vfork();

	if (!pid)
		_exit(be_child(child->nursery, child->idx, parent));
	child->pid = pid;
	return pid < 0 ? -errno : 0;
}

static int by_spawn(struct child *child)
{
	char script[] = SHELL_SCRIPT, sh[] = "sh", c[] = "-c", times[24];
	char *argv[] = { sh, c, script, sh, times, NULL };

	snprintf(times, sizeof(times), "%" PRIu64,
		 max_u64(child->nursery->child_ns / NS_PER_MS, 1));
	return -posix_spawn(&child->pid, "/bin/sh", NULL, NULL, argv, environ);
}

static void *be_thread(void *arg)
{
	struct child *child = arg;

	gang_set_name("child", child->idx);
	child->err = live(child->nursery, child->idx);
	return NULL;
}

static int by_thread(struct child *child)
{
	return -pthread_create(&child->thread, NULL, be_thread, child);
}

static int (*const births[])(struct child *child) = {
	[HOW_FORK] = by_fork,
	[HOW_VFORK] = by_vfork,
	[HOW_SPAWN] = by_spawn,
	[HOW_THREAD] = by_thread,
};

/* ---- ends ---- */

/* Return: 0, or -EIO, logged: the child did not end well. */
static int await(struct child *child)
{
	int status = 0;

	if (child->nursery->how == HOW_THREAD) {
		pthread_join(child->thread, NULL);
		status = child->err ? W_EXITCODE(EXIT_FAILURE, 0) : 0;
	} else {
		while (wait4(child->pid, &status, 0, NULL) < 0)
			if (errno != EINTR)
				break;
	}
	if (!status)
		return 0;
	log_err("spawn: child %u did not end well: %s %d", child->idx + 1,
		WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return -EIO;
}

/* @cnt children at once, and the end of all of them. Return: 0, or -errno, logged. */
static int raise_some(struct nursery *nursery, uint32_t cnt)
{
	struct child children[TASKS_MAX];
	uint32_t born_cnt;
	int err = 0;

	for (born_cnt = 0; born_cnt < cnt; born_cnt++) {
		struct child *child = &children[born_cnt];
		uint64_t start_ns = work_now_ns();

		*child = (struct child){ .idx = nursery->born_cnt, .nursery = nursery };
		err = births[nursery->how](child);
		if (err) {
			log_err("spawn: child %u cannot be made by %s: %s", child->idx + 1,
				how_names[nursery->how], strerror(-err));
			break;
		}
		nursery->took_ns[nursery->born_cnt++] = work_now_ns() - start_ns;
	}
	for (uint32_t i = 0; i < born_cnt; i++) {
		int end_err = await(&children[i]);

		if (!err)
			err = end_err;
	}
	return err;
}

/* ---- the parent ---- */

/* It has @mib of memory from here on. Return: 0, or -ENOMEM, logged. */
static int grow(uint32_t mib)
{
	void *memory;

	if (!mib)
		return 0;
	memory = room_map("spawn", mib);
	if (!memory)
		return -ENOMEM;
	memset(memory, 1, (size_t)mib << 20);
	return 0;
}

static void tell(struct nursery *nursery)
{
	uint64_t *v = nursery->took_ns;
	uint32_t cnt = nursery->born_cnt;

	if (!cnt)
		return;
	ranks_sort(v, cnt);
	log_info("spawn: %u children by %s: the call took the parent %" PRIu64 ".%" PRIu64
		 " us at the median, %" PRIu64 ".%" PRIu64 " us at the least",
		 cnt, how_names[nursery->how], ranks_at(v, cnt, 500) / 1000,
		 ranks_at(v, cnt, 500) % 1000 / 100, v[0] / 1000, v[0] % 1000 / 100);
}

static int spawn_run(const struct workload_args *args)
{
	struct nursery nursery = {
		.how = (enum how)args->how,
		.seed = args->seed,
		.child_ns = args->duration_ns / args->rounds,
		.took_ns = xcalloc((size_t)args->rounds * args->tasks, sizeof(*nursery.took_ns)),
	};
	int err = grow(args->touch_mib);

	for (uint32_t i = 0; i < args->rounds && !err; i++)
		err = raise_some(&nursery, args->tasks);
	tell(&nursery);
	free(nursery.took_ns);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct workload workload_spawn = {
	.name = "spawn",
	.shows = "what a child costs that is made by fork, vfork, posix_spawn, or as a thread",
	.opts = spawn_opts,
	.defaults = {
		.tasks = 1,
		.rounds = 20,
		.how = HOW_FORK,
		.duration_ns = UINT64_C(800000000),
		.seed = 1,
	},
	.claim = spawn_claim,
	.check = spawn_check,
	.run = spawn_run,
};
