/* SPDX-License-Identifier: GPL-2.0-only */
/* Who had each CPU: continuity, names that come late, gaps. */

#include <string.h>

#include "model_fixture.h"
#include "unit.h"

/* The @nth segment of CPU @cpu. */
static const struct model_cpu_seg *seg(const struct model *m, uint16_t cpu, size_t nth)
{
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		if (m->cpus[i].cpu == cpu && nth < m->cpus[i].seg_cnt)
			return &m->cpu_segs[m->cpus[i].seg_first + nth];
	}
	return NULL;
}

static void check_seg(const struct model *m, uint16_t cpu, size_t nth, enum lab_cpu_class class,
		      uint64_t end_ns, uint32_t who, const char *comm)
{
	const struct model_cpu_seg *s = seg(m, cpu, nth);

	REQUIRE(s);
	CHECK_EQ(s->class, class);
	CHECK_EQ(s->end_ns, end_ns);
	CHECK_EQ(class == LAB_CPU_OURS ? s->task_id : s->tid, who);
	CHECK_STR(m->comms[s->comm_idx], comm);
}

static void build_whole(struct fx *f, struct model *m)
{
	CHECK_EQ(fx_build(f, m), 0);
	CHECK_STR(fx_check_identities(m), NULL);
}

TEST(model_cpu_classes)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_FOREIGN(7), fx_call(FX_NR_NANOSLEEP, 0));
	fx_switch(f, 1150, 0, FX_IDLE, fx_none());	/* only now is 7's name told */
	fx_wake_on(f, 1200, 1, 1, LAB_F_HARDIRQ);
	fx_switch(f, 1210, 0, 1, fx_none());
	fx_exit(f, 1300, 1, FX_IDLE);
	fx_end(f, 1400, TRACE_END_EXIT);
	build_whole(f, &m);
	CHECK_EQ(m.audit.failures_total, 0);
	CHECK_EQ(m.cpu_cnt, 2);
	check_seg(&m, 0, 0, LAB_CPU_IDLE, 1010, 0, "");
	check_seg(&m, 0, 1, LAB_CPU_OURS, 1100, 1, "");
	check_seg(&m, 0, 2, LAB_CPU_FOREIGN, 1150, 7, "f7");
	check_seg(&m, 0, 3, LAB_CPU_IDLE, 1210, 0, "");
	check_seg(&m, 0, 4, LAB_CPU_OURS, 1300, 1, "");
	CHECK_EQ(m.cpus[0].seg_cnt, 5);
	/* Nothing of CPU 1 but that it was visited, and idle since. */
	check_seg(&m, 1, 0, LAB_CPU_IDLE, 1300, 0, "");
	CHECK_EQ(m.cpus[1].seg_cnt, 1);
	CHECK(m.cpus[1].usable_at_release);
	model_release(&m);
	fx_free(f);
}

/* Foreign to foreign switches without a record: who had the CPU at first has no name. */
TEST(model_cpu_foreign_after_foreign)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_FOREIGN(7), fx_call(FX_NR_NANOSLEEP, 0));
	fx_switch(f, 1150, 0, FX_FOREIGN(8), fx_none());	/* no record */
	fx_switch(f, 1170, 0, FX_IDLE, fx_none());
	fx_end(f, 1200, TRACE_END_FOR);
	build_whole(f, &m);
	check_seg(&m, 0, 2, LAB_CPU_FOREIGN, 1150, 0, "");
	check_seg(&m, 0, 3, LAB_CPU_FOREIGN, 1170, 8, "f8");
	check_seg(&m, 0, 4, LAB_CPU_IDLE, 1200, 0, "");
	model_release(&m);
	fx_free(f);
}

