/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * build_symbols - the names of futexes, from the addresses of one task at one
 * instant to those of a memory, which is what a futex is known by here.
 */

#include <stdlib.h>
#include <string.h>

#include "model/build.h"
#include "util/alloc.h"

static int past_cmp(const void *a, const void *b)
{
	const struct past_mm *x = a, *y = b;

	if (x->idx != y->idx)
		return x->idx < y->idx ? -1 : 1;
	return (x->until_ns > y->until_ns) - (x->until_ns < y->until_ns);
}

/* The memory that a task had at @at_ns; the pasts are sorted. */
static uint32_t mm_at(const struct model_builder *b, uint32_t idx, uint64_t at_ns)
{
	size_t low = 0, high = b->past_mm_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct past_mm *p = &b->past_mms[mid];

		if (p->idx != idx ? p->idx < idx : p->until_ns <= at_ns)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < b->past_mm_cnt && b->past_mms[low].idx == idx)
		return b->past_mms[low].mm_id;
	return b->tasks[idx].t.mm_id;
}

static int symbol_cmp(const void *a, const void *b)
{
	const struct model_symbol *x = a, *y = b;

	if (x->mm_id != y->mm_id)
		return x->mm_id < y->mm_id ? -1 : 1;
	return (x->addr > y->addr) - (x->addr < y->addr);
}

static bool same_name(const struct model_symbol *x, const struct model_symbol *y)
{
	if (strcmp(x->object, y->object) || x->offset != y->offset || !x->symbol != !y->symbol)
		return false;
	return !x->symbol || (!strcmp(x->symbol, y->symbol) && x->symbol_off == y->symbol_off);
}

/* One of those that say the same; none of those that contradict each other. */
static void keep_certain(struct model *m)
{
	size_t kept = 0;

	for (size_t first = 0, end; first < m->symbol_cnt; first = end) {
		bool certain = true;

		for (end = first + 1; end < m->symbol_cnt &&
		     !symbol_cmp(&m->symbols[first], &m->symbols[end]); end++)
			certain &= same_name(&m->symbols[first], &m->symbols[end]);
		if (certain)
			m->symbols[kept++] = m->symbols[first];
	}
	m->symbol_cnt = kept;
}

void model_builder_symbols(struct model_builder *b, const struct trace_symbols *symbols)
{
	b->symbols = symbols;
}

void symbols_finish(struct model_builder *b)
{
	const struct trace_symbols *symbols = b->symbols;
	struct model *m = &b->m;

	if (!symbols || !symbols->row_cnt)
		return;
	m->symbol_texts = xcalloc(symbols->text_cnt, sizeof(*m->symbol_texts));
	for (; m->symbol_text_cnt < symbols->text_cnt; m->symbol_text_cnt++)
		m->symbol_texts[m->symbol_text_cnt] = xstrdup(symbols->texts[m->symbol_text_cnt]);
	if (b->past_mm_cnt)
		qsort(b->past_mms, b->past_mm_cnt, sizeof(*b->past_mms), past_cmp);
	for (size_t i = 0; i < symbols->row_cnt; i++) {
		const struct trace_symbol *row = &symbols->rows[i];
		const uint32_t *idx = idmap_get(&b->task_by_id, row->task, 0);

		if (!idx)
			continue;
		*vec_push(m->symbols, m->symbol_cnt, m->symbol_cap) = (struct model_symbol){
			.mm_id = row->is_shared ? 0 : mm_at(b, *idx, row->wait_ns),
			.addr = row->addr,
			.object = m->symbol_texts[row->object],
			.offset = row->offset,
			.symbol = row->symbol == TRACE_NO_TEXT ? NULL :
								 m->symbol_texts[row->symbol],
			.symbol_off = row->symbol_off,
		};
	}
	if (m->symbol_cnt)
		qsort(m->symbols, m->symbol_cnt, sizeof(*m->symbols), symbol_cmp);
	keep_certain(m);
}
