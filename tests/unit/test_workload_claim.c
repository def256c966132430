/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "util/opts.h"
#include "workload/workload.h"

static struct claim claim_of(const char *name, uint32_t tasks, enum work_kind work)
{
	const struct workload *workload = workload_find(name);
	struct workload_args args;
	struct claim claim;

	REQUIRE(workload);
	args = workload->defaults;
	args.tasks = tasks;
	args.work = work;
	memset(&claim, 0xff, sizeof(claim));
	workload->claim(&args, &claim);
	CHECK(memchr(claim.why, '\0', sizeof(claim.why)) && claim.why[0]);
	CHECK(claim.needs_cpus >= 1);
	return claim;
}

/* What nobody gave lies within what may be given; 0 may stand for what run() finds out. */
static void check_default(const struct workload_args *defaults, const struct opt *opt)
{
	const char *at = (const char *)defaults + opt->off;
	uint64_t value;

	if (opt->kind == OPT_FLAG)
		return;
	value = opt->kind == OPT_DURATION ? *(const uint64_t *)at : *(const uint32_t *)at;
	if (opt->kind == OPT_CHOICE) {
		for (uint64_t i = 0; i <= value; i++)
			REQUIRE(opt->choices[i]);
	} else if (opt->min || opt->max) {
		CHECK(!value || (value >= opt->min && value <= opt->max));
	}
}

TEST(workload_table_is_whole)
{
	size_t cnt = 0;

	for (const struct workload *const *at = workloads; *at; at++) {
		const struct workload *w = *at;

		cnt++;
		CHECK(workload_find(w->name) == w);
		CHECK(w->shows && w->shows[0] && w->opts && w->claim && w->run);
		CHECK(w->defaults.rounds || w->defaults.duration_ns || w->defaults.unit_ns);
		for (const struct opt *opt = w->opts; opt->name; opt++) {
			CHECK(opt->help && opt->off < sizeof(struct workload_args));
			check_default(&w->defaults, opt);
		}
	}
	CHECK(cnt >= 3);
	CHECK(!workload_find("proc"));
	CHECK(!workload_find(""));
}

TEST(workload_claims_of_workers)
{
	static const char *const names[] = { "procs", "threads" };

	for (int i = 0; i < 2; i++) {
		for (int work = WORK_CPU; work <= WORK_MIXED; work++) {
			struct claim claim = claim_of(names[i], 1, (enum work_kind)work);

			CHECK_EQ(claim.class, CLASS_SEQUENTIAL);
			CHECK_EQ(claim.min_parallelism_milli, 0);
			CHECK_EQ(claim.min_operations, 0);
			CHECK_EQ(claim.needs_cpus, 1);
		}
		for (uint32_t tasks = 2; tasks <= 1000; tasks += 499) {
			struct claim cpu = claim_of(names[i], tasks, WORK_CPU);
			struct claim io = claim_of(names[i], tasks, WORK_IO);
			struct claim mixed = claim_of(names[i], tasks, WORK_MIXED);

			CHECK_EQ(cpu.class, CLASS_PARALLEL);
			CHECK_EQ(cpu.min_parallelism_milli, 1500);
			CHECK_EQ(cpu.needs_cpus, 2);
			CHECK_EQ(io.class, CLASS_CONCURRENT);
			CHECK_EQ(io.min_parallelism_milli, 0);
			CHECK_EQ(io.needs_cpus, 1);
			CHECK_EQ(mixed.class, CLASS_PARALLEL);
			CHECK_EQ(mixed.min_parallelism_milli, 1100);
			CHECK_EQ(mixed.needs_cpus, 2);
		}
	}
	CHECK_STR(claim_of("procs", 4, WORK_CPU).why, "processes use every CPU");
	CHECK_STR(claim_of("threads", 4, WORK_CPU).why, "threads use every CPU");
}

TEST(workload_claims_of_async)
{
	struct claim one = claim_of("async", 1, WORK_CPU);
	struct claim many = claim_of("async", 10000, WORK_CPU);

	CHECK_EQ(one.class, CLASS_SEQUENTIAL);
	CHECK_EQ(one.min_operations, 0);
	CHECK_EQ(many.class, CLASS_CONCURRENT);
	CHECK_EQ(many.min_operations, 10000);
	CHECK_EQ(many.min_parallelism_milli, 0);
	CHECK_EQ(many.needs_cpus, 1);
	CHECK(workload_find("async")->wants_ops);
}

static int parse(const char *name, const char *option, const char *value,
		 struct workload_args *args)
{
	const struct workload *workload = workload_find(name);
	char words[2][32];
	char *argv[] = { words[0], words[1], NULL };

	strncpy(words[0], option, sizeof(words[0]) - 1);
	strncpy(words[1], value, sizeof(words[1]) - 1);
	words[0][sizeof(words[0]) - 1] = words[1][sizeof(words[1]) - 1] = '\0';
	*args = workload->defaults;
	return opts_parse(workload->opts, args, 2, argv, name, NULL, NULL);
}

TEST(workload_options_have_ranges)
{
	struct workload_args args;

	CHECK_EQ(parse("procs", "--tasks", "1000", &args), 2);
	CHECK_EQ(args.tasks, 1000);
	CHECK_EQ(parse("procs", "--tasks", "0", &args), -EINVAL);
	CHECK_EQ(parse("procs", "--tasks", "1001", &args), -EINVAL);
	CHECK_EQ(parse("threads", "--tasks", "1000000", &args), -EINVAL);
	CHECK_EQ(parse("async", "--tasks", "10000", &args), 2);
	CHECK_EQ(parse("async", "--tasks", "10001", &args), -EINVAL);
	CHECK_EQ(parse("async", "--tasks", "0", &args), -EINVAL);
	CHECK_EQ(parse("async", "--work", "io", &args), -EINVAL);
	CHECK_EQ(parse("threads", "--work", "mixed", &args), 2);
	CHECK_EQ(args.work, WORK_MIXED);
	CHECK_EQ(parse("threads", "--seconds", "250ms", &args), 2);
	CHECK_EQ(args.duration_ns, 250000000);
	CHECK_EQ(parse("threads", "--seconds", "0", &args), -EINVAL);
	CHECK_EQ(parse("async", "--seed", "4294967295", &args), 2);
	CHECK_EQ(args.seed, UINT32_MAX);
}

TEST(workload_async_check_counts_descriptors)
{
	const struct workload *async = workload_find("async");
	struct workload_args args = async->defaults;
	struct rlimit limit = { .rlim_cur = 300, .rlim_max = 300 };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		SKIP("the descriptor limit cannot be lowered here");
	/* 142 need 142 + 47 + 47 and 64 to spare: 300. */
	args.tasks = 142;
	CHECK_EQ(async->check(&args), 0);
	args.tasks = 143;
	CHECK_EQ(async->check(&args), -EMFILE);
	args.tasks = 10000;
	CHECK_EQ(async->check(&args), -EMFILE);

	limit = (struct rlimit){ .rlim_cur = 20, .rlim_max = 20 };
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	args.tasks = 1;
	CHECK_EQ(async->check(&args), -EMFILE);
}
