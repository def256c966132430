/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/check_eval.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "unit.h"
#include "util/alloc.h"

/* A report that somebody made up. */
static const char made_up[] =
	"{\"schema\": \"lab-report/1\","
	"\"workload\": {\"name\": \"x#y\", \"exit_status\": 3, \"signal\": null,"
	" \"claim\": {\"class\": \"parallel\", \"why\": absent 0}},"
	"\"host\": {\"release\": \"6.1\", \"cpus_online\": 4, \"cpus_usable\": [0, 1],"
	" \"steal_ns\": absent 0},"
	"\"verdict\": {\"class\": \"parallel\", \"claim_holds\": null},"
	"\"parallelism\": {\"max\": 2, \"max_bounds\": [1, 2], \"average_busy_bounds\": [1.7, 1.8],"
	" \"average\": 1.756000, \"run_ns\": 9007199254740993},"
	"\"audit\": {\"clean\": true, \"lossless\": true},"
	"\"loss\": {\"dropped\": 0, \"damage\": absent 0},"
	"\"capacity\": {\"cpus\": 2, \"total_ns\": 3000, \"work_ns\": 1000, \"unplaced_ns\": 600,"
	" \"unplaced\": {\"latency_ns\": 500, \"affinity_ns\": 100,"
	" \"throttled_ns\": absent 0},"
	" \"blocked_ns\": {\"lock\": 150, \"sleep\": 0, \"none\": null}},"
	"\"tasks\": [{\"id\": 1, \"run_ns\": 7, \"comm\": \"true\"}, {\"id\": 2, \"run_ns\": 0}],"
	"\"run_queue_wait\": {\"longest\": absent {\"antagonist\": {\"ns\": 0}}},"
	"\"event_loops\": absent [{\"waits\": 0}],"
	"\"serializer\": {\"present\": false, \"index\": absent 0, \"shared\": absent 0,"
	" \"addr\": absent 0, \"tasks\": absent [{\"id\": 0}]},"
	"\"overhead\": {\"bpf_ns\": absent 0}}";

static void load(struct json_text *doc, const char *from, const char *to)
{
	const char *at = from ? strstr(made_up, from) : NULL;
	char *text;

	if (from) {
		REQUIRE(at);
		text = xasprintf("%.*s%s%s", (int)(at - made_up), made_up, to, at + strlen(from));
	} else {
		text = xstrdup(made_up);
	}
	REQUIRE(json_text_parse_absent(doc, text, strlen(text)) == 0);
}

/* Return: the outcome, or what is wrong. */
static int judge_in(const struct json_doc *doc, const char *text, struct check_result *result)
{
	struct check_expr *expr = xcalloc(1, sizeof(*expr));
	int err = check_parse(expr, text, result->why);

	if (!err)
		err = check_eval(expr, doc, result);
	free(expr);
	return err ? err : (int)result->outcome;
}

/* Of the report in which @from was replaced by @to (NULL: as it is). */
static int judge_changed(const char *from, const char *to, const char *text)
{
	struct check_result result;
	struct json_text doc;
	int outcome;

	load(&doc, from, to);
	outcome = judge_in(&doc.doc, text, &result);
	json_text_release(&doc);
	return outcome;
}

static void all_are(int outcome, const char *from, const char *to, const char *const *texts)
{
	for (; *texts; texts++) {
		int got = judge_changed(from, to, *texts);

		if (got != outcome)
			unit_failed(__FILE__, __LINE__, "%s: %d, not %d", *texts, got, outcome);
	}
}

#define ALL_ARE(outcome, from, to, ...) \
	all_are(outcome, from, to, (const char *const[]){ __VA_ARGS__, NULL })

TEST(check_holds)
{
	ALL_ARE(CHECK_HOLDS, NULL, NULL, "verdict.class==parallel", "verdict.class == 'parallel'",
		"\"parallel\"==verdict.class", "verdict.class!=concurrent", "parallelism.max==2",
		"parallelism.average/host.cpus_online >= 0.439", "len(tasks)==2",
		"len( tasks ) > 1", "tasks.0.run_ns==7", "tasks.0.run_ns==7ns",
		"tasks.0.run_ns<1us", "2==len(tasks)", "audit.clean", "audit.clean==true",
		"audit.clean!=false", "workload.signal==null", "workload.exit_status!=null",
		"workload.claim!=null", "workload.exit_status==3", "host.release=='6.1'",
		"tasks.0.comm=='true'", "schema=='lab-report/1'", "-tasks.0.run_ns == 0-7",
		"--parallelism.max==2", "(1+2)*3-parallelism.max*2 == 10/2",
		"8-4-2-parallelism.max==0", "16/4/2==parallelism.max",
		"1s==1000ms*parallelism.max/2", "50%*parallelism.max==1");
}

