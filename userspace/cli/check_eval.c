/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/check_eval.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "cli/check_doubt.h"
#include "cli/check_path.h"
#include "cli/check_value.h"
#include "util/nearest.h"

static bool is_equality(enum check_kind kind)
{
	return kind == CHECK_EQ || kind == CHECK_NE;
}

static enum check_outcome outcome_of(bool holds)
{
	return holds ? CHECK_HOLDS : CHECK_FAILS;
}

/* @sign: left against right. */
static bool sign_holds(enum check_kind kind, int sign)
{
	switch (kind) {
	case CHECK_EQ: return sign == 0;
	case CHECK_NE: return sign != 0;
	case CHECK_LT: return sign < 0;
	case CHECK_LE: return sign <= 0;
	case CHECK_GT: return sign > 0;
	default: return sign >= 0;
	}
}

/* A class that does not exist would never hold, nor ever say why. */
static int check_class_name(const struct check_node *key, const struct check_node *word,
			    char error[CHECK_ERROR_MAX])
{
	static const char end[] = ".class";
	const char *names[CLASS_INCONCLUSIVE];
	char given[32];

	if (key->kind != CHECK_PATH || word->kind != CHECK_TEXT || key->len < sizeof(end) ||
	    memcmp(key->text + key->len - strlen(end), end, strlen(end)) != 0)
		return 0;
	snprintf(given, sizeof(given), "%.*s", (int)word->len, word->text);
	for (int i = CLASS_SEQUENTIAL; i <= CLASS_INCONCLUSIVE; i++) {
		names[i - 1] = verdict_class_name(i);
		if (!strcmp(names[i - 1], given))
			return 0;
	}
	snprintf(error, CHECK_ERROR_MAX, "there is no class '%s'%.200s", given,
		 nearest_or(nearest_of(given, names, CLASS_INCONCLUSIVE),
			    "; there are sequential, concurrent, parallel and inconclusive").s);
	return -EINVAL;
}

/*
 * A program ends with a status or by a signal: who has the one is known not to have the other. Such
 * a null is no number, and compares with none.
 */
static bool is_decided_absence(const struct check_value *v, const struct check_scope *scope)
{
	static const char *const ends[] = { "workload.exit_status", "workload.signal" };
	char ignored[CHECK_ERROR_MAX];
	struct check_found found;

	if (v->type != VALUE_NULL || !v->cause || v->missing || v->by_zero ||
	    v->cause->kind != CHECK_PATH)
		return false;
	for (int i = 0; i < 2; i++)
		if (v->cause->len == strlen(ends[i]) &&
		    !memcmp(v->cause->text, ends[i], v->cause->len))
			return !check_find(scope->report, ends[!i], strlen(ends[!i]), &found,
					   ignored) &&
			       found.value && found.value->kind == JSON_NUMBER;
	return false;
}

/* The outcome where a value is not there. Return: whether it is so. */
static bool settle_absence(const struct check_value *v, struct check_result *result)
{
	if (v->type == VALUE_BEYOND) {
		result->outcome = CHECK_FAILS;
		return true;
	}
	if (v->type != VALUE_NULL)
		return false;
	result->outcome = CHECK_UNDECIDED;
	if (v->missing)
		snprintf(result->why, sizeof(result->why), "'%.*s' is not in this report",
			 (int)v->cause->len, v->cause->text);
	else if (!v->by_zero)
		snprintf(result->why, sizeof(result->why), "'%.*s' is null", (int)v->cause->len,
			 v->cause->text);
	else if (v->cause)
		snprintf(result->why, sizeof(result->why), "'%.*s' leaves nothing to divide by",
			 (int)v->cause->len, v->cause->text);
	else
		snprintf(result->why, sizeof(result->why), "it divides by 0");
	return true;
}

static int mismatch(const struct check_value *left, const struct check_value *right,
		    struct check_result *result)
{
	const struct check_value *nest = left->type == VALUE_NEST ? left : right;

	if (nest->type == VALUE_NEST && nest->key)
		snprintf(result->why, sizeof(result->why),
			 "'%.*s' is a group of keys; compare one of them, such as '%.*s.%s'",
			 (int)nest->cause->len, nest->cause->text, (int)nest->cause->len,
			 nest->cause->text, nest->key);
	else if (left->type == right->type)
		snprintf(result->why, sizeof(result->why), "there is no comparing %s that way",
			 check_type_name(left->type));
	else
		snprintf(result->why, sizeof(result->why), "its left side is %s, its right side %s",
			 check_type_name(left->type), check_type_name(right->type));
	return -EINVAL;
}

/* Both are there. */
static int compare_values(enum check_kind kind, const struct check_value *left,
			  const struct check_value *right, struct check_result *result)
{
	bool same;

	if (left->type != right->type || left->type == VALUE_NEST ||
	    (left->type != VALUE_NUMBER && !is_equality(kind)))
		return mismatch(left, right, result);
	if (left->type == VALUE_NUMBER) {
		result->outcome =
			outcome_of(sign_holds(kind, rational_cmp(left->number, right->number)));
		return 0;
	}
	if (left->type == VALUE_BOOL)
		same = left->truth == right->truth;
	else
		same = left->len == right->len && !memcmp(left->text, right->text, left->len);
	result->outcome = outcome_of(same == (kind == CHECK_EQ));
	return 0;
}

static void add_hint(const struct check_scope *scope, const char *hint)
{
	size_t len = strlen(scope->error);

	snprintf(scope->error + len, CHECK_ERROR_MAX - len, "%s", hint);
}

