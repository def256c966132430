/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>

#include "analyze/capacity.h"
#include "render/json_parts.h"
#include "render/lock_name.h"
#include "render/names.h"
#include "util/minmax.h"

uint64_t json_rel(const struct model *m, uint64_t at_ns)
{
	return at_ns > m->start_ns ? at_ns - m->start_ns : 0;
}

void json_task_ids(struct json *j, const struct model *m, uint32_t id)
{
	const struct model_task *task = model_task(m, id);

	json_uint_or_null(j, "id", id, id);
	if (task)
		json_uint(j, "tid", task->tid);
	else
		json_null(j, "tid");
}

static void put_policy(struct json *j, uint32_t policy)
{
	static const char *const names[] = {
		[SCHED_OTHER] = "other", [SCHED_FIFO] = "fifo", [SCHED_RR] = "rr",
		[SCHED_BATCH] = "batch", [SCHED_IDLE] = "idle", [6] = "deadline", [7] = "ext",
	};

	json_str_or_null(j, "policy",
			 policy < ARRAY_SIZE(names) && names[policy] ? names[policy] : NULL);
}

static void put_blocked(struct json *j, const uint64_t *blocked_ns)
{
	json_open_object(j, "blocked_ns");
	for (int i = REASON_NONE + 1; i < REASON_CNT; i++)
		json_uint(j, reason_name(i), blocked_ns[i]);
	json_close_object(j);
}

/* They sum to blocked_ns; a null call is none, or one without a name. */
static void put_calls(struct json *j, const struct report_call *calls, size_t cnt)
{
	json_open_array(j, "blocked_in");
	for (size_t i = 0; i < cnt; i++) {
		json_open_object(j, NULL);
		json_str_or_null(j, "call", calls[i].name);
		json_str(j, "reason", reason_name(calls[i].reason));
		json_uint(j, "count", calls[i].cnt);
		json_uint(j, "ns", calls[i].ns);
		json_close_object(j);
	}
	json_close_array(j);
}

static void put_task(struct json *j, const struct model *m, const struct report *r,
		     const struct model_task *task, const struct report_task *row)
{
	json_open_row(j, NULL);
	json_uint(j, "id", task->id);
	json_uint(j, "tid", task->tid);
	json_uint(j, "tgid", task->tgid);
	json_uint(j, "parent_id", task->parent_id);
	json_text(j, "comm", task->comm, sizeof(task->comm));
	put_policy(j, task->policy);
	json_int(j, "nice", task->nice);
	json_uint(j, "start_ns", json_rel(m, task->start_ns));
	json_uint(j, "end_ns", json_rel(m, task->end_ns));
	json_bool(j, "alive", task->alive);
	json_uint(j, "run_ns", row->run_ns);
	json_uint(j, "cpu_ns", task->cpu_ns);
	json_uint(j, "ready_ns", row->ready_ns);
	json_uint(j, "max_ready_ns", row->max_ready_ns);
	put_blocked(j, row->blocked_ns);
	json_uint(j, "unknown_ns", row->unknown_ns);
	json_uint(j, "switches", task->voluntary + task->involuntary);
	json_uint(j, "voluntary", task->voluntary);
	json_uint(j, "involuntary", task->involuntary);
	json_uint(j, "migrations", task->migrations);
	json_open_array(j, "cpus");
	for (uint32_t i = 0; i < row->cpu_cnt; i++)
		json_uint(j, NULL, row->cpus[i]);
	json_close_array(j);
	json_uint(j, "bottle_ns", row->bottle_ns);
	put_calls(j, &r->calls[row->call_first], row->call_cnt);
	json_close_object(j);
}

void json_tasks(struct json *j, const struct model *m, const struct report *r)
{
	json_open_array(j, "tasks");
	for (size_t i = 0; i < m->task_cnt; i++)
		put_task(j, m, r, &m->tasks[i], &r->tasks[i]);
	json_close_array(j);
}

void json_operations(struct json *j, const struct model *m)
{
	json_open_array(j, "operations");
	for (size_t i = 0; i < m->op_cnt; i++) {
		const struct model_op *op = &m->ops[i];
		const struct model_task *task = model_task(m, op->task_id);
		bool marked = op->fd == MODEL_OP_NO_FD;

		json_open_row(j, NULL);
		json_uint(j, "id", op->id);
		json_str(j, "name", op_name(m, op).s);
		json_uint(j, "task_id", op->task_id);
		if (task)
			json_uint(j, "tid", task->tid);
		else
			json_null(j, "tid");
		if (marked)
			json_null(j, "fd");
		else
			json_int(j, "fd", op->fd);
		json_uint(j, "start_ns", json_rel(m, op->start_ns));
		json_uint(j, "end_ns", json_rel(m, op->end_ns));
		json_uint_if(j, "active_ns", marked, op->active_ns);
		json_uint_if(j, "parent", marked, op->parent_id);
		json_uint_if(j, "ready", !marked, op->ready_cnt);
		json_bool(j, "open_at_end", op->open_at_end);
		json_close_object(j);
	}
	json_close_array(j);
}

