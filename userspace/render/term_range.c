/* SPDX-License-Identifier: GPL-2.0-only */
/* term_range - the numbers of what a reader asked to see, instead of those of the whole run. */
#include <inttypes.h>

#include "render/term.h"
#include "util/minmax.h"

#define ROWS_MAX 24
#define FIXED_COLS 45	/* all columns of the table but the task's name and the reasons */

static void say_part(const struct term *t, struct phrase *p)
{
	const struct range *range = &t->lens.range;

	if (range_len(range) == t->window_ns)
		phrase_add(p, "the whole run, %s", fmt_ns(t->window_ns).s);
	else
		phrase_add(p, "+%s to +%s of %s; the verdict above is the whole run's",
			   fmt_ns(range->from_ns).s, fmt_ns(range->until_ns).s,
			   fmt_ns(t->window_ns).s);
}

/* With records missing each average is the least that it can be. */
static void say_numbers(const struct term *t, struct phrase *p)
{
	const struct range *range = &t->lens.range;
	const char *least = range->unknown_ns ? "at least " : "";
	uint64_t len_ns = range_len(range);

	if (range->unknown_ns)
		phrase_add(p, "not known for %s of the time, because records are missing there; ",
			   fmt_share(range->unknown_ns, len_ns).s);
	phrase_add(p, "on CPUs %s%s tasks on average, %s %" PRIu32, least,
		   fmt_ratio(range->run_ns, len_ns, 2).s,
		   range->unknown_ns ? "where it is known at most" : "at most", range->running_max);
	phrase_add(p, "; two or more at once for %s",
		   fmt_share(range->parallel_known_ns, len_ns).s);
	if (range->unknown_ns)
		phrase_add(p, " to %s", fmt_share(min_u64(range->parallel_known_ns +
							  range->unknown_ns, len_ns), len_ns).s);
	phrase_add(p, " of the time; waiting for a CPU %s%s on average", least,
		   fmt_ratio(range->ready_ns, len_ns, 2).s);
	if (t->m->op_cnt)
		phrase_add(p, "; operations %s on average, at most %" PRIu32,
			   fmt_ratio(range->operations_ns, len_ns, 2).s, range->operations_max);
}

/* The strips and the numbers are of all tasks, whatever lanes there are. */
static void say_lanes(const struct term *t, struct phrase *p)
{
	size_t cpu_cnt = 0;

	for (size_t i = 0; i < t->m->cpu_cnt; i++)
		cpu_cnt += lens_has_cpu(&t->lens, i);
	if (cpu_cnt == t->m->cpu_cnt && t->by_run_cnt == t->m->task_cnt)
		return;
	phrase_add(p, "lanes for %s of ", fmt_count(t->by_run_cnt).s);
	phrase_count(p, t->m->task_cnt, "task");
	phrase_add(p, " and %s of ", fmt_count(cpu_cnt).s);
	phrase_count(p, t->m->cpu_cnt, "CPU");
	phrase_add(p, "; the numbers and the strips are of all");
}

void term_range(const struct term *t)
{
	struct phrase part = { 0 }, numbers = { 0 }, lanes = { 0 };

	say_part(t, &part);
	term_para(t, "range", &part);
	say_numbers(t, &numbers);
	term_para(t, "", &numbers);
	say_lanes(t, &lanes);
	if (lanes.len)
		term_para(t, "", &lanes);
}

static uint64_t blocked_sum(const struct range_task *row)
{
	uint64_t ns = 0;

	for (int i = 0; i < REASON_CNT; i++)
		ns += row->blocked_ns[i];
	return ns;
}

void term_range_table(const struct term *t)
{
	uint32_t name = t->width < TERM_WIDTH_DEFAULT ? 11 : LAB_COMM_LEN;
	size_t shown = min_u64(t->by_run_cnt, ROWS_MAX);

	if (!shown)
		return;
	fprintf(t->out, "\n  %-*s %7s %7s %7s %7s %7s %s\n", (int)name, "task", "tid", "run",
		"ready", "blocked", "absent", "blocked in");
	for (size_t i = 0; i < shown; i++) {
		const struct model_task *task = &t->m->tasks[t->by_run[i]];
		const struct range_task *row = &t->lens.range.tasks[t->by_run[i]];

		fprintf(t->out, "%c ", term_letter(t, t->by_run[i]));
		term_pad(t, term_safe(t, task->comm, sizeof(task->comm), name).s, name);
		fprintf(t->out, " %7" PRIu32 " %7s %7s %7s %7s", task->tid,
			fmt_ns_short(row->run_ns).s, fmt_ns_short(row->ready_ns).s,
			fmt_ns_short(blocked_sum(row)).s, fmt_ns_short(row->absent_ns).s);
		term_reasons(t, row->blocked_ns, row->unknown_ns, NULL,
			     t->width - FIXED_COLS - name);
	}
	if (t->by_run_cnt > shown)
		fprintf(t->out, "  and %s more: --task shows those you name\n",
			fmt_count(t->by_run_cnt - shown).s);
}
