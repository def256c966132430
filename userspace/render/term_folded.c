/* SPDX-License-Identifier: GPL-2.0-only */
/* term_folded - the line about the tasks that hardly ran, and have no lane each without -v. */
#include <stdlib.h>
#include <string.h>

#include "render/term.h"
#include "util/alloc.h"
#include "util/format.h"
#include "util/minmax.h"
#include "util/text.h"

/* Folded tasks of one name. */
struct group {
	const char *comm;	/* raw, LAB_COMM_LEN bytes */
	uint64_t cnt, run_ns, least_ns, most_ns;
};

static int comm_cmp(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return strncmp(x->comm, y->comm, LAB_COMM_LEN);
}

static int run_cmp(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->run_ns != y->run_ns)
		return x->run_ns > y->run_ns ? -1 : 1;
	return comm_cmp(a, b);
}

/* One group for each task without a lane. Return: how many; @run_ns: of all of them. */
static size_t collect(const struct term *t, struct group *groups, uint64_t *run_ns)
{
	size_t cnt = 0, lane = 0;

	*run_ns = 0;
	/* Lanes ascend, and so do tasks. */
	for (size_t i = 0; i < t->m->task_cnt; i++) {
		uint64_t ns = t->lens.range.tasks[i].run_ns;

		if (lane < t->lane_cnt && t->lanes[lane] == i) {
			lane++;
			continue;
		}
		groups[cnt++] = (struct group){ t->m->tasks[i].comm, 1, ns, ns, ns };
		*run_ns += ns;
	}
	return cnt;
}

/* Those of one name become one. Return: how many are left, those first that ran longest. */
static size_t merge(struct group *groups, size_t cnt)
{
	size_t kept = 0;

	qsort(groups, cnt, sizeof(*groups), comm_cmp);
	for (size_t i = 0; i < cnt; i++) {
		struct group *last = kept ? &groups[kept - 1] : NULL;

		if (!last || comm_cmp(last, &groups[i])) {
			groups[kept++] = groups[i];
			continue;
		}
		last->cnt++;
		last->run_ns += groups[i].run_ns;
		last->least_ns = min_u64(last->least_ns, groups[i].least_ns);
		last->most_ns = max_u64(last->most_ns, groups[i].most_ns);
	}
	qsort(groups, kept, sizeof(*groups), run_cmp);
	return kept;
}

static void say_group(const struct term *t, struct phrase *p, const struct group *g)
{
	phrase_add(p, "%s", term_safe(t, g->comm, LAB_COMM_LEN, LAB_COMM_LEN).s);
	if (g->cnt == 1)
		phrase_add(p, " (%s)", fmt_ns_short(g->run_ns).s);
	else
		phrase_add(p, " x %s (%s to %s each)", fmt_count(g->cnt).s,
			   fmt_ns_short(g->least_ns).s, fmt_ns_short(g->most_ns).s);
}

/* As many names as a line has room for, those first that ran longest. */
static void say_names(const struct term *t, const struct group *groups, size_t cnt, uint32_t indent)
{
	struct phrase line = { 0 };
	size_t shown = 0;

	for (; shown < cnt; shown++) {
		struct phrase one = { 0 };
		bool fits;

		say_group(t, &one, &groups[shown]);
		fits = indent + text_columns(one.s) + strlen(", , ...") +
		       (line.s ? text_columns(line.s) : 0) <= t->width;
		if (fits)
			phrase_add(&line, "%s%s", shown ? ", " : "", one.s);
		free(one.s);
		if (!fits)
			break;
	}
	if (shown)
		fprintf(t->out, "%*s%s%s\n", (int)indent, "", line.s, shown < cnt ? ", ..." : "");
	free(line.s);
}

void term_folded(const struct term *t, uint32_t indent)
{
	struct group *groups = xcalloc(t->m->task_cnt + 1, sizeof(*groups));
	struct phrase p = { 0 };
	uint64_t run_ns, all_ns;
	size_t cnt = collect(t, groups, &run_ns);

	all_ns = run_ns;
	for (size_t i = 0; i < t->lane_cnt; i++)
		all_ns += t->lens.range.tasks[t->lanes[i]].run_ns;
	phrase_count(&p, cnt, "more task");
	if (cnt)
		fprintf(t->out, "%*s%s ran for %s of the CPU time: -v\n", (int)indent, "", p.s,
			fmt_share(run_ns, all_ns).s);
	if (run_ns > all_ns / 100)
		say_names(t, groups, merge(groups, cnt), indent);
	free(p.s);
	free(groups);
}
