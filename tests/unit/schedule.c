/* SPDX-License-Identifier: GPL-2.0-only */
#include "schedule.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/builder.h"
#include "schedule_sim.h"
#include "trace_fixture.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define OVERTIME_STEPS 40	/* after the cut, until the recorder has stopped */

/* ---- what to make ---- */

static void choose_size(struct schedule_options *o, struct sim *dice)
{
	uint32_t kind = sim_random(dice, 400);

	o->cpu_cnt = 1 + sim_random(dice, 4);
	o->birth_max = 1 + sim_random(dice, 10);
	o->step_max = 40 + sim_random(dice, 400);
	if (kind < 40) {
		o->cpu_cnt = 1 + sim_random(dice, 8);
		o->birth_max = 1 + sim_random(dice, 40);
		o->step_max = 400 + sim_random(dice, 1500);
	}
	if (kind == 0) {
		o->cpu_cnt = SCHEDULE_CPUS_MAX;
		o->birth_max = 200;
		o->step_max = 12000;
	}
}

void schedule_options(struct schedule_options *o, uint64_t seed)
{
	static const uint64_t grains[] = { 1, 1, 1, 10, 100, 1000 };
	struct sim dice = { .rng = seed * 0x5851f42d4c957f2du + 1 };

	*o = (struct schedule_options){ .seed = seed };
	choose_size(o, &dice);
	o->profile = (enum schedule_profile)sim_random(&dice, PROFILE_CNT);
	o->usable_cnt = sim_random(&dice, 8) ? o->cpu_cnt : 1 + sim_random(&dice, o->cpu_cnt);
	o->foreign_cnt = sim_random(&dice, 2 + o->cpu_cnt);
	o->grain_ns = grains[sim_random(&dice, ARRAY_SIZE(grains))];
	o->skew_ns = sim_random(&dice, 3) ? 0 : sim_random(&dice, 200);
	o->pace = 9 + sim_random(&dice, 10);
	o->cut = !sim_random(&dice, 3);
	o->attach = !sim_random(&dice, 8);
	o->ops = !sim_random(&dice, 2);
	o->hidden = !sim_random(&dice, 6) && o->foreign_cnt;
	o->steal = !o->hidden && !sim_random(&dice, 3);
	o->context_unknown = !sim_random(&dice, 10);
	o->no_rq = !sim_random(&dice, 10);
	o->stale_state = !sim_random(&dice, 4);
	o->far_numbers = !sim_random(&dice, 10);
	o->masks = sim_random(&dice, 4);
}

/* ---- meta ---- */

static void fill_meta(struct sim *s)
{
	const struct schedule_options *o = s->opt;
	struct trace_meta *meta = &s->out->meta;

	meta->lab_version = xstrdup("0.0.0");
	meta->name = xstrdup("schedule");
	meta->argv = xcalloc(2, sizeof(*meta->argv));
	meta->argv[0] = xstrdup("schedule");
	meta->argc = 1;
	meta->release = xstrdup("6.18.0");
	meta->machine = xstrdup("x86_64");
	meta->virtualized = xstrdup("");
	meta->cpus_online = o->cpu_cnt;
	meta->cpus_usable = xcalloc(o->usable_cnt, sizeof(*meta->cpus_usable));
	meta->cpus_usable_cnt = o->usable_cnt;
	meta->ops_hooked = o->ops;
	meta->attach_tgid = o->attach ? 1 : 0;
	for (unsigned int i = 0; i < o->usable_cnt; i++)
		meta->cpus_usable[i] = s->cpus[i].number;
	if (sim_chance(s, 4))
		meta->quota_milli_cpus = 1500;
	if (o->usable_cnt < 2 || sim_chance(s, 6))
		return;
	meta->clock_pairs = xcalloc(o->usable_cnt - 1, sizeof(*meta->clock_pairs));
	meta->clock_pair_cnt = o->usable_cnt - 1;
	for (uint32_t i = 0; i < meta->clock_pair_cnt; i++)
		meta->clock_pairs[i] = (struct trace_clock_pair){
			s->cpus[0].number, s->cpus[i + 1].number,
			(uint32_t)(o->skew_ns + 1 + sim_random(s, 1500)),
		};
}

