/* SPDX-License-Identifier: GPL-2.0-only */
/* Analyses that run at once say what they say one after the other. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/report.h"
#include "render/render.h"
#include "schedule.h"
#include "unit.h"

#define ROUNDS 8
#define SEEDS 100
#define LONG_SPANS 16384		/* what four threads are worth */

static char *json_of(const struct model *m)
{
	const struct renderer *json = renderer_find("json");
	struct report r;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	report_compute(m, &r);
	CHECK_EQ(json->render(m, &r, &(struct render_opts){ 0 }, out), 0);
	fclose(out);
	report_release(&r);
	return text;
}

/* One thread is all that one CPU is worth. */
static char *json_on_one_cpu(const struct model *m)
{
	cpu_set_t all, one;
	char *text;
	int cpu = 0;

	REQUIRE(!sched_getaffinity(0, sizeof(all), &all));
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
	text = json_of(m);
	sched_setaffinity(0, sizeof(all), &all);
	return text;
}

/* The first long run that comes: a seed's length changes with whatever the simulation draws. */
static struct schedule *long_run(struct model *m)
{
	for (uint64_t seed = 1;; seed++) {
		struct schedule_options opt;
		struct schedule *s;

		schedule_options(&opt, seed);
		opt.cpu_cnt = opt.usable_cnt = 8;
		opt.profile = PROFILE_LOCKS;
		opt.birth_max = 200;
		opt.step_max = 400000;
		s = schedule_make(&opt);
		REQUIRE(!schedule_load(s, m));
		if (m->span_cnt > LONG_SPANS)
			return s;
		model_release(m);
		schedule_free(s);
		REQUIRE(seed < SEEDS);
	}
}

TEST(analyze_threads_change_nothing)
{
	struct model m;
	struct schedule *s = long_run(&m);
	char *alone;

	alone = json_on_one_cpu(&m);
	for (int i = 0; i < ROUNDS; i++) {
		char *text = json_of(&m);

		CHECK_STR(text, alone);
		free(text);
	}
	free(alone);
	model_release(&m);
	schedule_free(s);
}
