/* SPDX-License-Identifier: GPL-2.0-only */
#include "reread/columns.h"

#include <stdio.h>

#define GROUP_IDS 256
#define FIELDS_MAX 128
#define NAME_MAX_BYTES 31
#define TEXT_MAX_BYTES 255
#define DIRECTORY_MAX (256u << 10)
#define STRINGS_PER_EVENT 8
#define MASK_WORDS 16		/* of an affinity record */

enum { TYPE_UNSIGNED, TYPE_SIGNED, TYPE_TEXT };
enum { FORM_PLAIN, FORM_ZIGZAG };
enum { PREDICT_NONE, PREDICT_ROW, PREDICT_KEY };
enum { ROW_KIND, ROW_CPU, ROW_TS, ROW_SEQ, ROW_CNT };	/* slots of group 0 */
enum { NO_SLOT = -1, TEXT = 16 };	/* TEXT: bytes; what has more than 8 is a text */

/* The fields of section 11. One that is wider in a file, or of another type, is refused. */
#define K(kind) (1u << KIND_##kind)
#define BORN (K(NEW) | K(SEED))
#define COUNTED (K(OUT) | BORN | K(TASK_TOTAL))
#define CALLED (K(OUT) | BORN)

static const struct known {
	const char *name;
	int16_t slot;
	uint8_t bytes;
	uint32_t kinds;		/* 0: those of group 0 */
} known[] = {
	{ "kind", ROW_KIND, 1, 0 }, { "cpu", ROW_CPU, 2, 0 },
	{ "ts_ns", ROW_TS, 8, 0 }, { "seq", ROW_SEQ, 8, 0 },
	{ "task", F_TASK, 4, ~0u }, { "flags", F_FLAGS, 1, ~0u },
	{ "nvcsw", F_NVCSW, 8, COUNTED }, { "nivcsw", F_NIVCSW, 8, COUNTED },
	{ "sum_exec_ns", F_SUM_EXEC, 8, COUNTED },
	{ "migrations", F_MIGRATIONS, 4, COUNTED | K(MIGRATE) },
	{ "syscall", F_SYSCALL, 4, CALLED }, { "arg0", F_ARG0, 8, CALLED },
	{ "arg1", F_ARG1, 8, CALLED }, { "arg2", F_ARG2, 8, CALLED },
	{ "fd_type", F_FD_TYPE, 1, CALLED | K(CTL) }, { "futex_owner", F_OWNER, 4, K(OUT) },
	{ "fd_flags", F_FD_FLAGS, 2, K(OUT) },
	{ "prev_state", F_STATE, 4, K(OUT) }, { "state", F_STATE, 4, BORN },
	{ "clock_task_ns", F_CLOCK, 8, K(OUT) | K(IN) }, { "next_id", F_NEXT_ID, 4, K(OUT) },
	{ "exec_start_ns", F_EXEC_START, 8, K(OUT) },
	{ "prev_since_ns", F_SINCE, 8, K(IN) | K(CLASS) },
	{ "waker_id", F_WAKER_ID, 4, K(WAKING) }, { "waker_tid", F_WAKER_TID, 4, K(WAKING) },
	{ "waker_syscall", F_WAKER_SYSCALL, 4, K(WAKING) },
	{ "waker_arg0", F_WAKER_ARG0, 8, K(WAKING) },
	{ "orig_cpu", F_ORIG_CPU, 4, K(MIGRATE) },
	{ "dest_cpu", F_DEST_CPU, 4, K(MIGRATE) | K(WAKEUP_NEW) },
	{ "parent_id", F_PARENT, 4, BORN }, { "tid", F_TID, 4, BORN | K(EXEC) },
	{ "tgid", F_TGID, 4, BORN }, { "clone_flags", F_CLONE, 8, BORN },
	{ "on_cpu", F_ON_CPU, 1, BORN }, { "task_cpu", F_TASK_CPU, 2, BORN },
	{ "epfd", F_EPFD, 4, K(CTL) | K(READY) }, { "fd", F_FD, 4, K(CTL) },
	{ "op", F_OP, 4, K(CTL) }, { "data", F_DATA, 8, K(CTL) }, { "cnt", F_CNT, 4, K(READY) },
	{ "switch_outs", F_OUTS, 8, K(TASK_TOTAL) }, { "migrates", F_MIGRATES, 8, K(TASK_TOTAL) },
	{ "dead", F_DEAD, 4, K(TASK_TOTAL) }, { "seq_end", F_SEQ_END, 8, K(CPU_TOTAL) },
	{ "refused", F_REFUSED, 8, K(CPU_TOTAL) }, { "queue_cpu", F_DEST_CPU, 4, K(THROTTLE) },
	{ "text", F_TEXT, MARKER_TEXT_MAX, K(MARKER) },
	/* Those that no verdict rests on. */
	{ "next_tid", NO_SLOT, 4, K(OUT) | K(CLASS) },
	{ "next_class", NO_SLOT, 1, K(OUT) | K(CLASS) },
	{ "steal_ns", NO_SLOT, 8, K(OUT) | K(IN) },
	{ "prev_tid", NO_SLOT, 4, K(IN) | K(CLASS) },
	{ "prev_class", NO_SLOT, 1, K(IN) | K(CLASS) },
	{ "last_class", NO_SLOT, 1, K(CLASS) }, { "prev_comm", NO_SLOT, TEXT, K(IN) | K(CLASS) },
	{ "waker_comm", NO_SLOT, TEXT, K(WAKING) }, { "state", NO_SLOT, 4, K(WAKING) },
	{ "policy", NO_SLOT, 4, BORN }, { "nice", NO_SLOT, 4, BORN },
	{ "old_tid", NO_SLOT, 4, K(EXEC) },
	{ "comm", NO_SLOT, TEXT, BORN | K(EXEC) | K(RENAME) }, { "exit_code", NO_SLOT, 4, K(EXIT) },
	{ "events", NO_SLOT, 4, K(CTL) }, { "epfd", NO_SLOT, 4, K(WAIT) },
	{ "ready", NO_SLOT, 4, K(WAIT) },
	{ "enter_ns", NO_SLOT, 8, K(WAIT) }, { "last_ns", NO_SLOT, 8, K(TASK_TOTAL) },
	{ "refused_first_ns", NO_SLOT, 8, K(CPU_TOTAL) },
	{ "refused_last_ns", NO_SLOT, 8, K(CPU_TOTAL) },
	{ "group", NO_SLOT, 4, K(GROUP) | K(THROTTLE) }, { "quota_milli", NO_SLOT, 4, K(GROUP) },
};

