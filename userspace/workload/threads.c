/* SPDX-License-Identifier: GPL-2.0-only */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"
#include "workload/crew.h"
#include "workload/workload.h"

#define STACK_BYTES (256 * 1024)	/* the default would reserve 8 GB for 1,000 */

struct member {
	const struct crew *crew;
	uint32_t idx;
	pthread_t thread;
	int err;		/* read after the join */
};

static void threads_claim(const struct workload_args *args, struct claim *claim)
{
	crew_claim(args, "threads", claim);
}

static void *be_worker(void *arg)
{
	struct member *member = arg;

	member->err = crew_work(member->crew, member->idx);
	return NULL;
}

/* Return: how many were born; fewer than crew->tasks after one logged sentence. */
static uint32_t create_all(const struct crew *crew, struct member *members)
{
	pthread_attr_t attr;
	uint32_t i;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	for (i = 0; i < crew->tasks; i++) {
		struct member *member = &members[i];
		int err;

		*member = (struct member){ .crew = crew, .idx = i };
		err = pthread_create(&member->thread, &attr, be_worker, member);
		if (err) {
			log_err("threads: worker %u of %u cannot be created: %s", i + 1,
				crew->tasks, strerror(err));
			break;
		}
		crew_space_births(crew, i + 1);
	}
	pthread_attr_destroy(&attr);
	return i;
}

static int threads_run(const struct workload_args *args)
{
	struct member members[CREW_TASKS_MAX];
	struct crew crew;
	uint32_t born_cnt;
	int status;

	crew_init(&crew, args);
	born_cnt = create_all(&crew, members);
	if (born_cnt < crew.tasks)
		atomic_store_explicit(&crew.stop, true, memory_order_relaxed);
	status = born_cnt < crew.tasks ? EXIT_FAILURE : EXIT_SUCCESS;

	for (uint32_t i = 0; i < born_cnt; i++) {
		pthread_join(members[i].thread, NULL);
		if (members[i].err)
			status = EXIT_FAILURE;
	}
	return status;
}

const struct workload workload_threads = {
	.name = "threads",
	.shows = "threads of one process, no lock between them, run on every CPU at once",
	.opts = crew_opts,
	.defaults = {
		.tasks = 4,
		.work = WORK_CPU,
		.duration_ns = UINT64_C(1000000000),
		.seed = 1,
	},
	.claim = threads_claim,
	.run = threads_run,
};
