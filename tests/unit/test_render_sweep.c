/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/sweep.h"
#include "golden.h"
#include "render_fixture.h"
#include "unit.h"
#include "util/text.h"

#define POINTS 8
#define REPEATS 2
#define MS UINT64_C(1000000)

/* USL with contention 10 %, coherency 0.5 %, on as many CPUs; the last point lacks one task. */
static void fixture_scaling(struct scaling *s, uint32_t points)
{
	struct trial trials[POINTS * REPEATS];
	uint64_t amounts[POINTS];

	*s = (struct scaling){
		.workload = "amdahl", .over_cpus = true, .repeats = REPEATS, .cpus = POINTS,
		.point_cnt = points,
	};
	for (uint32_t p = 0; p < points; p++) {
		double n = p + 1, speedup = n / (1 + 0.1 * (n - 1) + 0.005 * n * (n - 1));

		s->points[p].n = p + 1;
		amounts[p] = 1000;
		for (uint32_t r = 0; r < REPEATS; r++) {
			uint64_t wall_ns = (uint64_t)((double)(800 * MS) / speedup) + r * 4 * MS;

			trials[r * points + p] = (struct trial){
				.class = p == 5 && r ? CLASS_INCONCLUSIVE :
					 p ? CLASS_PARALLEL : CLASS_SEQUENTIAL,
				.audit_clean = true, .wall_ns = wall_ns, .run_ns = 800 * MS,
				.busy_ns = wall_ns, .cpus = p + 1, .life_ns = 800 * MS,
				.capacity = {
					.known = true, .total_ns = (p + 1) * wall_ns,
					.work_ns = 800 * MS,
					.interference_ns = p == 6 ? wall_ns : 0,
				},
			};
			snprintf(trials[r * points + p].reason, sizeof(trials[0].reason), "%s",
				 p == 5 && r ? "the audit is not clean" : "");
		}
	}
	scaling_compute(trials, amounts, POINTS - 1, s);
}

static char *rendered(int (*render)(const void *, const struct render_opts *, FILE *),
		      const struct render_opts *opts, uint32_t points)
{
	struct scaling s;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	REQUIRE(out);
	fixture_scaling(&s, points);
	CHECK_EQ(render(&s, opts, out), 0);
	fclose(out);
	return text;
}

static void golden(const char *name,
		   int (*render)(const void *, const struct render_opts *, FILE *),
		   const struct render_opts *opts, uint32_t points)
{
	char *text = rendered(render, opts, points);

	golden_check(name, text);
	free(text);
}

TEST(render_sweep_golden)
{
	golden("sweep-80.txt", sweep_term, &(struct render_opts){ .width = 80 }, POINTS);
	golden("sweep-200-utf8.txt", sweep_term,
	       &(struct render_opts){ .width = 200, .utf8 = true }, POINTS);
	golden("sweep-json.txt", sweep_json, &(struct render_opts){ .width = 80 }, POINTS);
	golden("sweep-svg.txt", sweep_svg, &(struct render_opts){ .width = 80 }, POINTS);
}

/* Two points: both are shown, and that there is no fit is said and not made up. */
TEST(render_sweep_without_a_fit)
{
	const struct render_opts opts = { .width = 80 };
	char *term = rendered(sweep_term, &opts, 2), *json = rendered(sweep_json, &opts, 2);
	char *svg = rendered(sweep_svg, &opts, 2), *one = rendered(sweep_term, &opts, 1);

	CHECK(strstr(term, "no fit: it takes 3 different N that can be fitted, and there are 2"));
	CHECK(strstr(one, "no fit: it takes 4 different N that can be fitted, and there is 1"));
	CHECK(strstr(json, "\"known\": false") && !strstr(json, "\"serial\""));
	CHECK(!strstr(svg, "<polyline"));
	CHECK(strstr(svg, "no fit"));
	free(term);
	free(json);
	free(svg);
	free(one);
}

TEST(render_sweep_fits_its_width)
{
	for (uint32_t width = 80; width <= 200; width += 3) {
		const struct render_opts opts = { .width = width };
		char *text = rendered(sweep_term, &opts, POINTS), *rest = text, *line;

		while ((line = strsep(&rest, "\n")))
			CHECK(text_columns(line) <= width);
		free(text);
	}
}
