/* SPDX-License-Identifier: GPL-2.0-only */

#include "trace/merge.h"

#include <errno.h>

#include "trace/ahead.h"
#include "trace/trace.h"

#define OPEN_BYTES_MAX (512u << 20)	/* decoded at once; a chunk beyond is left out */

/* A decoded chunk of which events are left. */
struct open_chunk {
	const struct lab_ev_head *next;	/* event, in the rows */
	struct event_rows rows;
	uint32_t number;
};

struct merge {
	const struct scan_chunk **chunks;	/* of events, ascending by first_ns */
	size_t chunk_cnt, next;
	struct ahead *ahead;
	struct open_chunk *heap;		/* the least event first */
	size_t heap_cnt, heap_cap;
	struct event_rows *spare;		/* used up: their memory serves again */
	size_t spare_cnt, spare_cap;
	bool given;				/* the least event was handed out */
	uint64_t open_bytes;
	size_t failed;
	uint64_t unknown;
};

static int chunk_cmp(const void *a, const void *b)
{
	const struct scan_chunk *x = *(const struct scan_chunk *const *)a;
	const struct scan_chunk *y = *(const struct scan_chunk *const *)b;

	if (x->head.first_ns != y->head.first_ns)
		return x->head.first_ns < y->head.first_ns ? -1 : 1;
	return x->off < y->off ? -1 : x->off > y->off;
}

struct merge *merge_new(const struct trace_source *from, const struct scan *scan,
			const struct schema *schema)
{
	struct merge *m = xcalloc(1, sizeof(*m));

	m->chunks = xcalloc(scan->chunk_cnt ? scan->chunk_cnt : 1, sizeof(*m->chunks));
	for (size_t i = 0; i < scan->chunk_cnt; i++)
		if (scan->chunks[i].head.type == TRACE_CHUNK_EVENTS)
			m->chunks[m->chunk_cnt++] = &scan->chunks[i];
	qsort(m->chunks, m->chunk_cnt, sizeof(*m->chunks), chunk_cmp);
	m->ahead = ahead_new(from, m->chunks, m->chunk_cnt, schema);
	return m;
}

static bool open_before(const struct open_chunk *a, const struct open_chunk *b)
{
	const struct lab_ev_head *x = a->next, *y = b->next;

	if (x->ts_ns != y->ts_ns)
		return x->ts_ns < y->ts_ns;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu;
	if (x->seq != y->seq)
		return x->seq < y->seq;
	return a->number < b->number;
}

static void heap_swap(struct merge *m, size_t i, size_t j)
{
	struct open_chunk chunk = m->heap[i];

	m->heap[i] = m->heap[j];
	m->heap[j] = chunk;
}

static void heap_down(struct merge *m)
{
	size_t i = 0;

	for (;;) {
		size_t least = 2 * i + 1;

		if (least >= m->heap_cnt)
			return;
		if (least + 1 < m->heap_cnt && open_before(&m->heap[least + 1], &m->heap[least]))
			least++;
		if (!open_before(&m->heap[least], &m->heap[i]))
			return;
		heap_swap(m, i, least);
		i = least;
	}
}

static void heap_push(struct merge *m, const struct open_chunk *chunk)
{
	size_t i = m->heap_cnt;

	*vec_push(m->heap, m->heap_cnt, m->heap_cap) = *chunk;
	while (i && open_before(&m->heap[i], &m->heap[(i - 1) / 2])) {
		heap_swap(m, i, (i - 1) / 2);
		i = (i - 1) / 2;
	}
}

static void spare_put(struct merge *m, const struct event_rows *rows)
{
	*vec_push(m->spare, m->spare_cnt, m->spare_cap) = *rows;
}

/* Take the next chunk into the heap. */
static int merge_open_next(struct merge *m)
{
	const struct scan_chunk *from = m->chunks[m->next];
	struct open_chunk chunk = { .number = from->head.number };
	int err;

	if (m->spare_cnt)
		chunk.rows = m->spare[--m->spare_cnt];
	err = ahead_next(m->ahead, &chunk.rows);
	if (!err && m->open_bytes + chunk.rows.len > OPEN_BYTES_MAX)
		err = -EBADMSG;
	if (err && err != -EBADMSG) {
		spare_put(m, &chunk.rows);
		return err;
	}
	m->next++;
	m->failed += !!err;
	if (!err)
		m->unknown += chunk.rows.unknown;
	if (err || !chunk.rows.len) {
		spare_put(m, &chunk.rows);
		return 0;
	}
	m->open_bytes += chunk.rows.len;
	chunk.next = (const void *)chunk.rows.p;
	heap_push(m, &chunk);
	return 0;
}

/* Past the event that was handed out. */
static void merge_advance(struct merge *m)
{
	struct open_chunk *top = &m->heap[0];
	const uint8_t *next = (const uint8_t *)top->next + trace_event_size(top->next->kind);

	if (next < top->rows.p + top->rows.len) {
		top->next = (const void *)next;
	} else {
		m->open_bytes -= top->rows.len;
		spare_put(m, &top->rows);
		m->heap[0] = m->heap[--m->heap_cnt];
	}
	heap_down(m);
}

int merge_next(struct merge *m, const union lab_event **ev)
{
	if (m->given)
		merge_advance(m);
	m->given = false;
	while (m->next < m->chunk_cnt &&
	       (!m->heap_cnt || m->chunks[m->next]->head.first_ns <= m->heap[0].next->ts_ns)) {
		int err = merge_open_next(m);

		if (err)
			return err;
	}
	if (!m->heap_cnt)
		return 0;
	m->given = true;
	*ev = (const void *)m->heap[0].next;
	return 1;
}

size_t merge_failed(const struct merge *m)
{
	return m ? m->failed : 0;
}

uint64_t merge_unknown(const struct merge *m)
{
	return m ? m->unknown : 0;
}

void merge_free(struct merge *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->heap_cnt; i++)
		free(m->heap[i].rows.p);
	for (size_t i = 0; i < m->spare_cnt; i++)
		free(m->spare[i].p);
	ahead_free(m->ahead);
	free(m->chunks);
	free(m->heap);
	free(m->spare);
	free(m);
}
