/* SPDX-License-Identifier: GPL-2.0-only */

#include "trace/decode.h"

#include <errno.h>
#include <sys/random.h>

#include "lab_event.h"
#include "trace/keymap.h"
#include "trace/trace.h"
#include "util/minmax.h"

/* of a payload: the lengths of all columns of all groups */
#define DIRECTORY_BYTES_MAX (256u << 10)
#define TEXTS_PER_ROW_MAX 8
#define BLOCK_ROWS 256u

#define EACH_BYTE(b) ((b) * 0x0101010101010101u)

/* One field of one group, while a chunk is decoded. */
struct column {
	struct bytes_in in;
	size_t len;
	uint64_t last;		/* of the previous row, less the base */
	bool zero;		/* all its values are 0 */
};

struct group_columns {
	struct column *columns;
	struct keymap *maps;
	uint32_t rows;		/* left */
};

struct text {
	const uint8_t *p;
	size_t len;
	uint8_t comm[LAB_COMM_LEN]; /* its beginning, filled up with NULs: most texts are names */
};

/* Some rows that are decoded together. */
struct block {
	uint32_t cnt;
	struct lab_ev_head heads[BLOCK_ROWS];
	size_t at[BLOCK_ROWS];		/* where each row goes in the output */
	uint8_t group[BLOCK_ROWS];	/* of its kind */
};

/* The rows of one group in a block. */
struct part {
	const struct schema_group *group;
	struct group_columns *state;
	const uint32_t *rows;	/* of the block; NULL: all */
	uint32_t cnt;
	uint8_t *to[BLOCK_ROWS];	/* the record of each */
	uint32_t seen[SCHEMA_FIELDS_MAX]; /* keys in each map when the block began */
	bool slotted[SCHEMA_FIELDS_MAX];
};

struct decoder {
	const struct schema *schema;
	struct group_columns *groups;	/* one per group */
	struct text *texts;		/* the chunk's string table; borrows the payload */
	size_t text_cnt, text_cap;
	uint64_t *values;		/* [ref * BLOCK_ROWS + i]: of the fields, by reference */
	uint32_t *slots;		/* [map * BLOCK_ROWS + i]: of the group at hand */
	struct block block;
	struct lab_ev_head last;	/* of the rows so far */
};

struct decoder *decoder_new(const struct schema *schema)
{
	struct decoder *d = xcalloc(1, sizeof(*d));
	uint64_t salt = (uintptr_t)d;
	size_t field_max = 0, map_max = 0;

	if (getrandom(&salt, sizeof(salt), GRND_NONBLOCK) < 0)
		salt *= 0x9e3779b97f4a7c15;
	d->schema = schema;
	d->groups = xcalloc(schema->group_cnt, sizeof(*d->groups));
	for (size_t g = 0; g < schema->group_cnt; g++) {
		const struct schema_group *group = &schema->groups[g];
		struct group_columns *state = &d->groups[g];

		state->columns = xcalloc(group->field_cnt, sizeof(*state->columns));
		state->maps = xcalloc(group->map_cnt, sizeof(*state->maps));
		for (uint32_t m = 0; m < group->map_cnt; m++)
			keymap_init(&state->maps[m], group->map_strides[m], salt);
		field_max = max_u64(field_max, group->field_cnt);
		map_max = max_u64(map_max, group->map_cnt);
	}
	d->values = xcalloc(1 + schema->groups[0].field_cnt + field_max,
			    BLOCK_ROWS * sizeof(*d->values));
	d->slots = xcalloc(map_max, BLOCK_ROWS * sizeof(*d->slots));
	return d;
}

void decoder_free(struct decoder *d)
{
	if (!d)
		return;
	for (size_t g = 0; g < d->schema->group_cnt; g++) {
		for (uint32_t m = 0; m < d->schema->groups[g].map_cnt; m++)
			keymap_release(&d->groups[g].maps[m]);
		free(d->groups[g].columns);
		free(d->groups[g].maps);
	}
	free(d->groups);
	free(d->texts);
	free(d->values);
	free(d->slots);
	free(d);
}

uint64_t decoder_raw_max(const struct decoder *d, uint32_t count)
{
	return DIRECTORY_BYTES_MAX + count * d->schema->row_bytes_max;
}

/* ---- the front of the payload ---- */

