/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "unit.h"
#include "workload/errands.h"

static struct workload_args args_of(enum work_kind work)
{
	return (struct workload_args){ .tasks = 3, .rounds = 50, .seed = 7, .work = work };
}

/* The compared work is the same: pieces depend on the seed, errand and kind, and on no way. */
TEST(errands_are_the_same_whichever_way)
{
	for (int kind = WORK_CPU; kind <= WORK_MIXED; kind++) {
		struct workload_args args = args_of((enum work_kind)kind), other = args;

		other.how = 3;
		other.tasks = 100;
		for (uint32_t idx = 0; idx < args.tasks; idx++) {
			struct errand_piece a, b;
			struct errand x, y;
			uint32_t cnt = 0;

			errand_init(&x, &args, idx);
			errand_init(&y, &other, idx);
			while (errand_next(&x, &a)) {
				REQUIRE(errand_next(&y, &b));
				CHECK_EQ(a.units, b.units);
				CHECK_EQ(a.wait_ns, b.wait_ns);
				/* How much was computed in between does not matter. */
				work_random(&x.rng);
				cnt++;
			}
			CHECK(!errand_next(&y, &b));
			CHECK_EQ(cnt, args.rounds);
		}
	}
}

TEST(errands_wait_as_their_kind_says)
{
	struct workload_args cpu = args_of(WORK_CPU), io = args_of(WORK_IO);
	struct errand_piece piece;
	uint64_t least = UINT64_MAX, most = 0;
	struct errand errand;

	errand_init(&errand, &cpu, 0);
	while (errand_next(&errand, &piece))
		CHECK(piece.units && !piece.wait_ns);
	errand_init(&errand, &io, 0);
	while (errand_next(&errand, &piece)) {
		least = piece.wait_ns < least ? piece.wait_ns : least;
		most = piece.wait_ns > most ? piece.wait_ns : most;
	}
	CHECK(least >= 4000000 && most <= 12000000 && most - least > 4000000);
}

TEST(errands_are_done_in_every_way)
{
	const struct workload *errands = workload_find("errands");
	const struct opt *as;

	REQUIRE(errands);
	for (as = errands->opts; strcmp(as->name, "as"); as++)
		;
	for (uint32_t how = 0; as->choices[how]; how++)
		for (int kind = WORK_CPU; kind <= WORK_MIXED; kind++) {
			struct workload_args args = errands->defaults;

			args.work = (uint32_t)kind;
			args.how = how;
			args.rounds = 2;
			CHECK_EQ(errands->run(&args), 0);
			CHECK_EQ(errands->amount(&args), 8);
		}
}
