/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * path - the critical path: what the end of the run waited for, walked back
 * from the task that ended last to the start of the window.
 *
 * Running and ready are charged where they are. A block that a task of ours
 * ended, in its own context, was spent waiting for that task: the walk goes on
 * with the waker at that instant. What a timer, an interrupt, another program or
 * nobody known ended is charged in place. At a birth the walk goes on with the parent.
 *
 * The end of the run did not need the waits of a task that polls (polling.h), so the walk leaves
 * them in two places:
 *
 * - A task came to a join, or to a wait for its child, while the awaited task polled (a monitor, or
 *   a ticker that is told to stop). From the instant at which the waiting task came, the walk goes
 *   back along that task's own past. The walk does so, too, where the awaited task was
 *   preempted before it had quite ended, and ended last.
 * - A task polled until a child or thread of its own ended (while p.poll() is None: sleep). The
 *   wait in which that happened is the last of its kind. The walk goes on with the child at the
 *   child's end. A shell that waits for its sleep(1) learns of that end at once, and goes on
 *   waiting: what is left of the wait is charged in place.
 *
 * A fake wake-up lets a task run for a moment, find that it has to wait on, and wait
 * again. Mostly the walk never meets one: it follows the wake that ended the
 * last of such waits. Where that last one is charged in place, so is the wait before the fake
 * wake-up, for its waker did not end it.
 */
#include <stdlib.h>

#include "analyze/fake.h"
#include "analyze/polling.h"
#include "analyze/report.h"
#include "util/alloc.h"
#include "util/minmax.h"

/* Equal stamps can close a circle of wakers: after so many steps that took no time, stay. */
#define TIMELESS_STEPS_MAX 64

/* When a task ended, and which task had made it. */
struct ending {
	uint64_t end_ns;
	uint32_t parent_id;
	uint32_t task;		/* index */
};

/*
 * The wait for a task's end through which the walk came to the task, or, where the walk begins, the
 * last such wait.
 */
struct arrival {
	/* NULL: none, or the walk has left the awaited task */
	const struct model_task *waiter, *awaited;
	uint64_t at_ns;		/* when the wait began */
};

struct walk {
	const struct model *m;
	struct report_path *out;	/* its segments last first */
	const struct model_task *t;	/* whom the path is on */
	const struct model_span *fake;	/* this block's wake-up was no reason to run */
	uint64_t at_ns;			/* charged is all from here on */
	size_t *left;			/* [task]: its spans that can begin before at_ns */
	unsigned int timeless;		/* steps since at_ns moved */
	struct arrival arrival;
	struct ending *endings;		/* of all tasks, by parent and time; NULL: not yet needed */
};

/* The span of @t just before the walk; NULL if it was not alive then. */
static const struct model_span *span_before(struct walk *w, const struct model_task *t)
{
	const struct model_span *spans = t->spans;
	size_t *left = &w->left[t - w->m->tasks];
	size_t low, high = *left, step = 1;

	/* The walk goes back: from where it was, in longer and longer steps. */
	while (high > step && spans[high - step].start_ns >= w->at_ns) {
		high -= step;
		step *= 2;
	}
	low = high > step ? high - step : 0;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (spans[mid].start_ns < w->at_ns)
			low = mid + 1;
		else
			high = mid;
	}
	*left = low;
	return low && spans[low - 1].end_ns >= w->at_ns ? &spans[low - 1] : NULL;
}

static bool same_kind(const struct path_segment *a, const struct path_segment *b)
{
	return a->task_id == b->task_id && a->state == b->state && a->reason == b->reason;
}

/* Charge what lies between @seg's start and the walk. */
static void charge(struct walk *w, struct path_segment seg)
{
	struct report_path *p = w->out;
	uint64_t ns;

	seg.start_ns = max_u64(seg.start_ns, w->m->start_ns);
	seg.end_ns = w->at_ns;
	ns = seg.end_ns - seg.start_ns;
	w->at_ns = seg.start_ns;
	w->timeless = 0;
	p->length_ns += ns;
	if (!seg.task_id)
		p->none_ns += ns;
	else if (seg.state == SPAN_RUNNING)
		p->run_ns += ns;
	else if (seg.state == SPAN_READY)
		p->ready_ns += ns;
	else
		p->blocked_ns[seg.reason] += ns;
	if (p->segment_cnt && same_kind(&p->segments[p->segment_cnt - 1], &seg))
		p->segments[p->segment_cnt - 1].start_ns = seg.start_ns;
	else
		*vec_push(p->segments, p->segment_cnt, p->segment_cap) = seg;
}

/* No task of ours is known to have led here. */
static void charge_nobody(struct walk *w, uint64_t start_ns)
{
	charge(w, (struct path_segment){ .start_ns = start_ns });
}

static bool same_futex(const struct model_span *a, const struct model_span *b)
{
	return a->state == SPAN_BLOCKED && b->state == SPAN_BLOCKED && a->flags & SPAN_FUTEX &&
	       b->flags & SPAN_FUTEX && a->addr == b->addr && a->mm_id == b->mm_id;
}

