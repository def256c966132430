/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz_words - what reads words: of the command line, of assertions, of reports; and texts on their
 * way out.
 */
#include "fuzz.h"

#include <fcntl.h>

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check_eval.h"
#include "cli/check_path.h"
#include "cli/output.h"
#include "cli/sweep_range.h"
#include "json_text.h"
#include "util/minmax.h"
#include "util/nearest.h"
#include "util/opts.h"
#include "util/rational.h"
#include "util/text.h"

void fuzz_check(const uint8_t *data, size_t size);
void fuzz_json(const uint8_t *data, size_t size);
void fuzz_number(const uint8_t *data, size_t size);
void fuzz_opts(const uint8_t *data, size_t size);
void fuzz_texts(const uint8_t *data, size_t size);

/* ---- assertions ---- */

static void load_report(struct json_doc *report)
{
	static const struct render_opts opts;
	struct trace_input trace;
	struct output out;

	NEED(!trace_input_open(&trace, "tests/fixtures/threads-lock.lab", O_RDONLY));
	NEED(!output_load(&out, &trace));
	json_report(&out.model, &out.report, &opts, report);
	output_release(&out);
	trace_input_close(&trace);
}

static void judge(const struct check_expr *expr, const struct json_doc *report)
{
	char line[CHECK_OBSERVED_MAX];
	struct check_result result;
	size_t cursor = 0;

	if (check_eval(expr, report, &result)) {
		NEED(result.why[0] && strlen(result.why) < CHECK_ERROR_MAX);
		return;
	}
	NEED(result.outcome <= CHECK_UNDECIDED);
	while (check_observed(expr, report, &cursor, line))
		NEED(strlen(line) < CHECK_OBSERVED_MAX && cursor <= CHECK_NODES_MAX + 2);
}

void fuzz_check(const uint8_t *data, size_t size)
{
	static struct json_doc report;
	char error[CHECK_ERROR_MAX], *text = fuzz_text(data, size);
	struct check_expr expr;

	if (!report.values)
		load_report(&report);
	if (check_parse(&expr, text, error))
		NEED(error[0]);
	else
		judge(&expr, &report);
	free(text);
}

/* ---- reports ---- */

static void walk(const struct json_doc *doc, const struct json_value *v, unsigned int depth)
{
	uint32_t cnt = 0;

	NEED(depth <= JSON_TEXT_DEPTH_MAX);
	if (v->kind == JSON_STRING)
		NEED(strlen(v->text) == v->len);
	if (v->kind != JSON_ARRAY && v->kind != JSON_OBJECT)
		return;
	for (const struct json_value *in = json_doc_first(doc, v); in;
	     in = json_doc_next(doc, in)) {
		if (v->kind == JSON_OBJECT)
			NEED(json_doc_member(doc, v, in->key, strlen(in->key)) == in);
		else
			NEED(json_doc_element(doc, v, cnt) == in);
		walk(doc, in, depth + 1);
		cnt++;
	}
	NEED(cnt == v->cnt);
}

void fuzz_json(const uint8_t *data, size_t size)
{
	static const char *const asked[] = {
		"verdict.class==parallel", "len(tasks)==5",
		"parallelism.average/host.cpus_online >= 80%",
		"capacity.blocked.lock < capacity.work", "tasks.0.run_ns*2-1 <= 10ms",
		"audit.clean",
	};
	char error[CHECK_ERROR_MAX];
	struct check_expr expr;
	struct json_text json;

	if (!json_text_parse(&json, fuzz_text(data, size), size)) {
		walk(&json.doc, json_doc_root(&json.doc), 0);
		for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
			NEED(!check_parse(&expr, asked[i], error));
			judge(&expr, &json.doc);
		}
	}
	json_text_release(&json);
}

/* ---- numbers ---- */

/* Two decimals with a blank between. */
void fuzz_number(const uint8_t *data, size_t size)
{
	const uint8_t *blank = memchr(data, ' ', size);
	size_t len = blank ? (size_t)(blank - data) : size;
	char shown[RATIONAL_TEXT_MAX];
	struct rational a, b, c;

	if (rational_parse((const char *)data, len, &a))
		return;
	rational_format(a, shown);
	NEED(strlen(shown) < RATIONAL_TEXT_MAX && a.den > 0 && !rational_cmp(a, a));
	if (!blank || rational_parse((const char *)blank + 1, size - len - 1, &b))
		return;
	NEED(rational_cmp(a, b) == -rational_cmp(b, a));
	if (!rational_add(a, b, &c) && !rational_sub(c, b, &c))
		NEED(!rational_cmp(c, a));
	if (!rational_mul(a, b, &c) && b.num && !rational_div(c, b, &c))
		NEED(!rational_cmp(c, a));
	if (!rational_div(a, b, &c))
		rational_format(c, shown);
}

/* ---- the command line ---- */

