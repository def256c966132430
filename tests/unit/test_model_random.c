/* SPDX-License-Identifier: GPL-2.0-only */
/* What a lost or spoiled record does, and events that mean nothing at all. */

#include <stdlib.h>
#include <string.h>

#include "model_fixture.h"
#include "schedule.h"
#include "trace_fixture.h"
#include "unit.h"
#include "util/alloc.h"
#include "util/log.h"

/* A small one; @exact: every stay's time is known twice, from its charge and from the clock. */
static struct schedule *make(uint64_t seed, bool exact)
{
	struct schedule_options opt;

	schedule_options(&opt, seed);
	if (exact)
		opt.hidden = opt.steal = opt.no_rq = false;
	opt.cpu_cnt = opt.cpu_cnt > 4 ? 4 : opt.cpu_cnt;
	opt.usable_cnt = opt.usable_cnt > opt.cpu_cnt ? opt.cpu_cnt : opt.usable_cnt;
	opt.birth_max = 8;
	opt.step_max = 150;
	return schedule_make(&opt);
}

/* Lose record @idx of a schedule: the model says so, and stays whole. */
static void lose_one(const struct schedule *s, const union lab_event *events, size_t idx)
{
	union lab_event *rest = xcalloc(s->event_cnt, sizeof(*rest));
	struct model m = { 0 };
	uint8_t kind = events[idx].head.kind;
	int err;

	memcpy(rest, events, idx * sizeof(*rest));
	memcpy(rest + idx, events + idx + 1, (s->event_cnt - idx - 1) * sizeof(*rest));
	err = schedule_build(s, rest, s->event_cnt - 1, &m);
	/* A dead task's total adds nothing to its last switch-out. */
	if (!err && kind != LAB_EV_TASK_TOTAL && !m.gap_cnt && !m.audit.failures_total)
		unit_failed(__FILE__, __LINE__, "seed %d: loss of record %zu, kind %d, unseen",
			    (int)s->opt.seed, idx, kind);
	if (!err && fx_check_identities(&m))
		unit_failed(__FILE__, __LINE__, "seed %d, record %zu: %s", (int)s->opt.seed, idx,
			    fx_check_identities(&m));
	CHECK(!err || kind == LAB_EV_TASK_SEED);
	model_release(&m);
	free(rest);
}

TEST(model_random_one_record_lost)
{
	log_set_level(LOG_ERR);
	for (uint64_t seed = 1; seed <= 16; seed++) {
		struct schedule *s = make(seed, false);
		union lab_event *events = schedule_sorted(s);

		for (size_t idx = 0; idx < s->event_cnt; idx++)
			lose_one(s, events, idx);
		free(events);
		schedule_free(s);
	}
}

/* The same record twice, and one whose counters are off by one. */
TEST(model_random_one_record_spoiled)
{
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct schedule *s = make(seed, true);
		union lab_event *events = schedule_sorted(s);
		size_t idx = seed * 7919 % s->event_cnt, tries = s->event_cnt, cnt = s->event_cnt;
		struct model m;

		while (events[idx].head.kind != LAB_EV_SWITCH_OUT && tries--)
			idx = (idx + 1) % s->event_cnt;
		if (seed & 1)
			events[cnt++] = events[idx];
		else
			events[idx].switch_out.sum_exec_ns += 1;
		if (events[idx].head.kind == LAB_EV_SWITCH_OUT) {
			fixture_sort(events, cnt);
			CHECK_EQ(schedule_build(s, events, cnt, &m), 0);
			CHECK(m.audit.failures_total > 0);
			CHECK_STR(fx_check_identities(&m), NULL);
			model_release(&m);
		}
		free(events);
		schedule_free(s);
	}
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Random bytes in the places where a reader would put events. */
static void random_event(uint64_t *rng, union lab_event *ev, bool tame)
{
	uint64_t *words = (uint64_t *)ev;

	for (size_t i = 0; i < sizeof(*ev) / sizeof(*words); i++)
		words[i] = tame && next_random(rng) % 8 ? next_random(rng) % 5 : next_random(rng);
	ev->head.kind = (uint8_t)(next_random(rng) % (LAB_EV_KIND_MAX + 1));
	ev->head.flags = (uint8_t)next_random(rng);
	if (!tame)
		return;
	ev->head.ts_ns = 1000 + next_random(rng) % 5000;
	ev->head.seq = next_random(rng) % 300;
	ev->head.task = (uint32_t)(next_random(rng) % 8);
	ev->head.cpu = (uint16_t)(next_random(rng) % 4);
	if (ev->head.kind == LAB_EV_SWITCH_OUT) {
		ev->switch_out.next_id = (uint32_t)(next_random(rng) % 4);
		ev->switch_out.prev_state = (uint32_t)(next_random(rng) % 4 ? 1 : 0x80);
	}
}

TEST(model_hostile_events)
{
	uint64_t rng = 0x1234567;

	log_set_level(LOG_ERR);
	for (int round = 0; round < 300; round++) {
		struct fx *f = fx_new(2);
		union lab_event ev;
		struct model m;

		if (round & 1)
			fx_start(f, 1200);
		fx_meta(f)->attach_tgid = round & 2 ? 1 : 0;
		for (int i = 0; i < 300; i++) {
			random_event(&rng, &ev, round % 3 != 0);
			fx_raw(f, &ev);
		}
		if (round & 4)
			fx_end(f, next_random(&rng), (enum trace_end_reason)(round % 7));
		if (!fx_build(f, &m))
			CHECK_STR(fx_check_identities(&m), NULL);
		model_release(&m);
		fx_free(f);
	}
}

/* A true schedule with some fields overwritten. */
TEST(model_hostile_mutations)
{
	uint64_t rng = 0x7654321;

	log_set_level(LOG_ERR);
	for (uint64_t round = 0; round < 300; round++) {
		struct schedule *s = make(round + 1, false);
		union lab_event *events = schedule_sorted(s);
		struct model m;

		for (int i = 0; i < 4; i++) {
			uint64_t *words = (uint64_t *)&events[next_random(&rng) % s->event_cnt];

			words[next_random(&rng) % (sizeof(*events) / 8)] =
				next_random(&rng) % 2 ? next_random(&rng) : next_random(&rng) % 64;
		}
		if (!schedule_build(s, events, s->event_cnt, &m))
			CHECK_STR(fx_check_identities(&m), NULL);
		model_release(&m);
		free(events);
		schedule_free(s);
	}
}
