/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "render/axis.h"
#include "render/bins.h"
#include "render/term.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define LABEL_COLS 14
#define LABEL_COLS_WIDE 22	/* holds a letter and a whole comm */
#define WIDE_FROM 132
#define TOTALS_COLS 18
#define DIGITS_MAX 9		/* an ASCII strip shows counts up to this, else eighths */

struct timeline {
	const struct term *t;
	struct bins bins;
	uint32_t label_cols;
	struct lane_cell *cells;	/* one lane */
	struct load missing;		/* records of any CPU */
	bool used[CELL_CNT];
	struct phrase scales;		/* what a full cell of a strip is */
};

static void draw_axis(const struct timeline *tl)
{
	const struct bins *b = &tl->bins;
	char *axis = xmalloc(b->cnt);
	size_t end = b->cnt;

	fprintf(tl->t->out, "%*s    ", (int)tl->label_cols - 4, axis_make(b, axis));
	while (end && axis[end - 1] == ' ')
		end--;
	for (size_t i = 0; i < end; i++) {
		if (axis[i] == AXIS_TICK)
			fputs(tl->t->glyphs->tick, tl->t->out);
		else
			fputc(axis[i], tl->t->out);
	}
	fputc('\n', tl->t->out);
	free(axis);
}

/* ---- strips ---- */

static void draw_strip(struct timeline *tl, const char *name, const struct load *load,
		       uint64_t scale, const char *totals)
{
	const struct term *t = tl->t;
	bool digits = !t->opts->utf8 && scale <= DIGITS_MAX;

	term_pad(t, name, tl->label_cols);
	for (uint32_t i = 0; i < tl->bins.cnt; i++) {
		uint64_t len_ns = bins_len(&tl->bins, i);
		uint64_t eighths = load_level(&tl->bins, load, i, scale, 8);

		if (!len_ns)
			fputc(' ', t->out);
		else if (load_is_missing(&tl->bins, &tl->missing, i))
			fputs(t->glyphs->cell[CELL_UNKNOWN], t->out);
		else if (digits)
			fputc('0' + (int)load_level(&tl->bins, load, i, scale, scale), t->out);
		else if (!eighths && load->ns[i] > len_ns / 2)
			fputs(t->glyphs->bar[1], t->out);	/* one of many is not nobody */
		else
			fputs(t->glyphs->bar[eighths], t->out);
	}
	fprintf(t->out, "%s\n", totals);
	if (!digits && (!t->opts->utf8 || scale != t->m->cpu_cnt))
		phrase_add(&tl->scales, "%s%s %s = %s", tl->scales.len ? "  " : "", name,
			   t->glyphs->bar[8], fmt_count(scale).s);
}

/* "  avg 3.25 max 4" in at most TOTALS_COLS columns; "3.25+" if some of the time is not known. */
static struct fmt_text totals_of(const struct term *t, uint64_t sum_ns, uint64_t window_ns,
				 const uint64_t *max)
{
	const char *more = t->lens.range.unknown_ns ? "+" : "";
	uint64_t whole = window_ns ? sum_ns / window_ns : 0;
	struct fmt_text avg = fmt_ratio(sum_ns, window_ns, whole < 10 ? 2 : whole < 100);
	struct fmt_text totals;
	int len;

	if (!max) {
		snprintf(totals.s, sizeof(totals.s), "  avg %.12s%s", avg.s, more);
		return totals;
	}
	len = snprintf(totals.s, sizeof(totals.s), "  avg %.8s%s max %" PRIu64, avg.s, more, *max);
	if (len > TOTALS_COLS)
		snprintf(totals.s, sizeof(totals.s), "  max %.8s", fmt_count_short(*max).s);
	return totals;
}

static void draw_running_and_waiting(struct timeline *tl)
{
	const struct term *t = tl->t;
	struct load running = load_new(&tl->bins), waiting = load_new(&tl->bins);
	uint64_t max = t->lens.range.running_max;
	char name[LABEL_COLS];

	load_states(&tl->bins, t->m, &running, &waiting);
	load_finish(&tl->bins, &running);
	load_finish(&tl->bins, &waiting);

	snprintf(name, sizeof(name), t->m->cpu_cnt < 10 ? "on CPU (of %zu)" : "on CPU of %zu",
		 t->m->cpu_cnt);
	draw_strip(tl, name, &running, max_u64(t->m->cpu_cnt, 1),
		   totals_of(t, t->lens.range.run_ns, tl->bins.len_ns, &max).s);
	draw_strip(tl, "waiting", &waiting, load_peak(&tl->bins, &waiting),
		   totals_of(t, t->lens.range.ready_ns, tl->bins.len_ns, NULL).s);
	load_free(&running);
	load_free(&waiting);
}

