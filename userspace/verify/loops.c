/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loops - event loops of which it is not known what they waited for: of each task and each place
 * where it waits as a loop does, how often, and how often unseen.
 */
#include "verify/replay.h"

#include <stdlib.h>

#include "util/alloc.h"

struct place {
	uint64_t waits, unseen;
	uint32_t tgid;
};

static bool marks(const struct facts *f, uint32_t tgid)
{
	for (size_t i = 0; i < f->op_cnt; i++)
		if (f->ops[i].fd < 0 && f->ops[i].tgid == tgid)
			return true;
	return false;
}

bool loops_unseen(const struct facts *f)
{
	struct place *places = NULL;
	struct map place_of = { 0 };
	size_t cnt = 0, cap = 0;
	bool found = false;

	for (size_t i = 0; i < f->stretch_cnt; i++) {
		const struct stretch *s = &f->stretches[i];
		uint32_t at;

		if (s->loop == LOOP_NONE)
			continue;
		at = map_put(&place_of, s->task, (uint64_t)s->loop << 32 | s->addr);
		if (at == cnt)
			*vec_push(places, cnt, cap) = (struct place){ 0, 0, f->tasks[s->task].tgid };
		places[at].waits++;
		places[at].unseen += !s->waker && !(s->marks & (M_OBSERVED | M_CUT_END));
	}
	for (size_t i = 0; i < cnt && !found; i++)
		found = places[i].waits >= 2 && places[i].unseen && !marks(f, places[i].tgid);
	free(place_of.keys);
	free(places);
	return found;
}
