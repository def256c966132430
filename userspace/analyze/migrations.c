/* SPDX-License-Identifier: GPL-2.0-only */
/* migrations - how often tasks moved, per pair of CPUs and per cause. */
#include <stdlib.h>

#include "analyze/report.h"
#include "util/alloc.h"

static int move_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void migrations_run(const struct model *m, struct report *r)
{
	uint32_t *moves = xcalloc(m->migration_cnt + 1, sizeof(*moves));
	struct migration_cell *cell = NULL;

	for (size_t i = 0; i < m->migration_cnt; i++) {
		moves[i] = (uint32_t)m->migrations[i].from_cpu << 16 | m->migrations[i].to_cpu;
		r->moves.by_cause[m->migrations[i].cause]++;
	}
	qsort(moves, m->migration_cnt, sizeof(*moves), move_cmp);
	for (size_t i = 0; i < m->migration_cnt; i++) {
		if (!i || moves[i] != moves[i - 1]) {
			cell = vec_push(r->migrations, r->migration_cnt, r->migration_cap);
			cell->from_cpu = (uint16_t)(moves[i] >> 16);
			cell->to_cpu = (uint16_t)moves[i];
		}
		cell->cnt++;
	}
	free(moves);
}

const struct analysis analysis_migrations = { .name = "migrations", .run = migrations_run };
