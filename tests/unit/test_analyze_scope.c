/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/scope.h"

#include <string.h>

#include "analyze_fixture.h"
#include "unit.h"

static bool in_scope(const struct afx *f, const char *words)
{
	for (size_t i = 0; i < f->r.verdict.scope_cnt; i++)
		if (strstr(f->r.verdict.scope[i], words))
			return true;
	return false;
}

TEST(analyze_scope_of_cpus_measured_to_run_at_once)
{
	static const char kvm[] = "kvm";
	uint16_t usable[] = { 0, 1, 2 };
	struct afx f;

	afx_init(&f, 2, AFX_MS, 10);
	afx_clocks(&f, 25);
	afx_task(&f, 0, "0000000000");
	afx_task(&f, 0, "1111111111");
	f.m.meta.virtualized = (char *)kvm;
	f.m.meta.cpus_usable = usable;
	f.m.meta.cpus_usable_cnt = 2;
	f.m.meta.physical_round_ns = 52;
	f.m.meta.physical_age_ns = 1000000000000;
	afx_compute(&f);
	CHECK(in_scope(&f, "CPUs 0 and 1 were measured to run at once 16m40s before this run "
			   "(1,000 rounds of 52 ns); during the run, only steal was measured."));
	CHECK(!in_scope(&f, "Virtual CPUs"));
	f.m.meta.cpus_usable_cnt = 3;
	afx_compute(&f);
	CHECK(in_scope(&f, "Each two of CPUs 0-2 were measured"));

	/* No figure of two CPUs that run at once. */
	f.m.meta.physical_round_ns = 1000;
	afx_compute(&f);
	CHECK(!in_scope(&f, "measured to run") && in_scope(&f, "Virtual CPUs"));
	f.m.meta.physical_round_ns = 999;
	afx_compute(&f);
	CHECK(in_scope(&f, "rounds of 999 ns"));
	/* A task ran on a CPU that no handshake included. */
	f.m.meta.cpus_usable_cnt = 1;
	afx_compute(&f);
	CHECK(!in_scope(&f, "measured to run") && in_scope(&f, "Virtual CPUs"));
	/* What does not claim that two ran at once needs no such sentence. */
	f.m.meta.cpus_usable_cnt = 2;
	f.m.tasks[1].span_cnt = 0;
	afx_compute(&f);
	CHECK(!in_scope(&f, "measured to run"));
	f.m.meta.cpus_usable = NULL;
	afx_release(&f);
}
