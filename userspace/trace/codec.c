/* SPDX-License-Identifier: GPL-2.0-only */

#include "trace/codec.h"

#include <errno.h>
#include <sys/random.h>

#include "lab_event.h"
#include "trace/keymap.h"
#include "trace/trace.h"

#define DIRECTORY_BYTES_MAX (256u << 10) /* of a payload: the lengths of all columns of all groups */
#define TEXTS_PER_ROW_MAX 8

/* The state of one group within a chunk. */
struct group_state {
	struct bytes_out *cols;	/* one per field: being encoded */
	struct bytes_in *ins;	/* likewise: being decoded */
	size_t *lens;		/* likewise: of the columns to decode */
	uint64_t *last;		/* of the previous row, less the base */
	struct keymap *maps;
	uint32_t rows;		/* encoded so far, or left to decode */
};

struct text {
	const uint8_t *p;
	size_t len;
};

struct codec {
	const struct schema *schema;
	struct group_state *states;	/* one per group */
	struct text *texts;		/* the chunk's string table; borrows the rows or the payload */
	size_t text_cnt, text_cap;
	struct keymap text_map;		/* encoding: hash of a text to its index */
	uint64_t values[SCHEMA_REFS_MAX]; /* of the row being coded, by reference */
};

struct codec *codec_new(const struct schema *schema)
{
	struct codec *c = xcalloc(1, sizeof(*c));
	uint64_t salt = (uintptr_t)c;

	if (getrandom(&salt, sizeof(salt), GRND_NONBLOCK) < 0)
		salt *= 0x9e3779b97f4a7c15;
	c->schema = schema;
	c->states = xcalloc(schema->group_cnt, sizeof(*c->states));
	keymap_init(&c->text_map, 1, salt);
	for (size_t g = 0; g < schema->group_cnt; g++) {
		const struct schema_group *group = &schema->groups[g];
		struct group_state *state = &c->states[g];
		size_t cnt = group->field_cnt ? group->field_cnt : 1;

		state->cols = xcalloc(cnt, sizeof(*state->cols));
		state->ins = xcalloc(cnt, sizeof(*state->ins));
		state->lens = xcalloc(cnt, sizeof(*state->lens));
		state->last = xcalloc(cnt, sizeof(*state->last));
		state->maps = xcalloc(group->map_cnt ? group->map_cnt : 1, sizeof(*state->maps));
		for (uint32_t m = 0; m < group->map_cnt; m++)
			keymap_init(&state->maps[m], group->map_strides[m], salt);
	}
	return c;
}

void codec_free(struct codec *c)
{
	if (!c)
		return;
	for (size_t g = 0; g < c->schema->group_cnt; g++) {
		const struct schema_group *group = &c->schema->groups[g];
		struct group_state *state = &c->states[g];

		for (uint32_t i = 0; i < group->field_cnt; i++)
			free(state->cols[i].p);
		for (uint32_t m = 0; m < group->map_cnt; m++)
			keymap_release(&state->maps[m]);
		free(state->cols);
		free(state->ins);
		free(state->lens);
		free(state->last);
		free(state->maps);
	}
	keymap_release(&c->text_map);
	free(c->states);
	free(c->texts);
	free(c);
}

static void codec_reset(struct codec *c)
{
	c->text_cnt = 0;
	keymap_reset(&c->text_map);
	for (size_t g = 0; g < c->schema->group_cnt; g++) {
		const struct schema_group *group = &c->schema->groups[g];
		struct group_state *state = &c->states[g];

		state->rows = 0;
		memset(state->last, 0, group->field_cnt * sizeof(*state->last));
		for (uint32_t i = 0; i < group->field_cnt; i++) {
			state->cols[i].len = 0;
			state->ins[i] = (struct bytes_in){ 0 };
		}
		for (uint32_t m = 0; m < group->map_cnt; m++)
			keymap_reset(&state->maps[m]);
	}
}

/* The rows of the group's key maps for the row being coded, found when first needed. */
struct key_rows {
	uint64_t *row[SCHEMA_FIELDS_MAX];
	bool fresh[SCHEMA_FIELDS_MAX];
};