struct field {
	char name[NAME_MAX_BYTES + 1];
	uint8_t type, bytes, form, predictor;
	uint16_t key, base;	/* references */
	uint16_t key_number;	/* of the keys of its group, in the order of their first use */
	bool skipped;		/* not coded as version 1 codes */
	bool is_cpu;
	int16_t slot;
	uint64_t mask;
};

struct group {
	uint32_t id, field_cnt, key_cnt;
	struct field *fields;
	uint64_t longest;	/* bytes of one row */
};

struct layout {
	struct group *groups;
	uint32_t group_cnt;
	const struct group *of_id[GROUP_IDS];
	uint64_t longest_row;
};

/* ---- bytes ---- */

uint64_t cursor_fail(struct cursor *c)
{
	c->p = c->end;
	c->bad = true;
	return 0;
}

uint64_t cursor_varint(struct cursor *c, uint64_t max)
{
	uint64_t v = 0;

	for (unsigned int shift = 0; shift <= 63 && c->p < c->end; shift += 7) {
		uint64_t byte = *c->p++;

		if (shift == 63 && byte > 1)
			break;
		v |= (byte & 0x7f) << shift;
		if (byte < 0x80)
			return v <= max ? v : cursor_fail(c);
	}
	return cursor_fail(c);
}

struct cursor cursor_cut(struct cursor *c, uint64_t len)
{
	struct cursor part = { c->p, c->p, len > (uint64_t)(c->end - c->p) };

	if (part.bad)
		cursor_fail(c);
	else
		part.end = c->p += len;
	return part;
}

struct words cursor_text(struct cursor *c)
{
	struct cursor text = cursor_cut(c, cursor_varint(c, UINT64_MAX));

	return (struct words){ (const char *)text.p, (size_t)(text.end - text.p) };
}

/* ---- section 5: SCHM ---- */

static bool take_name(struct cursor *c, char *name)
{
	struct words w = cursor_text(c);

	if (c->bad || !w.len || w.len > NAME_MAX_BYTES || memchr(w.p, 0, w.len))
		return false;
	memcpy(name, w.p, w.len);
	name[w.len] = '\0';
	return true;
}