static int compare(const struct check_expr *expr, const struct check_scope *scope,
		   struct check_result *result)
{
	const struct check_node *root = &expr->nodes[expr->root];
	const struct check_node *l = &expr->nodes[root->left], *r = &expr->nodes[root->right];
	bool with_null = l->kind == CHECK_NULL || r->kind == CHECK_NULL;
	struct check_value left, right;
	int err = check_value_of(expr, root->left, scope, &left);

	if (!err) {
		err = check_value_of(expr, root->right, scope, &right);
		if (err == -ENOENT && is_equality(root->kind) && r->kind == CHECK_PATH)
			add_hint(scope, "; a text with a dot in it needs quotes");
	}
	if (!err && is_equality(root->kind))
		err = check_class_name(l, r, scope->error);
	if (!err && is_equality(root->kind))
		err = check_class_name(r, l, scope->error);
	if (err)
		return err;
	if (with_null && !is_equality(root->kind)) {
		snprintf(scope->error, CHECK_ERROR_MAX,
			 "null is neither less nor more than anything");
		return -EINVAL;
	}
	if (left.type == VALUE_BEYOND || right.type == VALUE_BEYOND) {
		settle_absence(left.type == VALUE_BEYOND ? &left : &right, result);
		return 0;
	}
	if (!with_null && (is_decided_absence(&left, scope) || is_decided_absence(&right, scope))) {
		result->outcome = outcome_of(root->kind == CHECK_NE);
		return 0;
	}
	if (with_null) {
		result->outcome = outcome_of((left.type == right.type) == (root->kind == CHECK_EQ));
		return 0;
	}
	if (settle_absence(&left, result) || settle_absence(&right, result))
		return 0;
	return compare_values(root->kind, &left, &right, result);
}

/* An assertion without a comparison. */
static int judge_value(const struct check_expr *expr, const struct check_scope *scope,
		       struct check_result *result)
{
	struct check_value value;
	int err = check_value_of(expr, expr->root, scope, &value);

	if (err || settle_absence(&value, result))
		return err;
	if (value.type != VALUE_BOOL) {
		snprintf(scope->error, CHECK_ERROR_MAX, "it is %s: compare it with something",
			 check_type_name(value.type));
		return -EINVAL;
	}
	result->outcome = outcome_of(value.truth);
	return 0;
}

int check_eval(const struct check_expr *expr, const struct json_doc *report,
	       struct check_result *result)
{
	struct check_scope scope = { .report = report, .error = result->why };
	char why[CHECK_ERROR_MAX];
	int err;

	*result = (struct check_result){ 0 };
	err = check_is_comparison(expr) ? compare(expr, &scope, result) :
					  judge_value(expr, &scope, result);
	if (err || !check_doubt(expr, report, result->outcome == CHECK_FAILS, why))
		return err;
	result->outcome = CHECK_UNDECIDED;
	memcpy(result->why, why, sizeof(why));
	return 0;
}

static void format_value(const struct check_value *v, char *text, size_t size)
{
	char number[RATIONAL_TEXT_MAX];

	switch (v->type) {
	case VALUE_NUMBER:
		rational_format(v->number, number);
		snprintf(text, size, "%s", number);
		break;
	case VALUE_TEXT:
		snprintf(text, size, "'%.*s'", (int)v->len, v->text);
		break;
	case VALUE_BOOL:
		snprintf(text, size, "%s", v->truth ? "true" : "false");
		break;
	case VALUE_BEYOND:
		snprintf(text, size, "not there: the list has %zu", v->len);
		break;
	default:
		snprintf(text, size, "%s", v->missing ? "not in this report" :
						       check_type_name(v->type));
	}
}

/* Of a key the first time it stands there, and of a side that was computed. */
static bool is_worth_a_line(const struct check_expr *expr, size_t idx)
{
	const struct check_node *node = &expr->nodes[idx], *root = &expr->nodes[expr->root];

	if (node->kind >= CHECK_NEGATE && node->kind <= CHECK_DIV)
		return check_is_comparison(expr) && (root->left == idx || root->right == idx);
	if (node->kind != CHECK_PATH && node->kind != CHECK_LENGTH)
		return false;
	for (size_t i = 0; i < idx; i++)
		if (expr->nodes[i].kind == node->kind && expr->nodes[i].len == node->len &&
		    !memcmp(expr->nodes[i].text, node->text, node->len))
			return false;
	return true;
}

bool check_observed(const struct check_expr *expr, const struct json_doc *report, size_t *cursor,
		    char line[CHECK_OBSERVED_MAX])
{
	char ignored[CHECK_ERROR_MAX], text[200];
	struct check_scope scope = { .report = report, .error = ignored };
	const struct check_node *node;
	struct check_value value;

	while (*cursor < expr->node_cnt && !is_worth_a_line(expr, *cursor))
		(*cursor)++;
	if (*cursor == expr->node_cnt)
		return false;
	node = &expr->nodes[*cursor];
	if (check_value_of(expr, (uint16_t)*cursor, &scope, &value))
		snprintf(text, sizeof(text), "too large");
	else
		format_value(&value, text, sizeof(text));
	if (node->kind == CHECK_PATH)
		snprintf(line, CHECK_OBSERVED_MAX, "%.*s is %s", (int)node->len, node->text, text);
	else if (node->kind == CHECK_LENGTH)
		snprintf(line, CHECK_OBSERVED_MAX, "len(%.*s) is %s", (int)node->len, node->text,
			 text);
	else
		snprintf(line, CHECK_OBSERVED_MAX, "the %s side is %s",
			 expr->nodes[expr->root].left == *cursor ? "left" : "right", text);
	(*cursor)++;
	return true;
}
