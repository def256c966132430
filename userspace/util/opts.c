/* SPDX-License-Identifier: GPL-2.0-only */
#include "util/opts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/log.h"
#include "util/minmax.h"
#include "util/nearest.h"

#define CPU_NUMBER_MAX 65534
#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull
#define HELP_COLUMN_MAX 32	/* longer options get a line of their own */

/* One option as it stands on the command line. */
struct met {
	const struct opt *opt;
	const char *what;	/* whose options these are */
	const char *value;	/* NULL: none */
};

static void *field(const struct opt *opt, void *values)
{
	return (char *)values + opt->off;
}

static size_t table_size(const struct opt *table)
{
	size_t cnt = 0;

	while (table[cnt].name)
		cnt++;
	return cnt;
}

static size_t choice_cnt(const struct opt *opt)
{
	size_t cnt = 0;

	while (opt->choices[cnt])
		cnt++;
	return cnt;
}

/* Digits only: no sign, no blank, no base. Return: 0, -EINVAL or -ERANGE. */
static int parse_digits(const char **text, uint64_t max, uint64_t *out)
{
	const char *p = *text;
	uint64_t n = 0;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (digit > max || n > (max - digit) / 10)
			return -ERANGE;
		n = n * 10 + digit;
	}
	*text = p;
	*out = n;
	return 0;
}

/* ---- durations ---- */

static int unit_scale(const char *unit, uint64_t *scale)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "", NS_PER_S }, { "ns", 1 }, { "us", 1000 }, { "ms", NS_PER_MS },
		{ "s", NS_PER_S }, { "m", 60 * NS_PER_S }, { "h", 3600 * NS_PER_S },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!strcmp(unit, units[i].name)) {
			*scale = units[i].ns;
			return 0;
		}
	}
	return -EINVAL;
}

int opts_parse_duration(const char *text, uint64_t *ns)
{
	const char *fraction = NULL, *p = text;
	uint64_t whole, scale, total;
	int err = parse_digits(&p, UINT64_MAX, &whole);

	if (err)
		return err;
	if (*p == '.') {
		fraction = ++p;
		p += strspn(p, "0123456789");
		if (p == fraction)
			return -EINVAL;
	}
	if (unit_scale(p, &scale))
		return -EINVAL;
	if (__builtin_mul_overflow(whole, scale, &total))
		return -ERANGE;
	/* Each further digit counts a tenth of the one before; what is below 1 ns is cut off. */
	for (uint64_t weight = scale; fraction && fraction < p && *fraction >= '0' &&
	     *fraction <= '9'; fraction++) {
		uint64_t digit = (uint64_t)(*fraction - '0');
		uint64_t part = weight / 10 * digit + weight % 10 * digit / 10;

		weight /= 10;
		if (__builtin_add_overflow(total, part, &total))
			return -ERANGE;
	}
	*ns = total;
	return 0;
}

/* The shortest exact spelling: "2s", "250ms", "7ns". */
static void format_duration(char *dst, size_t size, uint64_t ns)
{
	if (ns % NS_PER_S == 0)
		snprintf(dst, size, "%llus", (unsigned long long)(ns / NS_PER_S));
	else if (ns % NS_PER_MS == 0)
		snprintf(dst, size, "%llums", (unsigned long long)(ns / NS_PER_MS));
	else
		snprintf(dst, size, "%lluns", (unsigned long long)ns);
}

/* ---- CPU lists ---- */

static int parse_cpu_range(const char **text, uint64_t *first, uint64_t *last)
{
	int err = parse_digits(text, CPU_NUMBER_MAX, first);

	*last = *first;
	if (err || **text != '-')
		return err;
	++*text;
	err = parse_digits(text, CPU_NUMBER_MAX, last);
	if (!err && *last < *first)
		err = -EINVAL;
	return err;
}

int opts_parse_cpulist(const char *text, uint16_t *cpus, size_t cap)
{
	bool *named = xcalloc(CPU_NUMBER_MAX + 1, sizeof(*named));
	uint64_t highest = 0;
	size_t cnt = 0;
	int err;

	do {
		uint64_t first = 0, last = 0;

		err = parse_cpu_range(&text, &first, &last);
		for (uint64_t cpu = first; !err && cpu <= last; cpu++)
			named[cpu] = true;
		highest = max_u64(highest, last);
	} while (!err && *text++ == ',');
	if (!err && text[-1] != '\0')
		err = -EINVAL;

	for (size_t cpu = 0; !err && cpu <= highest; cpu++) {
		if (!named[cpu])
			continue;
		if (cnt == cap)
			err = -ERANGE;
		else
			cpus[cnt++] = (uint16_t)cpu;
	}
	free(named);
	return err ? err : (int)cnt;
}

