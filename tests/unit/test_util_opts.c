/* SPDX-License-Identifier: GPL-2.0-only */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/minmax.h"
#include "util/opts.h"

struct values {
	bool quiet;
	bool root;
	uint32_t tasks;
	uint64_t for_ns;
	const char *out;
	const char *json;
	const char *cpus;
	uint32_t work;
};

static const char *const works[] = { "cpu", "io", "mixed", NULL };

static const struct opt table[] = {
	{ .name = "quiet", .letter = 'q', .kind = OPT_FLAG,
	  .off = offsetof(struct values, quiet), .help = "print little" },
	{ .name = "root", .letter = 'r', .kind = OPT_FLAG,
	  .off = offsetof(struct values, root), .help = "keep root" },
	{ .name = "tasks", .letter = 'n', .kind = OPT_U32, .off = offsetof(struct values, tasks),
	  .metavar = "N", .help = "how many", .min = 1, .max = 10000 },
	{ .name = "for", .kind = OPT_DURATION, .off = offsetof(struct values, for_ns),
	  .metavar = "TIME", .help = "how long", .min = 1000000, .max = 3600000000000 },
	{ .name = "out", .letter = 'o', .kind = OPT_STRING, .off = offsetof(struct values, out),
	  .metavar = "DIR", .help = "where to" },
	{ .name = "json", .kind = OPT_OPTIONAL_STRING, .off = offsetof(struct values, json),
	  .metavar = "FILE", .help = "as JSON" },
	{ .name = "cpus", .kind = OPT_CPULIST, .off = offsetof(struct values, cpus),
	  .metavar = "LIST", .help = "which CPUs" },
	{ .name = "work", .kind = OPT_CHOICE, .off = offsetof(struct values, work),
	  .metavar = "KIND", .help = "what kind", .choices = works },
	{ .name = NULL },
};

struct parsed {
	struct values values;
	bool want_help, dashdash;
	int used;
	char said[1024];	/* what was logged */
};

/* Parse words that end with NULL, and keep what was logged. */
static struct parsed parse(char **argv)
{
	struct parsed p = { .values = { .tasks = 4 } };
	int argc = 0, kept = dup(STDERR_FILENO), ends[2];
	ssize_t len;

	while (argv[argc])
		argc++;
	REQUIRE(kept >= 0 && pipe2(ends, O_NONBLOCK) == 0);
	REQUIRE(dup2(ends[1], STDERR_FILENO) >= 0);
	p.used = opts_parse(table, &p.values, argc, argv, "lab run", &p.want_help, &p.dashdash);
	REQUIRE(dup2(kept, STDERR_FILENO) >= 0);
	len = read(ends[0], p.said, sizeof(p.said) - 1);
	p.said[len > 0 ? len : 0] = '\0';
	close(kept);
	close(ends[0]);
	close(ends[1]);
	return p;
}

#define PARSE(...) parse((char *[]){ __VA_ARGS__, NULL })

/* These words are refused, and this is said in one line. */
#define CHECK_REFUSED(sentence, ...) \
	do { \
		struct parsed refused = PARSE(__VA_ARGS__); \
		CHECK_EQ(refused.used, -EINVAL); \
		CHECK_STR(refused.said, "lab: lab run: " sentence "\n"); \
	} while (0)

TEST(opts_all_kinds)
{
	struct parsed p = PARSE("--quiet", "--tasks", "8", "--for=1.5s", "-o", "dir", "--json",
				"--cpus=0-1,3", "--work", "mixed", "procs", "--tasks", "9");

	CHECK_EQ(p.used, 10);
	CHECK(p.values.quiet && !p.values.root);
	CHECK_EQ(p.values.tasks, 8);
	CHECK_EQ(p.values.for_ns, 1500000000);
	CHECK_STR(p.values.out, "dir");
	CHECK_STR(p.values.json, "");
	CHECK_STR(p.values.cpus, "0-1,3");
	CHECK_EQ(p.values.work, 2);
	CHECK(!p.want_help && !p.dashdash);
	CHECK_STR(p.said, "");
}

TEST(opts_letters)
{
	struct parsed p = PARSE("-qr", "-n7", "-odir", "-", "-x");

	CHECK_EQ(p.used, 3);
	CHECK(p.values.quiet && p.values.root);
	CHECK_EQ(p.values.tasks, 7);
	CHECK_STR(p.values.out, "dir");
	p = PARSE("-qn", "3");
	CHECK_EQ(p.used, 2);
	CHECK_EQ(p.values.tasks, 3);
}