static int read_texts(struct decoder *d, struct bytes_in *in, uint32_t count)
{
	size_t cnt = bytes_get_bounded(in, (uint64_t)count * TEXTS_PER_ROW_MAX);

	d->text_cnt = 0;
	for (size_t i = 0; i < cnt && !in->bad; i++) {
		size_t len = bytes_get_bounded(in, SCHEMA_TEXT_MAX);
		const uint8_t *p = bytes_get(in, len);
		struct text *text = vec_push(d->texts, d->text_cnt, d->text_cap);

		if (in->bad)
			break;
		text->p = p;
		text->len = len;
		memcpy(text->comm, p, min_u64(len, LAB_COMM_LEN));
	}
	return in->bad ? -EBADMSG : 0;
}

static bool is_zero(const uint8_t *p, size_t len)
{
	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}

/* The lengths of the columns come first, then all columns: cut them out. */
static int read_directory(struct decoder *d, struct bytes_in *in, uint32_t count, size_t *size)
{
	const struct schema *schema = d->schema;
	size_t group_cnt = bytes_get_bounded(in, schema->group_cnt);
	uint16_t order[SCHEMA_GROUPS_MAX];
	uint64_t kind_rows = 0;

	*size = 0;
	for (size_t k = 0; k < group_cnt; k++) {
		uint64_t id = bytes_get_bounded(in, SCHEMA_GROUPS_MAX - 1);
		int g = schema->index_of[id];
		struct group_columns *state;

		if (in->bad || g < 0 || d->groups[g].rows || (k == 0) != (id == 0))
			return -EBADMSG;
		state = &d->groups[g];
		state->rows = (uint32_t)bytes_get_bounded(in, count);
		if (!state->rows)
			return -EBADMSG;
		kind_rows += id ? state->rows : 0;
		*size += (size_t)state->rows * schema->groups[g].event_size;
		order[k] = (uint16_t)g;
		for (uint32_t i = 0; i < schema->groups[g].field_cnt; i++)
			state->columns[i].len = bytes_get_bounded(in, bytes_left(in));
	}
	if (in->bad || !group_cnt || d->groups[0].rows != count || kind_rows != count)
		return -EBADMSG;
	for (size_t k = 0; k < group_cnt; k++) {
		const struct schema_group *group = &schema->groups[order[k]];
		struct group_columns *state = &d->groups[order[k]];

		for (uint32_t i = 0; i < group->field_cnt; i++) {
			struct column *col = &state->columns[i];

			col->in.p = bytes_get(in, col->len);
			col->in.end = in->p;
			/* Then each difference is 0, and so is what each is added to. */
			col->zero = !in->bad && !group->fields[i].base && !group->fields[i].skip &&
				    col->len == state->rows && is_zero(col->in.p, col->len);
			if (col->zero)
				col->in.p = col->in.end;
		}
	}
	return in->bad || bytes_left(in) ? -EBADMSG : 0;
}

static void reset(struct decoder *d)
{
	for (size_t g = 0; g < d->schema->group_cnt; g++) {
		const struct schema_group *group = &d->schema->groups[g];
		struct group_columns *state = &d->groups[g];

		state->rows = 0;
		for (uint32_t i = 0; i < group->field_cnt; i++)
			state->columns[i] = (struct column){ 0 };
		for (uint32_t m = 0; m < group->map_cnt; m++)
			keymap_reset(&state->maps[m]);
	}
}

/* ---- one column of a block ---- */

static inline uint64_t field_mask(const struct schema_field *field)
{
	return UINT64_MAX >> (64 - schema_field_bits(field));
}

/* The varint whose bytes are the lowest of @word, up to its first with bit 7 clear. */
static inline uint64_t varint_of_word(uint64_t word, unsigned int len)
{
	word &= UINT64_MAX >> (64 - 8 * len) & EACH_BYTE(0x7fu);
	word = (word & 0x7f007f007f007f00u) >> 1 | (word & 0x007f007f007f007fu);
	word = (word & 0x3fff00003fff0000u) >> 2 | (word & 0x00003fff00003fffu);
	return (word & 0x0fffffff00000000u) >> 4 | (word & 0x000000000fffffffu);
}

/* The next @cnt varints. False: not there, or one exceeds @mask, which is 2^n - 1 and a byte. */
static bool read_varints(struct bytes_in *in, uint64_t mask, uint32_t cnt, uint64_t *v)
{
	uint64_t all = 0;
	uint32_t i = 0;

	while (i < cnt) {
		uint64_t stops = 0;

		if (bytes_left(in) >= 8) {
			uint64_t word = get_le64(in->p);

			stops = ~word & EACH_BYTE(0x80u);
			if (stops == EACH_BYTE(0x80u) && cnt - i >= 8) {
				_Pragma("GCC unroll 8")
				for (unsigned int k = 0; k < 8; k++)
					v[i + k] = (uint8_t)(word >> 8 * k);
				i += 8;
				in->p += 8;
				continue;
			}
			if (stops) {
				unsigned int len = (unsigned int)__builtin_ctzll(stops) / 8 + 1;

				v[i] = varint_of_word(word, len);
				in->p += len;
			}
		}
		if (!stops)
			v[i] = bytes_get_varint(in);
		all |= v[i++];
	}
	return !in->bad && !(all & ~mask);
}

