/* SPDX-License-Identifier: GPL-2.0-only */
#include "verify/columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/minmax.h"
#include "verify/fields.h"
#include "verify/map.h"

#define GROUP_IDS 256
#define FIELDS_MAX 128
#define NAME_MAX_BYTES 31
#define TEXT_MAX_BYTES 255
#define DIRECTORY_MAX (256u << 10)
#define STRINGS_PER_EVENT 8

enum { TYPE_UNSIGNED, TYPE_SIGNED, TYPE_TEXT };
enum { FORM_PLAIN, FORM_ZIGZAG };
enum { PREDICT_NONE, PREDICT_ROW, PREDICT_KEY };

struct field {
	char name[NAME_MAX_BYTES + 1];
	uint8_t type, bytes, form, predictor;
	uint16_t key, base;	/* references */
	bool skipped;		/* not coded as version 1 codes */
	bool is_cpu;
	int16_t slot;
};

struct group {
	uint16_t id;
	uint32_t field_cnt;
	struct field *fields;
	uint64_t longest;	/* bytes of one row */
};

struct layout {
	struct group *groups;
	uint32_t group_cnt;
	const struct group *of_id[GROUP_IDS];
	uint32_t row_field[ROW_CNT];
	uint64_t longest_row;
	struct map keys;	/* of the column being decoded */
};

static unsigned int bits_of(const struct field *f)
{
	return f->type == TYPE_TEXT ? 32 : 8u * f->bytes;
}

/* ---- SCHM ---- */

static bool take_name(struct cursor *c, char *name)
{
	struct words w = cursor_text(c);

	if (c->bad || !w.len || w.len > NAME_MAX_BYTES || memchr(w.p, 0, w.len))
		return false;
	memcpy(name, w.p, w.len);
	name[w.len] = '\0';
	return true;
}

/* readyN_events, readyN_data_lo and readyN_data_hi, N below READY_MAX. False: it is none. */
static bool ready_known(const char *name, struct known *out)
{
	static const char *const parts[] = { "data_lo", "data_hi", "events" };

	for (int n = 0; n < 3 * READY_MAX; n++) {
		char is[24];

		snprintf(is, sizeof(is), "ready%d_%s", n / 3, parts[n % 3]);
		if (strcmp(name, is))
			continue;
		*out = (struct known){ name, n % 3 == 2 ? UNUSED : F_READY + n / 3 * 2 + n % 3, 4, 0 };
		return true;
	}
	return false;
}

/* wordN, N below MASK_WORDS. False: it is none. */
static bool word_known(const char *name, struct known *out)
{
	for (int n = 0; n < MASK_WORDS; n++) {
		char is[24];

		snprintf(is, sizeof(is), "word%d", n);
		if (strcmp(name, is))
			continue;
		*out = (struct known){ name, UNUSED, 8, 0 };
		return true;
	}
	return false;
}

/* What this page knows of a field; a NULL name: nothing. */
static struct known known_of(const struct group *g, const char *name)
{
	struct known none = { NULL, UNUSED, 0, 0 };

	for (size_t i = 0; i < ROW_CNT && !g->id; i++)
		if (!strcmp(name, row_known[i].name))
			return row_known[i];
	if (!g->id || g->id >= KIND_CNT)
		return none;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if ((!known[i].kinds || known[i].kinds >> g->id & 1) && !strcmp(name, known[i].name))
			return known[i];
	if (g->id == KIND_READY)
		ready_known(name, &none);
	if (g->id == KIND_AFFINITY)
		word_known(name, &none);
	return none;
}

/* False: it is known, and not as the file has it. */
static bool field_bind(const struct group *g, struct field *f)
{
	struct known want = known_of(g, f->name);

	f->slot = want.slot;
	f->is_cpu = g->id ? want.slot == F_ORIG_CPU || want.slot == F_DEST_CPU ||
			    want.slot == F_TASK_CPU : !strcmp(f->name, "cpu");
	return !want.name || (!f->skipped && f->bytes <= want.bytes &&
			      (f->type == TYPE_TEXT) == (want.bytes > 8));
}

static bool is_skipped(const struct layout *l, const struct group *g, uint16_t ref)
{
	uint32_t rows = l->groups[0].field_cnt;

	return ref && (ref <= rows ? &l->groups[0].fields[ref - 1] : &g->fields[ref - rows - 1])->skipped;
}

