/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/check_doubt.h"

#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "cli/check_path.h"
#include "cli/check_value.h"
#include "util/minmax.h"

#define CPUS_BEYOND_ALL 1000000000	/* more than any machine has */

/* What a key's value rests on. */
enum ground {
	GROUND_KNOWN,		/* nothing that was recorded */
	GROUND_VERDICT,		/* on the verdict's being conclusive */
	GROUND_MEASURED,	/* on every record */
};

static enum ground ground_of(const struct check_node *node)
{
	static const struct {
		const char *key;
		enum ground ground;
	} grounds[] = {
		{ "schema", GROUND_KNOWN }, { "lab_version", GROUND_KNOWN },
		{ "workload", GROUND_KNOWN }, { "host", GROUND_KNOWN },
		{ "verdict", GROUND_VERDICT }, { "loss", GROUND_VERDICT },
		{ "audit", GROUND_VERDICT }, { "overhead", GROUND_VERDICT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(grounds); i++)
		if (check_path_in(node->text, node->len, grounds[i].key))
			return grounds[i].ground;
	return GROUND_MEASURED;
}

static bool is_path(const struct check_node *node)
{
	return node->kind == CHECK_PATH || node->kind == CHECK_LENGTH;
}

static enum ground shakiest(const struct check_expr *expr)
{
	enum ground ground = GROUND_KNOWN;

	for (uint16_t i = 0; i < expr->node_cnt; i++)
		if (is_path(&expr->nodes[i]) && ground_of(&expr->nodes[i]) > ground)
			ground = ground_of(&expr->nodes[i]);
	return ground;
}

static const struct json_value *value_at(const struct json_doc *report, const char *path)
{
	struct check_found found;
	char ignored[CHECK_ERROR_MAX];

	if (check_find(report, path, strlen(path), &found, ignored))
		return NULL;
	return found.value;
}

static bool is_false(const struct json_doc *report, const char *path)
{
	const struct json_value *v = value_at(report, path);

	return v && v->kind == JSON_BOOL && !v->truth;
}

static bool is_inconclusive(const struct json_doc *report)
{
	const struct json_value *v = value_at(report, "verdict.class");

	return v && v->kind == JSON_STRING &&
	       !strcmp(v->text, verdict_class_name(CLASS_INCONCLUSIVE));
}

static bool text_is(const struct check_node *node, enum check_kind kind, const char *text)
{
	return node->kind == kind && node->len == strlen(text) &&
	       !memcmp(node->text, text, node->len);
}

static bool is_about_parallelism(const struct check_expr *expr)
{
	const struct check_node *root = &expr->nodes[expr->root];
	const char *parallel = verdict_class_name(CLASS_PARALLEL);

	for (uint16_t i = 0; i < expr->node_cnt; i++)
		if (is_path(&expr->nodes[i]) &&
		    check_path_in(expr->nodes[i].text, expr->nodes[i].len, "parallelism"))
			return true;
	return check_is_comparison(expr) &&
	       text_is(&expr->nodes[root->left], CHECK_PATH, "verdict.class") &&
	       text_is(&expr->nodes[root->right], CHECK_TEXT, parallel);
}

/* How the two sides compare, had the degree of parallelism been @cpus. Return: false if nobody can tell. */
static bool compare_at(const struct check_expr *expr, const struct json_doc *report, __int128 cpus,
		       int *sign)
{
	const struct check_node *root = &expr->nodes[expr->root];
	char ignored[CHECK_ERROR_MAX];
	struct rational degree = rational_of(cpus);
	struct check_scope scope = { .report = report, .degree = &degree, .error = ignored };
	struct check_value left, right;

	if (check_value_of(expr, root->left, &scope, &left) ||
	    check_value_of(expr, root->right, &scope, &right) || left.type != VALUE_NUMBER ||
	    right.type != VALUE_NUMBER)
		return false;
	*sign = rational_cmp(left.number, right.number);
	return true;
}

/*
 * It fails, and with all of these CPUs always in use it would fail too, but with enough of them
 * it would hold, or pass the point where the sides are equal.
 */
static bool needs_more_cpus(const struct check_expr *expr, const struct json_doc *report,
			    uint32_t cpu_cnt)
{
	enum check_kind kind = expr->nodes[expr->root].kind;
	bool mentioned = false;
	int here, beyond;

	for (uint16_t i = 0; i < expr->node_cnt; i++)
		mentioned |= check_is_degree(&expr->nodes[i]);
	if (!mentioned || !check_is_comparison(expr) ||
	    !compare_at(expr, report, cpu_cnt, &here) ||
	    !compare_at(expr, report, CPUS_BEYOND_ALL, &beyond))
		return false;
	switch (kind) {
	case CHECK_EQ: return here && beyond == -here;
	case CHECK_LT: return here >= 0 && beyond < 0;
	case CHECK_LE: return here > 0 && beyond <= 0;
	case CHECK_GT: return here <= 0 && beyond > 0;
	case CHECK_GE: return here < 0 && beyond >= 0;
	default: return false;
	}
}

bool check_doubt(const struct check_expr *expr, const struct json_doc *report, bool fails,
		 char why[CHECK_ERROR_MAX])
{
	const struct json_value *cpus = value_at(report, "host.cpus_usable");
	enum ground ground = shakiest(expr);

	if (ground >= GROUND_VERDICT && is_inconclusive(report)) {
		snprintf(why, CHECK_ERROR_MAX, "the verdict is inconclusive: run it again");
		return true;
	}
	if (ground >= GROUND_MEASURED &&
	    (is_false(report, "audit.lossless") || is_false(report, "audit.clean"))) {
		snprintf(why, CHECK_ERROR_MAX,
			 "records were lost, or the audit is not clean: run it again");
		return true;
	}
	if (!cpus || cpus->kind != JSON_ARRAY)
		return false;
	if (cpus->cnt < 2 && is_about_parallelism(expr)) {
		snprintf(why, CHECK_ERROR_MAX, "one usable CPU cannot show it: run it on more");
		return true;
	}
	if (fails && needs_more_cpus(expr, report, cpus->cnt)) {
		snprintf(why, CHECK_ERROR_MAX,
			 "no run on %u usable CPUs could show it: run it on more",
			 (unsigned int)cpus->cnt);
		return true;
	}
	return false;
}
