/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/check_doubt.h"

#include <stdio.h>
#include <string.h>

#include "claim.h"
#include "cli/check_path.h"
#include "cli/check_range.h"
#include "cli/check_value.h"
#include "util/minmax.h"

#define STEAL_PERCENT 1		/* of the usable CPUs' time; more of it decides nothing */
#define CPUS_BEYOND_ALL 1000000000	/* more than any machine has */

/* What a key's value rests on. */
enum ground {
	GROUND_KNOWN,		/* nothing that was recorded */
	GROUND_RECORDING,	/* how the recording went */
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
		{ "loss", GROUND_RECORDING }, { "audit", GROUND_RECORDING },
		{ "overhead", GROUND_RECORDING },
		{ "verdict.at_least", GROUND_KNOWN },	/* it is there where that much is certain */
		{ "verdict", GROUND_VERDICT },
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

/* The class against the word, in either order. */
static bool is_class_parallel(const struct check_expr *expr)
{
	const struct check_node *root = &expr->nodes[expr->root];
	const struct check_node *left = &expr->nodes[root->left];
	const struct check_node *right = &expr->nodes[root->right];
	const char *parallel = verdict_class_name(CLASS_PARALLEL);

	if (!check_is_comparison(expr))
		return false;
	if (left->kind == CHECK_TEXT) {
		const struct check_node *word = left;

		left = right;
		right = word;
	}
	return text_is(left, CHECK_PATH, "verdict.class") && text_is(right, CHECK_TEXT, parallel);
}

static bool is_about_parallelism(const struct check_expr *expr)
{
	for (uint16_t i = 0; i < expr->node_cnt; i++)
		if (is_path(&expr->nodes[i]) &&
		    check_path_in(expr->nodes[i].text, expr->nodes[i].len, "parallelism"))
			return true;
	return is_class_parallel(expr);
}

/*
 * How the two sides compare, had the degree of parallelism been @degree (NULL: as observed).
 * Return: false if nobody can tell.
 */
static bool compare_at(const struct check_expr *expr, const struct json_doc *report,
		       const struct rational *degree, int *sign)
{
	const struct check_node *root = &expr->nodes[expr->root];
	char ignored[CHECK_ERROR_MAX];
	struct check_scope scope = { .report = report, .degree = degree, .error = ignored };
	struct check_value left, right;

	if (check_value_of(expr, root->left, &scope, &left) ||
	    check_value_of(expr, root->right, &scope, &right) || left.type != VALUE_NUMBER ||
	    right.type != VALUE_NUMBER)
		return false;
	*sign = rational_cmp(left.number, right.number);
	return true;
}

/*
 * Whether a comparison about the degree of parallelism that does not hold at @from does so at the
 * larger @to, or the sides were equal on the way there.
 */
static bool holds_with_more(const struct check_expr *expr, const struct json_doc *report,
			    const struct rational *from, const struct rational *to)
{
	bool mentioned = false;
	int here, there;

	for (uint16_t i = 0; i < expr->node_cnt; i++)
		mentioned |= check_is_degree(&expr->nodes[i]);
	if (!mentioned || !check_is_comparison(expr) || !compare_at(expr, report, from, &here) ||
	    !compare_at(expr, report, to, &there))
		return false;
	switch (expr->nodes[expr->root].kind) {
	case CHECK_EQ: return here && there != here;
	case CHECK_LT: return here >= 0 && there < 0;
	case CHECK_LE: return here > 0 && there <= 0;
	case CHECK_GT: return here <= 0 && there > 0;
	case CHECK_GE: return here < 0 && there >= 0;
	default: return false;
	}
}

/* Return: whether it is there, and a number. */
static bool number_at(const struct json_doc *report, const char *path, struct rational *out)
{
	const struct json_value *v = value_at(report, path);

	if (!v || v->kind != JSON_NUMBER)
		return false;
	*out = json_doc_number(v);
	return true;
}

/* A task that the kernel takes to be running may then have stood still. */
static bool much_was_stolen(const struct json_doc *report)
{
	struct rational steal, total;

	return number_at(report, "host.steal_ns", &steal) &&
	       number_at(report, "capacity.total_ns", &total) &&
	       !rational_mul(steal, rational_of(100), &steal) &&
	       !rational_mul(total, rational_of(STEAL_PERCENT), &total) &&
	       rational_cmp(steal, total) > 0;
}

/* Of an assertion that fails, with @cpu_cnt usable CPUs, two or more. */
static bool doubt_failure(const struct check_expr *expr, const struct json_doc *report,
			  uint32_t cpu_cnt, char why[CHECK_ERROR_MAX])
{
	struct rational all = rational_of(cpu_cnt), beyond = rational_of(CPUS_BEYOND_ALL);

	if (!holds_with_more(expr, report, &all, &beyond))
		return false;
	snprintf(why, CHECK_ERROR_MAX, "no run on %u usable CPUs could show it: run it on more",
		 (unsigned int)cpu_cnt);
	return true;
}

bool check_doubt(const struct check_expr *expr, const struct json_doc *report, bool fails,
		 char why[CHECK_ERROR_MAX])
{
	const struct json_value *cpus = value_at(report, "host.cpus_usable");
	enum ground ground = shakiest(expr);

	if (is_false(report, "verdict.certificate_holds")) {
		snprintf(why, CHECK_ERROR_MAX,
			 "the verdict that is stored in the trace does not follow from its "
			 "records: see lab verify");
		return true;
	}
	if (ground >= GROUND_RECORDING && is_inconclusive(report)) {
		snprintf(why, CHECK_ERROR_MAX, "the verdict is inconclusive: run it again");
		return true;
	}
	if (ground >= GROUND_VERDICT && much_was_stolen(report)) {
		snprintf(why, CHECK_ERROR_MAX,
			 "the hypervisor took more than %d %% of the CPUs' time away: run it again",
			 STEAL_PERCENT);
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
	if (ground >= GROUND_VERDICT && check_could_differ(expr, report, fails)) {
		snprintf(why, CHECK_ERROR_MAX,
			 "without other programs it could have been otherwise: run it again on a "
			 "quieter machine, or with --until-quiet");
		return true;
	}
	return fails && doubt_failure(expr, report, cpus->cnt, why);
}
