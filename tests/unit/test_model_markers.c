/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "analyze/report.h"
#include "model/markers.h"
#include "model_fixture.h"
#include "unit.h"

static bool is_text(const char *text, size_t len, const char *want)
{
	return strlen(want) == len && !memcmp(text, want, len);
}

TEST(markers_parse)
{
	struct marker m;
	char padded[16] = "end:9";

	CHECK(marker_parse("begin:7:fetch: a", 16, &m));
	CHECK(m.verb == MARKER_BEGIN && is_text(m.id, m.id_len, "7"));
	CHECK(is_text(m.name, m.name_len, "fetch: a") && !m.parent_len);
	CHECK(marker_parse("begin:7", 7, &m) && !m.name_len);
	CHECK(marker_parse("suspend:a b", 11, &m) && m.verb == MARKER_SUSPEND);
	CHECK(marker_parse("resume:x:ignored", 16, &m) && !m.name_len);
	CHECK(marker_parse(padded, sizeof(padded), &m) && is_text(m.id, m.id_len, "9"));
	CHECK(marker_parse("begin:1.2.3:x", 13, &m) && m.parent_len == 3);
	CHECK(marker_parse("begin:.3:x", 10, &m) && !m.parent_len);
	CHECK(!marker_parse("", 0, &m));
	CHECK(!marker_parse("begin", 5, &m));
	CHECK(!marker_parse("begin::x", 8, &m));
	CHECK(!marker_parse("begi:1", 6, &m));
	CHECK(!marker_parse("beginning:1", 11, &m));
	CHECK(!marker_parse(":1", 2, &m));
}

/* A root that runs on CPU 0 from 1010; fx_end() and a build end it. */
static struct fx *running_root(void)
{
	struct fx *f = fx_new(1);

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	return f;
}

static void finish(struct fx *f, struct model *m)
{
	fx_switch(f, 1900, 0, FX_IDLE, fx_dead());
	fx_end(f, 2000, TRACE_END_EXIT);
	REQUIRE(fx_build(f, m) == 0);
	CHECK_EQ(m->audit.failures_total, 0);
	fx_free(f);
}

static const struct model_op *op_named(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->op_cnt; i++)
		if (!strcmp(m->names[m->ops[i].name_idx], name))
			return &m->ops[i];
	REQUIRE(!"an operation of that name");
	return NULL;
}

TEST(model_markers_operations_and_their_parts)
{
	struct fx *f = running_root();
	const struct model_op *a, *b, *part;
	struct model m;

	fx_marker(f, 1100, 1, "begin:1:a");
	fx_marker(f, 1150, 1, "suspend:1");
	fx_marker(f, 1150, 1, "begin:2:b");
	fx_marker(f, 1200, 1, "begin:2.1:part");
	fx_marker(f, 1300, 1, "end:2.1");
	fx_marker(f, 1400, 1, "end:2");
	fx_marker(f, 1450, 1, "resume:1");
	fx_marker(f, 1500, 1, "end:1");
	finish(f, &m);

	REQUIRE(m.op_cnt == 3);
	a = op_named(&m, "a");
	b = op_named(&m, "b");
	part = op_named(&m, "part");
	CHECK_EQ(a->start_ns, 1100);
	CHECK_EQ(a->end_ns, 1500);
	CHECK_EQ(a->active_ns, 100);
	CHECK_EQ(b->active_ns, 250);
	CHECK_EQ(b->parent_id, 0);
	CHECK_EQ(part->parent_id, b->id);
	CHECK_EQ(part->active_ns, 100);
	CHECK_EQ(m.op_part_cnt, 4);
	CHECK_EQ(m.markers_unmatched + m.markers_malformed + m.markers_unread, 0);
	model_release(&m);
}

/* A part counts as no operation: what is nested is not concurrent. */
TEST(model_markers_nested_is_sequential)
{
	struct fx *f = running_root();
	struct report r;
	struct model m;

	fx_marker(f, 1100, 1, "begin:1:outer");
	fx_marker(f, 1200, 1, "begin:1.1:inner");
	fx_marker(f, 1700, 1, "end:1.1");
	fx_marker(f, 1800, 1, "end:1");
	finish(f, &m);
	report_compute(&m, &r);
	CHECK_EQ(r.concurrency.max_operations, 1);
	CHECK_EQ(r.concurrency.concurrent_ns, 0);
	CHECK_EQ(r.verdict.class, CLASS_SEQUENTIAL);
	report_release(&r);
	model_release(&m);
}