static void draw_operations(struct timeline *tl)
{
	const struct term *t = tl->t;
	uint64_t max = t->lens.range.operations_max;
	struct load open;

	if (!t->m->op_cnt)
		return;
	open = load_new(&tl->bins);
	load_operations(&tl->bins, t->m, &open);
	load_finish(&tl->bins, &open);
	draw_strip(tl, "operations", &open, max_u64(max, 1),
		   totals_of(t, t->lens.range.operations_ns, tl->bins.len_ns, &max).s);
	load_free(&open);
}

/* ---- lanes ---- */

static void draw_lane(struct timeline *tl, bool of_task)
{
	const struct term *t = tl->t;
	const char *sgr = "";

	for (uint32_t i = 0; i < tl->bins.cnt; i++) {
		const struct lane_cell *c = &tl->cells[i];
		const char *want = cell_sgr(c->cell);

		tl->used[c->cell] = true;
		if (strcmp(want, sgr)) {
			if (sgr[0])
				term_sgr(t, "");
			if (want[0])
				term_sgr(t, want);
			sgr = want;
		}
		if (c->cell == CELL_RUN)
			fputc(of_task ? cpu_char(c->who) : 'A' + c->who, t->out);
		else
			fputs(t->glyphs->cell[c->cell], t->out);
	}
	if (sgr[0])
		term_sgr(t, "");
}

static void say_left_out(const struct timeline *tl, uint64_t cnt, const char *noun,
			 const char *which)
{
	struct phrase p = { 0 };

	if (!cnt)
		return;
	phrase_count(&p, cnt, noun);
	fprintf(tl->t->out, "%*sleft out: %s %s\n", (int)tl->label_cols, "", p.s, which);
	free(p.s);
}

/* True if fewer than TERM_CPU_LANES_MAX CPUs worked more for us. */
static bool cpu_has_lane(const struct term *t, size_t idx)
{
	const struct report_cpu *cpus = t->lens.range.cpus;
	uint64_t own_ns = cpus[idx].class_ns[LAB_CPU_OURS];
	size_t before = 0;

	for (size_t i = 0; i < t->m->cpu_cnt; i++) {
		uint64_t ns = cpus[i].class_ns[LAB_CPU_OURS];

		before += lens_has_cpu(&t->lens, i) && (ns > own_ns || (ns == own_ns && i < idx));
	}
	return before < TERM_CPU_LANES_MAX;
}

static void draw_cpus(struct timeline *tl)
{
	const struct term *t = tl->t;
	uint32_t lane_ids[TERM_LANES_MAX];
	size_t left_out = 0;

	for (size_t i = 0; i < t->lane_cnt; i++)
		lane_ids[i] = t->m->tasks[t->lanes[i]].id;
	for (size_t i = 0; i < t->m->cpu_cnt; i++) {
		const struct report_cpu *cpu = &t->lens.range.cpus[i];
		char name[LABEL_COLS];

		if (!lens_has_cpu(&t->lens, i))
			continue;
		if (!cpu_has_lane(t, i)) {
			left_out++;
			continue;
		}
		snprintf(name, sizeof(name), "CPU %u", t->m->cpus[i].cpu);
		term_pad(t, name, tl->label_cols);
		lane_of_cpu(&tl->bins, t->m, &t->m->cpus[i], lane_ids, t->lane_cnt, tl->cells);
		draw_lane(tl, false);
		fprintf(t->out, "  work%3u%% #%3u%%\n",
			fmt_percent(cpu->class_ns[LAB_CPU_OURS], tl->bins.len_ns),
			fmt_percent(cpu->class_ns[LAB_CPU_FOREIGN], tl->bins.len_ns));
	}
	tl->used[CELL_FOREIGN] = true;	/* the totals name it */
	say_left_out(tl, left_out, "CPU", "that worked less");
}