/* Null where it had no time. */
static void put_antagonist(struct json *j, const char *key, const struct model *m,
			   const struct antagonist *a)
{
	json_open_nullable(j, key, a->ns);
	json_one_line(j);
	if (a->task_id) {
		json_task_ids(j, m, a->task_id);
	} else {
		json_null(j, "id");
		json_uint(j, "tid", a->tid);
	}
	json_text(j, "comm", a->comm, sizeof(a->comm));
	json_uint(j, "ns", a->ns);
	json_close_nullable(j);
}

/* A percentile of nothing is null. */
static void put_rank(struct json *j, const char *key, const struct report_waits *w, uint64_t ns)
{
	json_uint_or_null(j, key, w->cnt, ns);
}

static void put_run_queue_wait(struct json *j, const struct model *m, const struct report *r)
{
	const struct report_capacity *c = &r->capacity;
	const struct report_waits *w = &r->waits;
	uint32_t cnt = (uint32_t)min_u64(w->antagonist_cnt, ANTAGONIST_MAX);

	json_open_object(j, "run_queue_wait");
	json_uint(j, "count", w->cnt);
	json_uint(j, "total_ns", w->total_ns);
	json_open_nullable(j, "longest", w->cnt);
	json_task_ids(j, m, w->max_task_id);
	json_uint(j, "start_ns", json_rel(m, w->max_start_ns));
	json_uint(j, "ns", w->max_ns);
	json_uint_if(j, "held_ns", m->holds_known, w->max_held_ns);
	put_antagonist(j, "antagonist", m, &w->max_antagonist);
	json_close_nullable(j);
	json_open_array(j, "antagonists");
	for (uint32_t i = 0; i < cnt; i++)
		put_antagonist(j, NULL, m, &w->antagonists[i]);
	json_close_array(j);
	json_uint(j, "other_antagonists_ns", w->other_antagonists_ns);
	json_uint_if(j, "held_ns", m->holds_known, w->held_ns);
	json_uint_if(j, "held_wall_ns", c->known && c->throttled_known, c->held_ns);
	json_uint(j, "idle_ns", w->idle_ns);
	json_uint(j, "unknown_ns", w->unknown_ns);
	json_close_object(j);
}

void json_waits(struct json *j, const struct model *m, const struct report *r)
{
	const struct report_waits *w = &r->waits;

	json_open_object(j, "wakeup_latency");
	put_rank(j, "p50_ns", w, w->p50_ns);
	put_rank(j, "p90_ns", w, w->p90_ns);
	put_rank(j, "p99_ns", w, w->p99_ns);
	put_rank(j, "max_ns", w, w->max_ns);
	json_open_list(j, "histogram");
	for (size_t i = 0; i < WAIT_BUCKETS; i++)
		json_uint(j, NULL, w->histogram[i]);
	json_close_array(j);
	json_close_object(j);
	put_run_queue_wait(j, m, r);
}

void json_migrations(struct json *j, const struct model *m, const struct report *r)
{
	json_open_object(j, "migrations");
	json_uint(j, "count", m->migration_cnt);
	json_open_row(j, "causes");
	for (int i = 0; i < MOVE_CAUSE_CNT; i++)
		json_uint(j, move_cause_name(i), r->moves.by_cause[i]);
	json_close_object(j);
	json_open_array(j, "matrix");
	for (size_t i = 0; i < r->migration_cnt; i++) {
		json_open_row(j, NULL);
		json_uint(j, "from", r->migrations[i].from_cpu);
		json_uint(j, "to", r->migrations[i].to_cpu);
		json_uint(j, "count", r->migrations[i].cnt);
		json_close_object(j);
	}
	json_close_array(j);
	json_close_object(j);
}

void json_symbol(struct json *j, const struct model_symbol *symbol)
{
	char *name = lock_name(symbol), offset[24];

	if (!symbol) {
		json_null(j, "symbol");
		json_null(j, "object");
		json_null(j, "offset");
		return;
	}
	snprintf(offset, sizeof(offset), "0x%" PRIx64, symbol->offset);
	json_str(j, "symbol", name);
	json_str(j, "object", symbol->object);
	json_str(j, "offset", offset);
	free(name);
}