static inline void key_rows_init(struct key_rows *keys, const struct schema_group *group)
{
	for (uint32_t m = 0; m < group->map_cnt; m++)
		keys->row[m] = NULL;
}

/* What a field is predicted to be; *@keep is where its value is to be remembered, or NULL. */
static inline uint64_t predict(struct codec *c, struct group_state *state,
			       const struct schema_field *field, uint32_t i,
			       struct key_rows *keys, uint64_t **keep)
{
	uint32_t m = field->map;

	*keep = NULL;
	if (field->pred == SCHEMA_PRED_NONE)
		return 0;
	if (field->pred == SCHEMA_PRED_ROW)
		return state->last[i];
	if (!keys->row[m])
		keys->row[m] = keymap_row(&state->maps[m], c->values[field->key],
					  &keys->fresh[m]);
	*keep = &keys->row[m][field->pos];
	return keys->fresh[m] ? state->last[i] : **keep;
}

static inline uint64_t field_mask(const struct schema_field *field)
{
	return UINT64_MAX >> (64 - schema_field_bits(field));
}

/* @value of @bits bits as a signed number, folded so that small ones of either sign stay small. */
static inline uint64_t zigzag(uint64_t value, unsigned int bits)
{
	int64_t s = (int64_t)(value << (64 - bits)) >> (64 - bits);

	return ((uint64_t)s << 1) ^ (uint64_t)(s >> 63);
}

static inline uint64_t unzigzag(uint64_t value)
{
	return (value >> 1) ^ -(value & 1);
}

/* ---- encoding ---- */

static uint64_t text_index(struct codec *c, const uint8_t *p, size_t bytes)
{
	uint64_t hash = 0xcbf29ce484222325;
	uint64_t *index;
	bool fresh;

	while (bytes && !p[bytes - 1])
		bytes--;
	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ p[i]) * 0x100000001b3;
	index = keymap_row(&c->text_map, hash, &fresh);
	if (!fresh && c->texts[*index].len == bytes && !memcmp(c->texts[*index].p, p, bytes))
		return *index;
	*index = c->text_cnt;
	*vec_push(c->texts, c->text_cnt, c->text_cap) = (struct text){ p, bytes };
	return *index;
}

static inline uint64_t load(struct codec *c, const struct schema_field *field, const uint8_t *row)
{
	union {
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
		uint64_t u64;
	} v;

	if (field->type == SCHEMA_TEXT)
		return text_index(c, row + field->off, field->our_bytes);
	memcpy(&v, row + field->off, field->our_bytes <= 8 ? field->our_bytes : 0);
	switch (field->our_bytes) {
	case 1: return v.u8;
	case 2: return v.u16;
	case 4: return v.u32;
	default: return v.u64;
	}
}

static void encode_group(struct codec *c, size_t g, size_t ref, const uint8_t *row)
{
	const struct schema_group *group = &c->schema->groups[g];
	struct group_state *state = &c->states[g];
	struct key_rows keys;

	key_rows_init(&keys, group);
	state->rows++;
	for (uint32_t i = 0; i < group->field_cnt; i++, ref++) {
		const struct schema_field *field = &group->fields[i];
		uint64_t value = load(c, field, row);
		uint64_t left = value - (field->base ? c->values[field->base] : 0);
		uint64_t *keep, diff;

		c->values[ref] = value;
		diff = left - predict(c, state, field, i, &keys, &keep);
		if (field->form == SCHEMA_ZIGZAG)
			bytes_put_varint(&state->cols[i],
					 zigzag(diff, schema_field_bits(field)));
		else
			bytes_put_varint(&state->cols[i], diff & field_mask(field));
		state->last[i] = left;
		if (keep)
			*keep = left;
	}
}