TEST(opts_stops_where_operands_begin)
{
	struct parsed p = PARSE("--quiet", "--", "--tasks", "0");

	CHECK_EQ(p.used, 2);
	CHECK(p.dashdash);
	p = PARSE("gzip", "-c", "--nonesuch");
	CHECK_EQ(p.used, 0);
	CHECK(!p.dashdash);
	p = PARSE("", "-q");
	CHECK_EQ(p.used, 0);
	/* A value may look like an option, and "--" may be one. */
	p = PARSE("--out", "--", "-o-q");
	CHECK_EQ(p.used, 3);
	CHECK_STR(p.values.out, "-q");
}

TEST(opts_optional_value_only_after_equals)
{
	struct parsed p = PARSE("--json=report.json");

	CHECK_STR(p.values.json, "report.json");
	p = PARSE("--json", "report.json");
	CHECK_EQ(p.used, 1);
	CHECK_STR(p.values.json, "");
	p = PARSE("--quiet");
	CHECK(!p.values.json);
}

TEST(opts_help)
{
	struct parsed p = PARSE("-q", "--help", "--nonesuch");

	CHECK(p.want_help);
	CHECK_EQ(p.used, 2);
	p = PARSE("-h");
	CHECK(p.want_help);
	p = PARSE("-qh", "--nonesuch");
	CHECK(p.want_help && p.used == 1);
}

TEST(opts_unknown_names_the_nearest)
{
	CHECK_REFUSED("unknown option --taks; did you mean --tasks?", "--taks=4");
	CHECK_REFUSED("unknown option --hlep; did you mean --help?", "--hlep");
	CHECK_REFUSED("unknown option --sideways; see lab run --help", "--sideways");
	CHECK_REFUSED("unknown option --; see lab run --help", "--=x");
	CHECK_REFUSED("unknown option -x; see lab run --help", "-qx");
	/* No abbreviations: a script's option must not change its meaning later. */
	CHECK_REFUSED("unknown option --task; did you mean --tasks?", "--task", "3");
	CHECK_REFUSED("unknown option --?[31mred; see lab run --help", "--\033[31mred");
}

TEST(opts_values_missing_or_too_many)
{
	CHECK_REFUSED("--tasks needs a value: N", "--tasks");
	CHECK_REFUSED("-n needs a value: N", "-qn");
	CHECK_REFUSED("--quiet takes no value", "--quiet=yes");
}

TEST(opts_numbers)
{
	CHECK_REFUSED("--tasks takes a number from 1 to 10000, not 0", "--tasks", "0");
	CHECK_REFUSED("--tasks takes a number from 1 to 10000, not 1000000", "--tasks=1000000");
	CHECK_REFUSED("--tasks takes a number from 1 to 10000, not 99999999999999999999",
		      "--tasks=99999999999999999999");
	CHECK_REFUSED("--tasks takes a whole number, not \"\"", "--tasks=");
	CHECK_REFUSED("--tasks takes a whole number, not \"-1\"", "--tasks", "-1");
	CHECK_REFUSED("--tasks takes a whole number, not \"+1\"", "--tasks", "+1");
	CHECK_REFUSED("--tasks takes a whole number, not \" 1\"", "--tasks", " 1");
	CHECK_REFUSED("--tasks takes a whole number, not \"0x10\"", "--tasks", "0x10");
	CHECK_REFUSED("--tasks takes a whole number, not \"4k\"", "--tasks", "4k");
	CHECK_EQ(PARSE("--tasks", "10000").values.tasks, 10000);
	CHECK_EQ(PARSE("--tasks", "0007").values.tasks, 7);
}

TEST(opts_durations_in_range)
{
	CHECK_REFUSED("--for takes a time from 1ms to 3600s, not 0", "--for", "0");
	CHECK_REFUSED("--for takes a time from 1ms to 3600s, not 2h", "--for", "2h");
	CHECK_REFUSED("--for takes a time such as 5s, 250ms or 1.5m, not \"soon\"",
		      "--for", "soon");
	CHECK_REFUSED("--for takes a time from 1ms to 3600s, not 99999999999999999999s",
		      "--for=99999999999999999999s");
}