/* What @ref refers to, of each row of the part. @room: for what is not in a row already. */
static const uint64_t *values_of(const struct decoder *d, const struct part *part, uint16_t ref,
				 uint64_t *room)
{
	const uint64_t *values = &d->values[ref * BLOCK_ROWS];

	if (!part->rows || ref > d->schema->groups[0].field_cnt)
		return values;
	for (uint32_t i = 0; i < part->cnt; i++)
		room[i] = values[part->rows[i]];
	return room;
}

/* Where the keys of a map's field are in it, for the rows of the part. */
static const uint32_t *slots_of(struct decoder *d, struct part *part,
				const struct schema_field *field)
{
	struct keymap *map = &part->state->maps[field->map];
	uint32_t *slots = &d->slots[field->map * BLOCK_ROWS];
	uint64_t room[BLOCK_ROWS];
	const uint64_t *keys;

	if (part->slotted[field->map])
		return slots;
	part->slotted[field->map] = true;
	part->seen[field->map] = map->used;
	keys = values_of(d, part, field->key, room);
	for (uint32_t i = 0; i < part->cnt; i++)
		slots[i] = keymap_slot(map, keys[i]);
	return slots;
}

static inline uint64_t unzigzag(uint64_t value)
{
	return (value >> 1) ^ -(value & 1);
}

/* From differences to sums with what went before under the same key; @zigzag: they are signed. */
static inline void add_to_key(struct decoder *d, struct part *part,
			      const struct schema_field *field, struct column *col, uint64_t *v,
			      bool zigzag)
{
	const uint32_t *slots = slots_of(d, part, field);
	const struct keymap *map = &part->state->maps[field->map];
	uint64_t *kept = &map->rows[field->pos];
	uint32_t seen = part->seen[field->map], stride = map->stride;
	uint64_t last = col->last;

	for (uint32_t i = 0, cnt = part->cnt; i < cnt; i++) {
		uint64_t *at = &kept[(size_t)slots[i] * stride], from = *at;

		if (slots[i] == seen) {		/* a new key */
			from = last;
			seen++;
		}
		last = from + (zigzag ? unzigzag(v[i]) : v[i]);
		*at = v[i] = last;
	}
	col->last = last;
}

static void add_to_row(const struct part *part, struct column *col, uint64_t *v, bool zigzag)
{
	uint64_t last = col->last;

	for (uint32_t i = 0; i < part->cnt; i++)
		v[i] = last += zigzag ? unzigzag(v[i]) : v[i];
	col->last = last;
}

static void add(struct decoder *d, struct part *part, const struct schema_field *field,
		struct column *col, uint64_t *v)
{
	bool zigzag = field->form == SCHEMA_ZIGZAG;

	if (field->pred == SCHEMA_PRED_ROW)
		add_to_row(part, col, v, zigzag);
	else if (field->pred == SCHEMA_PRED_KEY && zigzag)
		add_to_key(d, part, field, col, v, true);
	else if (field->pred == SCHEMA_PRED_KEY)
		add_to_key(d, part, field, col, v, false);
	else if (zigzag)
		for (uint32_t i = 0; i < part->cnt; i++)
			v[i] = unzigzag(v[i]);
}

/* The same where every difference is 0: as a rule, what went before under the same key is read. */
static void add_zeros(struct decoder *d, struct part *part, const struct schema_field *field,
		      struct column *col, uint64_t *v)
{
	const struct keymap *map = &part->state->maps[field->map];
	const uint32_t *slots = NULL;
	const uint64_t *kept;

	if (field->pred == SCHEMA_PRED_KEY)
		slots = slots_of(d, part, field);
	if (!slots || part->seen[field->map] < map->used) {
		memset(v, 0, part->cnt * sizeof(*v));
		add(d, part, field, col, v);
		return;
	}
	kept = &map->rows[field->pos];
	for (uint32_t i = 0, cnt = part->cnt, stride = map->stride; i < cnt; i++)
		v[i] = kept[(size_t)slots[i] * stride];
	col->last = v[part->cnt - 1];
}

/* The values of a field in the rows of the part. False: the column is damaged. */
static bool decode_column(struct decoder *d, struct part *part, const struct schema_field *field,
			  struct column *col, uint64_t *v)
{
	uint64_t mask = field_mask(field), room[BLOCK_ROWS];
	const uint64_t *base;

