/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload/gang.h"
#include "workload/work.h"

#define MS UINT64_C(1000000)

/* What the workers of a test do, in memory that processes share. */
struct deeds {
	_Atomic uint32_t begun_cnt, stop;
	uint32_t fails;		/* idx + 1 of the one that does; 0: none */
	uint32_t dies;		/* likewise, of a signal */
	int with;
	uint64_t live_ns;	/* of the others */
	_Atomic uint32_t named_cnt;
};

static struct deeds *deeds_new(void)
{
	void *deeds = mmap(NULL, sizeof(struct deeds), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	REQUIRE(deeds != MAP_FAILED);
	return deeds;
}

static int work(void *ctx, uint32_t idx)
{
	struct deeds *deeds = ctx;
	char name[16] = "", expected[16] = "deed/1";

	expected[5] = (char)('1' + idx);
	prctl(PR_GET_NAME, name);
	if (!strcmp(name, expected))
		atomic_fetch_add(&deeds->named_cnt, 1);
	atomic_fetch_add(&deeds->begun_cnt, 1);
	if (idx + 1 == deeds->fails)
		return deeds->with;
	if (idx + 1 == deeds->dies)
		raise(SIGKILL);
	for (uint64_t end_ns = work_now_ns() + deeds->live_ns; work_now_ns() < end_ns;) {
		work_sleep_until(work_now_ns() + MS);
		if (atomic_load(&deeds->stop))
			break;
	}
	return 0;
}

static struct gang gang_of(struct deeds *deeds, uint32_t cnt)
{
	return (struct gang){
		.name = "test", .label = "deed", .cnt = cnt, .ctx = deeds, .work = work,
	};
}

TEST(workload_gang_does_its_work)
{
	struct deeds *deeds = deeds_new();
	struct gang gang = gang_of(deeds, 9);

	CHECK_EQ(gang_of_processes(&gang), 0);
	CHECK_EQ(deeds->begun_cnt, 9);
	CHECK_EQ(deeds->named_cnt, 9);
	CHECK_EQ(gang_of_threads(&gang), 0);
	CHECK_EQ(deeds->begun_cnt, 18);
	CHECK_EQ(deeds->named_cnt, 18);
	CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);
	CHECK_EQ(errno, ECHILD);
}

/* Fifty seconds would be more than the harness allows. */
TEST(workload_gang_of_processes_ends_with_the_first_that_fails)
{
	struct deeds *deeds = deeds_new();
	struct gang gang = gang_of(deeds, 5);

	deeds->live_ns = 50000 * MS;
	deeds->fails = 3;
	deeds->with = -EBADMSG;
	CHECK_EQ(gang_of_processes(&gang), -EIO);
	deeds->fails = 0;
	deeds->dies = 5;
	CHECK_EQ(gang_of_processes(&gang), -EIO);
	CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);
	CHECK_EQ(errno, ECHILD);
}

TEST(workload_gang_of_threads_tells_what_failed)
{
	struct deeds *deeds = deeds_new();
	struct gang gang = gang_of(deeds, 5);

	deeds->fails = 1;
	deeds->with = -EBADMSG;
	CHECK_EQ(gang_of_threads(&gang), -EBADMSG);
	CHECK_EQ(deeds->begun_cnt, 5);
}

static void stop(void *ctx)
{
	struct deeds *deeds = ctx;

	atomic_store(&deeds->stop, 1);
}

/* An ordinary user may have as many tasks as there are, and @more. */
static void limit_tasks(rlim_t more)
{
	struct rlimit limit = { .rlim_cur = more, .rlim_max = more };

	if (!getuid() && (setresgid(60123, 60123, 60123) || setresuid(60123, 60123, 60123)))
		SKIP("root may have any number of tasks");
	if (setrlimit(RLIMIT_NPROC, &limit))
		SKIP("the number of tasks cannot be limited");
}

TEST(workload_gang_that_is_not_whole_does_not_begin)
{
	struct deeds *deeds = deeds_new();
	struct gang gang = gang_of(deeds, 50);

	deeds->live_ns = 50000 * MS;
	/* This one is a task of the user's, too. */
	limit_tasks(11);
	CHECK_EQ(gang_of_threads(&gang), -EAGAIN);
	CHECK_EQ(deeds->begun_cnt, 0);
	CHECK_EQ(gang_of_processes(&gang), -EAGAIN);
	CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);
	CHECK_EQ(errno, ECHILD);

	atomic_store(&deeds->begun_cnt, 0);
	gang.call_off = stop;
	CHECK_EQ(gang_of_threads(&gang), -EAGAIN);
	CHECK_EQ(deeds->begun_cnt, 10);
}

TEST(workload_worker_is_named_by_its_number)
{
	char name[16];

	gang_set_name("worker", 999);
	CHECK_EQ(prctl(PR_GET_NAME, name), 0);
	CHECK_STR(name, "worker/1000");
	gang_set_name("a-label-of-twenty-cols", 0);
	CHECK_EQ(prctl(PR_GET_NAME, name), 0);
	CHECK_STR(name, "a-label-of-twen");
}