static void draw_tasks(struct timeline *tl)
{
	const struct term *t = tl->t;

	for (size_t i = 0; i < t->lane_cnt; i++) {
		const struct model_task *task = &t->m->tasks[t->lanes[i]];
		const struct range_task *row = &t->lens.range.tasks[t->lanes[i]];

		fprintf(t->out, "%c ", (char)('A' + i));
		term_pad(t, term_safe(t, task->comm, sizeof(task->comm), tl->label_cols - 3).s,
			 tl->label_cols - 2);
		lane_of_task(&tl->bins, t->m, task, tl->cells);
		draw_lane(tl, true);
		fprintf(t->out, "  run%3u%% wait%3u%%\n", fmt_percent(row->run_ns, tl->bins.len_ns),
			fmt_percent(row->ready_ns, tl->bins.len_ns));
	}
	if (term_in_detail(t) || t->opts->lens)
		say_left_out(tl, t->by_run_cnt - t->lane_cnt, "task", "that ran less");
	else
		term_folded(t, tl->label_cols);
}

/* ---- legend ---- */

/* Entries stay whole; they are separated by two spaces. */
static void legend_add(const struct term *t, uint32_t *col, const char *entry, uint32_t cols)
{
	if (*col + 2 + cols > t->width) {
		fputs("\n       ", t->out);
		*col = 7;
	}
	fprintf(t->out, "%s%s", *col == 7 ? " " : "  ", entry);
	*col += cols + (*col == 7 ? 1 : 2);
}

static void draw_legend(const struct timeline *tl)
{
	const struct term *t = tl->t;
	uint16_t cpu_max = t->m->cpu_cnt ? t->m->cpus[t->m->cpu_cnt - 1].cpu : 0;
	uint32_t col = 7;
	char entry[64];

	fputs("legend:", t->out);
	if (tl->used[CELL_RUN]) {
		const char *digits = cpu_max < 10 ? "0-9 running on that CPU" :
				     cpu_max < 36 ? "0-9 A-Z running on that CPU, A is 10" :
				     "0-9 A-Z a-z running on that CPU, A is 10";

		legend_add(t, &col, digits, (uint32_t)strlen(digits));
		if (t->lane_cnt > 1)
			snprintf(entry, sizeof(entry), "A-%c that task on the CPU",
				 (char)('A' + t->lane_cnt - 1));
		else
			snprintf(entry, sizeof(entry), "A that task on the CPU");
		legend_add(t, &col, entry, (uint32_t)strlen(entry));
	}
	for (int cell = 0; cell < CELL_CNT; cell++) {
		const char *meaning = cell_meaning(cell);

		if (!tl->used[cell] || !meaning)
			continue;
		snprintf(entry, sizeof(entry), "%s %s%s", t->glyphs->cell[cell], meaning,
			 cell == CELL_SLEEP ? ", or an idle CPU" : "");
		legend_add(t, &col, entry, (uint32_t)strlen(entry) -
			   (uint32_t)strlen(t->glyphs->cell[cell]) + 1);
	}
	fputc('\n', t->out);
}

void term_timeline(const struct term *t)
{
	struct timeline tl = { .t = t };

	if (!range_len(&t->lens.range) || !t->m->task_cnt)
		return;
	tl.label_cols = t->width >= WIDE_FROM ? LABEL_COLS_WIDE : LABEL_COLS;
	tl.bins = bins_make(t->lens.range.from_ns, range_len(&t->lens.range),
			    t->width - tl.label_cols - TOTALS_COLS);
	tl.cells = xcalloc(tl.bins.cnt, sizeof(*tl.cells));
	tl.missing = load_missing(&tl.bins, t->m, BINS_ANY_CPU);

	fputc('\n', t->out);
	draw_axis(&tl);
	draw_running_and_waiting(&tl);
	draw_operations(&tl);
	draw_cpus(&tl);
	draw_tasks(&tl);
	draw_legend(&tl);
	if (tl.scales.len)
		fprintf(t->out, "        %s\n", tl.scales.s);
	free(tl.scales.s);
	free(tl.cells);
	load_free(&tl.missing);
}