static bool field_parse(struct layout *l, struct group *g, uint32_t index, struct cursor *in)
{
	struct field *f = &g->fields[index];
	struct cursor c = cursor_cut(in, cursor_varint(in, UINT64_MAX));
	uint16_t ref_max = (uint16_t)(index + (g->id ? l->groups[0].field_cnt : 0));

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
	for (uint32_t i = 0; i < index; i++)
		if (!strcmp(g->fields[i].name, f->name))
			return false;
	f->skipped = f->type > TYPE_TEXT || f->form > FORM_ZIGZAG || f->predictor > PREDICT_KEY ||
		     (f->type != TYPE_TEXT && (f->bytes > 8 || f->bytes & (f->bytes - 1))) ||
		     is_skipped(l, g, f->key) || is_skipped(l, g, f->base);
	return field_bind(g, f);
}

static bool group_parse(struct layout *l, struct cursor *in)
{
	struct group *g = &l->groups[l->group_cnt++];
	char name[NAME_MAX_BYTES + 1];

	g->id = (uint16_t)cursor_varint(in, GROUP_IDS - 1);
	if (in->bad || !take_name(in, name) || l->of_id[g->id] || !g->id != (g == l->groups))
		return false;
	l->of_id[g->id] = g;
	g->field_cnt = (uint32_t)cursor_varint(in, FIELDS_MAX);
	if (in->bad)
		return false;
	g->fields = xcalloc(g->field_cnt + 1, sizeof(*g->fields));
	for (uint32_t i = 0; i < g->field_cnt; i++) {
		const struct field *f = &g->fields[i];

		if (!field_parse(l, g, i, in))
			return false;
		g->longest += f->skipped ? 267 :
			      (bits_of(f) + 6) / 7 + (f->type == TYPE_TEXT ? 257u : 0);
	}
	return true;
}

static bool find_row_fields(struct layout *l)
{
	const struct group *row = l->groups;

	for (uint32_t k = 0; k < ROW_CNT; k++) {
		uint32_t i = 0;

		while (i < row->field_cnt && strcmp(row->fields[i].name, row_known[k].name))
			i++;
		if (i == row->field_cnt)
			return false;
		l->row_field[k] = i;
	}
	return true;
}

struct layout *layout_parse(const uint8_t *raw, size_t len)
{
	struct layout *l = xcalloc(1, sizeof(*l));
	struct cursor in = { raw, raw + len, false };
	uint64_t cnt = cursor_varint(&in, GROUP_IDS), longest = 0;
	bool ok = cnt > 0;

	l->groups = xcalloc(cnt + 1, sizeof(*l->groups));
	for (uint64_t i = 0; i < cnt && ok; i++) {
		ok = group_parse(l, &in);
		if (i)
			longest = max_u64(longest, l->groups[i].longest);
	}
	l->longest_row = l->groups[0].longest + longest;
	if (ok && find_row_fields(l))
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
	if (!l)
		return;
	for (uint32_t i = 0; i < l->group_cnt; i++)
		free(l->groups[i].fields);
	free(l->groups);
	free(l->keys.keys);
	free(l);
}

/* ---- EVTS ---- */

/* A chunk's strings, copied: the payload is not kept. */
static bool texts_take(struct cursor *in, uint32_t events, struct block *b)
{
	uint64_t cnt = cursor_varint(in, (uint64_t)events * STRINGS_PER_EVENT);
	const char *start = (const char *)in->p;

	b->texts = xcalloc(min_u64(cnt, cursor_left(in)) + 1, sizeof(*b->texts));
	for (; b->text_cnt < cnt && !in->bad; b->text_cnt++) {
		b->texts[b->text_cnt] = cursor_text(in);
		if (in->bad || b->texts[b->text_cnt].len > TEXT_MAX_BYTES)
			return false;
	}
	b->text_bytes = xmalloc((size_t)((const char *)in->p - start) + 1);
	memcpy(b->text_bytes, start, (size_t)((const char *)in->p - start));
	for (size_t i = 0; i < b->text_cnt; i++)
		b->texts[i].p = b->text_bytes + (b->texts[i].p - start);
	return !in->bad;
}

/* What a chunk says of one group. */
struct part {
	const struct group *group;
	uint32_t rows;
	uint64_t len[FIELDS_MAX];	/* of its columns */
	uint32_t *row;			/* the rows of group 0 that it continues; NULL: all */
};

/* The directory. Return: the number of groups, 0 if it is wrong. */
static uint32_t parts_take(const struct layout *l, struct cursor *in, uint32_t events,
			   struct part *parts)
{
	uint32_t cnt = (uint32_t)cursor_varint(in, l->group_cnt);
	bool seen[GROUP_IDS] = { false };
	uint64_t rows = 0;