/* Give a field its slot. False: it is known, and not as the file has it. */
static bool field_bind(const struct group *g, struct field *f)
{
	uint8_t bytes = 0;

	f->slot = NO_SLOT;
	for (size_t i = 0; i < ARRAY_SIZE(known) && g->id < KIND_CNT; i++) {
		if ((g->id ? known[i].kinds >> g->id & 1 : !known[i].kinds) &&
		    !strcmp(known[i].name, f->name)) {
			f->slot = known[i].slot;
			bytes = known[i].bytes;
		}
	}
	for (int n = 0; n < 3 * READY_MAX && (g->id == KIND_READY || g->id == KIND_AFFINITY); n++) {
		static const char *const parts[] = { "data_lo", "data_hi", "events" };
		char is[24];

		if (g->id == KIND_READY)
			snprintf(is, sizeof(is), "ready%d_%s", n / 3, parts[n % 3]);
		else
			snprintf(is, sizeof(is), "word%d", n);
		if (strcmp(is, f->name) || (g->id == KIND_AFFINITY && n >= MASK_WORDS))
			continue;
		bytes = g->id == KIND_READY ? 4 : 8;
		if (g->id == KIND_READY && n % 3 < 2)
			f->slot = (int16_t)(F_READY + n / 3 * 2 + n % 3);
	}
	f->is_cpu = g->id ? f->slot == F_ORIG_CPU || f->slot == F_DEST_CPU ||
			    f->slot == F_TASK_CPU :
			    f->slot == ROW_CPU;
	return !bytes || (!f->skipped && f->bytes <= bytes &&
			  (f->type == TYPE_TEXT) == (bytes > 8));
}

static bool is_skipped(const struct layout *l, const struct group *g, uint16_t ref)
{
	uint32_t heads = l->groups[0].field_cnt;

	return ref && (ref <= heads ? &l->groups[0].fields[ref - 1] :
				      &g->fields[ref - heads - 1])->skipped;
}

static bool field_parse(struct layout *l, struct group *g, uint32_t index, struct cursor *in)
{
	struct field *f = &g->fields[index];
	struct cursor c = cursor_cut(in, cursor_varint(in, UINT64_MAX));
	uint16_t ref_max = (uint16_t)(index + (g->id ? l->groups[0].field_cnt : 0));
	unsigned int bits;

	if (in->bad || !take_name(&c, f->name))
		return false;
	f->type = (uint8_t)cursor_varint(&c, UINT8_MAX);
	f->bytes = (uint8_t)cursor_varint(&c, TEXT_MAX_BYTES);
	f->form = (uint8_t)cursor_varint(&c, UINT8_MAX);
	f->predictor = (uint8_t)cursor_varint(&c, UINT8_MAX);
	f->key = (uint16_t)cursor_varint(&c, ref_max);
	f->base = (uint16_t)cursor_varint(&c, ref_max);
	if (c.bad || !f->bytes || (f->predictor == PREDICT_KEY && !f->key))
		return false;
	f->key_number = (uint16_t)g->key_cnt;
	for (uint32_t i = 0; i < index; i++) {
		if (!strcmp(g->fields[i].name, f->name))
			return false;
		if (g->fields[i].predictor == PREDICT_KEY && g->fields[i].key == f->key &&
		    !g->fields[i].skipped)
			f->key_number = g->fields[i].key_number;
	}
	f->skipped = f->type > TYPE_TEXT || f->form > FORM_ZIGZAG || f->predictor > PREDICT_KEY ||
		     (f->type != TYPE_TEXT && (f->bytes > 8 || f->bytes & (f->bytes - 1))) ||
		     is_skipped(l, g, f->key) || is_skipped(l, g, f->base);
	if (!f->skipped && f->predictor == PREDICT_KEY && f->key_number == g->key_cnt)
		g->key_cnt++;
	bits = f->type == TYPE_TEXT ? 32 : 8u * min_u64(f->bytes, 8);
	f->mask = UINT64_MAX >> (64 - bits);
	g->longest += f->skipped ? 267 : (bits + 6) / 7 + (f->type == TYPE_TEXT ? 257u : 0);
	return field_bind(g, f);
}

static bool group_parse(struct layout *l, struct cursor *in)
{
	struct group *g = &l->groups[l->group_cnt++];
	char name[NAME_MAX_BYTES + 1];

	g->id = (uint32_t)cursor_varint(in, GROUP_IDS - 1);
	if (in->bad || !take_name(in, name) || l->of_id[g->id] || !g->id != (g == l->groups))
		return false;
	l->of_id[g->id] = g;
	g->field_cnt = (uint32_t)cursor_varint(in, FIELDS_MAX);
	g->fields = xcalloc(g->field_cnt + 1, sizeof(*g->fields));
	for (uint32_t i = 0; i < g->field_cnt; i++)
		if (!field_parse(l, g, i, in))
			return false;
	return !in->bad;
}

