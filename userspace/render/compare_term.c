/* SPDX-License-Identifier: GPL-2.0-only */
/* compare_term - a comparison as tables, and which way when. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "render/compare.h"
#include "render/term.h"
#include "util/minmax.h"

#define WIDE_FROM 132	/* both halves of the table side by side */
#define OTHERS_PERCENT 10	/* of which nobody waited, and which is worth a word */
#define CELL_UNKNOWN_TEXT "-"

/* What the works are in a sentence. */
static const char *work_words(const char *work)
{
	if (!strcmp(work, "cpu"))
		return "computing";
	if (!strcmp(work, "io"))
		return "waiting";
	return "a mixture of both";
}

/* ---- the tables ---- */

static void cell(const struct term *t, const char *text, int cols)
{
	fprintf(t->out, "%*s", cols, text);
}

static void cell_ns(const struct term *t, const struct spread *s, int cols)
{
	cell(t, s->cnt ? fmt_ns_short(s->median).s : CELL_UNKNOWN_TEXT, cols);
}

static void cell_milli(const struct term *t, const struct spread *s, int cols)
{
	cell(t, s->cnt ? fmt_ratio(s->median, 1000, 2).s : CELL_UNKNOWN_TEXT, cols);
}

static void head_times(const struct term *t)
{
	fputs("  way            wall  speedup  least-most      first  slowest", t->out);
}

static void row_times(const struct term *t, const struct comparison_row *row)
{
	char range[96] = CELL_UNKNOWN_TEXT;

	if (row->speedup_milli.cnt)
		snprintf(range, sizeof(range), "%s-%s",
			 fmt_ratio(row->speedup_milli.low, 1000, 2).s,
			 fmt_ratio(row->speedup_milli.high, 1000, 2).s);
	fputs("  ", t->out);
	term_pad(t, row->way, 10);
	cell_ns(t, &row->wall_ns, 9);
	cell_milli(t, &row->speedup_milli, 9);
	cell(t, range, 12);
	cell_ns(t, &row->first_ns, 11);
	cell_ns(t, &row->slowest_ns, 9);
}

static void head_causes(const struct term *t)
{
	fputs("class         CPUs   memory switches  limited by", t->out);
}

static void row_causes(const struct term *t, const struct comparison_row *row)
{
	const char *class = row->class == CLASS_NONE ? "varies" : verdict_class_name(row->class);

	term_pad(t, class, 12);
	cell_milli(t, &row->average_milli, 6);
	cell(t, row->memory_bytes.cnt ? fmt_bytes(row->memory_bytes.median).s : CELL_UNKNOWN_TEXT,
	     9);
	cell(t, fmt_count_short(row->switches.median).s, 9);
	fprintf(t->out, "  %s", compare_loss(row).s);
}

static void draw_table(const struct term *t, const struct comparison_work *work)
{
	bool wide = t->width >= WIDE_FROM;

	head_times(t);
	if (wide) {
		fputs("  ", t->out);
		head_causes(t);
	}
	fputc('\n', t->out);
	for (size_t i = 0; i < work->row_cnt; i++) {
		row_times(t, &work->rows[i]);
		if (wide) {
			fputs("  ", t->out);
			row_causes(t, &work->rows[i]);
		}
		fputc('\n', t->out);
	}
	if (wide)
		return;
	fputs("\n  way         ", t->out);
	head_causes(t);
	fputc('\n', t->out);
	for (size_t i = 0; i < work->row_cnt; i++) {
		fputs("  ", t->out);
		term_pad(t, work->rows[i].way, 12);
		row_causes(t, &work->rows[i]);
		fputc('\n', t->out);
	}
}

/* ---- sentences ---- */

/* ", " or " and " before element @i of @cnt. */
static const char *joint(size_t i, size_t cnt)
{
	if (!i)
		return "";
	return i + 1 < cnt ? ", " : " and ";
}

static void say_doubt(const struct term *t, const struct comparison_row *row)
{
	struct phrase p = { 0 };
	size_t cnt = 0;

	for (int class = CLASS_SEQUENTIAL; class <= CLASS_INCONCLUSIVE; class++)
		if (row->class_cnt[class])
			phrase_add(&p, "%s%u of %u runs %s", cnt++ ? ", " : "",
				   row->class_cnt[class], row->run_cnt,
				   verdict_class_name((enum verdict_class)class));
	if (row->reason[0])
		phrase_add(&p, ": %s", row->reason);
	term_para(t, row->way, &p);
}

/* The rows in which others had much of the CPUs: while errands waited for one, or none did. */
static size_t add_shares(struct phrase *p, const struct comparison_work *work, bool waited,
			 const char *lead)
{
	size_t cnt = 0;

	for (size_t w = 0; w < work->row_cnt; w++) {
		const struct comparison_row *row = &work->rows[w];
		uint64_t ns = waited ? row->capacity.interference_ns : row->capacity.other_ns;

		if (waited ? row->disturbed :
			     fmt_percent(ns, row->capacity.total_ns) >= OTHERS_PERCENT)
			phrase_add(p, "%s%s %s", cnt++ ? ", " : lead, row->way,
				   fmt_share(ns, row->capacity.total_ns).s);
	}
	return cnt;
}

static void say_others(const struct term *t, const struct comparison_work *work)
{
	struct phrase p = { 0 };
	size_t cnt = add_shares(&p, work, true, "had CPUs for which errands waited: ");

	if (cnt)
		phrase_add(&p, "; a quieter machine would tell more");
	cnt += add_shares(&p, work, false, cnt ? "; and while none waited: " :
						 "had CPUs while no errand waited for one: ");
	if (cnt)
		term_para(t, "others", &p);
}

