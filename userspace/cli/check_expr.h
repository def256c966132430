/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_CHECK_EXPR_H
#define LAB_CLI_CHECK_EXPR_H

/*
 * check_expr - the language of `lab check`: text becomes a tree.
 *
 *	assertion  := sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=") sum ]
 *	sum        := product { ("+" | "-") product }
 *	product    := unary { ("*" | "/") unary }
 *	unary      := { "-" } primary
 *	primary    := number [unit] | "'" text "'" | '"' text '"' | "true" | "false" | "null"
 *		    | path | "len" "(" path ")" | "(" sum ")"
 *	path       := key { "." (key | index) }
 *	unit       := "ns" | "us" | "ms" | "s" (all in ns) | "%"
 *
 * A word without a dot that is all of the right side of == or != is a text: there no
 * quotes are needed. An assertion names at least one key. Numbers are exact.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/rational.h"

#define CHECK_LEN_MAX 1024	/* bytes of an assertion */
#define CHECK_NODES_MAX 256
#define CHECK_DEPTH_MAX 32	/* of parentheses and signs */
#define CHECK_ERROR_MAX 256

enum check_kind {
	CHECK_NUMBER,
	CHECK_TEXT,
	CHECK_TRUE,
	CHECK_FALSE,
	CHECK_NULL,
	CHECK_PATH,
	CHECK_LENGTH,		/* len(path) */
	CHECK_NEGATE,		/* of left */
	CHECK_ADD,
	CHECK_SUB,
	CHECK_MUL,
	CHECK_DIV,
	CHECK_EQ,		/* this and those below: the root only */
	CHECK_NE,
	CHECK_LT,
	CHECK_LE,
	CHECK_GT,
	CHECK_GE,
};

struct check_node {
	enum check_kind kind;
	uint16_t left, right;	/* of an operator: indexes of nodes */
	const char *text;	/* CHECK_TEXT, CHECK_PATH, CHECK_LENGTH: borrowed, @len bytes */
	size_t len;
	struct rational number;	/* CHECK_NUMBER */
};

struct check_expr {
	const char *text;	/* borrowed: all of it */
	uint16_t root, node_cnt;
	struct check_node nodes[CHECK_NODES_MAX];
};

/**
 * check_parse() - an assertion's tree
 * @expr: caller's storage, overwritten; owns nothing
 * @text: borrowed as long as @expr is used
 * @error: one clause that says what is wrong and where; only after an error. It quotes @text raw
 *
 * Return: 0 or -EINVAL.
 */
int check_parse(struct check_expr *expr, const char *text, char error[CHECK_ERROR_MAX]);

/* Whether the tree is one comparison; else it is one yes-or-no value. */
static inline bool check_is_comparison(const struct check_expr *expr)
{
	return expr->nodes[expr->root].kind >= CHECK_EQ;
}

#endif /* LAB_CLI_CHECK_EXPR_H */
