/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * build_markers - operations as programs mark them themselves.
 */
#include <stdlib.h>
#include <string.h>

#include "model/build.h"
#include "model/markers.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define NODE_BYTES 8

/* A number for a text, the same for the same text: a path through nodes of up to 8 bytes each. */
static uint32_t text_number(struct model_builder *b, const char *text, size_t len)
{
	uint32_t node = 0;

	do {
		size_t part_len = min_u64(len, NODE_BYTES);
		uint64_t part = 0;

		memcpy(&part, text, part_len);
		node = *idmap_put(&b->text_nodes, (uint64_t)node << 8 | part_len, part,
				  ++b->text_node_cnt);
		text += part_len;
		len -= part_len;
	} while (len);
	return node;
}

/* The place of a name in model.names; 0 is "". */
static uint32_t name_idx(struct model_builder *b, const char *text, size_t len)
{
	struct model *m = &b->m;
	uint32_t *idx;

	if (!len)
		return 0;
	if (!m->name_cnt)
		*vec_push(m->names, m->name_cnt, m->name_cap) = xstrdup("");
	idx = idmap_put(&b->name_by_text, text_number(b, text, len), 0, (uint32_t)m->name_cnt);
	if (*idx == m->name_cnt)
		*vec_push(m->names, m->name_cnt, m->name_cap) = xstrndup(text, len);
	return *idx;
}

/* The operation that has this ID in this process, begun or ended; NULL: none ever had. */
static struct marked *find_marked(struct model_builder *b, uint32_t tgid, const char *id,
				  size_t len)
{
	uint32_t *idx = idmap_get(&b->marked_by_id, tgid, text_number(b, id, len));

	return idx ? &b->marked[*idx] : NULL;
}

static void close_part(struct model_builder *b, struct marked *op, uint64_t ts_ns)
{
	if (op->active)
		*vec_push(b->m.op_parts, b->m.op_part_cnt, b->m.op_part_cap) =
			(struct model_op_part){
				.op_id = op->op.id,
				.task_id = op->active_task_id,
				.start_ns = op->active_since_ns,
				.end_ns = ts_ns,
			};
	op->active = false;
}

static void open_part(struct marked *op, uint32_t task_id, uint64_t ts_ns)
{
	op->active = true;
	op->active_task_id = task_id;
	op->active_since_ns = ts_ns;
}

static void link_to_process(struct model_builder *b, uint32_t idx)
{
	uint32_t *first;

	if (b->marked[idx].linked)
		return;
	first = idmap_put(&b->marked_of_tgid, b->marked[idx].tgid, 0, 0);
	b->marked[idx].linked = true;
	b->marked[idx].next = *first;
	*first = idx + 1;
}

/* @op keeps its place: its number until ops_finish() is that of its beginning. */
static void close_op(struct model_builder *b, struct marked *op, uint64_t ts_ns, bool at_end)
{
	close_part(b, op, ts_ns);
	op->op.end_ns = ts_ns;
	op->op.open_at_end = at_end;
	op->open = false;
	*vec_push(b->m.ops, b->m.op_cnt, b->m.op_cap) = op->op;
}

static void begin_op(struct model_builder *b, uint32_t tgid, const struct marker *mk,
		     const struct lab_ev_head *head)
{
	const struct marked *parent =
		mk->parent_len ? find_marked(b, tgid, mk->id, mk->parent_len) : NULL;
	uint32_t parent_id = parent && parent->open ? parent->op.id : 0;
	uint32_t idx = *idmap_put(&b->marked_by_id, tgid, text_number(b, mk->id, mk->id_len),
				  (uint32_t)b->marked_cnt);
	struct marked *op;

	if (idx == b->marked_cnt)
		(void)vec_push(b->marked, b->marked_cnt, b->marked_cap);
	op = &b->marked[idx];
	/* It begins anew, and its end was never said. */
	if (op->open) {
		b->m.markers_unmatched++;
		close_op(b, op, head->ts_ns, false);
	}
	*op = (struct marked){
		.tgid = tgid,
		.open = true,
		.linked = op->linked,
		.next = op->next,
		.op = {
			.id = ++b->marked_total,
			.parent_id = parent_id,
			.task_id = head->task,
			.tgid = tgid,
			.fd = MODEL_OP_NO_FD,
			.start_ns = head->ts_ns,
			.name_idx = name_idx(b, mk->name, mk->name_len),
		},
	};
	open_part(op, head->task, head->ts_ns);
	link_to_process(b, idx);
}

void markers_forget(struct model_builder *b, uint32_t tgid, uint64_t ts_ns)
{
	uint32_t *first = idmap_get(&b->marked_of_tgid, tgid, 0);

	while (first && *first) {
		struct marked *op = &b->marked[*first - 1];

		if (op->open)
			close_op(b, op, ts_ns, false);
		op->linked = false;
		*first = op->next;
	}
}

void markers_on_marker(struct model_builder *b, const struct lab_ev_marker *ev)
{
	uint32_t tgid = task_get(b, ev->head.task, ev->head.ts_ns)->t.tgid;
	struct marked *op;
	struct marker mk;

	task_acted(b, ev->head.task, ev->head.cpu, ev->head.ts_ns);
	if (ev->head.flags & LAB_F_MARKER_UNREAD) {
		b->m.markers_unread++;
		return;
	}
	if (!marker_parse(ev->text, sizeof(ev->text), &mk)) {
		b->m.markers_malformed++;
		return;
	}
	if (mk.verb == MARKER_BEGIN) {
		begin_op(b, tgid, &mk, &ev->head);
		return;
	}
	op = find_marked(b, tgid, mk.id, mk.id_len);
	if (!op || !op->open) {
		b->m.markers_unmatched++;
		return;
	}
	switch (mk.verb) {
	case MARKER_SUSPEND:
		close_part(b, op, ev->head.ts_ns);
		break;
	case MARKER_RESUME:
		close_part(b, op, ev->head.ts_ns);
		open_part(op, ev->head.task, ev->head.ts_ns);
		break;
	default:
		close_op(b, op, ev->head.ts_ns, false);
	}
}

/* When the last task of each process ended; UINT64_MAX: not yet. */
static uint64_t *process_ends(const struct model_builder *b, struct idmap *place)
{
	uint64_t *ends_ns = xcalloc(b->task_cnt + 1, sizeof(*ends_ns));
	uint32_t cnt = 0;

	for (size_t i = 0; i < b->task_cnt; i++) {
		const struct btask *t = &b->tasks[i];
		uint32_t *at = idmap_put(place, t->t.tgid, 0, cnt);

		cnt += *at == cnt;
		ends_ns[*at] = max_u64(ends_ns[*at],
				       t->life == LIFE_DEAD ? t->death_ns : UINT64_MAX);
	}
	return ends_ns;
}

void markers_finish(struct model_builder *b)
{
	struct idmap place = { 0 };
	uint64_t *ends_ns;

	if (!b->marked_cnt)
		return;
	ends_ns = process_ends(b, &place);
	for (size_t i = 0; i < b->marked_cnt; i++) {
		struct marked *op = &b->marked[i];
		const uint32_t *at = idmap_get(&place, op->tgid, 0);
		uint64_t end_ns = at ? ends_ns[*at] : UINT64_MAX;

		if (op->open)
			close_op(b, op, max_u64(min_u64(end_ns, b->m.end_ns), op->op.start_ns),
				 end_ns == UINT64_MAX);
	}
	free(ends_ns);
	idmap_release(&place);
}
