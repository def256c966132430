/* SPDX-License-Identifier: GPL-2.0-only */
#include "util/json_doc.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

uint32_t json_doc_add(struct json_doc *doc, uint32_t parent, enum json_kind kind, const char *key)
{
	uint32_t idx = (uint32_t)doc->value_cnt;
	struct json_value *in;

	*vec_push(doc->values, doc->value_cnt, doc->value_cap) =
		(struct json_value){ .kind = kind, .key = key };
	if (!idx)
		return 0;
	in = &doc->values[parent];
	if (in->cnt++)
		doc->values[in->last].next = idx;
	else
		in->first = idx;
	in->last = idx;
	return idx;
}

void json_doc_release(struct json_doc *doc)
{
	for (size_t i = 0; i < doc->value_cnt; i++)
		if (doc->values[i].kind == JSON_STRING)
			free(doc->values[i].text);
	free(doc->values);
	*doc = (struct json_doc){ 0 };
}

struct rational json_doc_number(const struct json_value *v)
{
	return rational_decimal(v->digits, v->decimals);
}

const struct json_value *json_doc_root(const struct json_doc *doc)
{
	return &doc->values[0];
}

static bool is_nest(const struct json_value *v)
{
	return v->kind == JSON_OBJECT || v->kind == JSON_ARRAY || v->kind == JSON_NULL;
}

const struct json_value *json_doc_first(const struct json_doc *doc, const struct json_value *v)
{
	return is_nest(v) && v->first ? &doc->values[v->first] : NULL;
}

const struct json_value *json_doc_next(const struct json_doc *doc, const struct json_value *v)
{
	return v->next ? &doc->values[v->next] : NULL;
}

const struct json_value *json_doc_possible(const struct json_doc *doc, const struct json_value *v,
					   const char *key, size_t len)
{
	if (v->kind == JSON_ARRAY)
		return NULL;
	for (v = json_doc_first(doc, v); v; v = json_doc_next(doc, v))
		if (!strncmp(v->key, key, len) && !v->key[len])
			break;
	return v;
}

const struct json_value *json_doc_member(const struct json_doc *doc, const struct json_value *v,
					 const char *key, size_t len)
{
	v = json_doc_possible(doc, v, key, len);
	return v && !v->absent ? v : NULL;
}

const struct json_value *json_doc_element(const struct json_doc *doc, const struct json_value *v,
					  uint64_t idx)
{
	if (v->kind != JSON_ARRAY || idx >= v->cnt)
		return NULL;
	for (v = json_doc_first(doc, v); idx; idx--)
		v = json_doc_next(doc, v);
	return v;
}
