/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/unseen.h"

#include <stdlib.h>

#include "util/alloc.h"
#include "util/idmap.h"

/* One wait of a task: the place where it waits, and whether what ended it was seen. */
struct wait {
	uint64_t place;
	bool unseen;
};

struct waits {
	struct wait *v;
	size_t cnt, cap;
};

static bool is_loop(const struct model_span *s)
{
	if (s->state != SPAN_BLOCKED)
		return false;
	/* A worker of io_uring, which is in no call, is none. */
	return s->reason == REASON_EPOLL || s->reason == REASON_POLL ||
	       (s->reason == REASON_URING && s->syscall != LAB_SYSCALL_NONE);
}

static struct wait wait_of(const struct model_span *s)
{
	uint64_t fd = s->reason == REASON_POLL ? 0 : (uint32_t)s->addr;

	return (struct wait){
		(uint64_t)s->reason << 32 | fd,
		!s->waker_id && !(s->flags & (SPAN_OBSERVED | SPAN_CUT_END)),
	};
}

static int wait_cmp(const void *a, const void *b)
{
	const struct wait *x = a, *y = b;

	return (x->place > y->place) - (x->place < y->place);
}

static bool has_unseen(const struct model_task *t, struct waits *waits)
{
	waits->cnt = 0;
	for (size_t i = 0; i < t->span_cnt; i++)
		if (is_loop(&t->spans[i]))
			*vec_push(waits->v, waits->cnt, waits->cap) = wait_of(&t->spans[i]);
	if (waits->cnt)
		qsort(waits->v, waits->cnt, sizeof(*waits->v), wait_cmp);
	for (size_t i = 1; i < waits->cnt; i++)
		if (waits->v[i].place == waits->v[i - 1].place &&
		    (waits->v[i].unseen || waits->v[i - 1].unseen))
			return true;
	return false;
}

/* The processes that mark their operations. */
static struct idmap marking(const struct model *m)
{
	struct idmap tgids = { 0 };

	for (size_t i = 0; i < m->op_cnt; i++)
		if (m->ops[i].fd == MODEL_OP_NO_FD)
			idmap_put(&tgids, m->ops[i].tgid, 0, 1);
	return tgids;
}

const struct model_task *unseen_loop(const struct model *m)
{
	const struct model_task *found = NULL;
	struct idmap marks = marking(m);
	struct waits waits = { 0 };

	for (size_t i = 0; i < m->task_cnt && !found; i++)
		if (!idmap_get(&marks, m->tasks[i].tgid, 0) && has_unseen(&m->tasks[i], &waits))
			found = &m->tasks[i];
	free(waits.v);
	idmap_release(&marks);
	return found;
}