static void say_fastest(const struct term *t, const struct comparison_work *work)
{
	size_t cnt = 0, i = 0;
	struct phrase p = { 0 };

	for (size_t w = 0; w < work->row_cnt; w++)
		cnt += work->rows[w].fastest;
	for (size_t w = 0; w < work->row_cnt; w++)
		if (work->rows[w].fastest)
			phrase_add(&p, "%s%s", joint(i++, cnt), work->rows[w].way);
	if (cnt > 1)
		phrase_add(&p, ", as fast as one another by these runs");
	if (work->least_memory != SIZE_MAX)
		phrase_add(&p, "; %s has the least memory", work->rows[work->least_memory].way);
	if (work->least_switches != SIZE_MAX)
		phrase_add(&p, "; %s switches least", work->rows[work->least_switches].way);
	term_para(t, "fastest", &p);
}

static void draw_work(const struct term *t, const struct comparison *c,
		      const struct comparison_work *work)
{
	struct phrase p = { 0 };

	phrase_add(&p, "%s: %u errands of %u pieces each, %zu ways in turn, %u time%s each, "
		   "on %llu CPU%s",
		   work_words(work->name), c->tasks, c->rounds, work->row_cnt, c->repeats,
		   c->repeats == 1 ? "" : "s", (unsigned long long)c->cpus,
		   c->cpus == 1 ? "" : "s");
	term_headline(t, work->name, "1", &p);
	draw_table(t, work);
	for (size_t w = 0; w < work->row_cnt; w++)
		if (work->rows[w].class == CLASS_NONE || work->rows[w].class == CLASS_INCONCLUSIVE)
			say_doubt(t, &work->rows[w]);
	say_others(t, work);
	say_fastest(t, work);
	fputc('\n', t->out);
}

/* ---- which one when ---- */

static const char *python_words(const char *way)
{
	static const char *const words[][2] = {
		{ "threads", "threads without a common lock" },
		{ "procs", "processes, as Python's multiprocessing" },
		{ "async", "one thread with an event loop, as Python's asyncio" },
		{ "gil", "threads under one lock, as Python's threading" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(way, words[i][0]))
			return words[i][1];
	return way;
}

static void say_gains(struct phrase *p, const struct comparison *c, size_t way, enum gain gain,
		      const char *lead)
{
	size_t cnt = 0, i = 0;

	for (size_t k = 0; k < c->work_cnt; k++)
		cnt += c->works[k].rows[way].gain == gain;
	for (size_t k = 0; k < c->work_cnt; k++) {
		const struct comparison_row *row = &c->works[k].rows[way];

		if (row->gain != gain)
			continue;
		phrase_add(p, "%s%s (x %s)", i ? joint(i, cnt) : lead, work_words(c->works[k].name),
			   fmt_ratio(row->speedup_milli.median, 1000, 2).s);
		i++;
	}
}

/* How much memory it takes beside the first way, where that is known and no trifle. */
static void say_memory(struct phrase *p, const struct comparison *c, size_t way)
{
	const struct spread *mine = &c->works[0].rows[way].memory_bytes;
	const struct spread *base = &c->works[0].rows[0].memory_bytes;

	if (mine->cnt && base->cnt && mine->low > base->high &&
	    10 * mine->median >= 11 * base->median)
		phrase_add(p, "; %s times the memory", fmt_ratio(mine->median, base->median, 1).s);
}

static void say_way(const struct term *t, const struct comparison *c, size_t way)
{
	struct phrase p = { 0 };

	phrase_add(&p, "%s: ", python_words(c->works[0].rows[way].way));
	say_gains(&p, c, way, GAIN_YES, "faster for ");
	if (p.s[p.len - 1] == ')')
		phrase_add(&p, "; ");
	say_gains(&p, c, way, GAIN_NO, "nothing gained for ");
	if (p.s[p.len - 1] == ')')
		phrase_add(&p, "; ");
	say_gains(&p, c, way, GAIN_UNCLEAR, "not clear for ");
	while (p.len && (p.s[p.len - 1] == ' ' || p.s[p.len - 1] == ';'))
		p.s[--p.len] = '\0';
	say_memory(&p, c, way);
	term_para(t, c->works[0].rows[way].way, &p);
}

static void say_limits(const struct term *t, const struct comparison *c)
{
	struct phrase p = { 0 };

	phrase_add(&p, "gained is what was faster than %s in every run by a tenth at least, "
		   "what that lost waiting for a CPU not counted; memory is the sum of what "
		   "each process had resident at most, shared pages in each",
		   c->works[0].rows[0].way);
	if (c->cpus == 1)
		phrase_add(&p, "; one CPU computes one thing at a time: nothing can gain there");
	term_para(t, "note", &p);
}

int compare_term(const void *comparison, const struct render_opts *opts, FILE *out)
{
	const struct comparison *c = comparison;
	struct phrase p = { 0 };
	struct term t = {
		.out = out, .opts = opts,
		.width = opts->width ? opts->width : TERM_WIDTH_DEFAULT,
	};

	if (!c->work_cnt || !c->works[0].row_cnt)
		return 0;
	t.width = (uint32_t)min_u64(max_u64(t.width, TERM_WIDTH_MIN), TERM_WIDTH_MAX);
	for (size_t k = 0; k < c->work_cnt && !opts->brief; k++)
		draw_work(&t, c, &c->works[k]);
	phrase_add(&p, "beside %s, by these numbers", c->works[0].rows[0].way);
	term_headline(&t, "which one when", "1", &p);
	for (size_t way = 1; way < c->works[0].row_cnt; way++)
		say_way(&t, c, way);
	if (!opts->brief)
		say_limits(&t, c);
	return ferror(out) ? -EIO : 0;
}