static void make_cpus(struct sim *s)
{
	for (unsigned int i = 0; i < s->opt->cpu_cnt; i++) {
		struct kcpu *c = &s->cpus[i];

		c->idx = i;
		c->number = (uint16_t)(s->opt->far_numbers ? 1 + 63 * i : i);
		c->offset_ns = s->opt->skew_ns ? sim_random(s, (uint32_t)s->opt->skew_ns + 1) : 0;
		s->out->offset_ns[i] = c->offset_ns;
		s->out->cpus[i] = c->number;
	}
}

/* ---- the run ---- */

static void handle(struct sim *s, const struct kevent *e)
{
	switch (e->kind) {
	case KE_COMPUTED:
		if (e->task->state == K_RUNNING && e->task->gen == e->gen)
			action_next(s, e->task);
		break;
	case KE_SLEEP:
		wait_on_sleep(s, e);
		break;
	case KE_PLACE:
		cpu_on_place(s, e);
		break;
	case KE_RESCHED:
		cpu_on_resched(s, e);
		break;
	case KE_TICK:
		cpu_on_tick(s, e);
		break;
	case KE_WAKE:
		cpu_on_wake(s, e);
		break;
	case KE_FD:
		loop_on_fd(s, e);
		break;
	case KE_BALANCE:
		cpu_on_balance(s);
		break;
	case KE_ARM:
		ktask_on_arm(s);
		break;
	case KE_SEED:
		ktask_on_seed(s);
		break;
	case KE_SEED_READ:
		ktask_seed_read(s, e->task);
		break;
	case KE_RELEASE:
		ktask_on_release(s);
		break;
	}
}

static bool began(const struct sim *s)
{
	return s->opt->attach ? s->births && s->seeded_all : s->release_ts;
}

static void run(struct sim *s)
{
	unsigned int steps = 0;
	struct kevent e;

	while ((!began(s) || s->live) && (steps < s->opt->step_max) && sim_next(s, &e)) {
		handle(s, &e);
		steps += began(s);
	}
	if (s->opt->cut) {
		s->now_ns += sim_random(s, 3) * sim_gap(s);
		s->end_ts = sim_stamp(s, &s->cpus[0]);
		for (steps = sim_random(s, OVERTIME_STEPS); steps && sim_next(s, &e); steps--)
			handle(s, &e);
		return;
	}
	s->over = true;
	for (size_t i = 0; i < s->task_cnt; i++)
		if (!s->tasks[i]->foreign)
			ktask_kill(s, s->tasks[i]);
	while (s->live && sim_next(s, &e))
		handle(s, &e);
	REQUIRE(!s->live);
}

/* ---- the end ---- */

static bool may_be_late(const union lab_event *ev)
{
	return ev->head.kind == LAB_EV_TASK_NEW || ev->head.kind == LAB_EV_EXEC ||
	       ev->head.kind == LAB_EV_EXIT || ev->head.kind == LAB_EV_RENAME ||
	       ev->head.kind == LAB_EV_EPOLL_CTL;
}

/* An interrupt between a probe's stamp and its number: the later stamp has the lower number. */
static void swap_numbers(struct sim *s)
{
	for (size_t i = 0; i + 1 < s->record_cnt; i++) {
		struct krecord *a = &s->records[i], *b = &s->records[i + 1];
		uint64_t seq = a->ev.head.seq;

		if (a->cpu != b->cpu || !may_be_late(&a->ev) || a->refused || b->refused ||
		    b->ev.head.kind != LAB_EV_WAKING || !(b->ev.head.flags & 7) ||
		    a->ev.head.ts_ns == b->ev.head.ts_ns || sim_chance(s, 8))
			continue;
		a->ev.head.seq = b->ev.head.seq;
		b->ev.head.seq = seq;
	}
}