static void put_lock(struct json *j, const struct model *m, const struct report_lock *lock)
{
	uint32_t named = (uint32_t)min_u64(lock->holder_cnt, LOCK_HOLDERS_MAX);
	char addr[24];

	snprintf(addr, sizeof(addr), "0x%" PRIx64, lock->addr);
	json_open_row(j, NULL);
	json_uint(j, "tgid", lock->tgid);
	json_bool(j, "shared", !lock->mm_id);
	json_str(j, "addr", addr);
	json_symbol(j, lock->symbol);
	json_str(j, "kind", lock_kind_name(lock->kind));
	json_uint(j, "waits", lock->waits);
	json_uint(j, "wait_ns", lock->wait_ns);
	json_uint(j, "max_wait_ns", lock->max_wait_ns);
	json_uint(j, "waiters", lock->waiter_cnt);
	json_uint(j, "timeouts", lock->timeouts);
	json_uint(j, "holder_ready_ns", lock->holder_ready_ns);
	json_uint(j, "holder_count", lock->holder_cnt);
	json_open_array(j, "holders");
	for (uint32_t i = 0; i < named; i++) {
		json_open_object(j, NULL);
		json_task_ids(j, m, lock->holders[i]);
		json_close_object(j);
	}
	json_close_array(j);
	json_close_object(j);
}

void json_locks(struct json *j, const struct model *m, const struct report *r)
{
	json_open_array(j, "locks");
	for (size_t i = 0; i < r->lock_cnt; i++)
		put_lock(j, m, &r->locks[i]);
	json_close_array(j);
}

/* Of a loop whose waits were recorded. */
static void put_iterations(struct json *j, const struct model *m, const struct report_loop *loop)
{
	static const char *const states[] = {
		[SPAN_RUNNING] = "running", [SPAN_READY] = "ready", [SPAN_BLOCKED] = "blocked",
	};
	bool stalled = loop->iterations && loop->stall_state < ARRAY_SIZE(states);

	json_int(j, "epfd", loop->epfd);
	json_uint(j, "waits", loop->waits);
	json_uint(j, "events", loop->ready);
	json_uint(j, "iterations", loop->iterations);
	json_uint(j, "cpu_ns", loop->cpu_ns);
	json_uint(j, "ready_ns", loop->ready_ns);
	json_uint(j, "blocked_ns", loop->blocked_ns);
	json_uint(j, "longest_cpu_ns", loop->longest_cpu_ns);
	json_uint(j, "longest_blocked_ns", loop->longest_blocked_ns);
	json_uint(j, "longest_stall_ns", loop->longest_stall_ns);
	json_uint(j, "longest_stall_start_ns", json_rel(m, loop->longest_stall_start_ns));
	json_str_or_null(j, "stall_state", stalled ? states[loop->stall_state] : NULL);
	json_str_or_null(j, "stall_reason", stalled && loop->stall_state == SPAN_BLOCKED ?
			 reason_name(loop->stall_reason) : NULL);
	json_str_or_null(j, "stall_call", loop->stall_call);
}

void json_loops(struct json *j, const struct model *m, const struct report *r)
{
	json_open_array(j, "event_loops");
	for (size_t i = 0; i < r->loop_cnt; i++) {
		const struct report_loop *loop = &r->loops[i];

		json_open_row(j, NULL);
		json_task_ids(j, m, loop->task_id);
		json_uint(j, "max_operations", loop->max_operations);
		json_begin_if(j, loop->epfd >= 0);
		put_iterations(j, m, loop);
		json_end_if(j);
		json_close_object(j);
	}
	json_close_array(j);
}

void json_cpus(struct json *j, const struct model *m, const struct report *r)
{
	json_open_array(j, "cpus");
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		const uint64_t *ns = r->cpus[i].class_ns;

		json_open_row(j, NULL);
		json_uint(j, "cpu", m->cpus[i].cpu);
		json_uint(j, "ours_ns", ns[LAB_CPU_OURS]);
		json_uint(j, "foreign_ns", ns[LAB_CPU_FOREIGN]);
		json_uint(j, "idle_ns", ns[LAB_CPU_IDLE]);
		json_uint(j, "unknown_ns", ns[LAB_CPU_UNKNOWN]);
		json_close_object(j);
	}
	json_close_array(j);
}

