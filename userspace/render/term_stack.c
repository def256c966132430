/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * term_stack - the speedup stack: a bar as long as there are CPUs. Its first part is the work; then
 * comes what kept the rest from being work.
 */
#include "analyze/apportion.h"
#include "render/term.h"
#include "util/minmax.h"

enum part {
	PART_WORK, PART_UNPLACED, PART_OTHERS, PART_BLOCKED, PART_NO_TASK, PART_UNKNOWN, PART_CNT,
};

static const struct {
	char cell;
	const char *name, *sgr;
} parts[PART_CNT] = {
	[PART_WORK] = { '=', "work", "32" },
	[PART_UNPLACED] = { '!', "idle beside waiting tasks", "31" },
	[PART_OTHERS] = { '#', "other programs", "33" },
	[PART_BLOCKED] = { 'x', "idle beside blocked tasks", "35" },
	[PART_NO_TASK] = { '.', "no task", "2" },
	[PART_UNKNOWN] = { '?', "not known", "36" },
};

static void parts_of(const struct report_capacity *c, uint64_t *ns)
{
	ns[PART_WORK] = c->work_ns;
	ns[PART_UNPLACED] = c->unplaced_ns;
	ns[PART_OTHERS] = c->interference_ns + c->other_ns;
	ns[PART_NO_TASK] = c->no_thread_ns;
	ns[PART_UNKNOWN] = c->unknown_ns;
	ns[PART_BLOCKED] = 0;
	for (int i = 0; i < REASON_CNT; i++)
		ns[PART_BLOCKED] += c->blocked_ns[i];
}

static void draw_bar(const struct term *t, const uint64_t *ns, uint64_t total_ns)
{
	uint32_t room = t->width - TERM_INDENT - 2;
	unsigned __int128 shares[PART_CNT];
	uint64_t cells[PART_CNT];

	for (int i = 0; i < PART_CNT; i++)
		shares[i] = (unsigned __int128)ns[i] * room * (UINT64_C(1) << 32) / total_ns;
	apportion(shares, PART_CNT, room, cells);
	fprintf(t->out, "  %-*s|", TERM_INDENT - 2, "stack");
	for (int i = 0; i < PART_CNT; i++) {
		if (!cells[i])
			continue;
		term_sgr(t, parts[i].sgr);
		for (uint64_t k = 0; k < cells[i]; k++)
			fputc(parts[i].cell, t->out);
		term_sgr(t, "");
	}
	fputs("|\n", t->out);
}

void term_stack(const struct term *t)
{
	const struct report_capacity *c = &t->r->capacity;
	struct phrase p = { 0 };
	uint64_t ns[PART_CNT];

	if (!c->known || !c->total_ns || !t->window_ns)
		return;
	parts_of(c, ns);
	draw_bar(t, ns, c->total_ns);
	for (int i = 0; i < PART_CNT; i++) {
		if (!ns[i])
			continue;
		phrase_add(&p, "%s%c %s ", p.len ? ", " : "", parts[i].cell, parts[i].name);
		phrase_add(&p, "%s", fmt_ratio(ns[i], t->window_ns, 2).s);
	}
	phrase_add(&p, " of ");
	phrase_count(&p, t->m->cpu_cnt, "CPU");
	term_para(t, "", &p);
}