/* The block before @s, if @s only continues it; NULL if not. */
static const struct model_span *continued(const struct walk *w, const struct model_span *s)
{
	size_t left = (size_t)(s - w->t->spans);

	if (left < 2 || s[-1].state != SPAN_RUNNING || s[-1].end_ns - s[-1].start_ns > FAKE_RUN_NS)
		return NULL;
	if (s[-2].state == SPAN_READY && left >= 3)
		return same_futex(&s[-3], s) ? &s[-3] : NULL;
	return same_futex(&s[-2], s) ? &s[-2] : NULL;
}

/* ---- tasks that poll ---- */

static int ending_cmp(const void *a, const void *b)
{
	const struct ending *x = a, *y = b;

	if (x->parent_id != y->parent_id)
		return x->parent_id < y->parent_id ? -1 : 1;
	if (x->end_ns != y->end_ns)
		return x->end_ns < y->end_ns ? -1 : 1;
	return (x->task > y->task) - (x->task < y->task);
}

static void find_endings(struct walk *w)
{
	w->endings = xcalloc(w->m->task_cnt + 1, sizeof(*w->endings));
	for (size_t i = 0; i < w->m->task_cnt; i++) {
		const struct model_task *t = &w->m->tasks[i];

		w->endings[i] = (struct ending){
			t->alive ? UINT64_MAX : t->end_ns, t->parent_id, (uint32_t)i,
		};
	}
	qsort(w->endings, w->m->task_cnt, sizeof(*w->endings), ending_cmp);
}

/*
 * The last task made by the walk's task that ended since that task began to wait as it does in @s,
 * but not the one that ended @s; of equal ones the youngest; or NULL.
 */
static const struct model_task *ended_in(struct walk *w, const struct model_span *s)
{
	struct ending key = { w->at_ns, w->t->id, UINT32_MAX };
	size_t low = 0, high = w->m->task_cnt;

	if (!w->endings)
		find_endings(w);
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (ending_cmp(&w->endings[mid], &key) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low && s->waker_id && w->m->tasks[w->endings[low - 1].task].id == s->waker_id)
		low--;
	if (!low || w->endings[low - 1].parent_id != w->t->id ||
	    w->endings[low - 1].end_ns <= polling_since(w->m, w->t, s))
		return NULL;
	return &w->m->tasks[w->endings[low - 1].task];
}

static struct path_segment in_place(const struct walk *w, const struct model_span *s)
{
	return (struct path_segment){
		.start_ns = s->start_ns, .task_id = w->t->id, .state = s->state,
		.reason = s->state == SPAN_BLOCKED ? s->reason : REASON_NONE,
	};
}

/* On with @t at @at_ns, which lies in @s; what is left of @s is charged. */
static void leave_for(struct walk *w, const struct model_span *s, const struct model_task *t,
		      uint64_t at_ns)
{
	if (at_ns < w->at_ns)
		charge(w, (struct path_segment){
			.start_ns = at_ns, .task_id = w->t->id, .state = s->state,
			.reason = s->reason,
		});
	w->t = t;
	w->fake = NULL;
	w->arrival = (struct arrival){ 0 };
	w->timeless++;
}

/* Return: whether the walk left the block @s, for that was polling. */
static bool leave_polling(struct walk *w, const struct model_span *s)
{
	const struct arrival *a = &w->arrival;
	const struct model_task *ended;

	if (w->timeless >= TIMELESS_STEPS_MAX || !polling_before(w->m, w->t, s))
		return false;
	if (a->awaited == w->t && s->start_ns < a->at_ns && a->at_ns < w->at_ns) {
		leave_for(w, s, a->waiter, a->at_ns);
		return true;
	}
	ended = polling_goes_on(w->m, w->t, s) ? NULL : ended_in(w, s);
	if (!ended)
		return false;
	if (ended->end_ns >= s->start_ns)
		leave_for(w, s, ended, ended->end_ns);
	else
		charge(w, in_place(w, s));	/* its end broke off the part before this one */
	return true;
}

/* ---- steps ---- */

static bool is_for_end(const struct model_span *s)
{
	return s->reason == REASON_JOIN || s->reason == REASON_CHILD;
}

/* The task whose wake ended @s at the instant of the walk; NULL if @s is charged in place. */
static const struct model_task *waker_of(struct walk *w, const struct model_span *s)
{
	const struct model_task *waker;
	const struct model_span *then;

	if (s->end_ns != w->at_ns || s == w->fake || !s->waker_id ||
	    s->flags & SPAN_WOKEN_BY_IRQ || w->timeless >= TIMELESS_STEPS_MAX)
		return NULL;
	waker = model_task(w->m, s->waker_id);
	then = waker && waker != w->t ? span_before(w, waker) : NULL;
	/* One that goes on being blocked did not do it, whatever a damaged file says. */
	if (!then || (then->state == SPAN_BLOCKED && then->end_ns > w->at_ns))
		return NULL;
	return waker;
}