/* As a key of this object is written, without its _ns. */
static void put_largest_loss(struct json *j, const struct report_capacity *c)
{
	static const char *const names[] = {
		[LOSS_LATENCY] = "unplaced.latency", [LOSS_UNDIVIDED] = "unplaced.undivided",
		[LOSS_INTERFERENCE] = "interference", [LOSS_UNKNOWN] = "unknown",
		[LOSS_NO_THREAD] = "no_thread",
		[LOSS_AFFINITY] = "unplaced.affinity", [LOSS_THROTTLED] = "unplaced.throttled",
		[LOSS_BALANCING] = "unplaced.balancing",
	};
	char blocked[32];

	if (c->largest == LOSS_BLOCKED || c->largest == LOSS_SERIALIZED) {
		snprintf(blocked, sizeof(blocked), "blocked.%s", reason_name(c->largest_reason));
		json_str(j, "largest_loss", blocked);
	} else if (c->largest < ARRAY_SIZE(names) && names[c->largest]) {
		json_str(j, "largest_loss", names[c->largest]);
	} else {
		json_null(j, "largest_loss");
	}
}

/* The longest case of a task that affinity kept from an idle CPU; null: none, or not looked for. */
static void put_pinned(struct json *j, const struct report_capacity *c)
{
	json_open_nullable(j, "pinned", c->pinned_ns);
	json_one_line(j);
	json_open_list(j, "cpus");
	for (uint32_t i = 0; i < c->pinned_to_cnt; i++)
		json_uint(j, NULL, c->pinned_to[i]);
	json_close_array(j);
	json_uint(j, "idle_cpu", c->pinned_idle_cpu);
	json_uint(j, "ns", c->pinned_ns);
	json_close_nullable(j);
}

/* What was lost to each, other_ns among them; with largest_ns, what was lost to largest_loss. */
static void put_loss(struct json *j, const struct report_capacity *c)
{
	uint64_t blocked_ns[REASON_CNT];

	for (int k = 0; k < REASON_CNT; k++)
		blocked_ns[k] = capacity_blocked_ns(c, (enum reason)k);
	json_open_object(j, "loss");
	json_uint_if(j, "latency_ns", c->latency_known, c->latency_ns);
	json_uint_if(j, "affinity_ns", c->affinity_known, capacity_loss_ns(c, LOSS_AFFINITY));
	json_uint_if(j, "throttled_ns", c->throttled_known, capacity_loss_ns(c, LOSS_THROTTLED));
	json_uint_if(j, "balancing_ns", c->affinity_known && c->throttled_known, c->balancing_ns);
	json_uint(j, "undivided_ns", capacity_loss_ns(c, LOSS_UNDIVIDED));
	json_uint(j, "interference_ns", c->interference_ns);
	json_uint(j, "unknown_ns", capacity_loss_ns(c, LOSS_UNKNOWN));
	put_blocked(j, blocked_ns);
	json_uint(j, "no_thread_ns", capacity_loss_ns(c, LOSS_NO_THREAD));
	json_uint(j, "largest_ns", c->largest_ns);
	json_close_object(j);
}

void json_capacity(struct json *j, const struct model *m, const struct report *r)
{
	const struct report_capacity *c = &r->capacity;

	json_begin_if(j, c->known);
	json_open_object(j, "capacity");
	json_uint(j, "cpus", m->cpu_cnt);
	json_uint(j, "total_ns", c->total_ns);
	json_uint(j, "work_ns", c->work_ns);
	json_uint(j, "unplaced_ns", c->unplaced_ns);
	json_open_row(j, "unplaced");
	json_uint_if(j, "latency_ns", c->latency_known, c->latency_ns);
	json_uint_if(j, "affinity_ns", c->affinity_known, c->affinity_ns);
	json_uint_if(j, "throttled_ns", c->throttled_known, c->throttled_ns);
	json_uint_if(j, "balancing_ns", c->affinity_known && c->throttled_known, c->balancing_ns);
	json_uint(j, "undivided_ns", c->undivided_ns);
	json_close_object(j);
	json_uint(j, "interference_ns", c->interference_ns);
	json_uint(j, "other_ns", c->other_ns);
	json_uint(j, "unknown_ns", c->unknown_ns);
	put_blocked(j, c->blocked_ns);
	json_uint(j, "no_thread_ns", c->no_thread_ns);
	json_begin_if(j, c->affinity_known);
	put_pinned(j, c);
	json_end_if(j);
	put_largest_loss(j, c);
	put_loss(j, c);
	if (m->quota_milli_cpus)
		json_ratio(j, "quota_cpus", m->quota_milli_cpus, 1000);
	else
		json_null(j, "quota_cpus");
	json_close_object(j);
	json_end_if(j);
}
