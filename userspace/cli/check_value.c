/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/check_value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/check_path.h"
#include "util/minmax.h"

bool check_is_degree(const struct check_node *node)
{
	static const char *const degrees[] = { "parallelism.max", "parallelism.average",
					       "parallelism.average_busy", "parallelism.max_bounds",
					       "parallelism.average_busy_bounds" };

	if (node->kind != CHECK_PATH)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(degrees); i++)
		if (check_path_in(node->text, node->len, degrees[i]))
			return true;
	return false;
}

const char *check_type_name(enum check_type type)
{
	static const char *const names[] = {
		[VALUE_NUMBER] = "a number", [VALUE_TEXT] = "a text",
		[VALUE_BOOL] = "true or false", [VALUE_NULL] = "null",
		[VALUE_BEYOND] = "not there", [VALUE_NEST] = "a list or a group of keys",
	};

	return names[type];
}

static int too_large(const struct check_scope *scope)
{
	snprintf(scope->error, CHECK_ERROR_MAX, "its numbers are too large to be computed exactly");
	return -ERANGE;
}

static void from_json(const struct json_value *v, const struct check_node *node,
		      struct check_value *out)
{
	static const enum check_type types[] = {
		[JSON_NULL] = VALUE_NULL, [JSON_BOOL] = VALUE_BOOL, [JSON_NUMBER] = VALUE_NUMBER,
		[JSON_STRING] = VALUE_TEXT, [JSON_ARRAY] = VALUE_NEST, [JSON_OBJECT] = VALUE_NEST,
	};

	out->cause = node;
	out->type = types[v->kind];
	if (out->type == VALUE_NUMBER) {
		out->number = json_doc_number(v);
	} else if (out->type == VALUE_TEXT) {
		out->text = v->text;
		out->len = v->len;
	} else if (out->type == VALUE_BOOL) {
		out->truth = v->truth;
	} else {
		out->len = v->cnt;
	}
}

static int divide(struct rational by, const struct check_scope *scope, struct check_value *out)
{
	if (!by.num) {
		out->type = VALUE_NULL;
		out->by_zero = true;
		return 0;
	}
	return rational_div(out->number, by, &out->number) ? too_large(scope) : 0;
}

/* What there is of a key that is not in this report. */
static struct check_value value_of_nothing(const struct check_node *node,
					   const struct check_found *found)
{
	if (found->missing)
		return (struct check_value){ .type = VALUE_NULL, .missing = true, .cause = node };
	return (struct check_value){ .type = VALUE_BEYOND, .len = found->list_len, .cause = node };
}

/* Of a group of numbers, such as capacity.blocked_ns. */
static int sum_of(const struct json_value *group, const struct check_node *node,
		  const struct check_scope *scope, struct check_value *out)
{
	const struct json_value *v = json_doc_first(scope->report, group);
	struct check_value sum = { .number = rational_of(0), .cause = node }, part;

	for (; v; v = json_doc_next(scope->report, v)) {
		from_json(v, node, &part);
		if (part.type != VALUE_NUMBER) {
			snprintf(scope->error, CHECK_ERROR_MAX, "'%.*s' is no share of capacity",
				 (int)node->len, node->text);
			return -ENOENT;
		}
		if (rational_add(sum.number, part.number, &sum.number))
			return too_large(scope);
	}
	*out = sum;
	return 0;
}

static int value_of_path(const struct check_node *node, const struct check_scope *scope,
			 struct check_value *out)
{
	struct check_found found;
	int err = check_find(scope->report, node->text, node->len, &found, scope->error);

	if (err)
		return err;
	if (!found.value) {
		*out = value_of_nothing(node, &found);
		return 0;
	}
	if (found.whole && found.value->kind == JSON_OBJECT)
		err = sum_of(found.value, node, scope, out);
	else
		from_json(found.value, node, out);
	if (out->type == VALUE_NEST && out->len)
		out->key = json_doc_first(scope->report, found.value)->key;
	if (!err && found.whole)
		err = divide(json_doc_number(found.whole), scope, out);
	if (!err && scope->degree && check_is_degree(node))
		*out = (struct check_value){ .number = *scope->degree, .cause = node };
	return err;
}