TEST(opts_choices_and_lists)
{
	CHECK_REFUSED("--work takes cpu, io or mixed, not \"disk\"", "--work", "disk");
	CHECK_REFUSED("--cpus takes CPU numbers such as 0 or 0-3,5, not \"all\"", "--cpus", "all");
	CHECK_REFUSED("--cpus: CPU numbers end at 65534: \"70000\"", "--cpus", "70000");
}

TEST(opts_duration_text)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = {
		{ "3", 3000000000 }, { "0", 0 }, { "1.5s", 1500000000 }, { "250ms", 250000000 },
		{ "2m", 120000000000 }, { "10us", 10000 }, { "7ns", 7 }, { "1h", 3600000000000 },
		{ "0.000000001", 1 }, { "0.0000000019s", 1 }, { "1.9ns", 1 },
		{ "0.1m", 6000000000 }, { "0.123456789s", 123456789 },
		{ "18446744073.709551615", UINT64_MAX },
	};
	static const char *const malformed[] = {
		"", "s", ".5s", "1.s", "-1s", "+1", " 1", "1 s", "1sec", "1e3", "0x1", "1..5s",
		"inf",
	};
	static const char *const too_long[] = {
		"18446744073.709551616", "18446744074", "18446744073709551616ns", "307445735m",
		"99999999999999999999999",
	};
	uint64_t ns;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		ns = 1;
		CHECK_EQ(opts_parse_duration(good[i].text, &ns), 0);
		if (ns != good[i].ns)
			unit_failed(__FILE__, __LINE__, "%s", good[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++)
		if (opts_parse_duration(malformed[i], &ns) != -EINVAL)
			unit_failed(__FILE__, __LINE__, "\"%s\" was taken", malformed[i]);
	for (size_t i = 0; i < ARRAY_SIZE(too_long); i++)
		if (opts_parse_duration(too_long[i], &ns) != -ERANGE)
			unit_failed(__FILE__, __LINE__, "\"%s\" was taken", too_long[i]);
}

TEST(opts_cpulist_text)
{
	static const char *const malformed[] = {
		"", ",", "0,", ",0", "0,,1", "-1", "1-", "3-1", "0-3-5", "a", "0 1", "0-1:2",
	};
	uint16_t cpus[8];

	CHECK_EQ(opts_parse_cpulist("0", cpus, 8), 1);
	CHECK_EQ(cpus[0], 0);
	CHECK_EQ(opts_parse_cpulist("5,0-3,2,5", cpus, 8), 5);
	CHECK(cpus[0] == 0 && cpus[1] == 1 && cpus[2] == 2 && cpus[3] == 3 && cpus[4] == 5);
	CHECK_EQ(opts_parse_cpulist("65534", cpus, 8), 1);
	CHECK_EQ(cpus[0], 65534);
	CHECK_EQ(opts_parse_cpulist("0-7", cpus, 8), 8);
	CHECK_EQ(opts_parse_cpulist("0-8", cpus, 8), -ERANGE);
	CHECK_EQ(opts_parse_cpulist("65535", cpus, 8), -ERANGE);
	CHECK_EQ(opts_parse_cpulist("0-99999999999999999999", cpus, 8), -ERANGE);
	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++)
		if (opts_parse_cpulist(malformed[i], cpus, 8) != -EINVAL)
			unit_failed(__FILE__, __LINE__, "\"%s\" was taken", malformed[i]);
}

TEST(opts_help_is_two_columns)
{
	static const char expected[] =
		"  -q, --quiet        print little\n"
		"  -r, --root         keep root\n"
		"  -n, --tasks N      how many\n"
		"      --for TIME     how long\n"
		"  -o, --out DIR      where to\n"
		"      --json[=FILE]  as JSON\n"
		"      --cpus LIST    which CPUs\n"
		"      --work KIND    what kind\n";
	char got[2048] = "";
	int kept = dup(STDOUT_FILENO), ends[2];

	REQUIRE(kept >= 0 && pipe(ends) == 0 && dup2(ends[1], STDOUT_FILENO) >= 0);
	opts_print_help(table);
	fflush(stdout);
	REQUIRE(dup2(kept, STDOUT_FILENO) >= 0);
	close(ends[1]);
	REQUIRE(read(ends[0], got, sizeof(got) - 1) > 0);
	CHECK_STR(got, expected);
}
