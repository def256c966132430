/* SPDX-License-Identifier: GPL-2.0-only */
#include "render_fixture.h"
#include "unit.h"

#define US ((uint64_t)1000)
#define MS ((uint64_t)1000000)

/* What DESIGN says of every report holds for the ones made here. */
static void check_sums(const struct render_fixture *f)
{
	const struct model *m = &f->model;

	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct report_task *row = &f->report.tasks[i];
		uint64_t sum_ns = row->run_ns + row->ready_ns;

		for (int reason = 0; reason < REASON_CNT; reason++)
			sum_ns += row->blocked_ns[reason];
		CHECK_EQ(sum_ns, m->tasks[i].end_ns - m->tasks[i].start_ns);
	}
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		uint64_t sum_ns = 0;

		for (int class = 0; class < 4; class++)
			sum_ns += f->report.cpus[i].class_ns[class];
		CHECK_EQ(sum_ns, m->end_ns - m->start_ns);
	}
}

TEST(render_fixtures_add_up)
{
	struct render_fixture f;

	fixture_workers(&f);
	check_sums(&f);
	CHECK_EQ(f.report.parallelism.run_ns, (0 * 150 + 1 * 4580 + 2 * 15270) * US);
	fixture_release(&f);

	fixture_loop(&f);
	check_sums(&f);
	fixture_release(&f);

	fixture_crowd(&f, 100, 40, 30, 21 * MS);
	check_sums(&f);
	fixture_release(&f);
}