	if (bytes_left(&col->in) >= part->cnt && is_zero(col->in.p, part->cnt)) {
		col->in.p += part->cnt;
		add_zeros(d, part, field, col, v);
	} else {
		if (!read_varints(&col->in, mask, part->cnt, v))
			return false;
		add(d, part, field, col, v);
	}
	if (field->base) {
		base = values_of(d, part, field->base, room);
		for (uint32_t i = 0; i < part->cnt; i++)
			v[i] += base[i];
	}
	/* What is only stored is cut to its width then. */
	if (mask < UINT64_MAX && (field->referred || field->type != SCHEMA_UINT || field->is_cpu ||
				  field->our_bytes > field->bytes))
		for (uint32_t i = 0; i < part->cnt; i++)
			v[i] &= mask;
	return true;
}

/* ---- to the records ---- */

static bool store_texts(const struct decoder *d, const struct part *part,
			const struct schema_field *field, const uint64_t *v)
{
	for (uint32_t i = 0; i < part->cnt; i++) {
		const struct text *text;

		if (v[i] >= d->text_cnt)
			return false;
		text = &d->texts[v[i]];
		if (text->len > field->our_bytes)
			return false;
		if (field->our_bytes == LAB_COMM_LEN)
			memcpy(part->to[i] + field->off, text->comm, LAB_COMM_LEN);
		else
			memcpy(part->to[i] + field->off, text->p, text->len);
	}
	return true;
}

static void store_integers(const struct part *part, const struct schema_field *field,
			   const uint64_t *v)
{
	uint16_t off = field->off;

	for (uint32_t i = 0; field->our_bytes == 1 && i < part->cnt; i++)
		part->to[i][off] = (uint8_t)v[i];
	for (uint32_t i = 0; field->our_bytes == 2 && i < part->cnt; i++)
		memcpy(part->to[i] + off, &(uint16_t){ (uint16_t)v[i] }, 2);
	for (uint32_t i = 0; field->our_bytes == 4 && i < part->cnt; i++)
		memcpy(part->to[i] + off, &(uint32_t){ (uint32_t)v[i] }, 4);
	for (uint32_t i = 0; field->our_bytes == 8 && i < part->cnt; i++)
		memcpy(part->to[i] + off, &v[i], 8);
}

static bool store(const struct decoder *d, const struct part *part,
		  const struct schema_field *field, const uint64_t *v)
{
	unsigned int unused = 64 - schema_field_bits(field);
	uint64_t wide[BLOCK_ROWS];

	if (field->type == SCHEMA_TEXT)
		return store_texts(d, part, field, v);
	for (uint32_t i = 0; field->is_cpu && i < part->cnt; i++)
		if (v[i] >= TRACE_CPUS_MAX)
			return false;
	if (field->type == SCHEMA_INT && field->our_bytes > field->bytes) {
		for (uint32_t i = 0; i < part->cnt; i++)
			wide[i] = (uint64_t)((int64_t)(v[i] << unused) >> unused);
		v = wide;
	}
	store_integers(part, field, v);
	return true;
}

/* The fields of the part's group; its records are all zero but for the head. */
static bool decode_part(struct decoder *d, struct part *part, uint16_t ref)
{
	const struct schema_group *group = part->group;

	for (uint32_t i = 0; i < group->field_cnt; i++, ref++) {
		const struct schema_field *field = &group->fields[i];
		struct column *col = &part->state->columns[i];
		uint64_t *v = &d->values[ref * BLOCK_ROWS];

		if (field->skip)
			continue;
		if (col->zero)
			memset(v, 0, part->cnt * sizeof(*v));
		else if (!decode_column(d, part, field, col, v))
			return false;
		if (field->ours && (!col->zero || field->type == SCHEMA_TEXT) &&
		    !store(d, part, field, v))
			return false;
	}
	part->state->rows -= part->cnt;
	return true;
}

/* ---- a chunk, block by block ---- */

static bool head_before(const struct lab_ev_head *a, const struct lab_ev_head *b)
{
	if (a->ts_ns != b->ts_ns)
		return a->ts_ns < b->ts_ns;
	if (a->cpu != b->cpu)
		return a->cpu < b->cpu;
	return a->seq < b->seq;
}

