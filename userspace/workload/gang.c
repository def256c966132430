/* SPDX-License-Identifier: GPL-2.0-only */
#include "workload/gang.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/log.h"
#include "workload/futex_call.h"

#define STACK_BYTES (256 * 1024)	/* the default would reserve 8 GB for 1,000 */

void gang_set_name(const char *label, uint32_t idx)
{
	char name[16];		/* the kernel keeps 15 and a NUL */

	snprintf(name, sizeof(name), "%s/%u", label, idx + 1);
	prctl(PR_SET_NAME, name);
}

static int be_worker(const struct gang *gang, uint32_t idx)
{
	int err;

	if (gang->label)
		gang_set_name(gang->label, idx);
	err = gang->work(gang->ctx, idx);
	if (err == -EIO)
		log_err("%s: worker %u computed a wrong result: "
			"this machine's arithmetic is broken", gang->name, idx + 1);
	return err;
}

/* ---- processes ---- */

static int be_process(const struct gang *gang, uint32_t idx, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The parent may have died before the line above; that death sends nothing. */
	if (getppid() != parent)
		return EXIT_FAILURE;
	return be_worker(gang, idx) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Return: how many were born; fewer than gang->cnt after one logged sentence. */
static uint32_t fork_all(const struct gang *gang, pid_t *pids)
{
	pid_t parent = getpid();

	for (uint32_t i = 0; i < gang->cnt; i++) {
		pids[i] = fork();
		if (pids[i] < 0) {
			log_err("%s: worker %u of %u cannot be forked: %s", gang->name, i + 1,
				gang->cnt, strerror(errno));
			return i;
		}
		if (!pids[i])
			_exit(be_process(gang, i, parent));
		if (gang->born)
			gang->born(gang->ctx, i + 1);
	}
	return gang->cnt;
}

/* Those that have been waited for are 0. */
static void kill_all(const pid_t *pids, uint32_t cnt)
{
	for (uint32_t i = 0; i < cnt; i++)
		if (pids[i])
			kill(pids[i], SIGKILL);
}

static uint32_t idx_of(const pid_t *pids, uint32_t cnt, pid_t pid)
{
	uint32_t i = 0;

	while (i < cnt && pids[i] != pid)
		i++;
	return i;
}

/* Return: 0, or -EIO if one ended badly, which is logged unless it was @killed. */
static int wait_all(const struct gang *gang, pid_t *pids, uint32_t cnt, bool killed)
{
	int err = 0;

	for (uint32_t left = cnt; left;) {
		int status;
		pid_t pid = wait4(-1, &status, 0, NULL);
		uint32_t idx;

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0) {
			err = -errno;
			log_err("%s: the workers cannot be waited for: %s", gang->name,
				strerror(errno));
			return err;
		}
		idx = idx_of(pids, cnt, pid);
		if (idx == cnt)
			continue;
		pids[idx] = 0;
		left--;
		if (!status || killed)
			continue;
		err = -EIO;
		if (WIFSIGNALED(status))
			log_err("%s: worker %u, process %d, was ended by signal %d", gang->name,
				idx + 1, (int)pid, WTERMSIG(status));
		killed = true;
		kill_all(pids, cnt);
	}
	return err;
}

int gang_of_processes(const struct gang *gang)
{
	pid_t *pids = xcalloc(gang->cnt, sizeof(*pids));
	uint32_t born_cnt = fork_all(gang, pids);
	int err;

	if (born_cnt < gang->cnt)
		kill_all(pids, born_cnt);
	err = wait_all(gang, pids, born_cnt, born_cnt < gang->cnt);
	free(pids);
	return born_cnt < gang->cnt ? -EAGAIN : err;
}

/* ---- threads ---- */

enum gate { GATE_CLOSED = 0, GATE_OPEN = 1, GATE_CALLED_OFF = 2 };

struct member {
	const struct gang *gang;
	_Atomic uint32_t *gate;
	uint32_t idx;
	pthread_t thread;
	int err;		/* read after the join */
};

static void *be_thread(void *arg)
{
	struct member *member = arg;

	while (atomic_load(member->gate) == GATE_CLOSED)
		futex_call_wait(member->gate, GATE_CLOSED);
	if (atomic_load(member->gate) == GATE_OPEN)
		member->err = be_worker(member->gang, member->idx);
	return NULL;
}

static uint32_t create_all(const struct gang *gang, struct member *members, _Atomic uint32_t *gate)
{
	pthread_attr_t attr;
	uint32_t i;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	for (i = 0; i < gang->cnt; i++) {
		struct member *member = &members[i];
		int err;

		*member = (struct member){ .gang = gang, .gate = gate, .idx = i };
		err = pthread_create(&member->thread, &attr, be_thread, member);
		if (err) {
			log_err("%s: worker %u of %u cannot be created: %s", gang->name, i + 1,
				gang->cnt, strerror(err));
			break;
		}
		if (gang->born)
			gang->born(gang->ctx, i + 1);
	}
	pthread_attr_destroy(&attr);
	return i;
}

int gang_of_threads(const struct gang *gang)
{
	struct member *members = xcalloc(gang->cnt, sizeof(*members));
	_Atomic uint32_t gate = gang->call_off ? GATE_OPEN : GATE_CLOSED;
	uint32_t born_cnt = create_all(gang, members, &gate);
	int err = born_cnt < gang->cnt ? -EAGAIN : 0;

	if (err && gang->call_off)
		gang->call_off(gang->ctx);
	if (!gang->call_off) {
		atomic_store(&gate, err ? GATE_CALLED_OFF : GATE_OPEN);
		futex_call_wake(&gate, born_cnt);
	}
	for (uint32_t i = 0; i < born_cnt; i++) {
		pthread_join(members[i].thread, NULL);
		if (members[i].err)
			err = members[i].err;
	}
	free(members);
	return err;
}