TEST(check_fails)
{
	ALL_ARE(CHECK_FAILS, NULL, NULL, "verdict.class!=parallel", "verdict.class==sequential",
		"parallelism.max<2", "tasks.1.run_ns>0", "len(tasks)>2", "audit.clean==false",
		"workload.signal!=null", "workload.name==y", "tasks.0.comm==procs");
}

/* 2^53 + 1 is where a double begins to lie; a third of three is one. */
TEST(check_is_exact)
{
	ALL_ARE(CHECK_HOLDS, NULL, NULL, "parallelism.run_ns==9007199254740993",
		"parallelism.run_ns>9007199254740992", "parallelism.run_ns/3*3==parallelism.run_ns",
		"parallelism.average==1.756", "0.1+0.2+0*parallelism.max==0.3",
		"parallelism.run_ns*parallelism.run_ns-parallelism.run_ns*9007199254740992=="
		"parallelism.run_ns");
	ALL_ARE(CHECK_FAILS, NULL, NULL, "parallelism.run_ns==9007199254740992",
		"parallelism.average<1.756", "parallelism.average>1.756");
	ALL_ARE(-ERANGE, NULL, NULL,
		"parallelism.run_ns*parallelism.run_ns*parallelism.run_ns>1");
}

TEST(check_shares_of_capacity)
{
	ALL_ARE(CHECK_HOLDS, NULL, NULL, "capacity.blocked.lock==5%", "capacity.blocked.lock<=0.05",
		"capacity.work==1/3", "capacity.unplaced==20%", "capacity.unplaced.latency==1/6",
		"capacity.unplaced.latency_ns==500", "capacity.blocked_ns.lock==150",
		"capacity.unplaced_ns==600", "capacity.cpus==2", "capacity.total==1",
		"capacity.work+capacity.unplaced<capacity.total");
	ALL_ARE(CHECK_FAILS, NULL, NULL, "capacity.blocked.lock<0.05");
	ALL_ARE(CHECK_HOLDS, "\"sleep\": 0, \"none\": null", "\"sleep\": 30",
		"capacity.blocked==6%", "capacity.blocked-capacity.blocked.lock==1%");
	ALL_ARE(CHECK_UNDECIDED, "\"total_ns\": 3000", "\"total_ns\": 0", "capacity.work<0.5");
	/* Outside of capacity there are no shares, and within it one step only lacks its _ns. */
	ALL_ARE(-ENOENT, NULL, NULL, "tasks.0.run>1", "capacity.blocked.look<1",
		"capacity.blocked.none<1", "capacity.blocked<1", "capacity_x<1");
	ALL_ARE(-ENOENT, "\"total_ns\": 3000,", "", "capacity.work<1");
}

TEST(check_null_decides_nothing)
{
	ALL_ARE(CHECK_UNDECIDED, NULL, NULL, "verdict.claim_holds", "verdict.claim_holds==true",
		"verdict.claim_holds!=false", "verdict.claim_holds==workload.exit_status",
		"capacity.blocked_ns.none==0", "capacity.blocked_ns.none+1<3",
		"parallelism.max/tasks.1.run_ns>1", "parallelism.max/0==1");
}

/* Who has a status is known to have no signal, and the other way round: no number is its own. */
TEST(check_one_end_excludes_the_other)
{
	static const char was[] = "\"exit_status\": 3, \"signal\": null";
	static const char killed[] = "\"exit_status\": null, \"signal\": 9";
	static const char unknown[] = "\"exit_status\": null, \"signal\": null";

	ALL_ARE(CHECK_FAILS, NULL, NULL, "workload.signal==9", "9==workload.signal",
		"workload.signal>0", "workload.signal+1<3", "workload.signal==verdict.claim_holds");
	ALL_ARE(CHECK_HOLDS, NULL, NULL, "workload.signal!=9", "9!=workload.signal");
	ALL_ARE(CHECK_FAILS, was, killed, "workload.exit_status==0", "workload.exit_status<1");
	ALL_ARE(CHECK_HOLDS, was, killed, "workload.exit_status!=0", "workload.signal==9",
		"workload.exit_status==null");
	ALL_ARE(CHECK_UNDECIDED, was, unknown, "workload.exit_status==0",
		"workload.exit_status!=0", "workload.signal==9", "workload.signal!=9",
		"workload.signal+1<3");
}