	for (uint32_t i = 0; i < cnt; i++) {
		uint64_t id = cursor_varint(in, GROUP_IDS - 1);
		struct part *p = &parts[i];

		p->group = l->of_id[id];
		if (in->bad || !p->group || seen[id] || !id != !i)
			return 0;
		seen[id] = true;
		p->rows = (uint32_t)cursor_varint(in, events);
		if (!p->rows || (!id && p->rows != events))
			return 0;
		rows += id ? p->rows : 0;
		for (uint32_t k = 0; k < p->group->field_cnt; k++)
			p->len[k] = cursor_varint(in, UINT64_MAX);
	}
	return in->bad || rows != events ? 0 : cnt;
}

/* The values of a field that others refer to: @row maps theirs to its rows, NULL if they are the same. */
struct values {
	const uint64_t *v;
	const uint32_t *row;
};

static uint64_t value_at(const struct values *from, uint32_t i)
{
	return from->v[from->row ? from->row[i] : i];
}

static struct values values_of(const struct layout *l, const struct block *b,
			       const struct part *p, uint32_t ref)
{
	uint32_t heads = l->groups[0].field_cnt;

	if (ref <= heads)
		return (struct values){ &b->values[(size_t)(ref - 1) * b->rows[0]], p->row };
	return (struct values){
		&b->values[b->first[p->group->id] + (size_t)(ref - heads - 1) * p->rows], NULL
	};
}

/* The values of the key of each row, numbered in the order in which they are first met. */
struct keys {
	uint32_t ref;
	uint32_t *number;
};

static void keys_number(struct layout *l, const struct values *from, uint32_t rows,
			uint32_t *number)
{
	uint32_t of_small[256];

	memset(of_small, 0xff, sizeof(of_small));
	map_clear(&l->keys);
	for (uint32_t i = 0; i < rows; i++) {
		uint64_t v = value_at(from, i);

		if (v >= ARRAY_SIZE(of_small))
			number[i] = map_put(&l->keys, v, 0);
		else if (of_small[v] == MAP_NONE)
			number[i] = of_small[v] = map_put(&l->keys, v, 0);
		else
			number[i] = of_small[v];
	}
}

/* Decode one column whose references are decoded. */
static bool column_decode(const struct field *f, struct cursor *c, uint32_t rows,
			  const uint32_t *key, const struct values *base, uint64_t *memory,
			  uint64_t *out)
{
	uint64_t mask = UINT64_MAX >> (64 - bits_of(f)), last = 0;
	uint32_t met = 0;

	for (uint32_t i = 0; i < rows; i++) {
		uint64_t x = cursor_varint(c, mask);

		if (f->form == FORM_ZIGZAG)
			x = (x >> 1) ^ -(x & 1);
		if (key && key[i] < met)
			x += memory[key[i]];
		else if (f->predictor != PREDICT_NONE)
			x += last;
		if (key) {
			met += key[i] == met;
			memory[key[i]] = x;
		}
		last = x;
		out[i] = (x + (base->v ? value_at(base, i) : 0)) & mask;
	}
	return !c->bad && !cursor_left(c);
}

static bool column_check(const struct field *f, const struct block *b, const uint64_t *v,
			 uint32_t rows)
{
	for (uint32_t i = 0; i < rows; i++) {
		if (f->is_cpu && v[i] >= CPU_NUMBERS)
			return false;
		if (f->type == TYPE_TEXT && (v[i] >= b->text_cnt || b->texts[v[i]].len > f->bytes))
			return false;
	}
	return true;
}

/* All columns of one group; @payload: theirs, one behind the other. */
static bool part_decode(struct layout *l, struct block *b, const struct part *p,
			struct cursor *payload)
{
	uint64_t *memory = xcalloc(p->rows, sizeof(*memory));
	bool ok = true, is_known = p->group->id < KIND_CNT;
	struct keys keys[FIELDS_MAX];
	uint32_t key_cnt = 0;

	for (uint32_t i = 0; i < p->group->field_cnt && ok; i++) {
		uint64_t *out = &b->values[b->first[p->group->id] + (size_t)i * p->rows];
		struct cursor column = cursor_cut(payload, p->len[i]);
		const struct field *f = &p->group->fields[i];
		struct values base = { NULL, NULL };
		uint32_t k = 0;

		ok = !payload->bad;
		if (!ok || !is_known || f->skipped)
			continue;
		if (f->base)
			base = values_of(l, b, p, f->base);
		while (f->predictor == PREDICT_KEY && k < key_cnt && keys[k].ref != f->key)
			k++;
		if (f->predictor == PREDICT_KEY && k == key_cnt) {
			struct values of = values_of(l, b, p, f->key);

			keys[key_cnt++] = (struct keys){ f->key, xcalloc(p->rows, sizeof(uint32_t)) };
			keys_number(l, &of, p->rows, keys[k].number);
		}
		ok = column_decode(f, &column, p->rows,
				   f->predictor == PREDICT_KEY ? keys[k].number : NULL, &base,
				   memory, out) &&
		     column_check(f, b, out, p->rows);
	}
	while (key_cnt)
		free(keys[--key_cnt].number);
	free(memory);
	return ok;
}

