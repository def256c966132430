/* SPDX-License-Identifier: GPL-2.0-only */

#include "trace/schema.h"

#include <errno.h>

#include "trace/schema_table.h"

/* A field's reference by name: own fields first, then the row's; 0 if there is none. */
static uint16_t ref_by_name(const struct schema *schema, const struct schema_group *group,
			    const char *name)
{
	const struct schema_group *row = &schema->groups[0];

	if (!name)
		return 0;
	for (uint32_t i = 0; group != row && i < group->field_cnt; i++)
		if (!strcmp(group->fields[i].name, name))
			return (uint16_t)(row->field_cnt + i + 1);
	for (uint32_t i = 0; i < row->field_cnt; i++)
		if (!strcmp(row->fields[i].name, name))
			return (uint16_t)(i + 1);
	return 0;
}

static struct schema_field *field_of_ref(const struct schema *schema,
					 const struct schema_group *group, uint16_t ref)
{
	uint32_t row_cnt = schema->groups[0].field_cnt;

	return ref <= row_cnt ? &schema->groups[0].fields[ref - 1] :
				&group->fields[ref - row_cnt - 1];
}

/* Which key map of the group serves fields predicted by @ref; a new one if none does yet. */
static uint16_t map_of_key(struct schema_group *group, uint16_t ref)
{
	uint32_t i;

	for (i = 0; i < group->map_cnt; i++)
		if (group->map_keys[i] == ref)
			return (uint16_t)i;
	group->map_keys = xreallocarray(group->map_keys, i + 1, sizeof(*group->map_keys));
	group->map_strides = xreallocarray(group->map_strides, i + 1,
					   sizeof(*group->map_strides));
	group->map_keys[i] = ref;
	group->map_strides[i] = 0;
	group->map_cnt++;
	return (uint16_t)i;
}

static uint64_t field_bytes_max(const struct schema_field *field)
{
	uint64_t varint = (schema_field_bits(field) + 6) / 7;

	if (field->skip)
		return VARINT_MAX_BYTES + 2 + SCHEMA_TEXT_MAX;
	return field->type == SCHEMA_TEXT ? varint + 2 + SCHEMA_TEXT_MAX : varint;
}

static void note_references(struct schema *schema, struct schema_group *group)
{
	for (uint32_t i = 0; i < group->field_cnt; i++) {
		const struct schema_field *field = &group->fields[i];

		if (field->key)
			field_of_ref(schema, group, field->key)->referred = true;
		if (field->base)
			field_of_ref(schema, group, field->base)->referred = true;
	}
}

/* Derive what decoding needs from a table whose references were checked. */
static void schema_complete(struct schema *schema)
{
	uint64_t row_bytes = 0, kind_bytes_max = 0;

	memset(schema->index_of, -1, sizeof(schema->index_of));
	for (size_t g = 0; g < schema->group_cnt; g++) {
		struct schema_group *group = &schema->groups[g];
		uint64_t bytes = 0;

		schema->index_of[group->id] = (int16_t)g;
		note_references(schema, group);
		for (uint32_t i = 0; i < group->field_cnt; i++) {
			struct schema_field *field = &group->fields[i];

			bytes += field_bytes_max(field);
			if (field->skip || field->pred != SCHEMA_PRED_KEY)
				continue;
			field->map = map_of_key(group, field->key);
			field->pos = group->map_strides[field->map]++;
		}
		if (!g)
			row_bytes = bytes;
		else if (bytes > kind_bytes_max)
			kind_bytes_max = bytes;
	}
	schema->row_bytes_max = row_bytes + kind_bytes_max;
}

