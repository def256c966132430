/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Made-up schedules, through a trace file, against the oracles. LAB_SCHEDULES=N makes N of them
 * instead of 4,000; LAB_SEED=N makes that one alone.
 */
#include <stdlib.h>
#include <unistd.h>

#include "oracle.h"
#include "unit.h"

#define SCHEDULES 4000
#define SHARES 4

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static void check_seed(uint64_t seed)
{
	struct schedule_options opt;
	struct report r = { 0 };
	struct oracle o = { 0 };
	struct schedule *s;
	struct model m;

	schedule_options(&opt, seed);
	s = schedule_make(&opt);
	REQUIRE(schedule_load(s, &m) == 0);
	report_compute(&m, &r);
	o.s = s;
	o.t = &s->truth;
	o.m = &m;
	o.r = &r;
	oracle_init(&o);
	oracle_audit(&o);
	oracle_model(&o);
	oracle_tasks(&o);
	oracle_calls(&o);
	oracle_cpus(&o);
	oracle_moves(&o);
	oracle_waits(&o);
	oracle_clocks(&o);
	oracle_parallelism(&o);
	oracle_capacity(&o);
	oracle_bottles(&o);
	oracle_concurrency(&o);
	oracle_operations(&o);
	oracle_range(&o);
	oracle_locks(&o);
	oracle_serializer(&o);
	oracle_loops(&o);
	oracle_path(&o);
	oracle_verdict(&o);
	oracle_release(&o);
	report_release(&r);
	model_release(&m);
	schedule_free(s);
}

static void check_share(uint64_t share)
{
	uint64_t cnt = number_of("LAB_SCHEDULES", SCHEDULES), seed = number_of("LAB_SEED", 0);

	if (cnt > SCHEDULES)
		unit_unlimited();
	if (seed && seed % SHARES == share)
		check_seed(seed);
	for (uint64_t i = 1 + share; !seed && i <= cnt; i += SHARES)
		check_seed(i);
}

TEST(oracle_schedules_1)
{
	check_share(0);
}

TEST(oracle_schedules_2)
{
	check_share(1);
}

TEST(oracle_schedules_3)
{
	check_share(2);
}

TEST(oracle_schedules_4)
{
	check_share(3);
}
