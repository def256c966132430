/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/check_expr.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/minmax.h"

struct parser {
	struct check_expr *expr;
	const char *at;		/* into the assertion */
	unsigned int depth;
	bool names_key;
	char *error;
};

static int parse_sum(struct parser *p, uint16_t *idx);

/* Only the first complaint is of interest. Return: -EINVAL. */
static int __attribute__((format(printf, 2, 3))) fail(struct parser *p, const char *fmt, ...)
{
	size_t used;
	va_list args;

	if (p->error[0])
		return -EINVAL;
	if (*p->at)
		used = (size_t)snprintf(p->error, CHECK_ERROR_MAX, "at '%.20s': ", p->at);
	else
		used = (size_t)snprintf(p->error, CHECK_ERROR_MAX, "at its end: ");
	va_start(args, fmt);
	vsnprintf(p->error + used, CHECK_ERROR_MAX - used, fmt, args);
	va_end(args);
	return -EINVAL;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word(char c)
{
	return is_letter(c) || is_digit(c);
}

static void skip_space(struct parser *p)
{
	p->at += strspn(p->at, " \t\n");
}

static bool accept(struct parser *p, const char *symbol)
{
	size_t len = strlen(symbol);

	skip_space(p);
	if (strncmp(p->at, symbol, len) != 0)
		return false;
	p->at += len;
	return true;
}

static size_t word_len(const char *at)
{
	size_t len = 0;

	if (is_letter(*at))
		while (is_word(at[len]))
			len++;
	return len;
}

static bool word_is(const char *at, size_t len, const char *word)
{
	return strlen(word) == len && !memcmp(at, word, len);
}

static int add_node(struct parser *p, struct check_node node, uint16_t *idx)
{
	if (p->expr->node_cnt == CHECK_NODES_MAX)
		return fail(p, "that is too long: at most %d numbers, keys and operators",
			    CHECK_NODES_MAX);
	*idx = p->expr->node_cnt++;
	p->expr->nodes[*idx] = node;
	return 0;
}

static int apply_unit(struct parser *p, struct rational *number)
{
	static const struct {
		const char *name;
		int ns;
	} units[] = { { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 } };
	size_t len = word_len(p->at);
	size_t i = 0;

	if (*p->at == '%') {
		p->at++;
		return rational_div(*number, rational_of(100), number) ?
		       fail(p, "a number that does not fit") : 0;
	}
	if (!len)
		return 0;
	while (i < ARRAY_SIZE(units) && !word_is(p->at, len, units[i].name))
		i++;
	if (i == ARRAY_SIZE(units))
		return fail(p, "no such unit; there are ns, us, ms, s and %%");
	p->at += len;
	return rational_mul(*number, rational_of(units[i].ns), number) ?
	       fail(p, "a number that does not fit") : 0;
}

static int parse_number(struct parser *p, uint16_t *idx)
{
	struct check_node node = { .kind = CHECK_NUMBER };
	size_t len = 0;

	while (is_digit(p->at[len]))
		len++;
	if (p->at[len] == '.' && is_digit(p->at[len + 1]))
		for (len++; is_digit(p->at[len]);)
			len++;
	if (rational_parse(p->at, len, &node.number))
		return fail(p, "a number that does not fit");
	p->at += len;
	return apply_unit(p, &node.number) ? -EINVAL : add_node(p, node, idx);
}

static int parse_text(struct parser *p, uint16_t *idx)
{
	const char *end = strchr(p->at + 1, *p->at);
	struct check_node node = { .kind = CHECK_TEXT, .text = p->at + 1 };

	if (!end)
		return fail(p, "the closing quote is missing");
	node.len = (size_t)(end - node.text);
	p->at = end + 1;
	return add_node(p, node, idx);
}

static int parse_path(struct parser *p, enum check_kind kind, uint16_t *idx)
{
	struct check_node node = { .kind = kind, .text = p->at };

	node.len = word_len(p->at);
	if (!node.len)
		return fail(p, "a key is missing");
	while (p->at[node.len] == '.') {
		size_t from = ++node.len;

		while (is_word(p->at[node.len]))
			node.len++;
		if (node.len == from) {
			p->at += from;
			return fail(p, "a key or an index is missing after the dot");
		}
	}
	p->at += node.len;
	p->names_key = true;
	return add_node(p, node, idx);
}

static int parse_length(struct parser *p, uint16_t *idx)
{
	if (!accept(p, "("))
		return fail(p, "'(' is missing");
	skip_space(p);
	if (parse_path(p, CHECK_LENGTH, idx))
		return -EINVAL;
	return accept(p, ")") ? 0 : fail(p, "')' is missing");
}

static int parse_word(struct parser *p, uint16_t *idx)
{
	static const struct {
		const char *word;
		enum check_kind kind;
	} words[] = { { "true", CHECK_TRUE }, { "false", CHECK_FALSE }, { "null", CHECK_NULL } };
	size_t len = word_len(p->at);

	if (p->at[len] == '.')
		return parse_path(p, CHECK_PATH, idx);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!word_is(p->at, len, words[i].word))
			continue;
		p->at += len;
		return add_node(p, (struct check_node){ .kind = words[i].kind }, idx);
	}
	if (word_is(p->at, len, "len") && p->at[len + strspn(p->at + len, " ")] == '(') {
		p->at += len;
		return parse_length(p, idx);
	}
	return parse_path(p, CHECK_PATH, idx);
}

