/* SPDX-License-Identifier: GPL-2.0-only */
#include "render_fixture.h"

#include "util/alloc.h"

void fixture_stuck_alone(struct report *r, uint64_t since_ns)
{
	struct report_deadlock *d = &r->deadlock;

	d->known = d->present = true;
	d->circles = 1;
	d->since_ns = since_ns;
	vec_add(d->waits, d->wait_cnt, d->wait_cap, (struct deadlock_wait){
		.task_id = 1, .owner_id = 1, .addr = 0x7f0000002000, .mm_id = 1,
		.start_ns = since_ns, .evidence = EVIDENCE_LIBRARY,
	});
}
