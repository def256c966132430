/* SPDX-License-Identifier: GPL-2.0-only */

#include "trace/encode.h"

#include <sys/random.h>

#include "lab_event.h"
#include "trace/keymap.h"
#include "trace/trace.h"

/* The state of one group within a chunk. */
struct group_state {
	struct bytes_out *cols;	/* one per field */
	uint64_t *last;		/* of the previous row, less the base */
	struct keymap *maps;
	uint32_t rows;
};

struct text {
	const uint8_t *p;
	size_t len;
};

struct encoder {
	const struct schema *schema;
	struct group_state *states;	/* one per group */
	struct text *texts;		/* the chunk's string table; borrows the rows */
	size_t text_cnt, text_cap;
	struct keymap text_map;		/* hash of a text to its index */
	uint64_t values[SCHEMA_REFS_MAX]; /* of the row being encoded, by reference */
};

struct encoder *encoder_new(const struct schema *schema)
{
	struct encoder *e = xcalloc(1, sizeof(*e));
	uint64_t salt = (uintptr_t)e;

	if (getrandom(&salt, sizeof(salt), GRND_NONBLOCK) < 0)
		salt *= 0x9e3779b97f4a7c15;
	e->schema = schema;
	e->states = xcalloc(schema->group_cnt, sizeof(*e->states));
	keymap_init(&e->text_map, 1, salt);
	for (size_t g = 0; g < schema->group_cnt; g++) {
		const struct schema_group *group = &schema->groups[g];
		struct group_state *state = &e->states[g];

		state->cols = xcalloc(group->field_cnt, sizeof(*state->cols));
		state->last = xcalloc(group->field_cnt, sizeof(*state->last));
		state->maps = xcalloc(group->map_cnt, sizeof(*state->maps));
		for (uint32_t m = 0; m < group->map_cnt; m++)
			keymap_init(&state->maps[m], group->map_strides[m], salt);
	}
	return e;
}

void encoder_free(struct encoder *e)
{
	if (!e)
		return;
	for (size_t g = 0; g < e->schema->group_cnt; g++) {
		const struct schema_group *group = &e->schema->groups[g];
		struct group_state *state = &e->states[g];

		for (uint32_t i = 0; i < group->field_cnt; i++)
			free(state->cols[i].p);
		for (uint32_t m = 0; m < group->map_cnt; m++)
			keymap_release(&state->maps[m]);
		free(state->cols);
		free(state->last);
		free(state->maps);
	}
	keymap_release(&e->text_map);
	free(e->states);
	free(e->texts);
	free(e);
}

static void encoder_reset(struct encoder *e)
{
	e->text_cnt = 0;
	keymap_reset(&e->text_map);
	for (size_t g = 0; g < e->schema->group_cnt; g++) {
		const struct schema_group *group = &e->schema->groups[g];
		struct group_state *state = &e->states[g];

		state->rows = 0;
		memset(state->last, 0, group->field_cnt * sizeof(*state->last));
		for (uint32_t i = 0; i < group->field_cnt; i++)
			state->cols[i].len = 0;
		for (uint32_t m = 0; m < group->map_cnt; m++)
			keymap_reset(&state->maps[m]);
	}
}

/* The rows of the group's key maps for the row being encoded, found when first needed. */
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
static inline uint64_t predict(struct encoder *e, struct group_state *state,
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
		keys->row[m] = keymap_row(&state->maps[m], e->values[field->key],
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

static uint64_t text_index(struct encoder *e, const uint8_t *p, size_t bytes)
{
	uint64_t hash = 0xcbf29ce484222325;
	uint64_t *index;
	bool fresh;

	while (bytes && !p[bytes - 1])
		bytes--;
	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ p[i]) * 0x100000001b3;
	index = keymap_row(&e->text_map, hash, &fresh);
	if (!fresh && e->texts[*index].len == bytes && !memcmp(e->texts[*index].p, p, bytes))
		return *index;
	*index = e->text_cnt;
	*vec_push(e->texts, e->text_cnt, e->text_cap) = (struct text){ p, bytes };
	return *index;
}

static inline uint64_t load(struct encoder *e, const struct schema_field *field, const uint8_t *row)
{
	union {
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
		uint64_t u64;
	} v;

	if (field->type == SCHEMA_TEXT)
		return text_index(e, row + field->off, field->our_bytes);
	memcpy(&v, row + field->off, field->our_bytes <= 8 ? field->our_bytes : 0);
	switch (field->our_bytes) {
	case 1: return v.u8;
	case 2: return v.u16;
	case 4: return v.u32;
	default: return v.u64;
	}
}

static void encode_group(struct encoder *e, size_t g, size_t ref, const uint8_t *row)
{
	const struct schema_group *group = &e->schema->groups[g];
	struct group_state *state = &e->states[g];
	struct key_rows keys;

	key_rows_init(&keys, group);
	state->rows++;
	for (uint32_t i = 0; i < group->field_cnt; i++, ref++) {
		const struct schema_field *field = &group->fields[i];
		uint64_t value = load(e, field, row);
		uint64_t left = value - (field->base ? e->values[field->base] : 0);
		uint64_t *keep, diff;

		e->values[ref] = value;
		diff = left - predict(e, state, field, i, &keys, &keep);
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

void encoder_run(struct encoder *e, const uint8_t *const *rows, size_t cnt, struct bytes_out *raw)
{
	const struct schema *schema = e->schema;
	size_t groups = 0;

	encoder_reset(e);
	for (size_t i = 0; i < cnt; i++) {
		unsigned int kind = rows[i][offsetof(struct lab_ev_head, kind)];

		encode_group(e, 0, 1, rows[i]);
		encode_group(e, (size_t)schema->index_of[kind],
			     schema->groups[0].field_cnt + 1, rows[i]);
	}

	bytes_put_varint(raw, e->text_cnt);
	for (size_t i = 0; i < e->text_cnt; i++)
		bytes_put_text(raw, (const char *)e->texts[i].p, e->texts[i].len);
	for (size_t g = 0; g < schema->group_cnt; g++)
		groups += e->states[g].rows != 0;
	bytes_put_varint(raw, groups);
	for (size_t g = 0; g < schema->group_cnt; g++) {
		if (!e->states[g].rows)
			continue;
		bytes_put_varint(raw, schema->groups[g].id);
		bytes_put_varint(raw, e->states[g].rows);
		for (uint32_t i = 0; i < schema->groups[g].field_cnt; i++)
			bytes_put_varint(raw, e->states[g].cols[i].len);
	}
	for (size_t g = 0; g < schema->group_cnt; g++)
		for (uint32_t i = 0; i < schema->groups[g].field_cnt; i++)
			bytes_put(raw, e->states[g].cols[i].p, e->states[g].cols[i].len);
}
