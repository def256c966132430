/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records taken out of real traces, as a full ring would have refused them. What the whole
 * trace shows must lie within the bounds that what is left gives, and no other class may be
 * claimed.
 */
#include "trace_fixture.h"

#include "analyze/missing.h"
#include "analyze/report.h"
#include "lab_event.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define TRIALS 250	/* of each trace; LAB_LOSS_TRIALS=N for more */

static const char *const traces[] = {
	"docs/samples/procs.lab",
	"tests/fixtures/pipe.lab",
	"tests/fixtures/threads-lock.lab",
	"tests/fixtures/sequential.lab", "tests/fixtures/quota.lab",
	"tests/fixtures/async.lab",
};

struct whole {
	union lab_event *events;
	size_t cnt, cap;
	struct trace_reader *r;	/* META and ENDM */
	struct model model;
	struct report report;
};

static void whole_load(struct whole *w, const char *path)
{
	struct trace_reader *again;

	memset(w, 0, sizeof(*w));
	REQUIRE(trace_reader_open(&w->r, path) == 0);
	while (trace_reader_next(w->r, vec_push(w->events, w->cnt, w->cap)) == 1)
		;
	w->cnt--;
	REQUIRE(trace_reader_open(&again, path) == 0);
	REQUIRE(model_build(again, &w->model) == 0);
	trace_reader_free(again);
	report_compute(&w->model, &w->report);
	REQUIRE(w->report.lossless && w->report.audit_clean);
}

static void whole_release(struct whole *w)
{
	report_release(&w->report);
	model_release(&w->model);
	trace_reader_free(w->r);
	free(w->events);
}

/* Before the workload begins, the rings are empty: the record of the root is never refused. */
static bool can_go(const union lab_event *ev)
{
	return ev->head.kind != LAB_EV_TASK_TOTAL && ev->head.kind != LAB_EV_CPU_TOTAL &&
	       ev->head.kind != LAB_EV_TASK_SEED;
}

/* A ring refuses a run of records of one CPU; now and then one record, or several runs. */
static void choose(const struct whole *w, uint64_t *seed, bool *gone)
{
	size_t runs = 1 + fixture_random(seed) % 3;

	memset(gone, 0, w->cnt);
	while (runs--) {
		size_t i = fixture_random(seed) % w->cnt;
		uint64_t left = 1 + fixture_random(seed) % (fixture_random(seed) % 2 ? 3 : 60);
		uint16_t cpu = w->events[i].head.cpu;

		for (; i < w->cnt && left; i++) {
			if (w->events[i].head.cpu != cpu || !can_go(&w->events[i]))
				continue;
			gone[i] = true;
			left--;
		}
	}
}

/* The recorder counts what was refused. */
static void tell_total(const struct whole *w, const bool *gone, union lab_event *total)
{
	for (size_t i = 0; i < w->cnt; i++) {
		const struct lab_ev_head *head = &w->events[i].head;

		if (!gone[i] || head->cpu != total->head.cpu)
			continue;
		if (!total->cpu_total.refused++)
			total->cpu_total.refused_first_ns = head->ts_ns;
		total->cpu_total.refused_last_ns = head->ts_ns;
	}
}

static void write_rest(const struct whole *w, const bool *gone, const struct fixture_file *file)
{
	struct trace_writer *writer;

	REQUIRE(trace_writer_open(&writer, file->fd, trace_reader_meta(w->r)) == 0);
	for (size_t i = 0; i < w->cnt; i++) {
		union lab_event ev = w->events[i];

		if (gone[i])
			continue;
		if (ev.head.kind == LAB_EV_CPU_TOTAL)
			tell_total(w, gone, &ev);
		CHECK_EQ(trace_writer_add(writer, &ev), 0);
	}
	CHECK_EQ(trace_writer_finish(writer, trace_reader_end(w->r)), 0);
	trace_writer_free(writer);
}

#define WITHIN(value, lower, upper) do { \
	if ((value) < (lower) || (value) > (upper)) \
		unit_failed(__FILE__, __LINE__, \
			    "trial %d: " #value " is %llu, not within %llu and %llu", \
			    trial, (unsigned long long)(value), (unsigned long long)(lower), \
			    (unsigned long long)(upper)); \
} while (0)