/* One record says idle, the next says foreign: a switch was hidden, and the time is nobody's. */
TEST(model_cpu_break_in_continuity)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_FOREIGN(7), fx_call(FX_NR_NANOSLEEP, 0));
	fx_switch_hidden(f, 1150, 0, FX_IDLE);
	fx_switch(f, 1180, 0, FX_FOREIGN(9), fx_none());
	fx_end(f, 1200, TRACE_END_FOR);
	build_whole(f, &m);
	CHECK_EQ(m.audit.failures_total, 0);
	/* Not 7 until 1180, since it was idle just before; from when on nobody saw. */
	check_seg(&m, 0, 2, LAB_CPU_UNKNOWN, 1180, 0, "");
	check_seg(&m, 0, 3, LAB_CPU_FOREIGN, 1200, 0, "");
	model_release(&m);
	fx_free(f);
}

TEST(model_cpu_break_ends_at_the_last_switch_seen)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
	fx_wake_on(f, 1180, 0, 1, LAB_F_HARDIRQ);
	fx_switch(f, 1190, 0, 1, fx_none());
	fx_last(f)->switch_in.prev_class = LAB_CPU_FOREIGN;
	fx_last(f)->switch_in.prev_tid = 5;
	fx_last(f)->switch_in.prev_since_ns = 1160;
	fx_end(f, 1200, TRACE_END_FOR);
	build_whole(f, &m);
	check_seg(&m, 0, 2, LAB_CPU_UNKNOWN, 1160, 0, "");
	check_seg(&m, 0, 3, LAB_CPU_FOREIGN, 1190, 5, "swapper");
	check_seg(&m, 0, 4, LAB_CPU_OURS, 1200, 1, "");
	model_release(&m);
	fx_free(f);
}

/* Who is said to come is not said to stay: from foreign to foreign there is no record. */
TEST(model_cpu_foreign_to_the_end_has_no_name)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_FOREIGN(7), fx_call(FX_NR_NANOSLEEP, 0));
	fx_switch(f, 1110, 0, FX_FOREIGN(8), fx_none());	/* no record */
	fx_wake_on(f, 1120, 0, 1, LAB_F_HARDIRQ);
	fx_end(f, 1200, TRACE_END_FOR);
	build_whole(f, &m);
	check_seg(&m, 0, 2, LAB_CPU_FOREIGN, 1200, 0, "");
	model_release(&m);
	fx_free(f);
}

/* A CPU goes away at an unknown time, and the last task that was seen there does not stay. */
TEST(model_cpu_offline_at_the_end)
{
	for (int offline = 0; offline < 2; offline++) {
		struct fx *f = fx_new(2);
		struct model m;

		fx_start(f, 1000);
		fx_switch(f, 1010, 0, 1, fx_none());
		fx_fork(f, 1020, 1, 2, FX_THREAD, 1);
		fx_switch(f, 1030, 1, 2, fx_none());
		fx_switch(f, 1100, 1, FX_FOREIGN(7), fx_call(FX_NR_NANOSLEEP, 0));
		fx_end(f, 1200, TRACE_END_FOR);
		CHECK_EQ(fx_last(f)->head.kind, LAB_EV_CPU_TOTAL);
		fx_last(f)->head.flags = offline ? LAB_F_OFFLINE : 0;
		build_whole(f, &m);
		CHECK_EQ(m.audit.failures_total, 0);
		check_seg(&m, 1, 1, LAB_CPU_OURS, 1100, 2, "");
		check_seg(&m, 1, 2, offline ? LAB_CPU_UNKNOWN : LAB_CPU_FOREIGN, 1200, 0, "");
		model_release(&m);
		fx_free(f);
	}
}

