/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of futexes: from a task and an instant to a memory. */

#include "model_fixture.h"
#include "unit.h"

static void add(struct trace_symbols *s, uint32_t task, uint64_t wait_ns, uint64_t addr,
		bool is_shared, const char *symbol)
{
	uint32_t object = trace_symbols_text(s, "/lib/libc.so.6");

	trace_symbols_add(s, &(struct trace_symbol){
		.task = task, .wait_ns = wait_ns, .addr = addr, .is_shared = is_shared,
		.object = object, .offset = 0x40, .symbol_off = 8,
		.symbol = symbol ? trace_symbols_text(s, symbol) : TRACE_NO_TEXT,
	});
}

/* The root has a thread (2) and a child by vfork (3), which runs another program at 1060. */
static struct fx *family(void)
{
	struct fx *f = fx_new(2);

	fx_start(f, 1000);
	fx_switch(f, 1010, 0, 1, fx_none());
	fx_fork(f, 1020, 1, 2, FX_THREAD, 1);
	fx_fork(f, 1022, 1, 3, FX_VFORK, 1);
	fx_switch(f, 1030, 1, 3, fx_none());
	fx_exec(f, 1060, 3, "true");
	fx_end(f, 1300, TRACE_END_FOR);
	return f;
}

static const char *symbol_of(const struct model *m, uint32_t mm_id, uint64_t addr)
{
	const struct model_symbol *s = model_symbol(m, mm_id, addr);

	return s ? s->symbol : NULL;
}

TEST(model_symbols_belong_to_a_memory)
{
	struct trace_symbols s = { 0 };
	struct fx *f = family();
	uint32_t parent_mm, child_mm;
	struct model m;

	add(&s, 3, 1059, 0x1000, false, "of_the_parent");	/* before its exec */
	add(&s, 3, 1060, 0x1000, false, "of_the_child");
	add(&s, 3, 1060, 0x2000, true, "of_both");
	add(&s, 2, 1200, 0x3000, false, "of_the_thread");
	add(&s, 99, 1200, 0x4000, false, "of_nobody");
	add(&s, 1, 0, 0, false, NULL);
	fx_symbols(f, &s);
	REQUIRE(fx_build(f, &m) == 0);
	trace_symbols_release(&s);
	parent_mm = model_task(&m, 1)->mm_id;
	child_mm = model_task(&m, 3)->mm_id;
	CHECK_EQ(m.symbol_cnt, 5);
	CHECK_STR(symbol_of(&m, parent_mm, 0x1000), "of_the_parent");
	CHECK_STR(symbol_of(&m, child_mm, 0x1000), "of_the_child");
	CHECK_STR(symbol_of(&m, 0, 0x2000), "of_both");
	CHECK_STR(symbol_of(&m, parent_mm, 0x3000), "of_the_thread");
	CHECK(!model_symbol(&m, child_mm, 0x3000));
	CHECK(!model_symbol(&m, 0, 0x1000));
	CHECK(!model_symbol(&m, UINT32_MAX, UINT64_MAX));
	REQUIRE(model_symbol(&m, parent_mm, 0));
	CHECK(!symbol_of(&m, parent_mm, 0));
	CHECK_STR(model_symbol(&m, parent_mm, 0)->object, "/lib/libc.so.6");
	CHECK_EQ(model_symbol(&m, parent_mm, 0x3000)->offset, 0x40);
	CHECK_EQ(model_symbol(&m, parent_mm, 0x3000)->symbol_off, 8);
	model_release(&m);
	fx_free(f);
}

/* Two that say the same are one; two that do not are none. */
TEST(model_symbols_that_contradict_are_dropped)
{
	struct trace_symbols s = { 0 };
	struct fx *f = family();
	struct model m;

	add(&s, 1, 1100, 0x1000, false, "a");
	add(&s, 2, 1100, 0x1000, false, "a");
	add(&s, 1, 1100, 0x2000, false, "a");
	add(&s, 2, 1100, 0x2000, false, "b");
	add(&s, 1, 1100, 0x3000, false, "a");
	add(&s, 2, 1100, 0x3000, false, NULL);
	add(&s, 1, 1100, 0x4000, true, "a");
	add(&s, 3, 1100, 0x4000, true, "a");
	s.rows[s.row_cnt - 1].offset++;
	fx_symbols(f, &s);
	REQUIRE(fx_build(f, &m) == 0);
	CHECK_EQ(m.symbol_cnt, 1);
	CHECK_STR(symbol_of(&m, model_task(&m, 1)->mm_id, 0x1000), "a");
	model_release(&m);
	trace_symbols_release(&s);
	fx_free(f);
}

TEST(model_symbols_none)
{
	static const struct trace_symbols empty;
	struct fx *f = family();
	struct model m;

	fx_symbols(f, &empty);
	REQUIRE(fx_build(f, &m) == 0);
	CHECK_EQ(m.symbol_cnt, 0);
	CHECK(!model_symbol(&m, 1, 0));
	model_release(&m);
	fx_free(f);
}
