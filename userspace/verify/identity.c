/* SPDX-License-Identifier: GPL-2.0-only */
/* identity - the numbers that a task has, and which task leads its process. */
#include "verify/replay.h"

#include "util/alloc.h"

void replay_number(struct facts *f, struct task *t, uint64_t tgid, uint64_t tid)
{
	uint32_t had = map_put(&f->by_tid, tid, 0);

	t->tid = (uint32_t)tid;
	t->tgid = (uint32_t)tgid;
	map_put(&f->threads, tgid << 32 | tid, 0);
	if (had == f->had_tid_cnt)
		vec_push(f->had_tid, f->had_tid_cnt, f->had_tid_cap);
	f->had_tid[had] = (uint32_t)(t - f->tasks);
}

void replay_lead(struct facts *f, struct task *t)
{
	uint32_t group = map_put(&f->leader_of, t->tgid, 0), place = (uint32_t)(t - f->tasks);

	if (group == f->leader_cnt)
		*vec_push(f->leaders, f->leader_cnt, f->leader_cap) = place;
	if (t->tid == t->tgid)
		f->leaders[group] = place;
	t->leader = f->leaders[group];
}