void codec_encode(struct codec *c, const uint8_t *const *rows, size_t cnt, struct bytes_out *raw)
{
	const struct schema *schema = c->schema;
	size_t groups = 0;

	codec_reset(c);
	for (size_t i = 0; i < cnt; i++) {
		unsigned int kind = rows[i][offsetof(struct lab_ev_head, kind)];

		encode_group(c, 0, 1, rows[i]);
		encode_group(c, (size_t)schema->index_of[kind],
			     schema->groups[0].field_cnt + 1, rows[i]);
	}

	bytes_put_varint(raw, c->text_cnt);
	for (size_t i = 0; i < c->text_cnt; i++)
		bytes_put_text(raw, (const char *)c->texts[i].p, c->texts[i].len);
	for (size_t g = 0; g < schema->group_cnt; g++)
		groups += c->states[g].rows != 0;
	bytes_put_varint(raw, groups);
	for (size_t g = 0; g < schema->group_cnt; g++) {
		if (!c->states[g].rows)
			continue;
		bytes_put_varint(raw, schema->groups[g].id);
		bytes_put_varint(raw, c->states[g].rows);
		for (uint32_t i = 0; i < schema->groups[g].field_cnt; i++)
			bytes_put_varint(raw, c->states[g].cols[i].len);
	}
	for (size_t g = 0; g < schema->group_cnt; g++)
		for (uint32_t i = 0; i < schema->groups[g].field_cnt; i++)
			bytes_put(raw, c->states[g].cols[i].p, c->states[g].cols[i].len);
}

/* ---- decoding ---- */

uint64_t codec_raw_max(const struct codec *c, uint32_t count)
{
	return DIRECTORY_BYTES_MAX + count * c->schema->row_bytes_max;
}

static int decode_texts(struct codec *c, struct bytes_in *in, uint32_t count)
{
	size_t cnt = bytes_get_bounded(in, (uint64_t)count * TEXTS_PER_ROW_MAX);

	for (size_t i = 0; i < cnt && !in->bad; i++) {
		size_t len = bytes_get_bounded(in, SCHEMA_TEXT_MAX);
		const uint8_t *p = bytes_get(in, len);

		*vec_push(c->texts, c->text_cnt, c->text_cap) = (struct text){ p, len };
	}
	return in->bad ? -EBADMSG : 0;
}

/* The lengths of the columns come first, then all columns: cut them out. */
static int decode_directory(struct codec *c, struct bytes_in *in, uint32_t count, size_t *size)
{
	const struct schema *schema = c->schema;
	size_t group_cnt = bytes_get_bounded(in, schema->group_cnt);
	uint16_t order[SCHEMA_GROUPS_MAX];
	uint64_t kind_rows = 0;

	*size = 0;
	for (size_t k = 0; k < group_cnt; k++) {
		uint64_t id = bytes_get_bounded(in, SCHEMA_GROUPS_MAX - 1);
		int g = schema->index_of[id];
		struct group_state *state;

		if (in->bad || g < 0 || c->states[g].rows || (k == 0) != (id == 0))
			return -EBADMSG;
		state = &c->states[g];
		state->rows = (uint32_t)bytes_get_bounded(in, count);
		if (!state->rows)
			return -EBADMSG;
		kind_rows += id ? state->rows : 0;
		*size += (size_t)state->rows * schema->groups[g].event_size;
		order[k] = (uint16_t)g;
		for (uint32_t i = 0; i < schema->groups[g].field_cnt; i++)
			state->lens[i] = bytes_get_bounded(in, bytes_left(in));
	}
	if (in->bad || !group_cnt || c->states[0].rows != count || kind_rows != count)
		return -EBADMSG;
	for (size_t k = 0; k < group_cnt; k++) {
		struct group_state *state = &c->states[order[k]];

		for (uint32_t i = 0; i < schema->groups[order[k]].field_cnt; i++) {
			state->ins[i].p = bytes_get(in, state->lens[i]);
			state->ins[i].end = in->p;
		}
	}
	return in->bad || bytes_left(in) ? -EBADMSG : 0;
}

