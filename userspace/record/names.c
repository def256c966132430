/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/names.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "record/maps.h"
#include "record/name_finder.h"
#include "util/alloc.h"
#include "util/log.h"
#include "util/minmax.h"

#define NEVER UINT64_MAX
#define NONE UINT32_MAX
#define HEADS 8192		/* of chains; a power of two */
#define SECOND_NS UINT64_C(1000000000)
#define RETRY_NS UINT64_C(20000000)	/* when the finder is behind */
#define FINISH_NS (5 * SECOND_NS)
#define ASKED_MAX 4		/* for one address */

/* System calls of x86-64; the probes give all three as (address, operation or flags, value). */
#define NR_FUTEX 202
#define NR_FUTEX_WAITV 449
#define NR_FUTEX_WAIT 455
#define FUTEX_PRIVATE 128u

struct names {
	struct names_opts opts;
	int fd;			/* to the finder; -1: it is gone */
	pid_t pid;
	struct names_asked *asked;
	size_t asked_cnt, asked_cap;
	uint32_t by_addr[HEADS];	/* by process and address */
	uint32_t by_tgid[HEADS];	/* that have not begun another program */
	uint64_t salt[2];
	uint64_t retry_ns;	/* not to be asked before this stamp */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND_NS + (uint64_t)ts.tv_nsec;
}

/* ---- asking ---- */

/* Addresses are the traced program's choice: salted, so that it cannot make them share a chain. */
static uint32_t head_of(const struct names *n, uint64_t a, uint64_t b)
{
	uint64_t x = (a ^ n->salt[0]) * UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 32 ^ b ^ n->salt[1]) * UINT64_C(0xd6e8feb86659fd93);
	return (uint32_t)((x ^ x >> 32) % HEADS);
}

/* The process of a task of ours, in this PID namespace; 0: not known. */
static uint32_t tgid_of(const struct names *n, uint32_t task)
{
	const volatile struct lab_task_slot *slot = &n->opts.slots[task % LAB_TASK_SLOTS];

	return slot->id == task ? slot->tgid : 0;
}

static bool is_dead(const struct names *n, uint32_t task)
{
	const volatile struct lab_task_slot *slot = &n->opts.slots[task % LAB_TASK_SLOTS];

	return slot->id != task || slot->dead;
}

/*
 * Asked for already, for this memory: that of before an exec is another. If who waited then
 * has died since, there may have been no answer.
 */
static bool is_known(const struct names *n, uint32_t tgid, uint64_t addr, uint64_t wait_ns)
{
	uint32_t i = n->by_addr[head_of(n, addr, tgid)];
	const struct names_asked *a;
	unsigned int asked = 0;

	for (; i != NONE; i = a->next_addr) {
		a = &n->asked[i];
		if (a->addr == addr && a->tgid == tgid && wait_ns < a->exec_ns &&
		    (++asked == ASKED_MAX || !is_dead(n, a->task)))
			return true;
	}
	return false;
}

static bool send_request(struct names *n, const struct names_asked *a)
{
	struct finder_request request = {
		.addr = a->addr, .idx = (uint32_t)n->asked_cnt, .task = a->task, .tgid = a->tgid,
	};

	if (send(n->fd, &request, sizeof(request), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		return true;
	if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS) {
		close(n->fd);
		n->fd = -1;
	}
	return false;
}

static void on_wait(struct names *n, const struct lab_ev_head *head, const __u64 *args)
{
	struct names_asked a = {
		.addr = args[0], .wait_ns = head->ts_ns, .exec_ns = NEVER, .task = head->task,
		.tgid = tgid_of(n, head->task), .is_shared = !(args[1] & FUTEX_PRIVATE),
	};
	uint32_t *by_addr, *by_tgid;

	if (!a.tgid || is_known(n, a.tgid, a.addr, a.wait_ns) || n->fd < 0 ||
	    n->asked_cnt == NAMES_MAX || a.wait_ns < n->retry_ns)
		return;
	if (!send_request(n, &a)) {
		n->retry_ns = a.wait_ns + RETRY_NS;
		return;
	}
	by_addr = &n->by_addr[head_of(n, a.addr, a.tgid)];
	by_tgid = &n->by_tgid[head_of(n, a.tgid, 0)];
	a.next_addr = *by_addr;
	a.next_tgid = *by_tgid;
	*by_addr = *by_tgid = (uint32_t)n->asked_cnt;
	*vec_push(n->asked, n->asked_cnt, n->asked_cap) = a;
}

/* Records of one CPU may come after younger ones of another. */
static void on_exec(struct names *n, const struct lab_ev_head *head)
{
	uint32_t tgid = tgid_of(n, head->task);
	uint32_t *link = &n->by_tgid[head_of(n, tgid, 0)];

	while (*link != NONE) {
		struct names_asked *a = &n->asked[*link];

		if (a->tgid == tgid && a->wait_ns <= head->ts_ns) {
			a->exec_ns = head->ts_ns;
			*link = a->next_tgid;	/* it is over: none that comes later matters */
		} else {
			link = &a->next_tgid;
		}
	}
}

static bool is_futex(int32_t nr)
{
	return nr == NR_FUTEX || nr == NR_FUTEX_WAITV || nr == NR_FUTEX_WAIT;
}

void names_see(struct names *n, const union lab_event *ev)
{
	switch (ev->head.kind) {
	case LAB_EV_SWITCH_OUT:
		if (is_futex(ev->switch_out.syscall) &&
		    ev->switch_out.prev_state & LAB_STATE_INTERRUPTIBLE &&
		    !(ev->head.flags & (LAB_F_PREEMPT | LAB_F_COMPAT)))
			on_wait(n, &ev->head, ev->switch_out.args);
		break;
	case LAB_EV_TASK_SEED:
		if (is_futex(ev->task.syscall) && ev->task.state & LAB_STATE_INTERRUPTIBLE)
			on_wait(n, &ev->head, ev->task.args);
		break;
	case LAB_EV_EXEC:
		on_exec(n, &ev->head);
		break;
	}
}

/* ---- the finder's life ---- */

struct names *names_start(const struct names_opts *opts)
{
	struct names *n;
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return NULL;
	pid = fork();
	if (!pid)
		finder_main(&(struct finder){ fds[1], opts->slots, opts->confine,
					      opts->confine_more });
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return NULL;
	}
	n = xcalloc(1, sizeof(*n));
	n->opts = *opts;
	n->fd = fds[0];
	n->pid = pid;
	if (getrandom(n->salt, sizeof(n->salt), GRND_NONBLOCK) < 0)
		n->salt[0] = now_ns();
	memset(n->by_addr, 0xff, sizeof(n->by_addr));
	memset(n->by_tgid, 0xff, sizeof(n->by_tgid));
	return n;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	if (n->fd >= 0)
		close(n->fd);
	kill(n->pid, SIGKILL);
	/* A file system that does not answer may hold even the dead. */
	for (int i = 0; i < 100 && !waitpid(n->pid, NULL, WNOHANG); i++)
		usleep(1000 * i);
	free(n->asked);
	free(n);
}