static int value_of_length(const struct check_node *node, const struct check_scope *scope,
			   struct check_value *out)
{
	struct check_found found;
	int err = check_find(scope->report, node->text, node->len, &found, scope->error);

	if (err)
		return err;
	if (found.value && found.value->kind != JSON_ARRAY) {
		snprintf(scope->error, CHECK_ERROR_MAX, "'%.*s' is no list", (int)node->len,
			 node->text);
		return -EINVAL;
	}
	*out = value_of_nothing(node, &found);
	if (found.value)
		*out = (struct check_value){ .number = rational_of(found.value->cnt),
					     .cause = node };
	return 0;
}

static int need_number(const struct check_value *v, const struct check_scope *scope)
{
	if (v->type == VALUE_NUMBER || v->type == VALUE_BEYOND)
		return 0;
	if (v->type == VALUE_NULL && (v->cause || v->by_zero))
		return 0;
	if (v->cause)
		snprintf(scope->error, CHECK_ERROR_MAX,
			 "'%.*s' is %s: there is no computing with it",
			 (int)v->cause->len, v->cause->text, check_type_name(v->type));
	else
		snprintf(scope->error, CHECK_ERROR_MAX, "there is no computing with %s",
			 check_type_name(v->type));
	return -EINVAL;
}

static int compute(enum check_kind kind, struct rational by, const struct check_scope *scope,
		   struct check_value *out)
{
	int err;

	switch (kind) {
	case CHECK_ADD: err = rational_add(out->number, by, &out->number); break;
	case CHECK_SUB: err = rational_sub(out->number, by, &out->number); break;
	case CHECK_MUL: err = rational_mul(out->number, by, &out->number); break;
	default: return divide(by, scope, out);
	}
	return err ? too_large(scope) : 0;
}

static int value_of_operator(const struct check_expr *expr, const struct check_node *node,
			     const struct check_scope *scope, struct check_value *out)
{
	struct check_value right = { .number = rational_of(0), .cause = node };
	int err = check_value_of(expr, node->left, scope, out);

	if (!err)
		err = need_number(out, scope);
	if (!err && node->kind == CHECK_NEGATE) {
		out->number.num = -out->number.num;
		return 0;
	}
	if (!err)
		err = check_value_of(expr, node->right, scope, &right);
	if (!err)
		err = need_number(&right, scope);
	if (err)
		return err;
	if (out->type == VALUE_BEYOND || (out->type == VALUE_NULL && right.type != VALUE_BEYOND))
		return 0;
	if (right.type != VALUE_NUMBER) {
		*out = right;
		return 0;
	}
	/* Of a quotient by 0 the divisor is to blame. */
	if (node->kind == CHECK_DIV)
		out->cause = right.cause ? right.cause : out->cause;
	return compute(node->kind, right.number, scope, out);
}

int check_value_of(const struct check_expr *expr, uint16_t idx, const struct check_scope *scope,
		   struct check_value *out)
{
	const struct check_node *node = &expr->nodes[idx];

	*out = (struct check_value){ .number = node->number };
	switch (node->kind) {
	case CHECK_NUMBER:
		return 0;
	case CHECK_TEXT:
		out->type = VALUE_TEXT;
		out->text = node->text;
		out->len = node->len;
		return 0;
	case CHECK_TRUE:
	case CHECK_FALSE:
		out->type = VALUE_BOOL;
		out->truth = node->kind == CHECK_TRUE;
		return 0;
	case CHECK_NULL:
		out->type = VALUE_NULL;
		return 0;
	case CHECK_PATH:
		return value_of_path(node, scope, out);
	case CHECK_LENGTH:
		return value_of_length(node, scope, out);
	default:
		return value_of_operator(expr, node, scope, out);
	}
}
