/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/compare.h"
#include "golden.h"
#include "render_fixture.h"
#include "unit.h"
#include "util/text.h"

static const char *const ways[] = { "sequential", "threads", "procs", "async", "gil" };

#define WAYS 5
#define REPEATS 3
#define MS UINT64_C(1000000)

/* 4 errands of 100 ms on 2 CPUs: parallel in threads and procs, else one at a time. */
static void fill_trials(struct trial *trials, bool waits)
{
	for (uint64_t i = 0; i < WAYS * REPEATS; i++) {
		uint64_t way = i % WAYS, round = i / WAYS;
		uint64_t wall_ns = (waits ? way ? 101 : 400 :
				    way == 1 || way == 2 ? 205 : 402) * MS + round * MS;
		struct trial *t = &trials[i];

		*t = (struct trial){
			.class = !way ? CLASS_SEQUENTIAL :
				 waits || way > 2 ? CLASS_CONCURRENT : CLASS_PARALLEL,
			.audit_clean = true, .wall_ns = wall_ns, .cpus = 2,
			.run_ns = waits ? 4 * MS : 400 * MS, .busy_ns = waits ? 4 * MS : wall_ns,
			.voluntary = 4 + 100 * (way != 3), .involuntary = way * 10,
			.first_ns = way ? wall_ns - 7 * MS : 100 * MS,
			.slowest_ns = wall_ns - MS / 10,
			.memory_bytes = way == 2 ? 6 << 20 : 1536 << 10,
			.capacity = {
				.known = true, .latency_known = true, .total_ns = 2 * wall_ns,
				.work_ns = waits ? 4 * MS : 400 * MS,
			},
		};
		if (waits)
			t->capacity.blocked_ns[way == 3 ? REASON_EPOLL : REASON_SLEEP] =
				2 * wall_ns - 4 * MS;
		else if (way == 4)
			t->capacity.blocked_ns[REASON_LOCK] = 2 * wall_ns - 400 * MS;
		else
			t->capacity.no_thread_ns = 2 * wall_ns - 400 * MS;
	}
}

static void fixture_comparison(struct comparison *c)
{
	struct trial trials[WAYS * REPEATS];

	*c = (struct comparison){
		.tasks = 4, .rounds = 40, .seed = 1, .repeats = REPEATS, .cpus = 2, .work_cnt = 2,
	};
	fill_trials(trials, false);
	c->works[0].name = "cpu";
	comparison_work(trials, ways, WAYS, REPEATS, &c->works[0]);
	fill_trials(trials, true);
	/* A run whose audit was not clean, a way whose runs differ, one that others disturbed. */
	trials[WAYS + 2].class = CLASS_INCONCLUSIVE;
	snprintf(trials[WAYS + 2].reason, sizeof(trials[0].reason), "the audit is not clean");
	trials[1].class = CLASS_PARALLEL;
	trials[3].capacity.interference_ns = 50 * MS;
	trials[3].memory_bytes = 0;
	c->works[1].name = "io";
	comparison_work(trials, ways, WAYS, REPEATS, &c->works[1]);
}

static char *rendered(int (*render)(const void *, const struct render_opts *, FILE *),
		      uint32_t width)
{
	const struct render_opts opts = { .width = width };
	struct comparison c;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	REQUIRE(out);
	fixture_comparison(&c);
	CHECK_EQ(render(&c, &opts, out), 0);
	fclose(out);
	return text;
}

TEST(render_compare_golden)
{
	char *narrow = rendered(compare_term, 80), *wide = rendered(compare_term, 200);

	golden_check("compare-80.txt", narrow);
	golden_check("compare-200.txt", wide);
	free(narrow);
	free(wide);
}

TEST(render_compare_golden_json)
{
	char *text = rendered(compare_json, 0);

	golden_check("compare-json.txt", text);
	free(text);
}

/* At any width no line is wider. */
TEST(render_compare_fits_its_width)
{
	for (uint32_t width = 80; width <= 200; width++) {
		char *text = rendered(compare_term, width), *rest = text, *line;

		while ((line = strsep(&rest, "\n")))
			CHECK(text_columns(line) <= width);
		free(text);
	}
}

TEST(render_compare_limits_fit_their_cell)
{
	for (int loss = LOSS_NONE; loss <= LOSS_SERIALIZED; loss++)
		for (int reason = 0; reason < REASON_CNT; reason++) {
			const struct comparison_row row = {
				.capacity = { .known = true, .total_ns = 1000 },
				.limit = (enum capacity_loss)loss,
				.limit_reason = (enum reason)reason, .limit_ns = 999,
			};

			CHECK(strlen(compare_loss(&row).s) <= 80 - 52);
		}
}