/* lab knows them, and this report need not have them: not a slip of the pen, nor a failure. */
TEST(check_missing_keys_decide_nothing)
{
	ALL_ARE(CHECK_UNDECIDED, NULL, NULL, "serializer.index>=0.95", "1-serializer.index<0.5",
		"serializer.addr=='0x10'", "loss.damage==cut", "host.steal_ns==0",
		"run_queue_wait.longest.antagonist.ns<1ms", "capacity.unplaced.throttled<1",
		"capacity.unplaced.throttled_ns<1s", "len(serializer.tasks)==2",
		"serializer.shared", "event_loops.3.waits==1", "tasks.0.run_ns/overhead.bpf_ns>1",
		"workload.claim.why!=x", "serializer.tasks.0.id==1");
	ALL_ARE(CHECK_HOLDS, NULL, NULL, "serializer.index==null", "null==loss.damage");
	ALL_ARE(CHECK_FAILS, NULL, NULL, "serializer.index!=null");
	ALL_ARE(CHECK_UNDECIDED, "\"claim\": {\"class\"", "\"claim\": absent {\"class\"",
		"workload.claim.class==parallel");
	ALL_ARE(-ENOENT, NULL, NULL, "serializer.indeks>0", "serializer.index.x>0",
		"serializer.inde>0", "locks.symbol==x", "locks.x.symbol==x",
		"locks.0.symbols==x", "locks.0.kind==lock", "workload.claim.clas==x",
		"tasks.0.unplaced.throttled<1", "capacity.throttled<1",
		"capacity.unplaced.throttle<1", "host.steal==0", "serializer.tasks.0.x==1");
}

TEST(check_stolen_time)
{
	static const char was[] = "\"steal_ns\": absent 0",
			  more[] = "\"steal_ns\": 31";

	ALL_ARE(CHECK_UNDECIDED, was, more, "verdict.class==parallel", "verdict.class==sequential",
		"parallelism.max==2", "parallelism.max==1", "capacity.work>0.9", "len(tasks)==2");
	ALL_ARE(CHECK_HOLDS, was, more, "host.steal_ns==31", "audit.clean", "loss.dropped==0",
		"workload.exit_status==3");
	ALL_ARE(CHECK_HOLDS, was, "\"steal_ns\": 30", "verdict.class==parallel",
		"parallelism.max==2");
	ALL_ARE(CHECK_FAILS, was, "\"steal_ns\": 30", "parallelism.max==1");
	ALL_ARE(CHECK_HOLDS, was, "\"steal_ns\": null", "parallelism.max==2");
}

TEST(check_elements_beyond_the_end)
{
	ALL_ARE(CHECK_FAILS, NULL, NULL, "tasks.2.run_ns==0", "tasks.2.run_ns!=0", "tasks.9==null",
		"tasks.99999999999999999999.run_ns+1>0", "1+tasks.2.run_ns>0",
		"len(tasks.2.cpus)>0", "tasks.0.run_ns-tasks.5.run_ns>workload.signal");
}

TEST(check_syntax_errors)
{
	ALL_ARE(-EINVAL, NULL, NULL, "", " ", "==", "parallelism.max==", "==2", "parallelism.max=2",
		"parallelism.max===2", "1<2", "null==null", "1<parallelism.max<3", "parallelism.",
		"parallelism..max>1", ".max>1", "parallelism.max>1 &&audit.clean",
		"(parallelism.max>1", "(parallelism.max)>1)", "parallelism.max>5m",
		"parallelism.max>5 s", "parallelism.max>1e3", "workload.name=='x", "len tasks==2",
		"len(tasks==2", "len()==2", "len(len(tasks))==2", "parallelism.max 2",
		"parallelism.max>1.", "parallelism.max>.5", "\x1b[31m", "!audit.clean",
		"parallelism.max>99999999999999999999999999999999999999999",
		"parallelism.max>999999999999999999999999999999999s");
}

