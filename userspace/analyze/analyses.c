/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/report.h"
#include "util/minmax.h"
#include "util/threads.h"

#define THREADS_MAX 4
#define SPANS_PER_THREAD 4096	/* for less none is worth its start */

#define ANALYSIS(name, when) extern const struct analysis analysis_##name;
#include "analyze/analysis.def"
#undef ANALYSIS

enum when { FIRST, FREE, LAST };

static const struct {
	const struct analysis *analysis;
	enum when when;
} analyses[] = {
#define ANALYSIS(name, when) { &analysis_##name, when },
#include "analyze/analysis.def"
#undef ANALYSIS
};

struct work {
	const struct model *m;
	struct report *r;
	atomic_size_t next;	/* into analyses, to be looked at */
};

static void run_all(const struct model *m, struct report *r, enum when when)
{
	for (size_t i = 0; i < ARRAY_SIZE(analyses); i++)
		if (analyses[i].when == when)
			analyses[i].analysis->run(m, r);
}

/* Run free ones that nobody has taken, until there is none. */
static void *work_on(void *arg)
{
	struct work *w = arg;
	size_t i;

	while ((i = atomic_fetch_add(&w->next, 1)) < ARRAY_SIZE(analyses))
		if (analyses[i].when == FREE)
			analyses[i].analysis->run(w->m, w->r);
	return NULL;
}

static void run_free(const struct model *m, struct report *r)
{
	struct work w = { .m = m, .r = r };
	size_t useful = min_u64(threads_useful(), m->span_cnt / SPANS_PER_THREAD), cnt = 0;
	pthread_t threads[THREADS_MAX];

	while (cnt + 1 < min_u64(useful, THREADS_MAX) && threads_start(&threads[cnt], work_on, &w))
		cnt++;
	work_on(&w);
	while (cnt)
		pthread_join(threads[--cnt], NULL);
}

void report_compute(const struct model *m, struct report *out)
{
	memset(out, 0, sizeof(*out));
	run_all(m, out, FIRST);
	run_free(m, out);
	run_all(m, out, LAST);
}

void report_release(struct report *r)
{
	if (!r)
		return;
	free(r->clocks.cpus);
	free(r->clocks.bound_ns);
	free(r->parallelism.profile_ns);
	for (size_t i = 0; r->tasks && i < r->task_cnt; i++)
		free(r->tasks[i].cpus);
	free(r->tasks);
	free(r->calls);
	free(r->cpus);
	free(r->locks);
	free(r->migrations);
	free(r->loops);
	free(r->path.segments);
	free(r->deadlock.waits);
	free(r->deadlock.links);
	free(r->stuck.waits);
}
