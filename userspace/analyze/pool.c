/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pool - threads that one task made and that wait for jobs at one place, and how many had a job at
 * once.
 *
 * The place where a thread waits for jobs is that of its longest wait in which it was not in
 * progress (progress.h). It has a job while it is in progress. Of several pools in a run, the
 * report shows the one that had jobs for longest.
 *
 * The kernel does not see jobs that no thread has yet. Where the program marks them as operations,
 * those of the kinds that Node.js gives to its threads (markers/lab-node.cjs) are compared with the
 * threads: while all threads have a job, operations beyond their number wait for one. Where records
 * are missing nothing is said, because they may be of a job.
 */
#include <stdlib.h>
#include <string.h>

#include "analyze/lossless.h"
#include "analyze/progress.h"
#include "analyze/share.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define PLACE_BYTES 8	/* two words that a condition variable uses in turn */

struct member {
	uint32_t parent_id, tgid;
	uint32_t mm_id;		/* a futex: whose memory */
	int32_t call;		/* no futex: the system call */
	uint64_t at;		/* a futex: address / PLACE_BYTES; else the call's first argument */
	uint32_t task;		/* index */
	uint64_t wait_ns;	/* the longest wait there; 0: it has no such place */
};

static const char *const thread_kinds[] = { "file", "dns", "pbkdf2", "scrypt" };

