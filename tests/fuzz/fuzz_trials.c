/* SPDX-License-Identifier: GPL-2.0-only */
/* fuzz_trials - runs as numbers, to what lab compare and lab sweep make of them. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/comparison.h"
#include "analyze/scaling.h"
#include "render/compare.h"
#include "render/sweep.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define RUNS_MAX 64
#define NUMBER_BITS 48		/* of ns, in which a run is over */
#define AMOUNT_BITS 15

void fuzz_trials(const uint8_t *data, size_t size);

/* Eight bytes each; 0 when there are no more. */
struct numbers {
	const uint8_t *p, *end;
};

static uint64_t take(struct numbers *n)
{
	uint64_t value = 0;
	size_t len = min_u64(sizeof(value), (uint64_t)(n->end - n->p));

	if (len)
		memcpy(&value, n->p, len);
	n->p += len;
	return value & (UINT64_MAX >> (64 - NUMBER_BITS));
}

static void fill(struct trial *t, struct numbers *n)
{
	uint64_t kind = take(n);
	uint64_t *const values[] = {
		&t->wall_ns, &t->cpus, &t->run_ns, &t->busy_ns, &t->max_parallel, &t->life_ns,
		&t->ready_ns, &t->voluntary, &t->involuntary, &t->done_cnt, &t->first_ns,
		&t->slowest_ns, &t->memory_bytes, &t->capacity.total_ns,
	};

	t->class = (enum verdict_class)(1 + kind % CLASS_INCONCLUSIVE);
	t->audit_clean = kind & 0x100;
	snprintf(t->reason, sizeof(t->reason), "why %d", (int)(kind & 7));
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		*values[i] = take(n);
	for (size_t i = 0; i < REASON_CNT && kind & 0x200; i++)
		t->capacity.blocked_ns[i] = take(n);
}

static void compare(const struct trial *trials, size_t ways, size_t repeats,
		    const struct render_opts *opts)
{
	static const char *const names[] = { "threads", "processes", "coroutines", "alone" };
	struct comparison *c = xcalloc(1, sizeof(*c));

	*c = (struct comparison){
		.tasks = 4, .rounds = 40, .seed = 1, .repeats = (uint32_t)repeats, .cpus = 4,
		.work_cnt = 1,
	};
	c->works[0].name = "cpu";
	comparison_work(trials, names, ways, repeats, &c->works[0]);
	NEED(!compare_term(c, opts, fuzz_null()) && !compare_json(c, opts, fuzz_null()));
	free(c);
}

static void sweep(const struct trial *trials, size_t points, size_t repeats, struct numbers *n,
		  const struct render_opts *opts)
{
	struct scaling *s = xcalloc(1, sizeof(*s));
	uint64_t amounts[RUNS_MAX], how = take(n);
	uint32_t last = 0;

	s->workload = "procs";
	s->over_cpus = how & 1;
	s->repeats = (uint32_t)repeats;
	s->cpus = 1 + (how >> 1) % 8;
	s->point_cnt = points;
	for (size_t i = 0; i < points; i++) {
		s->points[i].n = last += 1 + (uint32_t)(take(n) % 100);
		amounts[i] = 1 + take(n) % (1u << AMOUNT_BITS);
	}
	scaling_compute(trials, amounts, 4, s);
	NEED(!sweep_term(s, opts, fuzz_null()) && !sweep_json(s, opts, fuzz_null()) &&
	     !sweep_svg(s, opts, fuzz_null()));
	free(s);
}

void fuzz_trials(const uint8_t *data, size_t size)
{
	struct numbers n = { data, data + size };
	uint64_t how = take(&n);
	size_t rows = 1 + how % 4, repeats = 1 + (how >> 8) % 5;
	struct render_opts opts = {
		.width = 80 + (how >> 16) % 121, .utf8 = how >> 32 & 1, .color = how >> 33 & 1,
	};
	struct trial *trials = xcalloc(RUNS_MAX, sizeof(*trials));

	for (size_t i = 0; i < rows * repeats; i++)
		fill(&trials[i], &n);
	if (how >> 35 & 1)
		compare(trials, rows, repeats, &opts);
	else if (how >> 34 & 1)
		sweep(trials, min_u64(rows * repeats, 16), 1, &n, &opts);
	else
		sweep(trials, rows, repeats, &n, &opts);
	free(trials);
}
