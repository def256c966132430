/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz_view - the full-screen timeline on a terminal that nobody sees: a pseudo-terminal gives it
 * the input's keys, and what it draws goes nowhere. Behind the keys come those that end it, from
 * wherever it is.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "analyze/missing.h"
#include "analyze/report.h"
#include "model/builder.h"
#include "scenario.h"
#include "unseen_terminal.h"
#include "view/loop.h"

void fuzz_view(const uint8_t *data, size_t size);

static void press(const struct scenario *s)
{
	static int master = -1;

	if (master < 0)
		master = unseen_terminal_open();
	NEED(master >= 0 &&
	     !unseen_terminal_press(master, 20 + s->knobs.width, 5 + s->knobs.until % 64,
				    s->sections[SECTION_KEYS].p, s->sections[SECTION_KEYS].len));
}

static int build(const struct scenario *s, struct model *m)
{
	struct model_builder *b = model_builder_new(&s->meta);
	int err;

	for (size_t i = 0; i < s->cnt; i++)
		model_builder_feed(b, &s->events[i]);
	model_builder_symbols(b, &s->symbols);
	err = model_builder_finish(b, s->knobs.flags & KNOB_UNFINISHED ? NULL : &s->end, "", m);
	model_builder_free(b);
	return err;
}

static int by_order(const void *a, const void *b)
{
	const struct lab_ev_head *x = a, *y = b;

	if (x->ts_ns != y->ts_ns)
		return x->ts_ns < y->ts_ns ? -1 : 1;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

void fuzz_view(const uint8_t *data, size_t size)
{
	struct scenario s;
	struct report r;
	struct model m = { 0 };

	scenario_split(&s, data, size);
	if (s.cnt)
		qsort(s.events, s.cnt, sizeof(*s.events), by_order);
	if (scenario_parse(&s) && !build(&s, &m)) {
		report_compute(&m, &r);
		report_hide_missing(&m, &r);
		press(&s);
		loop_run(&m, &r, NULL, s.knobs.flags & KNOB_COLOR, s.knobs.flags & KNOB_UTF8);
		report_release(&r);
	}
	model_release(&m);
	scenario_release(&s);
}