struct layout *layout_parse(const uint8_t *raw, size_t len)
{
	struct layout *l = xcalloc(1, sizeof(*l));
	struct cursor in = { raw, raw + len, false };
	uint64_t cnt = cursor_varint(&in, GROUP_IDS), longest = 0;
	uint32_t slots = 0;
	bool ok = cnt > 0;

	l->groups = xcalloc(cnt + 1, sizeof(*l->groups));
	for (uint64_t i = 0; i < cnt && ok; i++) {
		ok = group_parse(l, &in);
		longest = max_u64(longest, i ? l->groups[i].longest : 0);
	}
	for (uint32_t i = 0; i < l->groups[0].field_cnt && ok; i++)
		slots += l->groups[0].fields[i].slot != NO_SLOT;
	l->longest_row = l->groups[0].longest + longest;
	if (ok && slots == ROW_CNT)
		return l;
	layout_free(l);
	return NULL;
}

uint64_t layout_longest(const struct layout *l, uint64_t events)
{
	return DIRECTORY_MAX + events * l->longest_row;
}

void layout_free(struct layout *l)
{
	for (uint32_t i = 0; l && i < l->group_cnt; i++)
		free(l->groups[i].fields);
	if (l)
		free(l->groups);
	free(l);
}

/* ---- section 6: EVTS ---- */

struct column {
	struct cursor in;
	uint64_t last;			/* L */
	VEC(uint64_t) memory;		/* M, by the number of the key's value */
};

/* The rows of one group that are left, and the values that its keys had, numbered. */
struct rows {
	const struct group *group;
	uint32_t left;
	struct column *columns;
	struct idmap *keys;
};

struct block {
	const struct layout *layout;
	uint8_t *raw;			/* owned */
	VEC(struct words) texts;
	struct rows rows[GROUP_IDS];
	uint64_t values[2 * FIELDS_MAX];	/* of the next row: of group 0, then its own */
	struct head head;
	uint32_t left;			/* events */
	bool bad;
};

/* The rows of group 0 and, behind them, of another one: a reference r is values[r - 1]. */
static bool row_decode(struct block *b, struct rows *rows)
{
	uint64_t *out = b->values + (rows->group->id ? b->layout->groups[0].field_cnt : 0);
	uint32_t numbers[FIELDS_MAX], known_cnt = 0;

	for (uint32_t i = 0; i < rows->group->field_cnt; i++) {
		const struct field *f = &rows->group->fields[i];
		struct column *c = &rows->columns[i];
		uint64_t x, n;

		out[i] = 0;
		if (f->skipped)
			continue;
		x = cursor_varint(&c->in, f->mask);
		x = f->form == FORM_ZIGZAG ? (x >> 1) ^ -(x & 1) : x;
		if (f->predictor == PREDICT_KEY) {
			if (f->key_number == known_cnt)
				numbers[known_cnt++] = map_number(&rows->keys[f->key_number],
								  b->values[f->key - 1], 0);
			n = numbers[f->key_number];
			x += n < c->memory.cnt ? c->memory.v[n] : c->last;
			if (n == c->memory.cnt)
				PUSH(c->memory);
			c->memory.v[n] = x;
		} else if (f->predictor == PREDICT_ROW) {
			x += c->last;
		}
		c->last = x;
		out[i] = (x + (f->base ? b->values[f->base - 1] : 0)) & f->mask;
		if (c->in.bad || (f->is_cpu && out[i] >= CPU_NUMBERS) ||
		    (f->type == TYPE_TEXT &&
		     (out[i] >= b->texts.cnt || b->texts.v[out[i]].len > f->bytes)))
			return false;
	}
	return true;
}

/* The next row of group 0. */
static bool head_decode(struct block *b)
{
	struct head last = b->head;
	uint64_t slots[ROW_CNT] = { 0 };

	if (!b->left || !row_decode(b, &b->rows[0]))
		return false;
	for (uint32_t i = 0; i < b->layout->groups[0].field_cnt; i++)
		if (b->layout->groups[0].fields[i].slot != NO_SLOT)
			slots[b->layout->groups[0].fields[i].slot] = b->values[i];
	b->head = (struct head){ slots[ROW_TS], slots[ROW_SEQ], (uint32_t)slots[ROW_CPU],
				 (uint32_t)slots[ROW_KIND] };
	return !head_before(&b->head, &last) && b->head.kind && b->rows[b->head.kind].left;
}