TEST(check_types_must_fit)
{
	ALL_ARE(-EINVAL, NULL, NULL, "verdict.class==1", "verdict.class<'parallel'",
		"audit.clean>0", "audit.clean==1", "tasks==tasks", "tasks==2", "len(verdict)==2",
		"len(verdict.class)==1", "parallelism.max", "verdict.class", "tasks",
		"verdict.class+1==2", "-verdict.class==2", "audit.clean*2==2",
		"workload.signal<null", "null+parallelism.max>1", "true*parallelism.max==1",
		"verdict.class==paralel", "'sequentiell'==verdict.class",
		"'paralell'==workload.claim.class", "host.release==6.1");
}

TEST(check_unknown_keys_name_the_nearest)
{
	static const struct {
		const char *text, *nearest;
	} cases[] = {
		{ "verdict.clas==parallel", "'verdict.class'" },
		{ "verdikt.class==parallel", "'verdict'" },
		{ "class==parallel", "'verdict.class'" },
		{ "capacity.blocked.lok<1", "'capacity.blocked.lock'" },
		{ "capacity.wrok<1", "'capacity.work'" },
		{ "tasks.0.run_n<1", "'tasks.0.run_ns'" },
		{ "tasks.run_ns<1", "'tasks.0'" },
		{ "xyzzy<1", "-f json" },
		{ "verdict.class.x==1", "single value" },
		{ "parallelism.max==parallelism.maks", "'parallelism.max'" },
		{ "tasks.0.comm==python3.11", "needs quotes" },
	};
	struct check_result result;
	struct json_text doc;

	load(&doc, NULL, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_EQ(judge_in(&doc.doc, cases[i].text, &result), -ENOENT);
		if (!strstr(result.why, cases[i].nearest))
			unit_failed(__FILE__, __LINE__, "%s: %s", cases[i].text, result.why);
	}
	json_text_release(&doc);
}

TEST(check_inconclusive_never_fails)
{
	static const char was[] = "\"verdict\": {\"class\": \"parallel\"";
	static const char is[] = "\"verdict\": {\"class\": \"inconclusive\"";

	ALL_ARE(CHECK_UNDECIDED, was, is, "verdict.class==parallel", "verdict.class!=parallel",
		"parallelism.max==1", "parallelism.max==2", "audit.clean", "audit.clean==false",
		"tasks.9.run_ns>0", "loss.dropped==0", "capacity.work>0.9",
		"len(tasks)==workload.exit_status");
	ALL_ARE(CHECK_HOLDS, was, is, "workload.exit_status==3", "host.cpus_online==4");
	ALL_ARE(CHECK_FAILS, was, is, "workload.exit_status==0", "len(host.cpus_usable)>=3");
	ALL_ARE(-ENOENT, was, is, "verdict.clas==parallel");
}

TEST(check_loss_leaves_the_verdict)
{
	static const char was[] = "\"lossless\": true", is[] = "\"lossless\": false";

	ALL_ARE(CHECK_HOLDS, was, is, "verdict.class==parallel", "loss.dropped==0", "audit.clean");
	ALL_ARE(CHECK_FAILS, was, is, "verdict.class==concurrent", "audit.lossless");
	ALL_ARE(CHECK_UNDECIDED, was, is, "parallelism.max==2", "parallelism.max==1",
		"tasks.0.run_ns==8", "capacity.work>0.9");
	ALL_ARE(CHECK_UNDECIDED, "\"clean\": true", "\"clean\": false", "len(tasks)==2");
}

TEST(check_too_few_cpus)
{
	static const char was[] = "[0, 1]", is[] = "[1]";

	ALL_ARE(CHECK_UNDECIDED, was, is, "verdict.class==parallel", "verdict.class!=parallel",
		"'parallel'==verdict.class", "parallelism.average>0", "parallelism.max==1");
	ALL_ARE(CHECK_HOLDS, was, is, "workload.claim.class==parallel", "len(tasks)==2",
		"verdict.class!=concurrent");

	ALL_ARE(CHECK_UNDECIDED, NULL, NULL, "parallelism.max>=3", "parallelism.max>2",
		"parallelism.max==3", "3<=parallelism.max",
		"parallelism.average/host.cpus_online>=0.6", "parallelism.average-2.5>0",
		"10/parallelism.max<=4", "-parallelism.max<-2", "parallelism.max_bounds.0>=3",
		"parallelism.average_busy_bounds.1>2");
	ALL_ARE(CHECK_FAILS, NULL, NULL, "parallelism.max>=2.0+parallelism.max",
		"parallelism.max==1", "parallelism.average>=1.9", "parallelism.average==2",
		"parallelism.max<=1", "parallelism.max!=2",
		"parallelism.average/host.cpus_online>=0.5");
}