/* ---- the rows ---- */

struct head block_head(const struct layout *l, const struct block *b, uint32_t row)
{
	const uint64_t *v = b->values + row;
	const size_t rows = b->rows[0];

	return (struct head){
		.kind = (uint32_t)v[l->row_field[ROW_KIND] * rows],
		.cpu = (uint32_t)v[l->row_field[ROW_CPU] * rows],
		.ts_ns = v[l->row_field[ROW_TS] * rows],
		.seq = v[l->row_field[ROW_SEQ] * rows],
	};
}

/* Where each kind's rows are among those of group 0. False: out of order, or not as the directory says. */
static bool rows_spread(const struct layout *l, const struct block *b, struct part *parts,
			uint32_t part_cnt, uint32_t *place)
{
	uint32_t met[GROUP_IDS] = { 0 };
	uint32_t *of_id[GROUP_IDS] = { NULL };
	struct head last = { 0 };

	for (uint32_t i = 1; i < part_cnt; i++) {
		parts[i].row = of_id[parts[i].group->id] = place;
		place += parts[i].rows;
	}
	for (uint32_t i = 0; i < b->rows[0]; i++) {
		struct head head = block_head(l, b, i);

		if (head_before(&head, &last) || !of_id[head.kind] ||
		    met[head.kind] == b->rows[head.kind])
			return false;
		of_id[head.kind][met[head.kind]++] = i;
		last = head;
	}
	return true;
}

static bool parts_decode(struct layout *l, struct block *b, struct part *parts, uint32_t cnt,
			 struct cursor *payload)
{
	uint32_t *place;
	bool ok;

	for (uint32_t i = 0; i < cnt; i++) {
		const struct part *p = &parts[i];

		b->rows[p->group->id] = p->rows;
		b->first[p->group->id] = b->value_cnt;
		b->value_cnt += (size_t)p->rows * p->group->field_cnt;
	}
	b->values = xcalloc(b->value_cnt, sizeof(*b->values));
	place = xcalloc(b->rows[0], sizeof(*place));
	ok = part_decode(l, b, &parts[0], payload) && rows_spread(l, b, parts, cnt, place);
	for (uint32_t i = 1; i < cnt && ok; i++)
		ok = part_decode(l, b, &parts[i], payload);
	free(place);
	return ok && !cursor_left(payload);
}

bool block_decode(struct layout *l, const uint8_t *raw, size_t len, uint32_t events,
		  struct block *b)
{
	struct part *parts = xcalloc(l->group_cnt, sizeof(*parts));
	struct cursor in = { raw, raw + len, false };
	uint32_t cnt;
	bool ok;

	*b = (struct block){ 0 };
	ok = texts_take(&in, events, b);
	cnt = ok ? parts_take(l, &in, events, parts) : 0;
	ok = cnt && parts_decode(l, b, parts, cnt, &in);
	free(parts);
	return ok;
}

bool block_event(const struct layout *l, struct block *b, struct event *ev)
{
	const struct group *g;
	const uint64_t *v;
	uint32_t row;

	if (b->next[0] == b->rows[0])
		return false;
	memset(ev, 0, offsetof(struct event, text_bytes));
	ev->head = block_head(l, b, b->next[0]++);
	if (ev->head.kind >= KIND_CNT)
		return true;
	g = l->of_id[ev->head.kind];
	row = b->next[g->id]++;
	v = &b->values[b->first[g->id] + row];
	for (uint32_t i = 0; i < g->field_cnt; i++, v += b->rows[g->id]) {
		const struct field *f = &g->fields[i];
		unsigned int unused = 64 - bits_of(f);

		if (f->slot < 0)
			continue;
		if (f->slot == F_TEXT) {
			ev->text = (struct words){ ev->text_bytes, b->texts[*v].len };
			memcpy(ev->text_bytes, b->texts[*v].p, ev->text.len);
		}
		ev->f[f->slot] = f->type == TYPE_SIGNED ?
			(uint64_t)((int64_t)(*v << unused) >> unused) : *v;
	}
	return true;
}

void block_release(struct block *b)
{
	free(b->values);
	free(b->texts);
	free(b->text_bytes);
	*b = (struct block){ 0 };
}