static void hand_over(struct sim *s)
{
	struct schedule *out = s->out;

	swap_numbers(s);
	record_totals(s);
	for (size_t i = 0; i < s->record_cnt; i++) {
		if (s->records[i].refused)
			out->refused_cnt++;
		else
			*vec_push(out->events, out->event_cnt, out->event_cap) = s->records[i].ev;
	}
	out->end = (struct trace_end){
		.reason = s->opt->cut ? (s->opt->attach ? TRACE_END_DETACH : TRACE_END_FOR) :
					TRACE_END_EXIT,
		.end_ns = s->opt->cut ? s->end_ts : SIM_BASE_NS + s->now_ns + 1000,
		.root_reaped = !s->opt->cut,
		.births = s->births,
	};
	truth_finish(s);
}

static void release(struct sim *s)
{
	for (size_t i = 0; i < s->task_cnt; i++) {
		free(s->tasks[i]->loop);
		free(s->tasks[i]->life.spans);
		free(s->tasks[i]);
	}
	for (size_t i = 0; i < s->proc_cnt; i++)
		free(s->procs[i]);
	for (unsigned int i = 0; i < s->opt->cpu_cnt; i++) {
		free(s->cpus[i].queue);
		free(s->cpus[i].holdings);
	}
	free(s->tasks);
	free(s->procs);
	free(s->queue);
	free(s->records);
}

struct schedule *schedule_make(const struct schedule_options *opt)
{
	struct schedule *out = xcalloc(1, sizeof(*out));
	struct sim *s = xcalloc(1, sizeof(*s));

	out->opt = *opt;
	s->out = out;
	s->opt = &out->opt;
	s->rng = opt->seed;
	make_cpus(s);
	fill_meta(s);
	ktask_begin(s);
	run(s);
	hand_over(s);
	release(s);
	free(s);
	return out;
}

void schedule_free(struct schedule *s)
{
	if (!s)
		return;
	trace_meta_release(&s->meta);
	truth_release(&s->truth);
	free(s->events);
	free(s);
}

/* ---- files and models ---- */

/* Ring by ring, as much of each as a drain finds there. */
static void write_drain(const struct schedule *s, struct trace_writer *w, size_t from, size_t to)
{
	for (unsigned int cpu = 0; cpu < s->opt.cpu_cnt; cpu++)
		for (size_t i = from; i < to; i++)
			if (s->events[i].head.cpu == s->cpus[cpu])
				REQUIRE(trace_writer_add(w, &s->events[i]) == 0);
}

void schedule_write(const struct schedule *s, int fd)
{
	struct sim dice = { .rng = s->opt.seed };
	struct trace_writer *w;
	size_t from = 0, totals = s->event_cnt;

	REQUIRE(trace_writer_open(&w, fd, &s->meta) == 0);
	while (totals && s->events[totals - 1].head.kind >= LAB_EV_TASK_TOTAL)
		totals--;
	while (from < totals) {
		size_t to = from + 1 + sim_random(&dice, 1u << sim_random(&dice, 10));

		if (to > totals)
			to = totals;
		write_drain(s, w, from, to);
		if (sim_chance(&dice, 4))
			REQUIRE(trace_writer_flush(w) == 0);
		from = to;
	}
	for (; from < s->event_cnt; from++)
		REQUIRE(trace_writer_add(w, &s->events[from]) == 0);
	REQUIRE(trace_writer_finish(w, &s->end) == 0);
	trace_writer_free(w);
}

int schedule_load(const struct schedule *s, struct model *m)
{
	struct fixture_file file = fixture_open();
	struct trace_reader *r;
	int err;

	schedule_write(s, file.fd);
	REQUIRE(trace_reader_open(&r, file.path) == 0);
	err = model_build(r, m);
	trace_reader_free(r);
	close(file.fd);
	return err;
}

union lab_event *schedule_sorted(const struct schedule *s)
{
	union lab_event *events = xcalloc(s->event_cnt + 1, sizeof(*events));

	memcpy(events, s->events, s->event_cnt * sizeof(*events));
	fixture_sort(events, s->event_cnt);
	return events;
}

int schedule_build(const struct schedule *s, const union lab_event *events, size_t cnt,
		   struct model *m)
{
	struct model_builder *b = model_builder_new(&s->meta);
	int err;

	for (size_t i = 0; i < cnt; i++)
		model_builder_feed(b, &events[i]);
	err = model_builder_finish(b, &s->end, "", m);
	model_builder_free(b);
	return err;
}