/* With what the run could have been, as the JSON says; @classes: the classes it could have had. */
static char *with_others(const char *classes, const char *average, const char *lock)
{
	return xasprintf("\"class\": \"concurrent\", \"claim_holds\": null,"
			 " \"claim_doubt\": \"busy_cpus\"},"
			 " \"without_others\": {\"interfered_ns\": 400, \"classes\": [%s],"
			 " \"parallelism\": {\"max\": [2, 2], \"average\": [1.756000, %s]},"
			 " \"capacity\": {\"work_ns\": [1000, 1400],"
			 " \"blocked_ns\": {\"lock\": [%s]}}}", classes, average, lock);
}

static const char quiet_verdict[] = "\"class\": \"parallel\", \"claim_holds\": null}";

/* What fails of the run, or holds, and could have been the other way without other programs. */
TEST(check_busy_cpus)
{
	const char *was = quiet_verdict;
	char *is = with_others("\"concurrent\", \"parallel\"", "1.950000", "0, 900");

	ALL_ARE(CHECK_UNDECIDED, was, is, "verdict.class==parallel", "verdict.class!=parallel",
		"'parallel'==verdict.class", "parallelism.average>=1.9", "parallelism.average<1.9",
		"parallelism.average/2>=90%", "1/parallelism.average<=0.52",
		"capacity.work>=40%", "capacity.work<40%", "capacity.blocked.lock<20%",
		"capacity.blocked.lock>20%", "capacity.blocked.lock>=5%",
		"tasks.0.run_ns+capacity.work_ns>1100");
	ALL_ARE(CHECK_FAILS, was, is, "verdict.class==sequential", "parallelism.max==1",
		"parallelism.max<2", "parallelism.average<1.5", "parallelism.average>=1.98",
		"capacity.work>=50%", "capacity.work<1/3", "capacity.blocked.lock>30%",
		"len(tasks)==3");
	ALL_ARE(CHECK_HOLDS, was, is, "verdict.class!=sequential", "parallelism.average>=1.5",
		"capacity.work<50%", "capacity.blocked.lock<=30%", "parallelism.max==2",
		"tasks.0.run_ns==7");
	free(is);
}

/* Others that could not have made the difference are no excuse. */
TEST(check_cpus_that_others_did_not_need)
{
	const char *was = quiet_verdict;
	char *is = with_others("\"concurrent\"", "1.790000", "150, 150");

	ALL_ARE(CHECK_FAILS, was, is, "verdict.class==parallel", "parallelism.average>=1.9",
		"parallelism.average/2>=90%", "1/parallelism.average<=0.5",
		"verdict.class!=concurrent", "capacity.blocked.lock<5%");
	ALL_ARE(CHECK_HOLDS, was, is, "verdict.class!=parallel", "verdict.class==concurrent",
		"parallelism.average<1.9", "capacity.blocked.lock<20%");
	/* An exact figure is what the records say. */
	ALL_ARE(CHECK_FAILS, was, is, "parallelism.average==1.79");
	ALL_ARE(CHECK_HOLDS, was, is, "parallelism.average==1.756");
	free(is);
}

TEST(check_says_what_was_observed)
{
	struct check_expr *expr = xcalloc(1, sizeof(*expr));
	char line[CHECK_OBSERVED_MAX], error[CHECK_ERROR_MAX];
	struct json_text doc;
	size_t cursor = 0;

	load(&doc, NULL, NULL);
	REQUIRE(!check_parse(expr, "parallelism.max/3+parallelism.max>len(tasks)*9", error));
	CHECK(check_observed(expr, &doc.doc, &cursor, line));
	CHECK_STR(line, "parallelism.max is 2");
	CHECK(check_observed(expr, &doc.doc, &cursor, line));
	CHECK_STR(line, "the left side is 2.666666666...");
	CHECK(check_observed(expr, &doc.doc, &cursor, line));
	CHECK_STR(line, "len(tasks) is 2");
	CHECK(check_observed(expr, &doc.doc, &cursor, line));
	CHECK_STR(line, "the right side is 18");
	CHECK(!check_observed(expr, &doc.doc, &cursor, line));

	cursor = 0;
	REQUIRE(!check_parse(expr, "tasks.4.run_ns==1", error));
	CHECK(check_observed(expr, &doc.doc, &cursor, line));
	CHECK_STR(line, "tasks.4.run_ns is not there: the list has 2");
	json_text_release(&doc);
	free(expr);
}

