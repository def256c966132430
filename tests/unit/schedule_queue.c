/* SPDX-License-Identifier: GPL-2.0-only */
/* schedule_queue - chance and time. */

#include "schedule_sim.h"
#include "util/alloc.h"

uint32_t sim_random(struct sim *s, uint32_t below)
{
	/* splitmix64 (Vigna) */
	uint64_t z = s->rng += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) >> 32) % below;
}

bool sim_chance(struct sim *s, uint32_t of_16)
{
	return sim_random(s, 16) < of_16;
}

uint64_t sim_span_ns(struct sim *s, uint64_t most_ns)
{
	unsigned int bits = 0;
	uint64_t ns;

	while (most_ns >> bits)
		bits++;
	bits = bits ? sim_random(s, bits) + 1 : 1;
	ns = sim_random(s, UINT32_MAX) & ((1ull << bits) - 1);
	return (ns / s->opt->grain_ns + 1) * s->opt->grain_ns;
}

uint64_t sim_gap(const struct sim *s)
{
	return (2 * s->opt->skew_ns / s->opt->grain_ns + 1) * s->opt->grain_ns;
}

void sim_moment(struct sim *s)
{
	s->now_ns += sim_random(s, 3) * s->opt->grain_ns;
}

uint64_t sim_stamp(const struct sim *s, const struct kcpu *c)
{
	return SIM_BASE_NS + s->now_ns + c->offset_ns;
}

static bool before(const struct kevent *a, const struct kevent *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

/* The caller fills in the rest at once. */
struct kevent *sim_event(struct sim *s, enum kevent_kind kind, uint64_t at_ns)
{
	struct kevent e = { .at_ns = at_ns, .order = s->order++, .kind = kind };
	size_t i = s->queue_cnt;

	(void)vec_push(s->queue, s->queue_cnt, s->queue_cap);
	while (i && before(&e, &s->queue[(i - 1) / 2])) {
		s->queue[i] = s->queue[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	s->queue[i] = e;
	return &s->queue[i];
}

bool sim_next(struct sim *s, struct kevent *out)
{
	struct kevent last;
	size_t i = 0;

	if (!s->queue_cnt)
		return false;
	*out = s->queue[0];
	last = s->queue[--s->queue_cnt];
	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < s->queue_cnt && before(&s->queue[child + 1], &s->queue[child]))
			child++;
		if (child >= s->queue_cnt || before(&last, &s->queue[child]))
			break;
		s->queue[i] = s->queue[child];
		i = child;
	}
	s->queue[i] = last;
	if (out->at_ns > s->now_ns)
		s->now_ns = out->at_ns;
	return true;
}
