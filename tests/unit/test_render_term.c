/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "render/glyphs.h"
#include "golden.h"
#include "render_fixture.h"
#include "unit.h"
#include "util/alloc.h"
#include "util/minmax.h"
#include "util/text.h"

static const uint32_t widths[] = { 80, 100, 132, 200 };

static const struct render_opts ascii_80 = { .verbose = true, .width = 80 };

/* Remove SGR sequences in place; any other escape stays, to be found. */
static void strip_sgr(char *text)
{
	char *to = text;

	for (const char *at = text; *at;) {
		size_t len = 0;

		if (at[0] == '\033' && at[1] == '[') {
			len = 2 + strspn(at + 2, "0123456789;");
			len = at[len] == 'm' ? len + 1 : 0;
		}
		if (len)
			at += len;
		else
			*to++ = *at++;
	}
	*to = '\0';
}

static void check_widths(const char *text, uint32_t width)
{
	char *copy = xstrdup(text), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (text_columns(line) <= width)
			continue;
		unit_failed(__FILE__, __LINE__, "%zu columns where there are %u: %s",
			    text_columns(line), width, line);
		break;
	}
	free(copy);
}

/* In every width, alphabet and colour: no line too wide, nothing but text and SGR. */
static void check_all_looks(const struct render_fixture *f)
{
	for (size_t i = 0; i < 4 * ARRAY_SIZE(widths); i++) {
		struct render_opts opts = {
			.width = widths[i / 4], .utf8 = i & 1, .color = i & 2,
			.trace_path = "runs/a/trace.lab", .html_path = "runs/a/report.html",
		};
		char *text = fixture_render(f, "term", &opts);

		if (!opts.color)
			CHECK(!strchr(text, '\033'));
		strip_sgr(text);
		check_widths(text, opts.width);
		for (const char *c = text; *c; c++) {
			unsigned char byte = (unsigned char)*c;

			if ((byte < ' ' && byte != '\n') || byte == 0x7f ||
			    (!opts.utf8 && byte >= 0x80)) {
				unit_failed(__FILE__, __LINE__, "byte 0x%02x in the output", byte);
				break;
			}
		}
		CHECK(!strstr(text, "\xc2\x9b"));
		CHECK(!strstr(text, "\xe2\x80\xae"));
		free(text);
	}
}

static void check_golden(void (*make)(struct render_fixture *), const struct render_opts *opts,
			 const char *name)
{
	struct render_fixture f;
	char *text;

	make(&f);
	text = fixture_render(&f, "term", opts);
	golden_check(name, text);
	free(text);
	fixture_release(&f);
}

#define PATHS .trace_path = "runs/procs/trace.lab", .html_path = "runs/procs/report.html"

TEST(render_term_golden_80_ascii)
{
	const struct render_opts opts = { .verbose = true, .width = 80, PATHS };

	check_golden(fixture_workers, &opts, "term-80-ascii.txt");
}

/* Without -v: what every reader needs. */
TEST(render_term_golden_first_screen)
{
	const struct render_opts opts = { .width = 100, PATHS };

	check_golden(fixture_workers, &opts, "term-100-first.txt");
}

/* 8 to 13 ms of 20, two of three tasks, one of two CPUs. */
TEST(render_term_golden_range)
{
	static const bool tasks[] = { false, true, true }, cpus[] = { true, false };
	struct render_lens lens = { .task_in = tasks, .cpu_in = cpus };
	struct render_opts opts = { .verbose = true, .width = 80, .lens = &lens, PATHS };
	struct render_fixture f;
	char *text;

	fixture_workers(&f);
	range_compute(&f.model, 8000000, 13000000, &lens.range);
	text = fixture_render(&f, "term", &opts);
	golden_check("term-80-range.txt", text);
	free(text);
	text = fixture_render(&f, "svg", &opts);
	CHECK(strstr(text, ">CPU 0<") && !strstr(text, ">CPU 1<"));
	CHECK(strstr(text, "worker/1") && !strstr(text, ">procs ("));
	free(text);
	range_release(&lens.range);
	fixture_release(&f);
}