/* At a birth: on to the parent. False if it is not known to have been there. */
static bool to_parent(struct walk *w)
{
	const struct model_task *parent = model_task(w->m, w->t->parent_id);

	if (!parent || w->at_ns != w->t->start_ns || parent->start_ns > w->at_ns ||
	    parent->end_ns < w->at_ns || w->timeless++ >= TIMELESS_STEPS_MAX)
		return false;
	w->t = parent;
	w->arrival = (struct arrival){ 0 };
	return true;
}

static void step(struct walk *w)
{
	const struct model_span *s = span_before(w, w->t);
	const struct model_task *waker;

	if (!s) {
		if (!to_parent(w))
			charge_nobody(w, w->m->start_ns);
		return;
	}
	if (s->state == SPAN_BLOCKED) {
		if (s->reason == REASON_CHILD && leave_polling(w, s))
			return;
		waker = waker_of(w, s);
		if (waker) {
			w->arrival = (struct arrival){
				w->t, is_for_end(s) ? waker : NULL, s->start_ns,
			};
			w->t = waker;
			w->timeless++;
			return;
		}
		if (leave_polling(w, s))
			return;
		w->fake = continued(w, s);
	}
	charge(w, in_place(w, s));
}

static bool runs_at_end(const struct model_task *t)
{
	return t->spans[t->span_cnt - 1].state == SPAN_RUNNING;
}

/* Who ended last; of those alive at the cut, one that ran, and of these the eldest. */
static const struct model_task *last_task(const struct model *m)
{
	const struct model_task *last = NULL;

	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];

		if (!t->span_cnt)
			continue;
		if (!last || t->end_ns > last->end_ns ||
		    (t->end_ns == last->end_ns && runs_at_end(t) && !runs_at_end(last)))
			last = t;
	}
	return last;
}

/* The last wait for @t's end that @t ended. @t may have been preempted before its own end. */
static struct arrival awaited(const struct model *m, const struct model_task *t)
{
	const struct model_task *waiter = NULL;
	const struct model_span *wait = NULL;

	for (size_t i = 0; t && i < m->task_cnt; i++) {
		const struct model_task *other = &m->tasks[i];

		for (size_t j = 0; j < other->span_cnt; j++) {
			const struct model_span *s = &other->spans[j];

			if (s->state != SPAN_BLOCKED || s->waker_id != t->id || !is_for_end(s) ||
			    (wait && wait->end_ns >= s->end_ns))
				continue;
			waiter = other;
			wait = s;
		}
	}
	return (struct arrival){ waiter, wait ? t : NULL, wait ? wait->start_ns : 0 };
}

static int most_cmp(const void *a, const void *b)
{
	const struct path_share *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return (x->task_id > y->task_id) - (x->task_id < y->task_id);
}

/* In order of time from here on, and who had most of it. */
static void finish(const struct model *m, struct report_path *p)
{
	struct path_share *shares = xcalloc(m->task_cnt + 1, sizeof(*shares));

	for (size_t i = 0; i < p->segment_cnt / 2; i++) {
		struct path_segment seg = p->segments[i];

		p->segments[i] = p->segments[p->segment_cnt - 1 - i];
		p->segments[p->segment_cnt - 1 - i] = seg;
	}
	for (size_t i = 0; i < m->task_cnt; i++)
		shares[i].task_id = m->tasks[i].id;
	for (size_t i = 0; i < p->segment_cnt; i++) {
		const struct path_segment *seg = &p->segments[i];
		const struct model_task *t = model_task(m, seg->task_id);

		if (t)
			shares[t - m->tasks].ns += seg->end_ns - seg->start_ns;
	}
	qsort(shares, m->task_cnt, sizeof(*shares), most_cmp);
	while (p->task_cnt < m->task_cnt && shares[p->task_cnt].ns)
		p->task_cnt++;
	for (uint32_t i = 0; i < p->task_cnt && i < PATH_TOP_MAX; i++)
		p->top[i] = shares[i];
	free(shares);
}

static void path_run(const struct model *m, struct report *r)
{
	struct walk w = { .m = m, .out = &r->path, .t = last_task(m), .at_ns = m->end_ns };

	w.arrival = awaited(m, w.t);
	w.left = xcalloc(m->task_cnt, sizeof(*w.left));
	for (size_t i = 0; i < m->task_cnt; i++)
		w.left[i] = m->tasks[i].span_cnt;
	if (w.t && w.t->end_ns < w.at_ns)
		charge_nobody(&w, w.t->end_ns);
	while (w.at_ns > m->start_ns) {
		if (w.t)
			step(&w);
		else
			charge_nobody(&w, m->start_ns);
	}
	free(w.left);
	free(w.endings);
	finish(m, &r->path);
}

const struct analysis analysis_path = { .name = "path", .run = path_run };