static void compare(int trial, const struct report *truth, const struct report *r)
{
	const struct report_parallelism *t = &truth->parallelism, *p = &r->parallelism;

	CHECK(!r->lossless);
	WITHIN(t->run_ns, p->run_lower_ns, p->run_upper_ns);
	WITHIN(t->busy_ns, p->busy_lower_ns, p->busy_upper_ns);
	WITHIN(t->parallel_ns, p->parallel_lower_ns, p->parallel_upper_ns);
	WITHIN(t->max, p->max_lower, p->max_upper);
	WITHIN(t->average_busy_upper_ppm, p->average_busy_lower_ppm, p->average_busy_upper_ppm);
	WITHIN(t->average_busy_lower_ppm, p->average_busy_lower_ppm, p->average_busy_upper_ppm);
	WITHIN(p->run_ns, p->run_lower_ns, p->run_upper_ns);
	WITHIN(p->busy_ns, p->busy_lower_ns, p->busy_upper_ns);
	WITHIN(p->parallel_ns, p->parallel_lower_ns, p->parallel_upper_ns);
	WITHIN(p->max, p->max_lower, p->max_upper);
	CHECK(r->verdict.class == truth->verdict.class || r->verdict.class == CLASS_INCONCLUSIVE);
	/* That something never happened does not survive loss. */
	if (r->verdict.class != CLASS_PARALLEL)
		CHECK_EQ(r->verdict.class, CLASS_INCONCLUSIVE);
}

/* For how long of [@start_ns, @end_ns) the task was in that state, and, if it ran, on that CPU. */
static uint64_t truly_ns(const struct model *truth, uint32_t id, const struct model_span *s)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < truth->task_cnt; i++) {
		const struct model_task *t = &truth->tasks[i];

		if (t->id != id)
			continue;
		for (size_t k = model_span_at(t, s->start_ns); k < t->span_cnt; k++) {
			const struct model_span *is = &t->spans[k];
			uint64_t start_ns = max_u64(is->start_ns, s->start_ns);

			if (is->start_ns >= s->end_ns)
				break;
			if (is->state == s->state &&
			    (s->state != SPAN_RUNNING || is->cpu == s->cpu))
				ns += min_u64(is->end_ns, s->end_ns) - start_ns;
		}
	}
	return ns;
}

/* What is said to be known after a loss is true; where a switch-in is hidden, it is a bound. */
static void compare_known(int trial, const struct model *truth, struct model *m,
			  struct report *r)
{
	report_hide_missing(m, r);
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];

		for (size_t k = 0; k < t->span_cnt; k++) {
			const struct model_span *s = &t->spans[k];

			if (s->state == SPAN_UNKNOWN || s->flags & SPAN_HIDDEN_START ||
			    (k + 1 < t->span_cnt && s[1].flags & SPAN_HIDDEN_START))
				continue;
			if (truly_ns(truth, t->id, s) != s->end_ns - s->start_ns)
				unit_failed(__FILE__, __LINE__,
					    "trial %d: task %u, state %u on %u from +%llu "
					    "for %llu: only %llu are true",
					    trial, t->id, s->state, s->cpu,
					    (unsigned long long)(s->start_ns - m->start_ns),
					    (unsigned long long)(s->end_ns - s->start_ns),
					    (unsigned long long)truly_ns(truth, t->id, s));
		}
	}
}

TEST(analyze_loss_bounds_hold_the_truth)
{
	const char *asked = getenv("LAB_LOSS_TRIALS");
	int trials = asked ? (int)strtoul(asked, NULL, 10) : TRIALS;
	uint64_t seed = 11;

	for (size_t i = 0; i < ARRAY_SIZE(traces); i++) {
		int parallel = 0, trial;
		struct whole w;
		bool *gone;

		whole_load(&w, traces[i]);
		gone = xcalloc(w.cnt, sizeof(*gone));
		for (trial = 0; trial < trials; trial++) {
			struct fixture_file file = fixture_open();
			struct trace_reader *reader;
			struct report report;
			struct model model;

			do
				choose(&w, &seed, gone);
			while (!memchr(gone, true, w.cnt));
			write_rest(&w, gone, &file);
			REQUIRE(trace_reader_open(&reader, file.path) == 0);
			REQUIRE(model_build(reader, &model) == 0);
			report_compute(&model, &report);
			compare(trial, &w.report, &report);
			compare_known(trial, &w.model, &model, &report);
			parallel += report.verdict.class == CLASS_PARALLEL;
			report_release(&report);
			model_release(&model);
			trace_reader_free(reader);
			close(file.fd);
		}
		printf("# %s: %d of %d losses leave the verdict parallel\n", traces[i], parallel,
		       trials);
		free(gone);
		whole_release(&w);
	}
}