void schema_init_own(struct schema *schema)
{
	*schema = (struct schema){
		.groups = xcalloc(schema_group_cnt, sizeof(*schema->groups)),
		.group_cnt = schema_group_cnt,
	};
	for (size_t g = 0; g < schema_group_cnt; g++) {
		const struct group_def *def = &schema_groups[g];
		struct schema_group *group = &schema->groups[g];

		group->id = def->id;
		group->event_size = def->event_size;
		strncpy(group->name, def->name, SCHEMA_NAME_MAX);
		group->fields = xcalloc(def->field_cnt, sizeof(*group->fields));
		for (size_t i = 0; i < def->field_cnt; i++) {
			const struct field_def *from = &def->fields[i];
			struct schema_field *field = &group->fields[group->field_cnt];

			*field = (struct schema_field){
				.type = from->type, .bytes = from->bytes, .form = from->form,
				.pred = from->pred, .ours = true, .is_cpu = from->is_cpu,
				.our_bytes = from->bytes, .off = from->off,
				.key = ref_by_name(schema, group, from->key),
				.base = ref_by_name(schema, group, from->base),
			};
			if (field->type == SCHEMA_TEXT)
				field->form = SCHEMA_ZIGZAG;
			strncpy(field->name, from->name, SCHEMA_NAME_MAX);
			group->field_cnt++;
		}
	}
	schema_complete(schema);
}

void schema_write(const struct schema *schema, struct bytes_out *out)
{
	struct bytes_out desc = { 0 };

	bytes_put_varint(out, schema->group_cnt);
	for (size_t g = 0; g < schema->group_cnt; g++) {
		const struct schema_group *group = &schema->groups[g];

		bytes_put_varint(out, group->id);
		bytes_put_text(out, group->name, strlen(group->name));
		bytes_put_varint(out, group->field_cnt);
		for (uint32_t i = 0; i < group->field_cnt; i++) {
			const struct schema_field *field = &group->fields[i];

			desc.len = 0;
			bytes_put_text(&desc, field->name, strlen(field->name));
			bytes_put_varint(&desc, field->type);
			bytes_put_varint(&desc, field->bytes);
			bytes_put_varint(&desc, field->form);
			bytes_put_varint(&desc, field->pred);
			bytes_put_varint(&desc, field->key);
			bytes_put_varint(&desc, field->base);
			bytes_put_varint(out, desc.len);
			bytes_put(out, desc.p, desc.len);
		}
	}
	free(desc.p);
}

static int parse_name(struct bytes_in *in, char *name)
{
	size_t len = bytes_get_bounded(in, SCHEMA_NAME_MAX);
	const uint8_t *text = bytes_get(in, len);

	if (in->bad || !len || memchr(text, 0, len))
		return -EBADMSG;
	memcpy(name, text, len);
	name[len] = '\0';
	return 0;
}

static bool coding_known(const struct schema_field *field)
{
	bool width_known = field->type == SCHEMA_TEXT ||
			   field->bytes == 1 || field->bytes == 2 ||
			   field->bytes == 4 || field->bytes == 8;

	return width_known && field->type <= SCHEMA_TEXT && field->form <= SCHEMA_ZIGZAG &&
	       field->pred <= SCHEMA_PRED_KEY;
}

static int parse_field(struct schema *schema, struct schema_group *group, struct bytes_in *in)
{
	uint32_t row_cnt = schema->groups[0].field_cnt;
	struct schema_field *field = &group->fields[group->field_cnt];
	uint16_t ref_max = (uint16_t)group->field_cnt;
	struct bytes_in desc;
	size_t len;

	len = bytes_get_bounded(in, bytes_left(in));
	desc.p = bytes_get(in, len);
	desc.end = desc.p + (in->bad ? 0 : len);
	desc.bad = in->bad;
	if (group != &schema->groups[0])
		ref_max = (uint16_t)(ref_max + row_cnt);

	if (parse_name(&desc, field->name))
		return -EBADMSG;
	field->type = (uint8_t)bytes_get_bounded(&desc, UINT8_MAX);
	field->bytes = (uint8_t)bytes_get_bounded(&desc, SCHEMA_TEXT_MAX);
	field->form = (uint8_t)bytes_get_bounded(&desc, UINT8_MAX);
	field->pred = (uint8_t)bytes_get_bounded(&desc, UINT8_MAX);
	field->key = (uint16_t)bytes_get_bounded(&desc, ref_max);
	field->base = (uint16_t)bytes_get_bounded(&desc, ref_max);
	if (desc.bad || !field->bytes || (field->pred == SCHEMA_PRED_KEY && !field->key))
		return -EBADMSG;
	for (uint32_t i = 0; i < group->field_cnt; i++)
		if (!strcmp(group->fields[i].name, field->name))
			return -EBADMSG;

	field->skip = !coding_known(field) ||
		      (field->key && field_of_ref(schema, group, field->key)->skip) ||
		      (field->base && field_of_ref(schema, group, field->base)->skip);
	group->field_cnt++;
	return 0;
}

