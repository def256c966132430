/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/lens.h"

#include <errno.h>

#include "render_fixture.h"
#include "unit.h"

#define MS 1000000ULL

static int make(const struct render_fixture *f, struct lens_ask ask, struct lens *out)
{
	int err = lens_make(&f->model, &ask, out);

	CHECK(lens_is_asked(&ask));
	if (err)
		lens_release(out);
	return err;
}

TEST(lens_finds_tasks_cpus_and_times)
{
	const struct lens_ask all = LENS_ASK_ALL;
	struct render_fixture f;
	struct lens lens;

	fixture_workers(&f);
	CHECK(!lens_is_asked(&all));
	CHECK_EQ(make(&f, (struct lens_ask){ 2 * MS, 100 * MS, "4710,wor*", "1" }, &lens), 0);
	CHECK_EQ(lens.lens.range.from_ns, 2 * MS);
	CHECK_EQ(lens.lens.range.until_ns, 20 * MS);	/* the end */
	CHECK(lens.task_in[0] && lens.task_in[1] && lens.task_in[2]);
	CHECK(!lens.cpu_in[0] && lens.cpu_in[1]);
	lens_release(&lens);
	CHECK_EQ(make(&f, (struct lens_ask){ 0, LENS_TO_END, "worker/2", NULL }, &lens), 0);
	CHECK(!lens.task_in[0] && !lens.task_in[1] && lens.task_in[2]);
	CHECK(lens_has_cpu(&lens.lens, 0) && lens_has_cpu(&lens.lens, 1));
	lens_release(&lens);
	fixture_release(&f);
}

TEST(lens_refuses_what_is_not_there)
{
	static const char *const tasks[] = {
		"", ",", "worker", "471", "procs,", "procs,nobody", "x*",
	};
	static const struct lens_ask wrong[] = {
		{ 20 * MS, LENS_TO_END, NULL, NULL }, { 5 * MS, 5 * MS, NULL, NULL },
		{ 6 * MS, 5 * MS, NULL, NULL }, { 0, LENS_TO_END, NULL, "2" },
		{ 0, LENS_TO_END, NULL, "0-9" },
	};
	struct render_fixture f;
	struct lens lens;

	fixture_workers(&f);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CHECK_EQ(make(&f, wrong[i], &lens), -EINVAL);
	for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++)
		CHECK_EQ(make(&f, (struct lens_ask){ 0, LENS_TO_END, tasks[i], NULL }, &lens),
			 -EINVAL);
	fixture_release(&f);
	fixture_empty(&f);
	CHECK_EQ(make(&f, (struct lens_ask){ 0, LENS_TO_END, "procs", NULL }, &lens), -EINVAL);
	fixture_release(&f);
}