static int place_cmp(const struct member *x, const struct member *y)
{
	if (x->parent_id != y->parent_id)
		return x->parent_id < y->parent_id ? -1 : 1;
	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	if (x->mm_id != y->mm_id)
		return x->mm_id < y->mm_id ? -1 : 1;
	if (x->call != y->call)
		return x->call < y->call ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static int member_cmp(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = place_cmp(x, y);

	return order ? order : (x->task > y->task) - (x->task < y->task);
}

/* In this wait the task has no job; what it waits for may be the next. */
static bool is_without_job(const struct model_task *t, const struct model_span *s, bool helper)
{
	return s->state == SPAN_BLOCKED && s->reason != REASON_JOIN && s->reason != REASON_CHILD &&
	       !progress_counts(t, s, helper);
}

static struct member member_of(const struct model *m, uint32_t idx, bool helper)
{
	const struct model_task *t = &m->tasks[idx];
	struct member out = { .parent_id = t->parent_id, .tgid = t->tgid, .task = idx };

	for (size_t i = 0; t->parent_id && i < t->span_cnt; i++) {
		const struct model_span *s = &t->spans[i];
		bool futex = s->flags & SPAN_FUTEX;

		if (!is_without_job(t, s, helper) || s->end_ns - s->start_ns <= out.wait_ns)
			continue;
		out.wait_ns = s->end_ns - s->start_ns;
		out.mm_id = futex ? s->mm_id : 0;
		out.call = futex ? 0 : s->syscall;
		out.at = futex ? s->addr / PLACE_BYTES : s->addr;
	}
	return out;
}

/* ---- how many at once ---- */

struct change {
	uint64_t at_ns;
	int tasks, ops;
};

struct changes {
	struct change *v;
	size_t cnt, cap;
};

static int change_cmp(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

static void change_add(struct changes *c, uint64_t start_ns, uint64_t end_ns, int tasks, int ops)
{
	vec_add(c->v, c->cnt, c->cap, (struct change){ start_ns, tasks, ops });
	vec_add(c->v, c->cnt, c->cap, (struct change){ end_ns, -tasks, -ops });
}

static bool is_for_threads(const struct model *m, const struct model_op *op)
{
	const char *name = op->fd == MODEL_OP_NO_FD && m->names ? m->names[op->name_idx] : "";

	for (size_t i = 0; i < ARRAY_SIZE(thread_kinds); i++) {
		size_t len = strlen(thread_kinds[i]);

		if (!strncmp(name, thread_kinds[i], len) && (!name[len] || name[len] == ' '))
			return true;
	}
	return false;
}

/* An operation that a thread must serve. */
struct request {
	uint32_t tgid;
	uint64_t start_ns, end_ns;
};

struct requests {
	struct request *v;	/* by process */
	size_t cnt, cap;
};

static int request_cmp(const void *a, const void *b)
{
	const struct request *x = a, *y = b;

	return (x->tgid > y->tgid) - (x->tgid < y->tgid);
}

static void requests_find(const struct model *m, struct requests *out)
{
	struct stretches ops;

	progress_of_ops(m, &ops);
	for (size_t i = 0; i < ops.cnt; i++) {
		const struct model_op *op = &m->ops[ops.v[i].idx];

		if (is_for_threads(m, op))
			vec_add(out->v, out->cnt, out->cap,
				(struct request){ op->tgid, ops.v[i].start_ns, ops.v[i].end_ns });
	}
	if (out->cnt)
		qsort(out->v, out->cnt, sizeof(*out->v), request_cmp);
	free(ops.v);
}

static void requests_add(const struct requests *all, uint32_t tgid, struct changes *out)
{
	size_t low = 0, high = all->cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (all->v[mid].tgid < tgid)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < all->cnt && all->v[low].tgid == tgid; low++)
		change_add(out, all->v[low].start_ns, all->v[low].end_ns, 0, 1);
}

/* @level_ns: [k] so long exactly k had a job, k = 0 .. out->task_cnt */
static void sweep(struct changes *c, uint64_t *level_ns, struct report_pool *out)
{
	uint64_t tasks = 0, ops = 0;

	qsort(c->v, c->cnt, sizeof(*c->v), change_cmp);
	for (size_t i = 0; i < c->cnt; i++) {
		uint64_t ns = i ? c->v[i].at_ns - c->v[i - 1].at_ns : 0;

		if (ns)
			level_ns[tasks] += ns;
		if (ns && tasks == out->task_cnt && ops > tasks) {
			out->queued_ns += ns;
			out->op_cnt = (uint32_t)max_u64(out->op_cnt, ops);
		}
		tasks += (uint64_t)c->v[i].tasks;
		ops += (uint64_t)c->v[i].ops;
	}
}

/* What all pools are looked for in. */
struct search {
	const struct model *m;
	struct report *r;
	struct stretches jobs;	/* by task, and time */
	size_t *first;		/* [task]: of its jobs; [task_cnt]: their number */
	struct requests requests;
};

static void search_begin(struct search *s)
{
	progress_of_tasks(s->m, s->r, &s->jobs);
	requests_find(s->m, &s->requests);
	s->first = xcalloc(s->m->task_cnt + 1, sizeof(*s->first));
	for (size_t i = 0, at = 0; i <= s->m->task_cnt; i++) {
		while (at < s->jobs.cnt && s->jobs.v[at].idx < i)
			at++;
		s->first[i] = at;
	}
}

static void search_end(struct search *s)
{
	free(s->jobs.v);
	free(s->requests.v);
	free(s->first);
}

/* How many have a job at once but for less than 5 % of the time with any. */
static void count_at_once(const uint64_t *level_ns, struct report_pool *out)
{
	uint64_t beyond_ns = 0;

	for (uint32_t k = 1; k <= out->task_cnt; k++)
		out->active_ns += level_ns[k];
	for (out->at_once = out->task_cnt; out->at_once > 1; out->at_once--) {
		beyond_ns += level_ns[out->at_once];
		if (share_is_5_percent(beyond_ns, out->active_ns))
			return;
		out->beyond_ns = beyond_ns;
	}
}

static struct report_pool judge(const struct search *s, const struct member *members, size_t cnt)
{
	struct report_pool out = { .parent_id = members->parent_id, .task_cnt = (uint32_t)cnt };
	uint64_t *level_ns = xcalloc(cnt + 1, sizeof(*level_ns)), run_ns = 0;
	struct changes changes = { 0 };

	for (size_t i = 0; i < cnt; i++) {
		uint32_t task = members[i].task;

		if (!out.task_id || s->r->tasks[task].run_ns > run_ns) {
			out.task_id = s->m->tasks[task].id;
			run_ns = s->r->tasks[task].run_ns;
		}
		for (size_t k = s->first[task]; k < s->first[task + 1]; k++)
			change_add(&changes, s->jobs.v[k].start_ns, s->jobs.v[k].end_ns, 1, 0);
	}
	requests_add(&s->requests, members->tgid, &changes);
	if (changes.cnt)
		sweep(&changes, level_ns, &out);
	count_at_once(level_ns, &out);
	free(changes.v);
	free(level_ns);
	out.idles = out.at_once < min_u64(out.task_cnt, s->m->cpu_cnt);
	out.present = out.active_ns &&
		      share_is_5_percent(out.active_ns, s->m->end_ns - s->m->start_ns) &&
		      (out.idles ||
		       (out.queued_ns && share_is_5_percent(out.queued_ns, out.active_ns)));
	return out;
}

static void pool_run(const struct model *m, struct report *r)
{
	struct search s = { .m = m, .r = r };
	uint64_t longest_ns = 0;
	struct member *members;
	size_t cnt = 0;

	if (!model_is_lossless(m))
		return;
	members = xcalloc(m->task_cnt + 1, sizeof(*members));
	for (size_t i = 0; i < m->task_cnt; i++)
		longest_ns = max_u64(longest_ns, r->tasks[i].run_ns);
	for (uint32_t i = 0; i < m->task_cnt; i++) {
		members[cnt] = member_of(m, i, progress_is_helper(r->tasks[i].run_ns, longest_ns));
		cnt += !!members[cnt].wait_ns;
	}
	qsort(members, cnt, sizeof(*members), member_cmp);
	search_begin(&s);
	for (size_t i = 0, same; i < cnt; i += same) {
		struct report_pool one;

		for (same = 1;
		     i + same < cnt && !place_cmp(&members[i], &members[i + same]); same++)
			;
		if (same < 2)
			continue;
		one = judge(&s, &members[i], same);
		if (one.present && one.active_ns > r->pool.active_ns)
			r->pool = one;
	}
	search_end(&s);
	free(members);
}

const struct analysis analysis_pool = { .name = "pool", .run = pool_run };