/* The last seen switch led to a foreign task; nobody saw that the CPU was idle before this one. */
TEST(model_cpu_idle_came_unseen)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_FOREIGN(7), fx_call(FX_NR_NANOSLEEP, 0));
	fx_switch(f, 1150, 0, FX_FOREIGN(8), fx_none());	/* no record */
	fx_switch_hidden(f, 1160, 0, FX_IDLE);
	fx_wake_on(f, 1175, 0, 1, LAB_F_HARDIRQ);
	fx_switch(f, 1180, 0, 1, fx_none());
	fx_end(f, 1200, TRACE_END_FOR);
	build_whole(f, &m);
	CHECK_EQ(m.audit.failures_total, 0);
	check_seg(&m, 0, 2, LAB_CPU_FOREIGN, 1150, 0, "");
	check_seg(&m, 0, 3, LAB_CPU_UNKNOWN, 1180, 0, "");
	check_seg(&m, 0, 4, LAB_CPU_OURS, 1200, 1, "");
	model_release(&m);
	fx_free(f);
}

/* A hidden start: foreign as the record before said, until the stay as it is drawn. */
TEST(model_cpu_hidden_start)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_FOREIGN(7), fx_preempted());
	fx_switch_hidden(f, 1150, 0, 1);
	fx_switch(f, 1180, 0, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
	fx_end(f, 1200, TRACE_END_FOR);
	build_whole(f, &m);
	CHECK_EQ(m.audit.hidden_switch_ins, 1);
	check_seg(&m, 0, 2, LAB_CPU_FOREIGN, 1150, 0, "");
	check_seg(&m, 0, 3, LAB_CPU_OURS, 1180, 1, "");
	model_release(&m);
	fx_free(f);
}

/* Before its first record a CPU had whom that record names, if it says since when. */
TEST(model_cpu_before_the_first_record)
{
	struct fx *f = fx_new(2);
	struct model m;

	fx_seed(f, 800, 1, 1001, 0, false, fx_read(FX_S_IFIFO));
	fx_wake_on(f, 1000, 0, 1, 0);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_last(f)->switch_in.prev_since_ns = 1005;
	fx_end(f, 1200, TRACE_END_FOR);
	build_whole(f, &m);
	check_seg(&m, 0, 0, LAB_CPU_UNKNOWN, 1005, 0, "");
	check_seg(&m, 0, 1, LAB_CPU_IDLE, 1010, 0, "");
	check_seg(&m, 1, 0, LAB_CPU_UNKNOWN, 1200, 0, "");
	model_release(&m);
	fx_free(f);
}

/* Not usable at the release, and yet a task ran there: it counts. */
TEST(model_cpu_used_beyond_the_usable)
{
	struct fx *f = fx_new(4);
	struct model m;

	fx_meta(f)->cpus_usable_cnt = 1;
	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_PROCESS, 3);
	fx_switch(f, 1030, 3, 2, fx_none());
	fx_end(f, 1200, TRACE_END_FOR);
	build_whole(f, &m);
	CHECK_EQ(m.cpu_cnt, 2);
	CHECK_EQ(m.cpus[1].cpu, 3);
	CHECK(!m.cpus[1].usable_at_release);
	model_release(&m);
	fx_free(f);
}

TEST(model_cpu_gap_is_unknown)
{
	struct fx *f = fx_new(2);
	struct model m;
	size_t cnt;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1050, 1, FX_FOREIGN(7), fx_none());
	fx_switch(f, 1070, 1, FX_IDLE, fx_none());
	(void)fx_events(f, &cnt);
	fx_drop(f, cnt - 1);
	fx_switch(f, 1090, 1, FX_FOREIGN(8), fx_none());
	fx_end(f, 1200, TRACE_END_FOR);
	build_whole(f, &m);
	CHECK_EQ(m.gap_cnt, 1);
	CHECK_EQ(m.gaps[0].cpu, 1);
	CHECK_EQ(m.gaps[0].cnt, 1);
	check_seg(&m, 1, 0, LAB_CPU_IDLE, 1050, 0, "");
	check_seg(&m, 1, 1, LAB_CPU_UNKNOWN, 1090, 0, "");
	check_seg(&m, 1, 2, LAB_CPU_FOREIGN, 1200, 0, "");
	/* The gap was on another CPU. */
	CHECK(!(fx_span(&m, 1, 1)->flags & SPAN_ACROSS_GAP));
	model_release(&m);
	fx_free(f);
}

