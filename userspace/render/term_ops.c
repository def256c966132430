/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * term_ops - the operations that a program marked, each with its parts under it.
 */
#include "render/names.h"
#include "render/term.h"
#include "util/minmax.h"

#define ROWS_MAX 16
#define DEPTH_MAX 6
#define NAME_COLS 28

struct rows {
	const struct term *t;
	size_t shown, left_out;
};

static bool is_marked(const struct model_op *op)
{
	return op->fd == MODEL_OP_NO_FD;
}

static void print_row(struct rows *rows, const struct model_op *op, uint32_t depth)
{
	const struct term *t = rows->t;
	struct fmt_text from = term_instant(t, op->start_ns);

	if (!rows->shown++)
		fprintf(t->out, "\n  %-*s %12s %8s %8s  %s\n", NAME_COLS, "operation", "from",
			"took", "active", "begun by");
	fprintf(t->out, "  %*s", (int)(2 * depth), "");
	term_pad(t, term_safe_str(t, op_name(t->m, op).s, NAME_COLS - 2 * depth).s,
		 NAME_COLS - 2 * depth);
	fprintf(t->out, " %12s %8s", from.s, fmt_ns_short(op->end_ns - op->start_ns).s);
	fprintf(t->out, " %8s  %s\n", fmt_ns_short(op->active_ns).s,
		term_task(t, op->task_id).s);
}

/* The operation at @idx, then its parts, which are behind it because they begin later. */
static void print_tree(struct rows *rows, size_t idx, uint32_t depth)
{
	const struct model *m = rows->t->m;

	if (rows->shown == ROWS_MAX) {
		rows->left_out++;
		return;
	}
	print_row(rows, &m->ops[idx], depth);
	for (size_t i = idx + 1; i < m->op_cnt && depth < DEPTH_MAX; i++)
		if (m->ops[i].parent_id == m->ops[idx].id)
			print_tree(rows, i, depth + 1);
}

void term_ops(const struct term *t)
{
	struct rows rows = { .t = t };

	for (size_t i = 0; i < t->m->op_cnt; i++)
		if (is_marked(&t->m->ops[i]) && !t->m->ops[i].parent_id)
			print_tree(&rows, i, 0);
	if (rows.left_out)
		fprintf(t->out, "  and %s more: lab report -f json shows all\n",
			fmt_count(rows.left_out).s);
}