TEST(render_term_cpus_are_letters_that_no_state_has)
{
	for (uint16_t cpu = 0; cpu < 62; cpu++) {
		const struct glyphs *glyphs = cpu > CPU_CHAR_UPPER_MAX ? &glyphs_ascii_letters :
					      &glyphs_ascii;

		for (uint16_t other = 0; other < cpu; other++)
			CHECK(cpu_char(cpu) != cpu_char(other));
		for (int cell = CELL_READY; cell < CELL_NO_LANE; cell++)
			CHECK(glyphs->cell[cell][0] != cpu_char(cpu));
	}
	CHECK_EQ(cpu_char(10), 'A');
	CHECK_EQ(cpu_char(35), 'Z');
}

TEST(render_term_golden_100_utf8)
{
	const struct render_opts opts = { .verbose = true, .width = 100, .utf8 = true, PATHS };

	check_golden(fixture_workers, &opts, "term-100-utf8.txt");
}

TEST(render_term_golden_200_utf8)
{
	const struct render_opts opts = { .verbose = true, .width = 200, .utf8 = true, PATHS };

	check_golden(fixture_workers, &opts, "term-200-utf8.txt");
}

TEST(render_term_golden_color)
{
	const struct render_opts opts = { .verbose = true, .width = 80, .utf8 = true,
					  .color = true };

	check_golden(fixture_workers, &opts, "term-80-color.txt");
}

TEST(render_term_golden_loop)
{
	check_golden(fixture_loop, &ascii_80, "term-80-loop.txt");
}

TEST(render_term_golden_loss)
{
	struct render_fixture f;
	char *text;

	fixture_crowd(&f, 30, 20, 30, 21000000);
	report_hide_missing(&f.model, &f.report);
	text = fixture_render(&f, "term", &ascii_80);
	golden_check("term-80-loss.txt", text);
	free(text);
	fixture_release(&f);
}

TEST(render_term_brief_is_verdict_and_claim)
{
	const struct render_opts opts = { .verbose = true, .width = 80, .brief = true, PATHS };

	check_golden(fixture_workers, &opts, "term-80-brief.txt");
}

/* What other programs may have kept the run from stands in the headline, and above the timeline. */
TEST(render_term_others_could_have_changed_the_class)
{
	struct render_opts opts = { .verbose = true, .width = 200 };
	struct render_fixture f;
	char *text, *caution;

	fixture_workers(&f);
	f.report.verdict.class = CLASS_CONCURRENT;
	memset(f.report.noise.could_be, 0, sizeof(f.report.noise.could_be));
	f.report.noise.could_be[CLASS_CONCURRENT] = true;
	text = fixture_render(&f, "term", &opts);
	CHECK(!strstr(text, "other programs had") && !strstr(text, "caution"));
	free(text);
	f.report.noise.could_be[CLASS_PARALLEL] = true;
	text = fixture_render(&f, "term", &opts);
	CHECK(!strncmp(text, "CONCURRENT, not parallel  here: other programs had ", 51));
	caution = strstr(text,
			 "  caution without other programs this run could have been parallel");
	CHECK(caution && strstr(caution, "on CPU (of"));
	free(text);
	opts.brief = true;
	text = fixture_render(&f, "term", &opts);
	CHECK(!strncmp(text, "CONCURRENT, not parallel  here: other programs had ", 51));
	free(text);
	fixture_release(&f);
}

/* @phrase stands in the line "tries". */
static bool tries_say(struct render_fixture *f, bool brief, const char *phrase)
{
	const struct render_opts opts = { .verbose = true, .width = 200, .brief = brief };
	char *text = fixture_render(f, "term", &opts);
	const char *line = strstr(text, "  tries");
	bool found = phrase ? line && strstr(line, phrase) : !line;

	free(text);
	return found;
}

/* @phrase stands in the line "run". */
static bool run_says(const struct render_fixture *f, const char *phrase)
{
	const struct render_opts opts = { .verbose = true, .width = 400 };
	char *text = fixture_render(f, "term", &opts);
	const char *line = strstr(text, "  run ");
	bool found = line && strstr(line, phrase);

	free(text);
	return found;
}

TEST(render_term_says_how_many_processes_were_left)
{
	struct render_fixture f;

	fixture_workers(&f);
	f.model.end.reason = TRACE_END_FOR;
	CHECK(!run_says(&f, "process"));
	f.model.end.left = 1;
	CHECK(run_says(&f, ", cut by --for, 1 process could not be ended, exit status 0;"));
	f.model.end.reason = TRACE_END_DAEMON;
	CHECK(run_says(&f, "left behind still alive, 1 process lives on, "));
	f.model.end.left = 2000;
	CHECK(run_says(&f, ", 2,000 processes live on, "));
	f.model.end.left_known = false;
	CHECK(!run_says(&f, "process"));
	fixture_release(&f);
}