/* ---- one option's value ---- */

static int set_u32(const struct met *met, void *values)
{
	uint64_t max = met->opt->max ? met->opt->max : UINT32_MAX;
	const char *p = met->value;
	uint64_t n = 0;
	int err = parse_digits(&p, UINT32_MAX, &n);

	if (err == -EINVAL || (!err && *p)) {
		log_err("%s: --%s takes a whole number, not \"%s\"", met->what, met->opt->name,
			met->value);
		return -EINVAL;
	}
	if (err || n < met->opt->min || n > max) {
		log_err("%s: --%s takes a number from %llu to %llu, not %s", met->what,
			met->opt->name, (unsigned long long)met->opt->min,
			(unsigned long long)max, met->value);
		return -EINVAL;
	}
	*(uint32_t *)field(met->opt, values) = (uint32_t)n;
	return 0;
}

static int set_duration(const struct met *met, void *values)
{
	uint64_t max = met->opt->max ? met->opt->max : UINT64_MAX;
	char least[32], most[32];
	uint64_t ns = 0;
	int err = opts_parse_duration(met->value, &ns);

	if (err == -EINVAL) {
		log_err("%s: --%s takes a time such as 5s, 250ms or 1.5m, not \"%s\"", met->what,
			met->opt->name, met->value);
		return -EINVAL;
	}
	if (err || ns < met->opt->min || ns > max) {
		format_duration(least, sizeof(least), met->opt->min);
		format_duration(most, sizeof(most), max);
		log_err("%s: --%s takes a time from %s to %s, not %s", met->what, met->opt->name,
			least, most, met->value);
		return -EINVAL;
	}
	*(uint64_t *)field(met->opt, values) = ns;
	return 0;
}

static int set_choice(const struct met *met, void *values)
{
	const char *const *choices = met->opt->choices;
	size_t cnt = choice_cnt(met->opt);
	char all[256] = "";
	size_t len = 0;

	for (size_t i = 0; i < cnt; i++) {
		if (!strcmp(met->value, choices[i])) {
			*(uint32_t *)field(met->opt, values) = (uint32_t)i;
			return 0;
		}
	}
	for (size_t i = 0; i < cnt && len < sizeof(all); i++)
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s",
					i == 0 ? "" : i + 1 == cnt ? " or " : ", ", choices[i]);
	log_err("%s: --%s takes %s, not \"%s\"", met->what, met->opt->name, all, met->value);
	return -EINVAL;
}

static int check_cpulist(const struct met *met)
{
	uint16_t *cpus = xcalloc(CPU_NUMBER_MAX + 1, sizeof(*cpus));
	int cnt = opts_parse_cpulist(met->value, cpus, CPU_NUMBER_MAX + 1);

	free(cpus);
	if (cnt >= 0)
		return 0;
	if (cnt == -ERANGE)
		log_err("%s: --%s: CPU numbers end at %d: \"%s\"", met->what, met->opt->name,
			CPU_NUMBER_MAX, met->value);
	else
		log_err("%s: --%s takes CPU numbers such as 0 or 0-3,5, not \"%s\"", met->what,
			met->opt->name, met->value);
	return -EINVAL;
}

static int set_value(const struct met *met, void *values)
{
	int err = 0;

	switch (met->opt->kind) {
	case OPT_FLAG:
		*(bool *)field(met->opt, values) = true;
		break;
	case OPT_U32:
		return set_u32(met, values);
	case OPT_DURATION:
		return set_duration(met, values);
	case OPT_CHOICE:
		return set_choice(met, values);
	case OPT_CPULIST:
		err = check_cpulist(met);
		if (err)
			return err;
		/* fallthrough */
	case OPT_STRING:
		*(const char **)field(met->opt, values) = met->value;
		break;
	case OPT_OPTIONAL_STRING:
		*(const char **)field(met->opt, values) = met->value ? met->value : "";
		break;
	}
	return 0;
}

/* ---- the command line ---- */

static bool needs_value(const struct opt *opt)
{
	return opt->kind != OPT_FLAG && opt->kind != OPT_OPTIONAL_STRING;
}

static const struct opt *find_long(const struct opt *table, const char *name, size_t len)
{
	for (; table->name; table++)
		if (strlen(table->name) == len && !memcmp(table->name, name, len))
			return table;
	return NULL;
}

static const struct opt *find_letter(const struct opt *table, char letter)
{
	for (; table->name; table++)
		if (table->letter && table->letter == letter)
			return table;
	return NULL;
}