static int store(const struct codec *c, const struct schema_field *field, uint64_t value,
		 uint8_t *row)
{
	if (field->is_cpu && value >= TRACE_CPUS_MAX)
		return -EBADMSG;
	if (field->type == SCHEMA_TEXT) {
		if (value >= c->text_cnt || c->texts[value].len > field->our_bytes)
			return -EBADMSG;
		memcpy(row + field->off, c->texts[value].p, c->texts[value].len);
		return 0;
	}
	if (field->type == SCHEMA_INT) {
		unsigned int unused = 64 - schema_field_bits(field);

		value = (uint64_t)((int64_t)(value << unused) >> unused);
	}
	switch (field->our_bytes) {
	case 1: row[field->off] = (uint8_t)value; break;
	case 2: memcpy(row + field->off, &(uint16_t){ (uint16_t)value }, 2); break;
	case 4: memcpy(row + field->off, &(uint32_t){ (uint32_t)value }, 4); break;
	default: memcpy(row + field->off, &value, 8); break;
	}
	return 0;
}

static int decode_group(struct codec *c, size_t g, size_t ref, uint8_t *row)
{
	const struct schema_group *group = &c->schema->groups[g];
	struct group_state *state = &c->states[g];
	struct key_rows keys;

	key_rows_init(&keys, group);
	state->rows--;
	for (uint32_t i = 0; i < group->field_cnt; i++, ref++) {
		const struct schema_field *field = &group->fields[i];
		uint64_t *keep, coded, left;

		if (field->skip)
			continue;
		coded = bytes_get_bounded(&state->ins[i], field_mask(field));
		if (state->ins[i].bad)
			return -EBADMSG;
		if (field->form == SCHEMA_ZIGZAG)
			coded = unzigzag(coded);
		left = predict(c, state, field, i, &keys, &keep) + coded;
		state->last[i] = left;
		if (keep)
			*keep = left;
		c->values[ref] = (left + (field->base ? c->values[field->base] : 0)) &
				 field_mask(field);
		if (field->ours && store(c, field, c->values[ref], row))
			return -EBADMSG;
	}
	return 0;
}

static bool head_before(const struct lab_ev_head *a, const struct lab_ev_head *b)
{
	if (a->ts_ns != b->ts_ns)
		return a->ts_ns < b->ts_ns;
	if (a->cpu != b->cpu)
		return a->cpu < b->cpu;
	return a->seq < b->seq;
}

static int decode_rows(struct codec *c, uint32_t count, struct codec_rows *out)
{
	const struct schema *schema = c->schema;
	struct lab_ev_head last = { 0 };

	for (uint32_t i = 0; i < count; i++) {
		struct lab_ev_head head = { 0 };
		int g;

		if (decode_group(c, 0, 1, (uint8_t *)&head) || head_before(&head, &last))
			return -EBADMSG;
		last = head;
		if (!i)
			out->first_ns = head.ts_ns;
		g = schema->index_of[head.kind];
		if (g <= 0 || !c->states[g].rows)
			return -EBADMSG;
		if (!schema->groups[g].event_size) {
			c->states[g].rows--;
			out->unknown++;
			continue;
		}
		memcpy(out->p + out->len, &head, sizeof(head));
		if (decode_group(c, (size_t)g, schema->groups[0].field_cnt + 1, out->p + out->len))
			return -EBADMSG;
		out->len += schema->groups[g].event_size;
	}
	out->last_ns = last.ts_ns;
	return 0;
}

/* Whether every column that was read ended where its length said. */
static bool columns_used_up(const struct codec *c)
{
	for (size_t g = 0; g < c->schema->group_cnt; g++) {
		const struct schema_group *group = &c->schema->groups[g];

		for (uint32_t i = 0; i < group->field_cnt; i++)
			if ((!g || group->event_size) && !group->fields[i].skip &&
			    bytes_left(&c->states[g].ins[i]))
				return false;
	}
	return true;
}

int codec_decode(struct codec *c, const uint8_t *raw, size_t len, uint32_t count,
		 struct codec_rows *out)
{
	struct bytes_in in = { .p = raw, .end = raw + len };
	size_t size;

	*out = (struct codec_rows){ 0 };
	codec_reset(c);
	if (decode_texts(c, &in, count) || decode_directory(c, &in, count, &size))
		return -EBADMSG;
	out->p = xcalloc(size ? size : 1, 1);
	if (decode_rows(c, count, out) || !columns_used_up(c)) {
		free(out->p);
		*out = (struct codec_rows){ 0 };
		return -EBADMSG;
	}
	return 0;
}