TEST(check_has_bounds)
{
	char text[CHECK_LEN_MAX + 64];

	memset(text, '(', CHECK_DEPTH_MAX + 1);
	snprintf(text + CHECK_DEPTH_MAX + 1, 32, "parallelism.max==2");
	CHECK_EQ(judge_changed(NULL, NULL, text), -EINVAL);
	memset(text, '-', CHECK_LEN_MAX);
	text[CHECK_LEN_MAX] = '\0';
	CHECK_EQ(judge_changed(NULL, NULL, text), -EINVAL);
	memset(text, ' ', sizeof(text));
	snprintf(text + CHECK_LEN_MAX - 10, 32, "parallelism.max==2");
	CHECK_EQ(judge_changed(NULL, NULL, text), -EINVAL);
	for (size_t i = 0; i < CHECK_LEN_MAX; i += 2)
		memcpy(text + i, "1+", 3);
	text[CHECK_LEN_MAX - 1] = '\0';
	CHECK_EQ(judge_changed(NULL, NULL, text), -EINVAL);
	memset(text, 'a', CHECK_LEN_MAX);
	text[CHECK_LEN_MAX] = '\0';
	CHECK_EQ(judge_changed(NULL, NULL, text), -ENOENT);
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1d;
}

/* Pieces that make sense now and then, and bytes that never do. */
static void make_text(char *text, size_t size, uint64_t *random)
{
	static const char *const pieces[] = {
		"verdict.class", "parallelism.max", "parallelism.average", "capacity.blocked.lock",
		"capacity.unplaced", "tasks", "tasks.0.run_ns", "tasks.9.run_ns", "audit.clean",
		"workload.signal", "len(tasks)", "len(", "(", ")", "==", "!=", "<", "<=", ">", ">=",
		"+", "-", "*", "/", "0", "1", "1.5", "5%", "3ms", "9223372036854775807",
		"99999999999999999999999999999999999999", "true", "false", "null", "parallel",
		"'x'", "\"", ".", " ", "host.cpus_usable", "parallelism.run_ns", "=", "_ns",
	};
	size_t cnt = next_random(random) % 12, used = 0;

	text[0] = '\0';
	while (cnt-- && used < size) {
		size_t pick = next_random(random) % (sizeof(pieces) / sizeof(pieces[0]) + 1);
		char byte[2] = { (char)next_random(random), '\0' };

		used += (size_t)snprintf(text + used, size - used, "%s",
					 pick ? pieces[pick - 1] : byte);
	}
}

/* With the sanitizers of `make test`, that nothing is read or computed out of bounds. */
TEST(check_random_assertions)
{
	static const char *const others[][2] = {
		{ "[0, 1]", "[0]" },
		{ "\"lossless\": true", "\"lossless\": false" },
		{ NULL, NULL },
	};
	unsigned int seen[3] = { 0 }, refused = 0;
	struct check_expr *expr = xcalloc(1, sizeof(*expr));
	uint64_t random = 0x9e3779b97f4a7c15;
	char text[256], line[CHECK_OBSERVED_MAX];
	struct json_text docs[3];

	for (int i = 0; i < 3; i++)
		load(&docs[i], others[i][0], others[i][1]);
	for (int i = 0; i < 150000; i++) {
		struct check_result result;
		size_t cursor = 0;

		make_text(text, sizeof(text), &random);
		memset(&result, 'x', sizeof(result));
		if (check_parse(expr, text, result.why) ||
		    check_eval(expr, &docs[i % 3].doc, &result)) {
			CHECK(result.why[0] && memchr(result.why, 0, sizeof(result.why)));
			refused++;
			continue;
		}
		CHECK(result.outcome <= CHECK_UNDECIDED);
		CHECK((result.outcome == CHECK_UNDECIDED) == (result.why[0] != '\0'));
		seen[result.outcome]++;
		while (check_observed(expr, &docs[i % 3].doc, &cursor, line))
			CHECK(line[0] && strlen(line) < sizeof(line));
	}
	CHECK(refused > 1000 && seen[CHECK_HOLDS] > 50 && seen[CHECK_FAILS] > 50 &&
	      seen[CHECK_UNDECIDED] > 50);
	for (int i = 0; i < 3; i++)
		json_text_release(&docs[i]);
	free(expr);
}
