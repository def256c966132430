/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "render/lock_name.h"
#include "render/names.h"
#include "render/term.h"
#include "util/minmax.h"
#include "util/text.h"

#define ROWS_MAX 24
#define CELL_COLS_MAX 200
#define MORE_COLS 5		/* ", +99" */
#define WAKER_COLS 64

/* A cell of which the last column of a table is made: what fits, then how many did not. */
struct entries {
	char s[CELL_COLS_MAX];
	uint32_t cols, room;	/* used; there are */
	uint32_t left_out;
};

/* Room for " +99" stays free unless this entry is the first or the @last. */
static void entries_add(struct entries *e, const char *entry, bool last)
{
	uint32_t cols = (uint32_t)text_columns(entry) + (e->cols ? 2 : 0);
	size_t len = strlen(e->s);

	if (e->left_out || e->cols + cols + (last || !e->cols ? 0 : 4) > e->room ||
	    len + strlen(entry) + 3 > sizeof(e->s)) {
		e->left_out++;
		return;
	}
	snprintf(e->s + len, sizeof(e->s) - len, "%s%s", e->cols ? ", " : "", entry);
	e->cols += cols;
}

/* With a space before it, unless it is empty. */
static void entries_print(const struct term *t, const struct entries *e)
{
	if (e->cols)
		fprintf(t->out, " %s", e->s);
	if (e->left_out && e->cols + 4 <= e->room)
		fprintf(t->out, " +%u", (unsigned int)min_u64(e->left_out, 99));
	fputc('\n', t->out);
}

static void say_more(const struct term *t, size_t cnt)
{
	if (cnt)
		fprintf(t->out, "  and %s more: lab report -f json shows all\n", fmt_count(cnt).s);
}

/* Column widths that grow with the terminal; what is left goes to the last one. */
struct task_cols {
	uint32_t name, cpus, reasons;
	bool calls;		/* there is room for the system calls */
};

static struct task_cols task_cols_for(uint32_t width)
{
	/* letter 2, tid 8, run 8, ready 8, voluntary 7, involuntary 7, migrations 6, 2 spaces */
	const uint32_t fixed = 48;
	struct task_cols cols = { .name = 11, .cpus = 4 };

	if (width >= TERM_WIDTH_DEFAULT)
		cols = (struct task_cols){ .name = LAB_COMM_LEN, .cpus = 8 };
	if (width >= 132) {
		cols.cpus = 16;
		cols.calls = true;
	}
	cols.reasons = width - fixed - cols.name - cols.cpus;
	return cols;
}

/* The call of most of a reason's time; "" where the reason says as much. */
static const char *main_call(const struct term *t, const struct report_task *row, int reason)
{
	switch (reason) {
	case REASON_PIPE:
	case REASON_SOCKET:
	case REASON_DISK:
	case REASON_KERNEL:
	case REASON_OTHER:
		break;
	default:
		return "";
	}
	for (size_t i = 0; i < row->call_cnt; i++) {
		const struct report_call *call = &t->r->calls[row->call_first + i];

		if (call->reason == reason && call->name &&
		    call->ns >= row->blocked_ns[reason] - call->ns)
			return call->name;
	}
	return "";
}

static uint32_t entry_cnt(const uint64_t *blocked_ns, uint64_t unknown_ns)
{
	uint32_t cnt = unknown_ns > 0;

	for (int i = 1; i < REASON_CNT; i++)
		cnt += blocked_ns[i] > 0;
	return cnt;
}

void term_reasons(const struct term *t, const uint64_t *blocked_ns, uint64_t unknown_ns,
		  const struct report_task *row, uint32_t room)
{
	uint32_t cnt = entry_cnt(blocked_ns, unknown_ns);
	struct entries e = { .room = room };
	uint64_t left_ns[REASON_CNT];	/* [REASON_NONE]: not known */

	memcpy(left_ns, blocked_ns, sizeof(left_ns));
	left_ns[REASON_NONE] = unknown_ns;
	for (uint32_t n = 0; n < cnt; n++) {
		const char *call;
		char entry[80];
		int best = 0;

		for (int i = 1; i < REASON_CNT; i++)
			if (left_ns[i] > left_ns[best])
				best = i;
		call = row && best ? main_call(t, row, best) : "";
		snprintf(entry, sizeof(entry), "%s %s%s%s", best ? reason_name(best) : "not known",
			 fmt_ns_short(left_ns[best]).s, call[0] ? " in " : "", call);
		entries_add(&e, entry, n + 1 == cnt);
		left_ns[best] = 0;
	}
	entries_print(t, &e);
}