/* The last records were refused: only the recorder's count tells. */
TEST(model_cpu_gap_at_the_tail)
{
	struct fx *f = fx_new(1);
	struct model m;
	size_t cnt;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_switch(f, 1100, 0, FX_IDLE, fx_read(FX_S_IFIFO));
	(void)fx_events(f, &cnt);
	fx_drop(f, cnt - 1);
	fx_end(f, 1200, TRACE_END_FOR);
	build_whole(f, &m);
	CHECK_EQ(m.gap_cnt, 1);
	CHECK_EQ(m.gaps[0].from_ns, 1010);
	CHECK_EQ((int64_t)m.gaps[0].until_ns, -1);
	CHECK(fx_span(&m, 1, 1)->flags & SPAN_ACROSS_GAP);
	CHECK(m.audit.failures_total > 0);	/* its total has one switch-out more */
	model_release(&m);
	fx_free(f);
}

/* A probe was interrupted between its stamp and its number. Nothing is missing. */
TEST(model_seq_out_of_order_is_no_gap)
{
	struct fx *f = fx_new(1);
	union lab_event *events;
	struct model m;
	size_t cnt;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_PROCESS, 0);
	fx_wake_on(f, 1021, 0, 1, LAB_F_HARDIRQ);
	events = fx_events(f, &cnt);
	events[cnt - 1].head.seq = 5;	/* was 6 */
	events[cnt - 2].head.seq = 6;	/* was 5 */
	fx_end(f, 1200, TRACE_END_FOR);
	build_whole(f, &m);
	CHECK_EQ(m.gap_cnt, 0);
	CHECK_EQ(m.audit.failures_total, 0);
	model_release(&m);
	fx_free(f);
}

/*
 * Two numbers missing side by side are one gap. Any record ends what may be missing, but only one
 * that says which task has the CPU ends the doubt about that.
 */
TEST(model_seq_gap_of_two)
{
	struct fx *f = fx_new(1);
	struct model m;
	size_t cnt;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_wake_on(f, 1020, 0, 1, 0);
	fx_wake_on(f, 1021, 0, 1, 0);
	fx_wake_on(f, 1022, 0, 1, 0);
	(void)fx_events(f, &cnt);
	fx_drop(f, cnt - 2);
	fx_drop(f, cnt - 3);
	fx_switch(f, 1050, 0, FX_IDLE, fx_preempted());
	fx_wake_on(f, 1060, 0, 1, 0);
	fx_wake_on(f, 1061, 0, 1, 0);
	(void)fx_events(f, &cnt);
	fx_drop(f, cnt - 2);
	fx_end(f, 1200, TRACE_END_FOR);
	build_whole(f, &m);
	CHECK_EQ(m.gap_cnt, 2);
	CHECK_EQ(m.gaps[0].cnt, 2);
	CHECK_EQ(m.gaps[0].from_ns, 1010);
	CHECK_EQ(m.gaps[0].until_ns, 1050);
	CHECK_EQ(m.gaps[1].cnt, 1);
	CHECK_EQ(m.gaps[1].from_ns, 1050);
	CHECK_EQ(m.gaps[1].until_ns, UINT64_MAX);
	model_release(&m);
	fx_free(f);
}

TEST(model_seq_same_number_twice)
{
	struct fx *f = fx_new(1);
	struct model m;

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_wake_on(f, 1020, 0, 1, 0);
	fx_last(f)->head.seq--;
	fx_end(f, 1200, TRACE_END_UNKNOWN);
	build_whole(f, &m);
	REQUIRE(m.audit.failure_cnt == 1);
	CHECK_STR(m.audit.failures[0].name, "sequence_twice");
	model_release(&m);
	fx_free(f);
}
