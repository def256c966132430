/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/check_path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/minmax.h"
#include "util/nearest.h"

#define KEY_MAX 64		/* longer ones are not suggested */
#define NAMES_MAX 256		/* nor are more */

struct walk {
	const struct json_doc *report;
	const char *path;
	size_t path_len;
	size_t from, len;	/* the step that is being taken */
	bool in_capacity;
	bool shared;		/* one step was taken without its _ns */
	char *error;
};

bool check_path_in(const char *path, size_t len, const char *key)
{
	size_t key_len = strlen(key);

	return len >= key_len && !memcmp(path, key, key_len) &&
	       (len == key_len || path[key_len] == '.');
}

static bool is_last(const struct walk *w)
{
	return w->from + w->len == w->path_len;
}

static bool is_nest(const struct json_value *v)
{
	return v->kind == JSON_ARRAY || v->kind == JSON_OBJECT;
}

/* What stands before the step, for messages. */
static int before_len(const struct walk *w)
{
	return w->from ? (int)w->from - 1 : 0;
}

/* The member called as the step is with _ns behind it, if it is what can be meant there. */
static const struct json_value *member_in_ns(const struct walk *w, const struct json_value *parent)
{
	char key[KEY_MAX + 4];
	const struct json_value *v;

	if (!w->in_capacity || w->shared || w->len > KEY_MAX)
		return NULL;
	snprintf(key, sizeof(key), "%.*s_ns", (int)w->len, w->path + w->from);
	v = json_doc_possible(w->report, parent, key, strlen(key));
	return v && (v->kind == JSON_OBJECT || (is_last(w) && v->kind == JSON_NUMBER)) ? v : NULL;
}

static const struct json_value *take_key(struct walk *w, const struct json_value *parent)
{
	const char *step = w->path + w->from;
	const struct json_value *exact = json_doc_possible(w->report, parent, step, w->len);
	const struct json_value *in_ns;

	if (exact && (!is_last(w) || !is_nest(exact)))
		return exact;
	in_ns = member_in_ns(w, parent);
	if (!in_ns)
		return exact;
	w->shared = true;
	return in_ns;
}

/* The names of @parent's members, and those that shares go by. Return: how many. */
static size_t list_names(const struct walk *w, const struct json_value *parent,
			 char names[NAMES_MAX][KEY_MAX], const char *list[NAMES_MAX])
{
	const struct json_value *v = json_doc_first(w->report, parent);
	size_t cnt = 0;

	for (; v && cnt + 2 <= NAMES_MAX; v = json_doc_next(w->report, v)) {
		size_t len = strlen(v->key);

		if (v->absent || len >= KEY_MAX)
			continue;
		memcpy(names[cnt], v->key, len + 1);
		list[cnt] = names[cnt];
		cnt++;
		if (!w->in_capacity || len < 4 || strcmp(v->key + len - 3, "_ns") != 0)
			continue;
		memcpy(names[cnt], v->key, len - 3);
		names[cnt][len - 3] = '\0';
		list[cnt] = names[cnt];
		cnt++;
	}
	return cnt;
}

/* A key that is not at the top but one level down: `class` for `verdict.class`. */
static const char *owner_of(const struct walk *w, const struct json_value *root)
{
	const struct json_value *v = w->from ? NULL : json_doc_first(w->report, root);

	for (; v; v = json_doc_next(w->report, v))
		if (json_doc_member(w->report, v, w->path, w->len))
			return v->key;
	return NULL;
}

static int no_such_key(struct walk *w, const struct json_value *parent)
{
	char names[NAMES_MAX][KEY_MAX], word[KEY_MAX];
	const char *list[NAMES_MAX], *nearest = NULL, *owner = owner_of(w, parent);
	size_t cnt = list_names(w, parent, names, list);
	int upto = (int)(w->from + w->len);

	if (w->len < sizeof(word)) {
		memcpy(word, w->path + w->from, w->len);
		word[w->len] = '\0';
		nearest = nearest_of(word, list, cnt);
	}
	if (owner)
		snprintf(w->error, CHECK_ERROR_MAX,
			 "the report has no key '%.*s'; did you mean '%s.%.*s'?",
			 upto, w->path, owner, upto, w->path);
	else if (nearest)
		snprintf(w->error, CHECK_ERROR_MAX,
			 "the report has no key '%.*s'; did you mean '%.*s%s'?",
			 upto, w->path, (int)w->from, w->path, nearest);
	else
		snprintf(w->error, CHECK_ERROR_MAX,
			 "the report has no key '%.*s'; 'lab report TRACE -f json' shows all", upto,
			 w->path);
	return -ENOENT;
}

/* An index into the list @parent; in found->value NULL if it is beyond the end. */
static int take_index(struct walk *w, const struct json_value *parent, struct check_found *found)
{
	uint64_t idx = 0;

	for (size_t i = 0; i < w->len; i++) {
		char c = w->path[w->from + i];

		if (c < '0' || c > '9') {
			snprintf(w->error, CHECK_ERROR_MAX,
				 "'%.*s' is a list; its first element is '%.*s.0'", before_len(w),
				 w->path, before_len(w), w->path);
			return -ENOENT;
		}
		idx = min_u64(idx * 10 + (uint64_t)(c - '0'), UINT32_MAX);
	}
	found->value = json_doc_element(w->report, parent, parent->absent ? 0 : idx);
	found->list_len = parent->cnt;
	return 0;
}

static int take_step(struct walk *w, struct check_found *found)
{
	const struct json_value *parent = found->value;

	if (parent->kind == JSON_ARRAY)
		return take_index(w, parent, found);
	if (parent->kind != JSON_OBJECT && !json_doc_first(w->report, parent)) {
		snprintf(w->error, CHECK_ERROR_MAX, "'%.*s' is a single value, with no keys in it",
			 before_len(w), w->path);
		return -ENOENT;
	}
	found->value = take_key(w, parent);
	return found->value ? 0 : no_such_key(w, parent);
}

static int find_whole(struct walk *w, struct check_found *found)
{
	const struct json_value *capacity = json_doc_member(w->report, json_doc_root(w->report),
							    "capacity", strlen("capacity"));

	found->whole = json_doc_member(w->report, capacity, "total_ns", strlen("total_ns"));
	if (found->whole && found->whole->kind == JSON_NUMBER &&
	    (found->value->kind == JSON_NUMBER || found->value->kind == JSON_OBJECT))
		return 0;
	snprintf(w->error, CHECK_ERROR_MAX, "'%.*s' is no share of capacity", (int)w->path_len,
		 w->path);
	return -ENOENT;
}

int check_find(const struct json_doc *report, const char *path, size_t len,
	       struct check_found *found, char error[CHECK_ERROR_MAX])
{
	struct walk w = { .report = report, .path = path, .path_len = len, .error = error };

	*found = (struct check_found){ .value = json_doc_root(report) };
	for (; w.from < len && found->value; w.from += w.len + 1) {
		const char *dot = memchr(path + w.from, '.', len - w.from);
		int err;

		w.len = (dot ? (size_t)(dot - path) : len) - w.from;
		w.in_capacity = w.from && check_path_in(path, len, "capacity");
		err = take_step(&w, found);
		if (err)
			return err;
	}
	if (found->value && found->value->absent)
		*found = (struct check_found){ .missing = true };
	return w.shared && found->value ? find_whole(&w, found) : 0;
}