/* Strings and directory, and where each column is. */
static bool block_begin(struct block *b, size_t len, uint32_t events)
{
	struct cursor in = { b->raw, b->raw + len, false };
	uint64_t cnt = cursor_varint(&in, (uint64_t)events * STRINGS_PER_EVENT), rows = 0;
	VEC(uint64_t) lengths = { 0 };
	uint32_t order[GROUP_IDS], at = 0;

	while (b->texts.cnt < cnt && !in.bad) {
		ADD(b->texts, cursor_text(&in));
		if (b->texts.v[b->texts.cnt - 1].len > TEXT_MAX_BYTES)
			cursor_fail(&in);
	}
	cnt = cursor_varint(&in, b->layout->group_cnt);
	for (uint64_t i = 0; i < cnt && !in.bad; i++) {
		struct rows *r = &b->rows[order[i] = (uint32_t)cursor_varint(&in, GROUP_IDS - 1)];

		if (r->group || !b->layout->of_id[order[i]] || !order[i] != !i)
			cursor_fail(&in);
		r->group = b->layout->of_id[order[i]];
		r->left = (uint32_t)cursor_varint(&in, events);
		rows += i ? r->left : 0;
		if (!r->left || (!i && r->left != events))
			cursor_fail(&in);
		for (uint32_t k = 0; !in.bad && k < r->group->field_cnt; k++)
			ADD(lengths, cursor_varint(&in, UINT64_MAX));
	}
	for (uint64_t i = 0; i < cnt && !in.bad; i++) {
		struct rows *r = &b->rows[order[i]];

		r->columns = xcalloc(r->group->field_cnt + 1, sizeof(*r->columns));
		r->keys = xcalloc(r->group->key_cnt + 1, sizeof(*r->keys));
		for (uint32_t k = 0; k < r->group->field_cnt; k++)
			r->columns[k].in = cursor_cut(&in, lengths.v[at++]);
	}
	free(lengths.v);
	b->left = events;
	return cnt && !in.bad && in.p == in.end && rows == events;
}

struct block *block_open(const struct layout *l, uint8_t *raw, size_t len, uint32_t events)
{
	struct block *b = xcalloc(1, sizeof(*b));

	b->layout = l;
	b->raw = raw;
	b->bad = !block_begin(b, len, events) || !head_decode(b);
	return b;
}

const struct head *block_head(const struct block *b)
{
	return b->left && !b->bad ? &b->head : NULL;
}

void block_event(struct block *b, struct event *ev)
{
	struct rows *r = &b->rows[b->head.kind];
	const uint64_t *v = &b->values[b->layout->groups[0].field_cnt];

	memset(ev, 0, offsetof(struct event, text_bytes));
	ev->head = b->head;
	r->left--;
	b->left--;
	b->bad |= b->head.kind < KIND_CNT && !row_decode(b, r);
	for (uint32_t i = 0; b->head.kind < KIND_CNT && !b->bad && i < r->group->field_cnt; i++) {
		const struct field *f = &r->group->fields[i];

		if (f->slot == NO_SLOT)
			continue;
		if (f->slot == F_TEXT) {
			ev->text = (struct words){ ev->text_bytes, b->texts.v[v[i]].len };
			memcpy(ev->text_bytes, b->texts.v[v[i]].p, ev->text.len);
		}
		ev->f[f->slot] = f->type == TYPE_SIGNED && v[i] > f->mask / 2 ?
				 v[i] | ~f->mask : v[i];
	}
	b->bad |= b->left && !head_decode(b);
}

bool block_is_used_up(const struct block *b)
{
	bool used_up = !b->bad && !b->left;

	for (uint32_t id = 0; id < KIND_CNT; id++)
		for (uint32_t k = 0; b->rows[id].columns && k < b->rows[id].group->field_cnt; k++)
			used_up &= b->rows[id].group->fields[k].skipped ||
				   b->rows[id].columns[k].in.p == b->rows[id].columns[k].in.end;
	return used_up;
}

void block_free(struct block *b)
{
	for (uint32_t id = 0; id < GROUP_IDS; id++) {
		struct rows *r = &b->rows[id];

		for (uint32_t k = 0; r->columns && k < r->group->field_cnt; k++)
			free(r->columns[k].memory.v);
		for (uint32_t k = 0; r->keys && k < r->group->key_cnt; k++)
			idmap_release(&r->keys[k]);
		free(r->columns);
		free(r->keys);
	}
	free(b->texts.v);
	free(b->raw);
	free(b);
}