TEST(render_term_attempts)
{
	struct render_fixture f;

	fixture_workers(&f);
	memset(f.report.noise.could_be, 0, sizeof(f.report.noise.could_be));
	CHECK(tries_say(&f, false, NULL));
	f.model.meta.attempt = 1;
	f.model.meta.attempts_max = 5;
	CHECK(tries_say(&f, false, "it took 1 run (at most 5) until other programs could not have "
				   "changed the verdict\n"));
	CHECK(tries_say(&f, true, NULL));
	f.model.meta.attempt = 3;
	CHECK(tries_say(&f, false, "it took 3 runs (at most 5) until"));
	f.report.verdict.claim_holds = CLAIM_UNDECIDED;
	f.report.verdict.claim_doubt = DOUBT_BUSY_CPUS;
	CHECK(tries_say(&f, false, "run 3 (of at most 5), and it was not run again"));
	f.model.meta.attempt = 5;
	CHECK(tries_say(&f, false, "after 5 runs the machine was still busy"));
	CHECK(tries_say(&f, true, "after 5 runs the machine was still busy"));
	fixture_release(&f);
}

TEST(render_term_lines_fit)
{
	struct render_fixture f;

	fixture_workers(&f);
	check_all_looks(&f);
	fixture_release(&f);
	fixture_loop(&f);
	check_all_looks(&f);
	fixture_release(&f);
}