static int unknown_long(const struct opt *table, const char *name, size_t len, const char *what)
{
	size_t cnt = table_size(table);
	const char **names = xcalloc(cnt + 1, sizeof(*names));
	char *word = xstrndup(name, len);
	const char *nearest;

	for (size_t i = 0; i < cnt; i++)
		names[i] = table[i].name;
	names[cnt] = "help";
	nearest = nearest_of(word, names, cnt + 1);
	if (nearest)
		log_err("%s: unknown option --%s; did you mean --%s?", what, word, nearest);
	else
		log_err("%s: unknown option --%s; see %s --help", what, word, what);
	free(word);
	free(names);
	return -EINVAL;
}

/* "--name", "--name=VALUE" or "--name VALUE". Return: words consumed, or -EINVAL. */
static int parse_long(const struct opt *table, void *values, int argc, char **argv,
		      const char *what)
{
	const char *name = argv[0] + 2;
	size_t len = strcspn(name, "=");
	struct met met = {
		.opt = find_long(table, name, len),
		.what = what,
		.value = name[len] ? name + len + 1 : NULL,
	};
	int used = 1;

	if (!met.opt)
		return unknown_long(table, name, len, what);
	if (met.value && met.opt->kind == OPT_FLAG) {
		log_err("%s: --%s takes no value", what, met.opt->name);
		return -EINVAL;
	}
	if (!met.value && needs_value(met.opt)) {
		if (argc < 2) {
			log_err("%s: --%s needs a value: %s", what, met.opt->name,
				met.opt->metavar ? met.opt->metavar : "VALUE");
			return -EINVAL;
		}
		met.value = argv[used++];
	}
	return set_value(&met, values) ? -EINVAL : used;
}

/* "-q", "-qv", "-oFILE" or "-o FILE". Return: words consumed, or -EINVAL. */
static int parse_letters(const struct opt *table, void *values, int argc, char **argv,
			 const char *what, bool *want_help)
{
	for (const char *p = argv[0] + 1; *p; p++) {
		struct met met = { .opt = find_letter(table, *p), .what = what };
		int used = 1;

		if (!met.opt && *p == 'h' && want_help) {
			*want_help = true;
			return 1;
		}
		if (!met.opt) {
			log_err("%s: unknown option -%c; see %s --help", what, *p, what);
			return -EINVAL;
		}
		if (needs_value(met.opt)) {
			if (!p[1] && argc < 2) {
				log_err("%s: -%c needs a value: %s", what, *p,
					met.opt->metavar ? met.opt->metavar : "VALUE");
				return -EINVAL;
			}
			met.value = p[1] ? p + 1 : argv[used++];
			return set_value(&met, values) ? -EINVAL : used;
		}
		if (set_value(&met, values))
			return -EINVAL;
	}
	return 1;
}

int opts_parse(const struct opt *table, void *values, int argc, char **argv, const char *what,
	       bool *want_help, bool *dashdash)
{
	int at = 0;

	if (want_help)
		*want_help = false;
	if (dashdash)
		*dashdash = false;
	while (at < argc && argv[at][0] == '-' && argv[at][1]) {
		int used;

		if (!strcmp(argv[at], "--")) {
			if (dashdash)
				*dashdash = true;
			return at + 1;
		}
		if (want_help && !strcmp(argv[at], "--help")) {
			*want_help = true;
			return at + 1;
		}
		if (argv[at][1] == '-')
			used = parse_long(table, values, argc - at, argv + at, what);
		else
			used = parse_letters(table, values, argc - at, argv + at, what, want_help);
		if (used < 0)
			return used;
		at += used;
		if (want_help && *want_help)
			return at;
	}
	return at;
}

/* ---- help ---- */

/* "-o, --out DIR", "    --json[=FILE]". Return: its length. */
static int format_left(char *dst, size_t size, const struct opt *opt)
{
	const char *metavar = opt->metavar ? opt->metavar : "VALUE";
	char letter[] = { '-', opt->letter, ',', ' ', '\0' };
	const char *before = needs_value(opt) ? " " : "[=";
	const char *after = needs_value(opt) ? "" : "]";

	if (opt->kind == OPT_FLAG)
		before = metavar = after = "";
	return snprintf(dst, size, "%s--%s%s%s%s", opt->letter ? letter : "    ", opt->name,
			before, metavar, after);
}

void opts_print_help(const struct opt *table)
{
	char left[128];
	int width = 0;

	for (const struct opt *opt = table; opt->name; opt++) {
		int len = format_left(left, sizeof(left), opt);

		if (len > width && len <= HELP_COLUMN_MAX)
			width = len;
	}
	for (const struct opt *opt = table; opt->name; opt++) {
		int len = format_left(left, sizeof(left), opt);

		if (len > HELP_COLUMN_MAX)
			printf("  %s\n  %*s  %s\n", left, width, "", opt->help);
		else
			printf("  %-*s  %s\n", width, left, opt->help);
	}
}
