/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/check_range.h"

#include <stdio.h>
#include <string.h>

#include "cli/check_path.h"
#include "cli/check_value.h"
#include "util/minmax.h"

struct range {
	struct rational low, high;
};

static const struct json_value *member(const struct json_doc *report,
				       const struct json_value *parent, const char *key)
{
	return parent && parent->kind == JSON_OBJECT ?
	       json_doc_member(report, parent, key, strlen(key)) : NULL;
}

static const struct json_value *others(const struct json_doc *report)
{
	return member(report, json_doc_root(report), "without_others");
}

static bool number_of(const struct json_value *v, struct rational *out)
{
	if (!v || v->kind != JSON_NUMBER)
		return false;
	*out = json_doc_number(v);
	return true;
}

/* Return: whether @v is a list [low, high]. */
static bool range_of_list(const struct json_doc *report, const struct json_value *v,
			  struct range *out)
{
	return v->kind == JSON_ARRAY && v->cnt == 2 &&
	       number_of(json_doc_element(report, v, 0), &out->low) &&
	       number_of(json_doc_element(report, v, 1), &out->high);
}

/* The steps of @node below @v; a last one, or one before a group's keys, may lack its _ns. */
static const struct json_value *follow(const struct json_doc *report, const struct check_node *node,
				       const struct json_value *v, bool *is_share)
{
	const char *at = node->text, *end = node->text + node->len;

	while (v && at < end) {
		const char *dot = memchr(at, '.', (size_t)(end - at));
		size_t len = (size_t)((dot ? dot : end) - at);
		const struct json_value *in = v->kind == JSON_OBJECT ?
					      json_doc_member(report, v, at, len) : NULL;
		char key[64];

		if (v->kind == JSON_OBJECT && len < sizeof(key) - 4 &&
		    (!in || (!dot && in->kind == JSON_OBJECT))) {
			const struct json_value *in_ns;

			snprintf(key, sizeof(key), "%.*s_ns", (int)len, at);
			in_ns = member(report, v, key);
			*is_share |= !!in_ns;
			in = in_ns ? in_ns : in;
		}
		v = in;
		at += len + 1;
	}
	return v;
}

static bool divide_by_total(const struct json_doc *report, struct range *range)
{
	const struct json_value *capacity = member(report, json_doc_root(report), "capacity");
	struct rational total;

	return number_of(member(report, capacity, "total_ns"), &total) && total.num > 0 &&
	       !rational_div(range->low, total, &range->low) &&
	       !rational_div(range->high, total, &range->high);
}

/* Whether it is a time for which something wanted a CPU. */
static bool is_wait_for_cpu(const struct check_node *node)
{
	static const char *const ends[] = { ".ready_ns", ".max_ready_ns", ".longest_stall_ns" };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (node->len > strlen(ends[i]) &&
		    !memcmp(node->text + node->len - strlen(ends[i]), ends[i], strlen(ends[i])))
			return true;
	return check_path_in(node->text, node->len, "run_queue_wait") && node->len > 3 &&
	       !memcmp(node->text + node->len - 3, "_ns", 3);
}

static bool was_interfered_with(const struct json_doc *report)
{
	struct rational ns;

	return number_of(member(report, others(report), "interfered_ns"), &ns) && ns.num > 0;
}

static bool range_of_path(const struct check_node *node, const struct json_doc *report,
			  struct range *range)
{
	bool is_share = false;
	const struct json_value *v = follow(report, node, others(report), &is_share);
	struct range found;
	bool known;

	if (!v) {
		if (is_wait_for_cpu(node) && was_interfered_with(report))
			range->low = rational_of(0);
		return true;
	}
	/* The one group of parts is what was blocked. */
	if (v->kind == JSON_OBJECT)
		v = member(report, member(report, others(report), "capacity"), "all_blocked_ns");
	known = v && range_of_list(report, v, &found);
	if (!known || (is_share && !divide_by_total(report, &found)))
		return false;
	*range = found;
	return true;
}

typedef int compute_fn(struct rational a, struct rational b, struct rational *out);

/* All that @a and @b can give. */
static bool combine(compute_fn *compute, const struct range *a, const struct range *b,
		    struct range *out)
{
	struct rational ends[4];

	if (compute(a->low, b->low, &ends[0]) || compute(a->low, b->high, &ends[1]) ||
	    compute(a->high, b->low, &ends[2]) || compute(a->high, b->high, &ends[3]))
		return false;
	*out = (struct range){ ends[0], ends[0] };
	for (int i = 1; i < 4; i++) {
		if (rational_cmp(ends[i], out->low) < 0)
			out->low = ends[i];
		if (rational_cmp(ends[i], out->high) > 0)
			out->high = ends[i];
	}
	return true;
}

static bool range_of(const struct check_expr *expr, uint16_t idx, const struct json_doc *report,
		     struct range *out);