void term_task_table(const struct term *t)
{
	struct task_cols cols = task_cols_for(t->width);
	size_t shown = min_u64(t->m->task_cnt, ROWS_MAX);

	if (!shown)
		return;
	fprintf(t->out, "\n  %-*s %7s %7s %7s %6s %6s %5s %-*s %s\n", (int)cols.name, "task", "tid",
		"run", "ready", "vol", "invol", "moves", (int)cols.cpus, "CPUs", "blocked");
	for (size_t i = 0; i < shown; i++) {
		size_t idx = t->by_run[i];
		const struct model_task *task = &t->m->tasks[idx];
		const struct report_task *row = &t->r->tasks[idx];

		fprintf(t->out, "%c ", term_letter(t, idx));
		term_pad(t, term_safe(t, task->comm, sizeof(task->comm), cols.name).s, cols.name);
		fprintf(t->out, " %7" PRIu32 " %7s %7s", task->tid, fmt_ns_short(row->run_ns).s,
			fmt_ns_short(row->ready_ns).s);
		fprintf(t->out, " %6s %6s %5s ", fmt_count_short(task->voluntary).s,
			fmt_count_short(task->involuntary).s, fmt_count_short(task->migrations).s);
		fprintf(t->out, "%-*s",
			entry_cnt(row->blocked_ns, row->unknown_ns) ? (int)cols.cpus : 0,
			fmt_cpu_list(row->cpus, row->cpu_cnt, cols.cpus).s);
		term_reasons(t, row->blocked_ns, row->unknown_ns, cols.calls ? row : NULL,
			     cols.reasons);
	}
	say_more(t, t->m->task_cnt - shown);
}

/* Whether another of the tasks that are listed for @lock has the same name. */
static bool is_namesake(const struct term *t, const struct report_lock *lock, uint32_t named,
			const struct model_task *task)
{
	for (uint32_t i = 0; i < named; i++) {
		const struct model_task *other = model_task(t->m, lock->holders[i]);

		if (other && other != task && !strcmp(other->comm, task->comm))
			return true;
	}
	return false;
}

/* Where the whole name would leave no room for a second: as short as tells it from the others. */
static struct safe_text waker(const struct term *t, const struct report_lock *lock, uint32_t named,
			      uint32_t id, uint32_t room)
{
	const struct model_task *task = model_task(t->m, id);
	uint32_t cols = LAB_COMM_LEN;
	struct safe_text safe;
	char tid[16] = "";
	size_t len;

	if (room >= WAKER_COLS || !task)
		return term_task(t, id);
	if (is_namesake(t, lock, named, task))
		snprintf(tid, sizeof(tid), " %" PRIu32, task->tid);
	len = strlen(tid) + MORE_COLS;
	if (len < room)
		cols = (uint32_t)min_u64(cols, room - len);
	safe = term_safe(t, task->comm, sizeof(task->comm), tid[0] ? cols : LAB_COMM_LEN);
	len = strlen(safe.s);
	snprintf(safe.s + len, sizeof(safe.s) - len, "%s", tid);
	return safe;
}

static void print_wakers(const struct term *t, const struct report_lock *lock, uint32_t room)
{
	uint32_t named = (uint32_t)min_u64(lock->holder_cnt, LOCK_HOLDERS_MAX);
	struct entries e = { .room = room };

	for (uint32_t i = 0; i < named; i++) {
		bool last = i + 1 == lock->holder_cnt && !lock->timeouts;

		entries_add(&e, waker(t, lock, named, lock->holders[i], room).s, last);
	}
	e.left_out += lock->holder_cnt - named;
	if (lock->timeouts) {
		char entry[48];

		snprintf(entry, sizeof(entry), "timer %.8s times",
			 fmt_count_short(lock->timeouts).s);
		entries_add(&e, entry, true);
	}
	entries_print(t, &e);
}

/* By its name, or, without one, by its address. */
static void print_lock(const struct term *t, const struct report_lock *lock, uint32_t cols)
{
	char *name = lock_name(lock->symbol);
	char addr[24];

	snprintf(addr, sizeof(addr), "0x%" PRIx64, lock->addr);
	fprintf(t->out, "  %-5s ", lock_kind_name(lock->kind));
	term_pad(t, term_safe_str(t, name ? name : addr, cols).s, cols);
	free(name);
}

void term_lock_table(const struct term *t)
{
	size_t shown = min_u64(t->r->lock_cnt, ROWS_MAX);
	uint32_t name = t->width >= 132 ? 44 : t->width >= TERM_WIDTH_DEFAULT ? 30 : 18;
	const uint32_t fixed = name + 43;	/* all columns but the last */

	if (!shown)
		return;
	fprintf(t->out, "\n  %-5s %-*s %5s %7s %7s %5s %5s %s\n", "futex", (int)name,
		"name or address", "waits", "total", "longest", "tasks", "ready", "woken by");
	for (size_t i = 0; i < shown; i++) {
		const struct report_lock *lock = &t->r->locks[i];

		print_lock(t, lock, name);
		fprintf(t->out, " %5s %7s %7s %5s %4" PRIu32 "%%", fmt_count_short(lock->waits).s,
			fmt_ns_short(lock->wait_ns).s, fmt_ns_short(lock->max_wait_ns).s,
			fmt_count_short(lock->waiter_cnt).s,
			fmt_percent(lock->holder_ready_ns, lock->wait_ns));
		print_wakers(t, lock, t->width - fixed);
	}
	if (!t->r->lossless)
		fprintf(t->out, "  records are missing: it may be more\n");
	say_more(t, t->r->lock_cnt - shown);
}