TEST(render_term_lines_fit_whatever_the_size)
{
	static const struct {
		uint32_t tasks, cpus, futexes;
		uint64_t window_ns;
	} crowds[] = {
		{ 1, 1, 0, 7000 }, { 700, 256, 50, 400 * 86400 * (uint64_t)1000000000 },
		{ 25, 17, 25, 90 * (uint64_t)60000000000 }, { 3, 64, 1, 50000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(crowds); i++) {
		struct render_fixture f;

		fixture_crowd(&f, crowds[i].tasks, crowds[i].cpus, crowds[i].futexes,
			      crowds[i].window_ns);
		check_all_looks(&f);
		fixture_release(&f);
	}
}

TEST(render_term_nothing_at_all)
{
	struct render_fixture f;
	char *text;

	fixture_empty(&f);
	check_all_looks(&f);
	text = fixture_render(&f, "term", &ascii_80);
	CHECK(strstr(text, "SEQUENTIAL"));
	free(text);
	f.report.verdict.class = CLASS_PARALLEL;
	check_all_looks(&f);
	fixture_release(&f);
}

TEST(render_term_hostile_names)
{
	struct render_fixture f;

	fixture_workers(&f);
	fixture_make_hostile(&f);
	check_all_looks(&f);
	f.report.verdict.class = CLASS_INCONCLUSIVE;
	f.report.verdict.claim_holds = CLAIM_UNDECIDED;
	f.report.verdict.claim_doubt = DOUBT_VERDICT;
	check_all_looks(&f);
	fixture_release(&f);
}

/* A command to copy must be the path, quoted, or not be offered. */
TEST(render_term_offers_no_hostile_command)
{
	struct render_opts opts = { .verbose = true, .width = 80,
				    .trace_path = "runs/a b; rm -rf x/trace.lab" };
	struct render_fixture f;
	char *text;

	fixture_workers(&f);
	text = fixture_render(&f, "term", &opts);
	CHECK(strstr(text, "lab view 'runs/a b; rm -rf x/trace.lab'"));
	free(text);
	opts.trace_path = "runs/'; rm -rf x; '/trace.lab";
	text = fixture_render(&f, "term", &opts);
	CHECK(!strstr(text, "lab view runs"));
	CHECK(!strstr(text, "lab view '"));
	free(text);
	opts.trace_path = "runs/\033[2J/trace.lab";
	text = fixture_render(&f, "term", &opts);
	CHECK(!strchr(text, '\033'));
	CHECK(strstr(text, "runs/?[2J/trace.lab"));
	CHECK(!strstr(text, "lab view runs"));
	free(text);
	fixture_release(&f);
}

/* Eight that wait in a circle, the first at a lock with a hostile name; more than a line shows. */
static void add_deadlock(struct render_fixture *f)
{
	static const struct model_symbol symbol = { .object = "/usr/\033[2J.so", .offset = 0x10 };
	struct report_deadlock *d = &f->report.deadlock;

	d->present = true;
	d->since_ns = f->model.start_ns + 3000000;
	d->circles = 2;
	d->behind_cnt = 1;
	for (uint32_t i = 0; i < 8; i++)
		*vec_push(d->waits, d->wait_cnt, d->wait_cap) = (struct deadlock_wait){
			.task_id = 1 + i % 3, .owner_id = 1 + (i + 1) % 3, .addr = 0x1000 + i,
			.symbol = i ? NULL : &symbol,
			.evidence = i == 2 ? EVIDENCE_JOIN : EVIDENCE_VALUE,
		};
}

TEST(render_term_deadlock)
{
	struct render_opts opts = { .verbose = true, .width = 200 };
	struct render_fixture f;
	char *text;

	fixture_workers(&f);
	text = fixture_render(&f, "term", &opts);
	CHECK(!strstr(text, "DEADLOCK"));
	free(text);
	add_deadlock(&f);
	text = fixture_render(&f, "term", &opts);
	CHECK(!strncmp(text, "DEADLOCK  parallel until +3.000 ms; then, for 85.0 % of the run, ",
		       64));
	CHECK(strstr(text, "\nPARALLEL until then  for "));
	CHECK(!strstr(text, "would reduce it"));
	CHECK(strstr(text,
		     "procs (tid 4710) waits for ?[2J.so+0x10, which worker/1 (tid 4711) has"));
	CHECK(strstr(text, "waits for the end of procs (tid 4710)"));
	CHECK(strstr(text, "through 2 more, to the first"));
	CHECK(strstr(text, "that the kernel itself saw"));
	CHECK(strstr(text, "1 more task waits behind them"));
	CHECK(strstr(text, "there is 1 more circle"));
	CHECK(!strchr(text, '\033'));
	free(text);
	f.report.deadlock.waits[7].evidence = EVIDENCE_LIBRARY;
	text = fixture_render(&f, "term", &opts);
	CHECK(strstr(text, "that the C library keeps"));
	free(text);
	fixture_release(&f);
}

/* A chain of three, the last in a pipe, and one whose lock was forked. */
TEST(render_term_stuck)
{
	struct render_opts opts = { .verbose = true, .width = 500 };
	struct report_stuck *s;
	struct render_fixture f;
	char *text;

	fixture_workers(&f);
	s = &f.report.stuck;
	s->known = s->present = true;
	s->since_ns = f.model.start_ns + 5000000;
	s->until_ns = f.model.end_ns;
	vec_add(s->waits, s->wait_cnt, s->wait_cap, (struct stuck_wait){
		.task_id = 3, .reason = REASON_PIPE, .call = "write", .addr = 7, .behind_cnt = 2 });
	vec_add(s->waits, s->wait_cnt, s->wait_cap, (struct stuck_wait){
		.task_id = 2, .awaits_id = 3, .reason = REASON_JOIN, .addr = 0x40 });
	vec_add(s->waits, s->wait_cnt, s->wait_cap, (struct stuck_wait){
		.task_id = 1, .awaits_id = 2, .reason = REASON_CHILD });
	text = fixture_render(&f, "term", &opts);
	CHECK(!strncmp(text, "STUCK  parallel until +5.000 ms; then, for 75.0 % of the run, "
		       "no task could ", 74));
	CHECK(strstr(text, "\nPARALLEL until then  for "));
	CHECK(!strstr(text, "would reduce it"));
	free(text);
	text = fixture_render(&f, "html", &opts);
	CHECK(strstr(text, "Never woken: worker/2 (tid 4712) in write of the pipe at descriptor 7; "
			   "worker/1 (tid 4711) waits for the end of worker/2 (tid 4712); "
			   "procs (tid 4710) waits for its child worker/1 (tid 4711)</span>"));
	free(text);
	s->waits[0] = (struct stuck_wait){ .task_id = 3, .reason = REASON_LOCK, .addr = 0x50,
					   .owner_tid = 4711 };
	opts.brief = true;
	text = fixture_render(&f, "term", &opts);
	CHECK(strstr(text, "worker/2 (tid 4712) at 0x50 (lock), whose owner, tid 4711, is a "
			   "thread of another process"));
	free(text);
	opts.brief = false;
	text = fixture_render(&f, "html", &opts);
	CHECK(strstr(text, "<strong class=\"class stuck\">STUCK</strong>"));
	CHECK(strstr(text, ": STUCK - lab</title>"));
	CHECK(strstr(text, "<dt>before</dt><dd>PARALLEL until then: "));
	free(text);
	text = fixture_render(&f, "svg", &opts);
	CHECK(strstr(text, ": STUCK</title>"));
	free(text);
	text = fixture_render(&f, "json", &opts);
	CHECK(strstr(text, "\"class\": \"parallel\",\n    \"stuck\": \"stuck\","));
	free(text);
	fixture_release(&f);
}

/* The report says which part of a claim was not kept. */
TEST(render_term_faults)
{
	static const struct {
		enum claim_fault fault;
		const char *says;
	} rows[] = {
		{ FAULT_CLASS, "claimed was at least sequential, seen was parallel" },
		{ FAULT_PARALLELISM, "claimed were 1.900 CPUs on average" },
		{ FAULT_SERIALIZER, "claimed was a lock that lets one task run at a time" },
		{ FAULT_OPERATIONS, "claimed were 7 operations in flight" },
		{ FAULT_STALL,
		  "claimed was an event loop that is blocked for 100.000 ms or longer" },
		{ FAULT_DEADLOCK, "claimed were tasks that wait for each other in a circle" },
	};
	struct render_opts opts = { .verbose = true, .width = 200 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct render_fixture f;
		char *text;

		fixture_workers(&f);
		f.report.verdict.claim_holds = CLAIM_NO;
		f.report.verdict.claim_fault = rows[i].fault;
		f.model.meta.claim = (struct claim){
			.class = CLASS_SEQUENTIAL, .at_least = true, .serializer = true,
			.stall = STALL_BLOCKED, .stall_ns = 100000000,
			.min_parallelism_milli = 1900, .min_operations = 7, .why = "so it is",
		};
		text = fixture_render(&f, "term", &opts);
		CHECK(strstr(text, "CONTRADICTED"));
		if (!strstr(text, rows[i].says))
			unit_failed(__FILE__, __LINE__, "no '%s'", rows[i].says);
		free(text);
		fixture_release(&f);
	}
}

TEST(render_term_claims)
{
	struct render_fixture f;
	char *text;

	fixture_workers(&f);
	f.report.verdict.claim_holds = CLAIM_NO;
	f.report.verdict.claim_fault = FAULT_PARALLELISM;
	f.model.meta.claim.min_parallelism_milli = 1900;
	text = fixture_render(&f, "term", &ascii_80);
	CHECK(strstr(text, "CONTRADICTED; claimed were 1.900"));
	free(text);
	f.report.verdict.claim_holds = CLAIM_UNDECIDED;
	f.report.verdict.claim_doubt = DOUBT_FEW_CPUS;
	f.report.verdict.claim_cpus_needed = 4;
	text = fixture_render(&f, "term", &ascii_80);
	CHECK(strstr(text, "undecided: it takes 4 usable CPUs"));
	free(text);
	f.report.verdict.claim_holds = CLAIM_NOT_MADE;
	text = fixture_render(&f, "term", &ascii_80);
	CHECK(!strstr(text, "claim"));
	free(text);
	fixture_release(&f);
}

TEST(render_finds_renderers_by_name)
{
	CHECK(renderer_find("term") == renderers[0]);
	CHECK(renderer_find("json"));
	CHECK(!renderer_find("jso"));
	CHECK(!renderer_find(""));
}

TEST(render_utf8_needs_the_locale)
{
	CHECK(render_utf8_ok());	/* the harness runs in C.UTF-8 */
}

/* Three of one name tell the reader nothing without their tids. */
TEST(render_term_wakers_of_one_name_have_their_tids)
{
	const struct render_opts narrow = { .verbose = true, .width = 100 };
	struct report_lock *lock;
	struct render_fixture f;
	char *text, want[64];

	fixture_workers(&f);
	lock = &f.report.locks[0];
	lock->holder_cnt = 2;
	lock->holders[0] = f.model.tasks[1].id;
	lock->holders[1] = f.model.tasks[2].id;
	snprintf(f.model.tasks[1].comm, sizeof(f.model.tasks[1].comm), "slow");
	snprintf(f.model.tasks[2].comm, sizeof(f.model.tasks[2].comm), "slow");
	snprintf(want, sizeof(want), " slow %u, slow %u\n", f.model.tasks[1].tid,
		 f.model.tasks[2].tid);
	text = fixture_render(&f, "term", &narrow);
	CHECK(strstr(text, want));
	free(text);
	fixture_release(&f);
}