static bool range_of_operator(const struct check_expr *expr, const struct check_node *node,
			      const struct json_doc *report, struct range *out)
{
	const struct range zero = { rational_of(0), rational_of(0) };
	struct range a, b;

	if (!range_of(expr, node->left, report, &a))
		return false;
	if (node->kind == CHECK_NEGATE)
		return combine(rational_sub, &zero, &a, out);
	if (!range_of(expr, node->right, report, &b))
		return false;
	switch (node->kind) {
	case CHECK_ADD: return combine(rational_add, &a, &b, out);
	case CHECK_SUB: return combine(rational_sub, &a, &b, out);
	case CHECK_MUL: return combine(rational_mul, &a, &b, out);
	default: break;
	}
	/* Not where the divisor could have been 0. */
	return (rational_cmp(b.low, rational_of(0)) > 0 || rational_cmp(b.high,
									rational_of(0)) < 0) &&
	       combine(rational_div, &a, &b, out);
}

/* Return: false if it is no number, or too large. */
static bool range_of(const struct check_expr *expr, uint16_t idx, const struct json_doc *report,
		     struct range *out)
{
	const struct check_node *node = &expr->nodes[idx];
	char ignored[CHECK_ERROR_MAX];
	struct check_scope scope = { .report = report, .error = ignored };
	struct check_value seen;

	if (node->kind >= CHECK_NEGATE && node->kind <= CHECK_DIV)
		return range_of_operator(expr, node, report, out);
	if (check_value_of(expr, idx, &scope, &seen) || seen.type != VALUE_NUMBER)
		return false;
	*out = (struct range){ seen.number, seen.number };
	return node->kind != CHECK_PATH || range_of_path(node, report, out);
}

/* Whether the part names @path, or (NULL) any key. */
static bool mentions(const struct check_expr *expr, uint16_t idx, const char *path)
{
	const struct check_node *node = &expr->nodes[idx];

	if (node->kind == CHECK_NEGATE)
		return mentions(expr, node->left, path);
	if (node->kind > CHECK_NEGATE && node->kind <= CHECK_DIV)
		return mentions(expr, node->left, path) || mentions(expr, node->right, path);
	return (node->kind == CHECK_PATH || node->kind == CHECK_LENGTH) &&
	       (!path || check_path_in(node->text, node->len, path));
}

/* An exact time is the recording's; how many ran at once is a statement about the program. */
static bool is_about_records(const struct check_expr *expr)
{
	const struct check_node *root = &expr->nodes[expr->root];
	static const char most[] = "parallelism.max";

	return (mentions(expr, root->left, NULL) && mentions(expr, root->right, NULL)) ||
	       !(mentions(expr, root->left, most) || mentions(expr, root->right, most));
}

/* Whether the comparison holds of some values of the ranges, and whether of all. */
static void outcomes(enum check_kind kind, const struct range *a, const struct range *b, bool *some,
		     bool *all)
{
	int least = rational_cmp(a->low, b->high), most = rational_cmp(a->high, b->low);

	switch (kind) {
	case CHECK_EQ: *some = least <= 0 && most >= 0; *all = !least && !most; break;
	case CHECK_NE: *some = least || most; *all = least > 0 || most < 0; break;
	case CHECK_LT: *some = least < 0; *all = most < 0; break;
	case CHECK_LE: *some = least <= 0; *all = most <= 0; break;
	case CHECK_GT: *some = most > 0; *all = least > 0; break;
	default: *some = most >= 0; *all = least >= 0; break;
	}
}

/* The class against a word: whether some class that it could have been gives the other outcome. */
static bool class_could_differ(const struct check_expr *expr, const struct json_doc *report,
			       bool fails)
{
	const struct check_node *root = &expr->nodes[expr->root];
	const struct check_node *key = &expr->nodes[root->left], *word = &expr->nodes[root->right];
	const struct json_value *v = member(report, others(report), "classes");

	if (key->kind == CHECK_TEXT) {
		key = &expr->nodes[root->right];
		word = &expr->nodes[root->left];
	}
	if (!v || v->kind != JSON_ARRAY || key->kind != CHECK_PATH || word->kind != CHECK_TEXT ||
	    key->len != strlen("verdict.class") ||
	    memcmp(key->text, "verdict.class", key->len) != 0)
		return false;
	for (v = json_doc_first(report, v); v; v = json_doc_next(report, v)) {
		bool same = v->kind == JSON_STRING && v->len == word->len &&
			    !memcmp(v->text, word->text, word->len);

		if ((same == (root->kind == CHECK_EQ)) == fails)
			return true;
	}
	return false;
}

bool check_could_differ(const struct check_expr *expr, const struct json_doc *report, bool fails)
{
	const struct check_node *root = &expr->nodes[expr->root];
	bool equality = root->kind == CHECK_EQ || root->kind == CHECK_NE, some, all;
	struct range left, right;

	if (!check_is_comparison(expr))
		return false;
	if (equality && class_could_differ(expr, report, fails))
		return true;
	if (equality && is_about_records(expr))
		return false;
	if (!range_of(expr, root->left, report, &left) ||
	    !range_of(expr, root->right, report, &right))
		return false;
	outcomes(root->kind, &left, &right, &some, &all);
	return fails ? some : !all;
}