/* The fields that every row has; each row takes its place in the output, and is else empty. */
static bool decode_heads(struct decoder *d, struct event_rows *out)
{
	const struct schema *schema = d->schema;
	const struct lab_ev_head *last = &d->last;
	struct block *b = &d->block;
	struct part part = {
		.group = &schema->groups[0], .state = &d->groups[0], .cnt = b->cnt,
	};
	size_t from = out->len;

	memset(b->heads, 0, sizeof(b->heads));
	for (uint32_t i = 0; i < b->cnt; i++)
		part.to[i] = (uint8_t *)&b->heads[i];
	if (!decode_part(d, &part, 1))
		return false;
	for (uint32_t i = 0; i < b->cnt; i++) {
		const struct lab_ev_head *head = &b->heads[i];
		int g = schema->index_of[head->kind];

		if (g <= 0 || head_before(head, last))
			return false;
		last = head;
		b->group[i] = (uint8_t)g;
		b->at[i] = out->len;
		out->len += schema->groups[g].event_size;
	}
	d->last = *last;
	if (out->len > out->cap - sizeof(union lab_event))	/* more than the directory says */
		return false;
	memset(out->p + from, 0, out->len - from);
	for (uint32_t i = 0; i < b->cnt; i++)
		if (schema->groups[b->group[i]].event_size)
			memcpy(out->p + b->at[i], &b->heads[i], sizeof(*b->heads));
	return true;
}

/* The rows of one kind. */
static bool decode_kind(struct decoder *d, size_t g, const uint32_t *rows, uint32_t cnt,
			struct event_rows *out)
{
	const struct schema *schema = d->schema;
	const struct block *b = &d->block;
	struct part part = {
		.group = &schema->groups[g], .state = &d->groups[g], .rows = rows, .cnt = cnt,
	};

	if (part.state->rows < cnt)
		return false;
	if (!part.group->event_size) {
		part.state->rows -= cnt;
		out->unknown += cnt;
		return true;
	}
	for (uint32_t i = 0; i < cnt; i++)
		part.to[i] = out->p + b->at[rows[i]];
	return decode_part(d, &part, (uint16_t)(schema->groups[0].field_cnt + 1));
}

static bool decode_block(struct decoder *d, struct event_rows *out)
{
	uint32_t first[SCHEMA_GROUPS_MAX + 1] = { 0 };
	uint32_t rows[BLOCK_ROWS];
	struct block *b = &d->block;

	if (!decode_heads(d, out))
		return false;
	for (uint32_t i = 0; i < b->cnt; i++)
		first[b->group[i] + 1]++;
	for (size_t g = 0; g < d->schema->group_cnt; g++)
		first[g + 1] += first[g];
	for (uint32_t i = 0; i < b->cnt; i++)
		rows[first[b->group[i]]++] = i;
	/* Each now stands where the next group began. */
	for (size_t g = 1; g < d->schema->group_cnt; g++)
		if (first[g] > first[g - 1] &&
		    !decode_kind(d, g, rows + first[g - 1], first[g] - first[g - 1], out))
			return false;
	return true;
}

static bool decode_rows(struct decoder *d, uint32_t count, struct event_rows *out)
{
	d->last = (struct lab_ev_head){ 0 };
	for (uint32_t done = 0; done < count; done += d->block.cnt) {
		d->block.cnt = (uint32_t)min_u64(count - done, BLOCK_ROWS);
		if (!decode_block(d, out))
			return false;
		if (!done)
			out->first_ns = d->block.heads[0].ts_ns;
	}
	out->last_ns = d->last.ts_ns;
	return true;
}

/* Whether every column that was read ended where its length said. */
static bool columns_used_up(const struct decoder *d)
{
	for (size_t g = 0; g < d->schema->group_cnt; g++) {
		const struct schema_group *group = &d->schema->groups[g];

		for (uint32_t i = 0; i < group->field_cnt; i++)
			if ((!g || group->event_size) && !group->fields[i].skip &&
			    bytes_left(&d->groups[g].columns[i].in))
				return false;
	}
	return true;
}

static void rows_reserve(struct event_rows *rows, size_t size)
{
	size += sizeof(union lab_event);
	if (size <= rows->cap)
		return;
	free(rows->p);
	rows->p = xcalloc(size, 1);
	rows->cap = size;
}

int decoder_run(struct decoder *d, const uint8_t *raw, size_t len, uint32_t count,
		struct event_rows *out)
{
	struct bytes_in in = { .p = raw, .end = raw + len };
	size_t size;

	*out = (struct event_rows){ .p = out->p, .cap = out->cap };
	reset(d);
	if (read_texts(d, &in, count) || read_directory(d, &in, count, &size))
		return -EBADMSG;
	rows_reserve(out, size);
	if (decode_rows(d, count, out) && columns_used_up(d))
		return 0;
	out->len = 0;
	return -EBADMSG;
}
