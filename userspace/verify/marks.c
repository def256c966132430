/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * marks - the operations that programs mark themselves, from their beginning to their end, and which
 * of them are parts of others. Written from section 7 of docs/certificate.md.
 */
#include "verify/replay.h"

#include <string.h>

#include "util/minmax.h"

#define UNREAD 0x01

enum verb { BEGIN, SUSPEND, RESUME, END, VERB_CNT };

static const char *const verbs[VERB_CNT] = { "begin", "suspend", "resume", "end" };

/* What stands before the next colon; @w goes behind it. */
static struct words word_before_colon(struct words *w)
{
	const char *colon = w->len ? memchr(w->p, ':', w->len) : NULL;
	struct words word = { w->p, colon ? (size_t)(colon - w->p) : w->len };
	size_t used = word.len + (colon != NULL);

	w->p += used;
	w->len -= used;
	return word;
}

/* Return: VERB_CNT if the text is no marker. */
static enum verb parse(struct words text, struct words *id)
{
	struct words word;
	int verb = 0;

	if (text.len)
		text.len = strnlen(text.p, text.len);
	word = word_before_colon(&text);
	*id = word_before_colon(&text);
	while (verb < VERB_CNT && !words_are(word, verbs[verb]))
		verb++;
	return id->len ? (enum verb)verb : VERB_CNT;
}

/* The length of the ID of the operation that this one would be a part of; 0: none. */
static size_t whole_len(struct words id)
{
	size_t len = id.len;

	while (len && id.p[len - 1] != '.')
		len--;
	return len ? len - 1 : 0;
}

/* The same number for the same text, by way of its pieces of eight bytes. */
static uint64_t text_number(struct facts *f, const char *p, size_t len)
{
	uint64_t number = 0;

	for (;;) {
		size_t part_len = (size_t)min_u64(len, 8);
		uint64_t part = 0;

		memcpy(&part, p, part_len);
		number = (uint64_t)map_put(&f->texts, number << 8 | part_len, part) + 1;
		p += part_len;
		len -= part_len;
		if (!len)
			return number;
	}
}

/* @f->marks[] of this ID in this process; NULL: there never was one. */
static struct mark *find(struct facts *f, uint32_t tgid, const char *id, size_t len)
{
	uint32_t place = map_get(&f->mark_of, tgid, text_number(f, id, len));

	return place == MAP_NONE ? NULL : &f->marks[place];
}

static void close_mark(struct facts *f, struct mark *m, uint64_t ts_ns)
{
	m->op.end_ns = ts_ns;
	m->open = false;
	*vec_push(f->ops, f->op_cnt, f->op_cap) = m->op;
}

static void begin(struct facts *f, const struct task *t, struct words id, uint64_t ts_ns)
{
	size_t whole = whole_len(id);
	const struct mark *in = whole ? find(f, t->tgid, id.p, whole) : NULL;
	uint64_t part_of = in && in->open ? in->op.begin_number : 0;
	uint32_t place = map_put(&f->mark_of, t->tgid, text_number(f, id.p, id.len));
	struct mark *m;

	if (place == f->mark_cnt)
		(void)vec_push(f->marks, f->mark_cnt, f->mark_cap);
	m = &f->marks[place];
	if (m->open)
		close_mark(f, m, ts_ns);
	*m = (struct mark){
		.open = true, .next = m->next, .listed = m->listed,
		.op = {
			.start_ns = ts_ns, .task = t->id, .tgid = t->tgid, .fd = -1,
			.begin_number = ++f->begin_cnt, .part_of = part_of,
		},
	};
	if (!m->listed) {
		struct process *p = operations_process(f, t->tgid);

		m->listed = true;
		m->next = p->first_mark;
		p->first_mark = place + 1;
		p->marks = true;
	}
}

void marks_event(struct facts *f, uint32_t task, const struct event *ev)
{
	const struct task *t = &f->tasks[task];
	struct words id;
	enum verb verb;
	struct mark *m;

	if (ev->f[F_FLAGS] & UNREAD) {
		f->marks_unread++;
		return;
	}
	verb = parse(ev->text, &id);
	if (verb == BEGIN) {
		begin(f, t, id, ev->head.ts_ns);
	} else if (verb == END) {
		m = find(f, t->tgid, id.p, id.len);
		if (m && m->open)
			close_mark(f, m, ev->head.ts_ns);
	}
}

void marks_forget(struct facts *f, struct process *p, uint64_t ts_ns)
{
	while (p->first_mark) {
		struct mark *m = &f->marks[p->first_mark - 1];

		if (m->open)
			close_mark(f, m, ts_ns);
		m->listed = false;
		p->first_mark = m->next;
	}
}

/* What was left open ends with its process, or with the window. */
void marks_end(struct facts *f)
{
	for (size_t i = 0; i < f->task_cnt && f->mark_cnt; i++) {
		struct process *p = operations_process(f, f->tasks[i].tgid);

		p->has_tasks = true;
		p->end_ns = max_u64(p->end_ns, f->tasks[i].phase == DEAD ? f->tasks[i].death_ns :
					       f->end_ns);
	}
	for (size_t i = 0; i < f->mark_cnt; i++) {
		struct mark *m = &f->marks[i];

		const struct process *p = operations_process(f, m->op.tgid);
		uint64_t end_ns = p->has_tasks ? min_u64(p->end_ns, f->end_ns) : f->end_ns;

		if (m->open)
			close_mark(f, m, max_u64(m->op.start_ns, end_ns));
	}
}