/* Find the fields that lab_event.h has too. */
static int bind_group(struct schema_group *group)
{
	const struct group_def *def = NULL;

	for (size_t g = 0; g < schema_group_cnt; g++)
		if (schema_groups[g].id == group->id)
			def = &schema_groups[g];
	if (!def)
		return 0;
	group->event_size = def->event_size;
	for (uint32_t i = 0; i < group->field_cnt; i++) {
		struct schema_field *field = &group->fields[i];

		for (size_t j = 0; j < def->field_cnt; j++) {
			const struct field_def *own = &def->fields[j];

			if (strcmp(own->name, field->name))
				continue;
			if (field->skip || field->bytes > own->bytes ||
			    (field->type == SCHEMA_TEXT) != (own->type == SCHEMA_TEXT))
				return -EPROTONOSUPPORT;
			field->ours = true;
			field->our_bytes = own->bytes;
			field->off = own->off;
			field->is_cpu = own->is_cpu;
		}
	}
	return 0;
}

static int parse_group(struct schema *schema, struct bytes_in *in)
{
	struct schema_group *group = &schema->groups[schema->group_cnt++];
	uint32_t field_cnt;

	group->id = (uint16_t)bytes_get_bounded(in, SCHEMA_GROUPS_MAX - 1);
	if (in->bad || parse_name(in, group->name))
		return -EBADMSG;
	if ((group == &schema->groups[0]) != (group->id == 0))
		return -EBADMSG;
	for (struct schema_group *g = schema->groups; g < group; g++)
		if (g->id == group->id)
			return -EBADMSG;
	field_cnt = (uint32_t)bytes_get_bounded(in, SCHEMA_FIELDS_MAX);
	if (in->bad)
		return -EBADMSG;
	group->fields = xcalloc(field_cnt ? field_cnt : 1, sizeof(*group->fields));
	for (uint32_t i = 0; i < field_cnt; i++)
		if (parse_field(schema, group, in))
			return -EBADMSG;
	return bind_group(group);
}

int schema_parse(struct schema *schema, const uint8_t *buf, size_t len)
{
	struct bytes_in in = { .p = buf, .end = buf + len };
	uint32_t ours = 0;
	size_t group_cnt;

	*schema = (struct schema){ 0 };
	group_cnt = bytes_get_bounded(&in, SCHEMA_GROUPS_MAX);
	if (!group_cnt)
		return -EBADMSG;
	schema->groups = xcalloc(group_cnt, sizeof(*schema->groups));
	for (size_t g = 0; g < group_cnt; g++) {
		int err = parse_group(schema, &in);

		if (err)
			return err;
	}
	for (uint32_t i = 0; i < schema->groups[0].field_cnt; i++)
		ours += schema->groups[0].fields[i].ours;
	if (ours != schema_groups[0].field_cnt)
		return -EBADMSG;
	schema_complete(schema);
	return 0;
}

void schema_release(struct schema *schema)
{
	for (size_t g = 0; g < schema->group_cnt; g++) {
		free(schema->groups[g].fields);
		free(schema->groups[g].map_keys);
		free(schema->groups[g].map_strides);
	}
	free(schema->groups);
	*schema = (struct schema){ 0 };
}
