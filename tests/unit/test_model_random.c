/* SPDX-License-Identifier: GPL-2.0-only */
/* Identities on random schedules, what a lost record does, and events that mean nothing at all. */

#include <string.h>

#include "model_fixture.h"
#include "unit.h"
#include "util/log.h"

#define SEEDS 150

static unsigned int cpus_of(uint64_t seed)
{
	return 1 + (unsigned int)(seed % 4);
}

static unsigned int tasks_of(uint64_t seed)
{
	return 1 + (unsigned int)(seed * 7 % 20);
}

static void check_seed(uint64_t seed, bool hidden, bool cut)
{
	struct fx *f = fx_random(seed, cpus_of(seed), tasks_of(seed), 400, hidden, cut);
	const char *wrong;
	struct model m;

	CHECK_EQ(fx_build(f, &m), 0);
	wrong = fx_check_identities(&m);
	if (wrong || m.audit.failures_total)
		unit_failed(__FILE__, __LINE__, "seed %d: %s; %llu failures, first %s of task %u",
			    (int)seed, wrong ? wrong : "identities hold",
			    (unsigned long long)m.audit.failures_total,
			    m.audit.failure_cnt ? m.audit.failures[0].name : "-",
			    m.audit.failure_cnt ? m.audit.failures[0].task_id : 0);
	CHECK_EQ(m.gap_cnt, 0);
	CHECK_EQ(m.audit.exec_excess_ns, 0);
	CHECK(hidden || !m.audit.hidden_switch_ins);
	CHECK(m.complete);
	model_release(&m);
	fx_free(f);
}

TEST(model_random_exits)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		check_seed(seed, false, false);
}

TEST(model_random_cut)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		check_seed(seed, false, true);
}

TEST(model_random_hidden)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		check_seed(seed, true, seed & 1);
}

/* Lose record @idx of a schedule: the model says so, and stays whole. False: there is none such. */
static bool lose_one(uint64_t seed, size_t idx)
{
	struct fx *f = fx_random(seed, cpus_of(seed), tasks_of(seed), 120, seed % 3 == 0, seed % 4);
	struct model m = { 0 };
	const union lab_event *events;
	uint8_t kind;
	size_t cnt;
	int err;

	events = fx_events(f, &cnt);
	if (idx >= cnt) {
		fx_free(f);
		return false;
	}
	kind = events[idx].head.kind;
	fx_drop(f, idx);
	err = fx_build(f, &m);
	/* A dead task's total adds nothing to its last switch-out. */
	if (!err && kind != LAB_EV_TASK_TOTAL && !m.gap_cnt && !m.audit.failures_total)
		unit_failed(__FILE__, __LINE__, "seed %d: loss of record %zu, kind %d, unseen",
			    (int)seed, idx, kind);
	if (!err && fx_check_identities(&m))
		unit_failed(__FILE__, __LINE__, "seed %d, record %zu: %s", (int)seed, idx,
			    fx_check_identities(&m));
	CHECK(!err || kind == LAB_EV_TASK_SEED);
	model_release(&m);
	fx_free(f);
	return true;
}

TEST(model_random_one_record_lost)
{
	log_set_level(LOG_ERR);
	for (uint64_t seed = 1; seed <= 12; seed++) {
		for (size_t idx = 0; lose_one(seed, idx); idx++)
			;
	}
}

/* The same record twice, and one whose counters are off by one. */
TEST(model_random_one_record_spoiled)
{
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct fx *f = fx_random(seed, cpus_of(seed), tasks_of(seed), 200, false, false);
		size_t cnt, idx;
		union lab_event *events = fx_events(f, &cnt);
		struct model m;

		idx = seed * 7919 % cnt;
		while (events[idx].head.kind != LAB_EV_SWITCH_OUT)
			idx = (idx + 1) % cnt;
		if (seed & 1)
			fx_raw(f, &(union lab_event){ .switch_out = events[idx].switch_out });
		else
			events[idx].switch_out.sum_exec_ns += 1;
		CHECK_EQ(fx_build(f, &m), 0);
		CHECK(m.audit.failures_total > 0);
		CHECK_STR(fx_check_identities(&m), NULL);
		model_release(&m);
		fx_free(f);
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
	for (int round = 0; round < 300; round++) {
		struct fx *f = fx_random((uint64_t)round + 1, cpus_of((uint64_t)round), 8, 150,
					 round & 1, round & 2);
		size_t cnt;
		union lab_event *events = fx_events(f, &cnt);
		struct model m;

		for (int i = 0; i < 4; i++) {
			uint64_t *words = (uint64_t *)&events[next_random(&rng) % cnt];

			words[next_random(&rng) % (sizeof(*events) / 8)] =
				next_random(&rng) % 2 ? next_random(&rng) : next_random(&rng) % 64;
		}
		if (!fx_build(f, &m))
			CHECK_STR(fx_check_identities(&m), NULL);
		model_release(&m);
		fx_free(f);
	}
}