/* ---- answers ---- */

bool names_hold(const struct names_asked *asked, uint64_t read_ns, uint64_t lost_from_ns,
		uint64_t lost_until_ns)
{
	uint64_t until_ns = read_ns + SECOND_NS;

	return read_ns >= asked->wait_ns && asked->exec_ns > until_ns &&
	       (lost_until_ns < asked->wait_ns || lost_from_ns > until_ns);
}

/* What comes from the finder is checked like a file: it has read what others wrote. */
struct answers {
	struct names *n;
	uint64_t lost_from_ns, lost_until_ns;
	uint32_t texts[FINDER_OBJECTS_MAX]; /* of the objects */
	struct trace_symbols *out;
	uint64_t cpu_ns;
	bool over;
};

/*
 * It was asked for again when who waited there first had died, but an answer had come: the same, or
 * under a name that the file got meanwhile.
 */
static bool is_answered(const struct names *n, const struct names_asked *asked)
{
	uint32_t i = n->by_addr[head_of(n, asked->addr, asked->tgid)];

	for (; i != NONE; i = n->asked[i].next_addr) {
		const struct names_asked *a = &n->asked[i];

		if (a->addr == asked->addr && a->tgid == asked->tgid &&
		    a->exec_ns == asked->exec_ns && a->answered)
			return true;
	}
	return false;
}

static void take_answer(struct answers *as, const struct finder_answer *head, const char *text)
{
	struct names_asked *asked;

	if (head->kind == FINDER_END) {
		as->cpu_ns = head->cpu_ns;
		as->over = true;
		return;
	}
	if (head->object >= FINDER_OBJECTS_MAX)
		return;
	if (head->kind == FINDER_OBJECT) {
		as->texts[head->object] = trace_symbols_text(as->out, text);
		return;
	}
	if (head->kind != FINDER_NAME || head->idx >= as->n->asked_cnt)
		return;
	asked = &as->n->asked[head->idx];
	if (is_answered(as->n, asked) ||
	    !names_hold(asked, head->read_ns, as->lost_from_ns, as->lost_until_ns))
		return;
	asked->answered = true;
	trace_symbols_add(as->out, &(struct trace_symbol){
		.task = asked->task, .is_shared = asked->is_shared, .wait_ns = asked->wait_ns,
		.addr = asked->addr, .object = as->texts[head->object], .offset = head->offset,
		.symbol = trace_symbols_text(as->out, text), .symbol_off = head->symbol_off,
	});
}

/* Return: false: nothing more comes. */
static bool receive(struct answers *as, uint64_t until_ns)
{
	char message[sizeof(struct finder_answer) + MAPS_PATH_MAX + 1];
	struct pollfd fd = { .fd = as->n->fd, .events = POLLIN };
	struct finder_answer head;
	uint64_t now = now_ns();
	ssize_t len;

	if (now >= until_ns || poll(&fd, 1, (int)((until_ns - now) / 1000000 + 1)) < 0)
		return now < until_ns && errno == EINTR;
	len = recv(as->n->fd, message, sizeof(message) - 1, MSG_DONTWAIT);
	if (len < 0)
		return errno == EAGAIN || errno == EINTR;
	if (len < (ssize_t)sizeof(head))
		return false;
	message[len] = '\0';
	memcpy(&head, message, sizeof(head));
	take_answer(as, &head, message + sizeof(head));
	return !as->over;
}

void names_finish(struct names *n, uint64_t lost_from_ns, uint64_t lost_until_ns,
		  struct trace_symbols *out, uint64_t *cpu_ns)
{
	struct answers as = {
		.n = n, .lost_from_ns = lost_from_ns, .lost_until_ns = lost_until_ns, .out = out,
	};
	uint64_t until_ns = now_ns() + FINISH_NS;

	*out = (struct trace_symbols){ 0 };
	memset(as.texts, 0xff, sizeof(as.texts));
	if (n->fd >= 0) {
		shutdown(n->fd, SHUT_WR);
		while (receive(&as, until_ns))
			;
	}
	*cpu_ns = as.cpu_ns;
	if (!as.over && (n->asked_cnt || n->fd < 0))
		log_info("not all locks could be named: the process that looks them up %s",
			 now_ns() >= until_ns ? "took too long" : "ended early");
}
