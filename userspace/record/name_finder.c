/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/name_finder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "record/name_objects.h"
#include "util/alloc.h"
#include "util/io.h"
#include "util/minmax.h"

#define BUDGET_START_NS UINT64_C(100000000)
#define BUDGET_SHARE 100	/* one part in so many of the time that passes */
#define BATCH_MAX 64
#define RESOLVE_BYTES ((rlim_t)1 << 30)	/* of address space, beyond what is mapped by then */
#define RESOLVE_CPU_S 10

struct finding {
	const struct finder *opts;
	struct objects objects;
	struct place *places;	/* what was found, in order of discovery */
	size_t place_cnt, place_cap;
	uint64_t start_ns;
	bool over;		/* the recorder asks no more */
};

/* The addresses of one process that are looked up together. */
struct group {
	struct finding *f;
	const struct finder_request *requests;
	int proc_fd;		/* its folder in /proc, which is no other's when it has ended */
	size_t first;		/* into places: of this group */
};

static uint64_t clock_now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Wait until more time may be spent, or the recorder has shut its end down. */
static void keep_to_budget(struct finding *f)
{
	uint64_t used_ns = clock_now_ns(CLOCK_PROCESS_CPUTIME_ID), due_ns;
	struct pollfd fd = { .fd = f->opts->fd, .events = POLLRDHUP };

	if (used_ns <= BUDGET_START_NS)
		return;
	due_ns = f->start_ns + (used_ns - BUDGET_START_NS) * BUDGET_SHARE;
	for (uint64_t now; (now = clock_now_ns(CLOCK_MONOTONIC)) < due_ns;)
		if (poll(&fd, 1, (int)min_u64((due_ns - now) / 1000000 + 1, 60000)) > 0)
			return;
}

static void on_found(void *ctx, size_t idx, const struct map *at, const struct map *before)
{
	struct group *g = ctx;
	struct place *p = vec_push(g->f->places, g->f->place_cnt, g->f->place_cap);
	const struct map *file = at->ino ? at : before;

	*p = (struct place){
		.idx = g->requests[idx].idx,
		.addr = g->requests[idx].addr,
		.object = objects_get(&g->f->objects, g->proc_fd, at),
		.offset = g->requests[idx].addr - at->start + at->off,
		.file = OBJECT_NONE,
	};
	if (!file)
		return;
	p->file = objects_get(&g->f->objects, g->proc_fd, file);
	p->mapping = (struct elf_mapping){ file->start, file->off, file->writable };
}

static bool is_alive(const struct finding *f, uint32_t task)
{
	const volatile struct lab_task_slot *slot = &f->opts->slots[task % LAB_TASK_SLOTS];

	return slot->id == task && !slot->dead;
}

/*
 * Whoever waited and lives was there all the time, so that the maps were not those of another
 * process under its number.
 */
static void look_up(struct finding *f, const struct finder_request *requests, size_t cnt)
{
	struct group g = { .f = f, .requests = requests, .first = f->place_cnt };
	uint64_t addrs[BATCH_MAX], read_ns;
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%" PRIu32, requests->tgid);
	g.proc_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (g.proc_fd < 0)
		return;
	for (size_t i = 0; i < cnt; i++)
		addrs[i] = requests[i].addr;
	fd = openat(g.proc_fd, "maps", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		maps_find(fd, addrs, cnt, on_found, &g);
		close(fd);
	}
	close(g.proc_fd);
	read_ns = clock_now_ns(CLOCK_MONOTONIC);
	for (size_t i = g.first; i < f->place_cnt; i++)
		f->places[i].read_ns = read_ns;
	for (size_t i = 0; i < cnt; i++)
		if (!is_alive(f, requests[i].task))
			places_forget(&f->places[g.first], f->place_cnt - g.first, requests[i].idx);
}

static int request_cmp(const void *a, const void *b)
{
	const struct finder_request *x = a, *y = b;

	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	return (x->addr > y->addr) - (x->addr < y->addr);
}

