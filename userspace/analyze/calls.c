/* SPDX-License-Identifier: GPL-2.0-only */
/* calls - in which system calls each task was blocked, and for what. */
#include <stdlib.h>

#include "analyze/report.h"
#include "model/syscalls.h"
#include "util/alloc.h"

#define SLOTS 512		/* more than there are calls with a name */
#define SLOT_NONE (SLOTS - 1)	/* a block in none of those */

struct sum {
	uint64_t ns, cnt;
};

/* One task's sums; all zero between two tasks. */
struct sums {
	struct sum *v[REASON_CNT]; /* SLOTS of each reason that there is */
	uint32_t used[REASON_CNT * SLOTS]; /* reason * SLOTS + slot of those that are not zero */
	size_t used_cnt;
};

static size_t slot_of(const struct model_span *s)
{
	return span_syscall_name(s) && s->syscall < SLOT_NONE ? (size_t)s->syscall : SLOT_NONE;
}

static void sums_add(struct sums *sums, const struct model_span *s)
{
	size_t slot = slot_of(s);
	struct sum *sum;

	if (!sums->v[s->reason])
		sums->v[s->reason] = xcalloc(SLOTS, sizeof(*sum));
	sum = &sums->v[s->reason][slot];
	if (!sum->cnt++)
		sums->used[sums->used_cnt++] = (uint32_t)(s->reason * SLOTS + slot);
	sum->ns += s->end_ns - s->start_ns;
}

static int call_cmp(const void *a, const void *b)
{
	const struct report_call *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	if (x->reason != y->reason)
		return x->reason < y->reason ? -1 : 1;
	return (x->nr > y->nr) - (x->nr < y->nr);
}

/* Take the sums into the report, and clear them. */
static void sums_take(struct sums *sums, struct report *r, struct report_task *task)
{
	task->call_first = r->call_cnt;
	task->call_cnt = sums->used_cnt;
	for (size_t i = 0; i < sums->used_cnt; i++) {
		uint32_t reason = sums->used[i] / SLOTS, slot = sums->used[i] % SLOTS;
		struct sum *sum = &sums->v[reason][slot];
		int32_t nr = slot == SLOT_NONE ? LAB_SYSCALL_NONE : (int32_t)slot;

		*vec_push(r->calls, r->call_cnt, r->call_cap) = (struct report_call){
			.nr = nr, .name = syscall_name(nr), .reason = (uint8_t)reason,
			.ns = sum->ns, .cnt = sum->cnt,
		};
		*sum = (struct sum){ 0 };
	}
	sums->used_cnt = 0;
	if (task->call_cnt)
		qsort(&r->calls[task->call_first], task->call_cnt, sizeof(*r->calls), call_cmp);
}

static void calls_run(const struct model *m, struct report *r)
{
	struct sums *sums = xcalloc(1, sizeof(*sums));

	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];

		for (size_t k = 0; k < t->span_cnt; k++)
			if (t->spans[k].state == SPAN_BLOCKED)
				sums_add(sums, &t->spans[k]);
		sums_take(sums, r, &r->tasks[i]);
	}
	for (size_t i = 0; i < REASON_CNT; i++)
		free(sums->v[i]);
	free(sums);
}

const struct analysis analysis_calls = { .name = "calls", .run = calls_run };