TEST(model_markers_two_at_once_are_concurrent)
{
	struct fx *f = running_root();
	struct report r;
	struct model m;

	fx_marker(f, 1100, 1, "begin:1:");
	fx_marker(f, 1200, 1, "begin:2:");
	fx_marker(f, 1700, 1, "end:1");
	fx_marker(f, 1800, 1, "end:2");
	finish(f, &m);
	report_compute(&m, &r);
	CHECK_EQ(r.concurrency.max_operations, 2);
	CHECK_EQ(r.concurrency.concurrent_ns, 500);
	CHECK_EQ(r.verdict.class, CLASS_CONCURRENT);
	CHECK(r.concurrency.witness_is_ops);
	report_release(&r);
	model_release(&m);
}

/* What does not fit is counted, and an ID may come again. */
TEST(model_markers_that_do_not_fit)
{
	struct fx *f = running_root();
	struct model m;

	fx_marker(f, 1100, 1, "end:1");
	fx_marker(f, 1110, 1, "resume:1");
	fx_marker(f, 1120, 1, "nonsense");
	fx_marker(f, 1200, 1, "begin:1:first");
	fx_marker(f, 1300, 1, "begin:1:second");
	fx_marker(f, 1400, 1, "end:1");
	fx_marker(f, 1500, 1, "begin:1:third");
	fx_marker(f, 1550, 1, "begin:2.5:orphan");
	fx_marker(f, 1600, 1, "x");
	fx_last(f)->head.flags = LAB_F_MARKER_UNREAD;
	finish(f, &m);
	CHECK_EQ(m.markers_unmatched, 3);
	CHECK_EQ(m.markers_malformed, 1);
	CHECK_EQ(m.markers_unread, 1);
	CHECK_EQ(m.op_cnt, 4);
	CHECK_EQ(op_named(&m, "first")->end_ns, 1300);
	CHECK_EQ(op_named(&m, "second")->end_ns, 1400);
	CHECK_EQ(op_named(&m, "third")->end_ns, 1900);
	CHECK(!op_named(&m, "third")->open_at_end);
	CHECK_EQ(op_named(&m, "orphan")->parent_id, 0);
	model_release(&m);
}

/* Another program in the same process: what the old one had open has ended; its IDs are free. */
TEST(model_markers_end_with_their_program)
{
	struct fx *f = running_root();
	struct model m;

	fx_marker(f, 1100, 1, "begin:1:before");
	fx_exec(f, 1200, 1, "other");
	fx_marker(f, 1300, 1, "end:1");
	fx_marker(f, 1400, 1, "begin:1:after");
	fx_marker(f, 1500, 1, "end:1");
	finish(f, &m);
	CHECK_EQ(m.op_cnt, 2);
	CHECK_EQ(op_named(&m, "before")->end_ns, 1200);
	CHECK_EQ(op_named(&m, "after")->end_ns, 1500);
	CHECK_EQ(m.markers_unmatched, 1);
	model_release(&m);
}

/* Still open at the cut. */
TEST(model_markers_open_at_the_cut)
{
	struct fx *f = running_root();
	struct model m;

	fx_marker(f, 1100, 1, "begin:1:a");
	fx_switch(f, 1200, 0, FX_IDLE, fx_call(FX_NR_NANOSLEEP, 0));
	fx_end(f, 1600, TRACE_END_FOR);
	REQUIRE(fx_build(f, &m) == 0);
	fx_free(f);
	REQUIRE(m.op_cnt == 1);
	CHECK_EQ(m.ops[0].end_ns, 1600);
	CHECK(m.ops[0].open_at_end);
	model_release(&m);
}

/* Whoever marks knows better than epoll what an operation is. */
TEST(model_markers_take_the_place_of_descriptors)
{
	const uint64_t data[] = { 7 };
	struct fx *f = running_root();
	struct model m;

	fx_epoll_ctl(f, 1100, 1, 3, 1, 5, 7, 0);
	fx_epoll_wait(f, 1110, 1200, 1, 3, data, 1);
	fx_marker(f, 1300, 1, "begin:1:only");
	fx_marker(f, 1400, 1, "end:1");
	finish(f, &m);
	CHECK_EQ(m.op_cnt, 1);
	CHECK_EQ(m.ops[0].fd, MODEL_OP_NO_FD);
	CHECK_EQ(m.loop_wait_cnt, 1);
	model_release(&m);
}