static int parse_primary(struct parser *p, uint16_t *idx)
{
	int err;

	skip_space(p);
	if (is_digit(*p->at))
		return parse_number(p, idx);
	if (*p->at == '\'' || *p->at == '"')
		return parse_text(p, idx);
	if (is_letter(*p->at))
		return parse_word(p, idx);
	if (!accept(p, "("))
		return fail(p, "a key, a number or a text is missing");
	if (++p->depth > CHECK_DEPTH_MAX)
		return fail(p, "too many parentheses in each other");
	err = parse_sum(p, idx);
	p->depth--;
	if (err)
		return err;
	return accept(p, ")") ? 0 : fail(p, "')' is missing");
}

static int parse_unary(struct parser *p, uint16_t *idx)
{
	struct check_node node = { .kind = CHECK_NEGATE };
	int err;

	if (!accept(p, "-"))
		return parse_primary(p, idx);
	if (++p->depth > CHECK_DEPTH_MAX)
		return fail(p, "too many signs");
	err = parse_unary(p, &node.left);
	p->depth--;
	return err ? err : add_node(p, node, idx);
}

static int parse_product(struct parser *p, uint16_t *idx)
{
	int err = parse_unary(p, idx);

	while (!err) {
		struct check_node node = { .left = *idx };

		if (accept(p, "*"))
			node.kind = CHECK_MUL;
		else if (accept(p, "/"))
			node.kind = CHECK_DIV;
		else
			break;
		err = parse_unary(p, &node.right);
		if (!err)
			err = add_node(p, node, idx);
	}
	return err;
}

static int parse_sum(struct parser *p, uint16_t *idx)
{
	int err = parse_product(p, idx);

	while (!err) {
		struct check_node node = { .left = *idx };

		if (accept(p, "+"))
			node.kind = CHECK_ADD;
		else if (accept(p, "-"))
			node.kind = CHECK_SUB;
		else
			break;
		err = parse_product(p, &node.right);
		if (!err)
			err = add_node(p, node, idx);
	}
	return err;
}

/* Return: whether one follows. */
static bool accept_comparison(struct parser *p, enum check_kind *kind)
{
	static const struct {
		const char *symbol;
		enum check_kind kind;
	} symbols[] = {	/* the longer first */
		{ "==", CHECK_EQ }, { "!=", CHECK_NE }, { "<=", CHECK_LE },
		{ ">=", CHECK_GE }, { "<", CHECK_LT }, { ">", CHECK_GT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		if (!accept(p, symbols[i].symbol))
			continue;
		*kind = symbols[i].kind;
		return true;
	}
	return false;
}

/* A word that is all of the right side, and none of the language's own. */
static bool is_bare_text(const struct parser *p, size_t len)
{
	const char *rest = p->at + len;

	return len && !rest[strspn(rest, " \t\n")] && !word_is(p->at, len, "true") &&
	       !word_is(p->at, len, "false") && !word_is(p->at, len, "null");
}

static int parse_right(struct parser *p, enum check_kind kind, uint16_t *idx)
{
	struct check_node node = { .kind = CHECK_TEXT };

	skip_space(p);
	node.text = p->at;
	node.len = word_len(p->at);
	if ((kind != CHECK_EQ && kind != CHECK_NE) || !is_bare_text(p, node.len))
		return parse_sum(p, idx);
	p->at += node.len;
	return add_node(p, node, idx);
}

static int parse_assertion(struct parser *p)
{
	struct check_node node = { 0 };
	int err = parse_sum(p, &p->expr->root);

	if (!err && accept_comparison(p, &node.kind)) {
		node.left = p->expr->root;
		err = parse_right(p, node.kind, &node.right);
		if (!err)
			err = add_node(p, node, &p->expr->root);
	}
	if (err)
		return err;
	skip_space(p);
	if (*p->at == '=')
		return fail(p, "'=' is written '==' here");
	if (*p->at == '<' || *p->at == '>' || *p->at == '!' || *p->at == '&' || *p->at == '|')
		return fail(p, "one comparison is one assertion; give each as a word of its own");
	if (*p->at)
		return fail(p, "an operator is missing");
	if (!p->names_key)
		return fail(p, "it names no key of the report");
	return 0;
}

int check_parse(struct check_expr *expr, const char *text, char error[CHECK_ERROR_MAX])
{
	struct parser p = { .expr = expr, .at = text, .error = error };

	error[0] = '\0';
	expr->text = text;
	expr->root = expr->node_cnt = 0;
	if (strnlen(text, CHECK_LEN_MAX + 1) > CHECK_LEN_MAX)
		return fail(&p, "that is too long: at most %d characters", CHECK_LEN_MAX);
	return parse_assertion(&p);
}