struct values {
	bool flag;
	uint32_t number, choice;
	uint64_t duration_ns;
	const char *string, *optional, *cpus;
};

static void parse_word(const char *word)
{
	uint16_t cpus[64];
	uint32_t n[64];
	uint64_t ns;
	int cnt = opts_parse_cpulist(word, cpus, ARRAY_SIZE(cpus));

	for (int i = 1; i < cnt; i++)
		NEED(cpus[i] > cpus[i - 1]);
	NEED(cnt && cnt <= (int)ARRAY_SIZE(cpus));
	cnt = sweep_range_parse(word, 16, n, ARRAY_SIZE(n));
	for (int i = 1; i < cnt; i++)
		NEED(n[i] > n[i - 1]);
	NEED(cnt && cnt <= (int)ARRAY_SIZE(n) && (cnt < 0 || n[0]));
	opts_parse_duration(word, &ns);
}

/* Words, each ended by a newline. */
void fuzz_opts(const uint8_t *data, size_t size)
{
	static const char *const choices[] = { "always", "never", "auto", NULL };
	static const struct opt table[] = {
		{ .name = "flag", .letter = 'f', .kind = OPT_FLAG,
		  .off = offsetof(struct values, flag) },
		{ .name = "number", .letter = 'n', .kind = OPT_U32, .min = 2, .max = 99,
		  .off = offsetof(struct values, number) },
		{ .name = "for", .kind = OPT_DURATION, .max = 60000000000,
		  .off = offsetof(struct values, duration_ns) },
		{ .name = "string", .letter = 's', .kind = OPT_STRING,
		  .off = offsetof(struct values, string) },
		{ .name = "json", .kind = OPT_OPTIONAL_STRING,
		  .off = offsetof(struct values, optional) },
		{ .name = "color", .kind = OPT_CHOICE, .choices = choices,
		  .off = offsetof(struct values, choice) },
		{ .name = "cpus", .kind = OPT_CPULIST, .off = offsetof(struct values, cpus) },
		{ .name = NULL },
	};
	char *text = fuzz_text(data, size), *rest = text, *words[16];
	bool want_help, dashdash;
	struct values values = { 0 };
	int cnt = 0, used;

	while (cnt < (int)ARRAY_SIZE(words) && rest)
		words[cnt++] = strsep(&rest, "\n");
	for (int i = 0; i < cnt; i++)
		parse_word(words[i]);
	used = opts_parse(table, &values, cnt, words, "lab", &want_help, &dashdash);
	NEED(used >= -EINVAL && used <= cnt);
	NEED(values.choice < ARRAY_SIZE(choices) && values.number <= 99);
	free(text);
}

/* ---- texts ---- */

static void is_for_terminal(const char *src, size_t len, size_t cols, bool utf8)
{
	char small[16], *dst = malloc(8 * len + 8);

	NEED(dst);
	NEED(text_for_terminal(dst, 8 * len + 8, src, len, cols, utf8) <= cols);
	for (const char *c = dst; *c; c++)
		NEED((unsigned char)*c >= ' ' && *c != 0x7f && (utf8 || (unsigned char)*c < 0x80));
	text_columns(dst);
	text_for_terminal(small, sizeof(small), src, len, cols, utf8);
	NEED(strlen(small) < sizeof(small));
	free(dst);
}

static void is_json(const char *src, size_t len)
{
	struct json_text json;
	char *text;
	size_t text_len;
	FILE *to = open_memstream(&text, &text_len);
	int err;

	NEED(to);
	text_json(to, src, len);
	fclose(to);
	for (size_t i = 0; i < text_len; i++)
		NEED(text[i] >= ' ' && !strchr("<>&", text[i]) && text[i] != 0x7f);
	err = json_text_parse(&json, text, text_len);
	NEED(!err || memchr(src, 0, len));
	json_text_release(&json);
}

static void is_html(const char *src, size_t len)
{
	char *text;
	size_t text_len;
	FILE *to = open_memstream(&text, &text_len);

	NEED(to);
	text_html(to, src, len);
	fclose(to);
	for (size_t i = 0; i < text_len; i++)
		NEED(!strchr("<>\"'", text[i]) && (unsigned char)text[i] >= ' ' && text[i] != 0x7f);
	free(text);
}

/* The first byte is the columns there are. */
void fuzz_texts(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "report", "view", "verify", "check", "compare",
					     "sweep" };
	size_t len = size ? size - 1 : 0;
	char *text;

	if (!size)
		return;
	NEED(setlocale(LC_CTYPE, "C.UTF-8"));
	text = fuzz_text(data + 1, len);
	is_for_terminal(text, len, data[0], true);
	is_for_terminal(text, len, data[0], false);
	is_json(text, len);
	is_html(text, len);
	text_csv(fuzz_null(), text, len);
	text_folded(fuzz_null(), text, len);
	if (strlen(text) < 64)
		nearest_of(text, names, ARRAY_SIZE(names));
	free(text);
}