/* What has come, up to a batch; blocks for the first. Return: how many, 0 at the end. */
static size_t receive(struct finding *f, struct finder_request *requests)
{
	size_t cnt = 0;

	while (cnt < BATCH_MAX) {
		ssize_t n = recv(f->opts->fd, &requests[cnt], sizeof(*requests),
				 cnt ? MSG_DONTWAIT : 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			f->over = true;
		if (n != (ssize_t)sizeof(*requests))
			break;
		cnt++;
	}
	return cnt;
}

static void collect(struct finding *f)
{
	struct finder_request requests[BATCH_MAX];
	size_t cnt;

	while (!f->over && (cnt = receive(f, requests)) > 0) {
		qsort(requests, cnt, sizeof(*requests), request_cmp);
		for (size_t first = 0, end; first < cnt; first = end) {
			end = first + 1;
			while (end < cnt && requests[end].tgid == requests[first].tgid)
				end++;
			keep_to_budget(f);
			look_up(f, &requests[first], end - first);
		}
	}
}

/* ---- answers ---- */

static bool answer(const struct finding *f, struct finder_answer *head, const char *text)
{
	char message[sizeof(*head) + MAPS_PATH_MAX];
	size_t len = text ? strlen(text) : 0;

	if (len > MAPS_PATH_MAX)
		return false;
	memcpy(message, head, sizeof(*head));
	if (len)
		memcpy(message + sizeof(*head), text, len);
	return send(f->opts->fd, message, sizeof(*head) + len, MSG_NOSIGNAL) > 0;
}

static void answer_all(const struct finding *f, uint64_t cpu_ns)
{
	struct finder_answer head;
	bool ok = true;

	for (uint32_t i = 0; ok && i < f->objects.cnt; i++) {
		head = (struct finder_answer){ .kind = FINDER_OBJECT, .object = i };
		ok = answer(f, &head, f->objects.v[i].path);
	}
	for (size_t i = 0; ok && i < f->place_cnt; i++) {
		const struct place *p = &f->places[i];

		if (p->object == OBJECT_NONE)
			continue;
		head = (struct finder_answer){
			.kind = FINDER_NAME, .idx = p->idx, .object = p->object,
			.read_ns = p->read_ns, .offset = p->offset, .symbol_off = p->symbol_off,
		};
		ok = answer(f, &head, p->symbol);
	}
	head = (struct finder_answer){ .kind = FINDER_END, .cpu_ns = cpu_ns };
	if (ok)
		answer(f, &head, NULL);
}

/* ---- the process ---- */

/* Nothing of the recorder's stays open here: not the probes, not the workload's pipes. */
static int keep_only(int fd)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; i <= 2; i++)
		if (null_fd < 0 || dup2(null_fd, i) < 0)
			return -errno;
	if (dup2(fd, 3) < 0 || syscall(SYS_close_range, 4U, ~0U, 0U))
		return -errno;
	return 0;
}

/* /proc may be that of other process numbers than ours. */
static bool proc_is_ours(void)
{
	char link[32] = "";

	return readlink("/proc/self", link, sizeof(link) - 1) > 0 && atol(link) == getpid();
}

static rlim_t mapped_bytes(void)
{
	char text[128];

	if (io_read_text("/proc/self/statm", text, sizeof(text)) < 0)
		return 0;
	return strtoull(text, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void limit(int resource, rlim_t most)
{
	struct rlimit lim;

	if (!getrlimit(resource, &lim) && lim.rlim_cur > most) {
		lim.rlim_cur = most;
		setrlimit(resource, &lim);
	}
}

void finder_main(const struct finder *opts)
{
	struct finder own = *opts;
	struct finding f = { .opts = &own, .start_ns = clock_now_ns(CLOCK_MONOTONIC) };
	uint64_t cpu_ns;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "lab-names");
	setpriority(PRIO_PROCESS, 0, 0);	/* the recorder may have raised its own */
	if (keep_only(own.fd) || own.confine() || !proc_is_ours())
		_exit(1);
	own.fd = 3;
	collect(&f);
	cpu_ns = clock_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	if (own.confine_more())
		_exit(1);
	limit(RLIMIT_AS, mapped_bytes() + RESOLVE_BYTES);
	limit(RLIMIT_CPU, cpu_ns / 1000000000 + RESOLVE_CPU_S);
	places_resolve(f.places, f.place_cnt, &f.objects);
	answer_all(&f, cpu_ns);
	_exit(0);
}
