/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Real and made-up traces in which one record was dropped, doubled, exchanged, stamped anew,
 * rewritten or cut short, with valid checksums and with the certificate of the trace as it was. The
 * checker must reject each, unless nothing that the verdict rests on changed: lab itself then
 * stores the same certificate, and its audit has nothing to say. The test prints how many were
 * caught, and why the others were not.
 */
#include "verify_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/schema_table.h"
#include "trace_fixture.h"
#include "util/alloc.h"
#include "util/log.h"
#include "util/minmax.h"

enum change {
	DROP, DOUBLE, EXCHANGE, RETIME_SMALL, RETIME_LARGE, RETAG, RETAG_HEAD, TRUNCATE, CHANGE_CNT
};

static const char *const change_names[CHANGE_CNT] = {
	"drop", "double", "exchange", "retime by ns", "retime by us", "retag a field",
	"retag the head", "truncate"
};

/* Why a change was not caught. */
enum why {
	CAUGHT, SAME_MODEL, SAME_CERTIFICATE, OTHER_WITNESS, NOT_EXPLAINED, WHY_CNT
};

static const char *const why_names[WHY_CNT] = {
	"caught",
	"what the tasks did is the same: the field is no part of the verdict",
	"what they did changed, and lab's certificate of it is the same",
	"lab would name another witness, and the one named still proves",
	"NOT EXPLAINED",
};

struct score {
	unsigned int of[CHANGE_CNT][WHY_CNT];
	/* [kind][field]: rewritten alone, and caught */
	unsigned int tried[LAB_EV_KIND_MAX][64], caught[LAB_EV_KIND_MAX][64];
};

/* The field that was rewritten; of kind 0 those that every record has. */
struct where {
	unsigned int kind, field;
	bool valid;
};

static uint64_t rng;

static uint64_t below(uint64_t n)
{
	return fixture_random(&rng) % n;
}

static const struct group_def *group_of(unsigned int kind)
{
	for (size_t g = 0; g < schema_group_cnt; g++)
		if (schema_groups[g].id == kind)
			return &schema_groups[g];
	return NULL;
}

/* Another value in a field of at most 8 bytes: near it, small, from another record, or anything. */
static void spoil_number(const struct vfx *v, union lab_event *ev, const struct field_def *field)
{
	const union lab_event *other = &v->events[below(v->cnt)];
	uint64_t value = 0;

	memcpy(&value, (char *)ev + field->off, field->bytes);
	switch (below(5)) {
	case 0: value++; break;
	case 1: value--; break;
	case 2: value = below(10); break;
	case 3: value ^= 1ull << below(8 * field->bytes); break;
	default: memcpy(&value, (const char *)other + field->off, field->bytes);
	}
	if (field->is_cpu && below(2))
		value %= 2;
	memcpy((char *)ev + field->off, &value, field->bytes);
}

/* No file holds a CPU's number that is none. */
static void tame_cpus(union lab_event *ev)
{
	const struct group_def *group = group_of(ev->head.kind);

	for (size_t i = 0; i < group->field_cnt; i++) {
		const struct field_def *field = &group->fields[i];
		uint32_t cpu = 0;

		if (!field->is_cpu)
			continue;
		memcpy(&cpu, (char *)ev + field->off, field->bytes);
		cpu %= TRACE_CPUS_MAX;
		memcpy((char *)ev + field->off, &cpu, field->bytes);
	}
}

static struct where spoil_field(const struct vfx *v, union lab_event *ev, unsigned int kind)
{
	const struct group_def *group = group_of(kind);
	unsigned int which = (unsigned int)below(group->field_cnt);
	const struct field_def *field = &group->fields[which];

	if (field->bytes <= 8 && strcmp(field->name, "kind"))
		spoil_number(v, ev, field);
	else if (field->bytes > 8)
		((char *)ev)[field->off + below(field->bytes)] ^= 1;
	else	/* any kind, read as it stands */
		ev->head.kind = (uint8_t)(1 + below(LAB_EV_KIND_MAX - 1));
	ev->head.cpu %= TRACE_CPUS_MAX;
	tame_cpus(ev);
	return (struct where){ kind, which, which < 64 };
}

/* What a record says, without when and where it was said. */
static void exchange(union lab_event *a, union lab_event *b)
{
	union lab_event x = *a, y = *b;

	*a = y;
	*b = x;
	a->head.ts_ns = x.head.ts_ns;
	a->head.cpu = x.head.cpu;
	a->head.seq = x.head.seq;
	b->head.ts_ns = y.head.ts_ns;
	b->head.cpu = y.head.cpu;
	b->head.seq = y.head.seq;
}

static void retime(union lab_event *ev, uint64_t most)
{
	uint64_t by = 1 + below(most);

	if (below(2))
		ev->head.ts_ns += by;
	else
		ev->head.ts_ns -= min_u64(by, ev->head.ts_ns);
}

/* The record loses its end. */
static void truncate_record(union lab_event *ev)
{
	size_t size = trace_event_size(ev->head.kind), from = sizeof(ev->head);

	from += below(size - from + 1);
	memset((char *)ev + from, 0, size - from);
}

static struct where change_one(struct vfx *v, enum change change)
{
	static const struct where nowhere;
	size_t i = below(v->cnt), next = i + 1 < v->cnt ? i + 1 : 0;
	union lab_event *ev = &v->events[i];

	switch (change) {
	case DROP:
		memmove(ev, ev + 1, (v->cnt - i - 1) * sizeof(*ev));
		v->cnt--;
		break;
	case DOUBLE:
		v->events[v->cnt++] = *ev;
		break;
	case EXCHANGE:
		exchange(ev, &v->events[below(2) ? next : below(v->cnt)]);
		break;
	case RETIME_SMALL:
		retime(ev, 100);
		break;
	case RETIME_LARGE:
		retime(ev, 1000000);
		break;
	case RETAG:
		return spoil_field(v, ev, ev->head.kind);
	case RETAG_HEAD:
		return spoil_field(v, ev, 0);
	case TRUNCATE:
		truncate_record(ev);
		break;
	case CHANGE_CNT:
		break;
	}
	return nowhere;
}

/* The lines of a certificate without its witness. */
static char *without_witness(const char *lines)
{
	char *out = xstrdup(lines), *to = out;

	while (*lines) {
		size_t len = strcspn(lines, "\n") + 1;

		if (strncmp(lines, "witness", 7) && strncmp(lines, "part ", 5)) {
			memcpy(to, lines, len);
			to += len;
		}
		lines += len;
	}
	*to = '\0';
	return out;
}

static bool same_but_witness(const char *a, const char *b)
{
	char *x = without_witness(a), *y = without_witness(b);
	bool same = !strcmp(x, y);

	free(x);
	free(y);
	return same;
}

/* Why the checker may prove the certificate of @before for the trace that @fd has now. */
static enum why explain(int fd, const struct vfx_verdict *before, char **lines)
{
	struct vfx_verdict now;
	enum why why = NOT_EXPLAINED;

	vfx_judge(fd, true, &now);
	if (now.exists && now.clean && !strcmp(now.lines, before->lines))
		why = strcmp(now.model, before->model) ? SAME_CERTIFICATE : SAME_MODEL;
	else if (now.exists && now.clean && same_but_witness(now.lines, before->lines))
		why = OTHER_WITNESS;
	*lines = xstrdup(now.exists ? now.lines : "no verdict");
	vfx_verdict_release(&now);
	return why;
}

static void show_survivor(const struct vfx *v, const struct vfx *was, enum change change,
			  const char *lines, const char *name)
{
	size_t i = 0;

	while (i < v->cnt && i < was->cnt && !memcmp(&v->events[i], &was->events[i],
						      sizeof(*v->events)))
		i++;
	unit_failed(__FILE__, __LINE__,
		    "%s: %s of record %zu, kind %d, is proven all the same; lab says\n%s",
		    name, change_names[change], i, i < was->cnt ? was->events[i].head.kind : -1,
		    lines);
	for (size_t k = 0; i < was->cnt && i < v->cnt &&
			   k < trace_event_size(was->events[i].head.kind); k++)
		if (((char *)&was->events[i])[k] != ((char *)&v->events[i])[k])
			printf("  byte %zu: %d, was %d\n", k, ((char *)&v->events[i])[k],
			       ((char *)&was->events[i])[k]);
}

static void try_one(const struct vfx *whole, const struct vfx_verdict *before, const char *name,
		    struct score *score)
{
	enum change change = (enum change)below(CHANGE_CNT);
	enum why why = CAUGHT;
	struct vfx v = { 0 };
	struct where where;
	char *lines;
	int fd;

	vfx_copy(&v, whole);
	do
		where = change_one(&v, change);
	while (v.cnt == whole->cnt &&
	       !memcmp(v.events, whole->events, v.cnt * sizeof(*v.events)));
	fd = vfx_write(&v);
	vfx_certify(fd, before->lines);
	if (vfx_verify(fd, NULL) == VERIFY_PROVEN) {
		why = explain(fd, before, &lines);
		if (why == NOT_EXPLAINED)
			show_survivor(&v, whole, change, lines, name);
		free(lines);
	}
	score->of[change][why]++;
	if (where.valid) {
		score->tried[where.kind][where.field]++;
		score->caught[where.kind][where.field] += why == CAUGHT;
	}
	vfx_release(&v);
	close(fd);
}

static void show_score(const struct score *score)
{
	unsigned int total[WHY_CNT] = { 0 }, all = 0;

	for (int c = 0; c < CHANGE_CNT; c++) {
		unsigned int of_change = 0;

		for (int w = 0; w < WHY_CNT; w++) {
			of_change += score->of[c][w];
			total[w] += score->of[c][w];
		}
		all += of_change;
		printf("# %-15s %5u of %5u caught\n", change_names[c], score->of[c][CAUGHT],
		       of_change);
	}
	printf("# in all          %5u of %5u caught: %u.%u %%\n", total[CAUGHT], all,
	       total[CAUGHT] * 100 / all, total[CAUGHT] * 1000 / all % 10);
	for (int w = CAUGHT + 1; w < WHY_CNT; w++)
		printf("# %5u survived: %s\n", total[w], why_names[w]);
}

/* Of the fields that were rewritten often, those with which it was never caught. */
static void show_fields(const struct score *score)
{
	for (unsigned int k = 0; k < LAB_EV_KIND_MAX; k++) {
		const struct group_def *group = group_of(k);

		for (size_t i = 0; i < group->field_cnt && i < 64; i++)
			if (score->tried[k][i] >= 5 && !score->caught[k][i])
				printf("# never caught: %s.%s, in %u\n", group->name,
				       group->fields[i].name, score->tried[k][i]);
	}
}

static unsigned int trials(unsigned int usual)
{
	const char *asked = getenv("LAB_VERIFY_TRIALS");

	return asked ? (unsigned int)strtoul(asked, NULL, 10) : usual;
}

/* Prove it as it is, then change it @cnt times. */
static void try_trace(const struct vfx *whole, const char *name, unsigned int cnt,
		      struct score *score)
{
	struct vfx_verdict before;
	int fd = vfx_write(whole);

	vfx_judge(fd, true, &before);
	REQUIRE(before.exists && before.clean && before.class != CLASS_INCONCLUSIVE);
	vfx_certify(fd, before.lines);
	CHECK_EQ(vfx_verify(fd, NULL), VERIFY_PROVEN);
	close(fd);
	for (unsigned int i = 0; i < cnt; i++)
		try_one(whole, &before, name, score);
	vfx_verdict_release(&before);
}

static const char *const traces[] = {
	"docs/samples/procs.lab", "tests/fixtures/pipe.lab", "tests/fixtures/threads-lock.lab",
	"tests/fixtures/sequential.lab", "tests/fixtures/quota.lab", "tests/fixtures/async.lab",
};

TEST(verify_mutations_of_real_traces_are_caught)
{
	struct score score = { 0 };

	log_set_level(LOG_ERR);
	rng = 4711;
	for (size_t i = 0; i < ARRAY_SIZE(traces); i++) {
		struct vfx whole;

		vfx_read(&whole, traces[i]);
		try_trace(&whole, traces[i], trials(250), &score);
		vfx_release(&whole);
	}
	show_score(&score);
	show_fields(&score);
}

TEST(verify_mutations_of_random_schedules_are_caught)
{
	struct score score = { 0 };
	unsigned int tried = 0;

	log_set_level(LOG_ERR);
	rng = 815;
	for (uint64_t i = 1; tried < trials(1000); i++) {
		struct schedule_options opt;
		struct schedule *s;
		struct vfx_verdict before;
		struct vfx whole;
		int fd;

		schedule_options(&opt, i);
		opt.birth_max = opt.birth_max < 12 ? opt.birth_max : 12;
		s = schedule_make(&opt);
		vfx_take(&whole, s);
		fd = vfx_write(&whole);
		vfx_judge(fd, false, &before);
		if (before.class != CLASS_INCONCLUSIVE) {
			try_trace(&whole, "random", 50, &score);
			tried += 50;
		}
		vfx_verdict_release(&before);
		vfx_release(&whole);
		schedule_free(s);
		close(fd);
	}
	show_score(&score);
	show_fields(&score);
}

/* ---- the certificate ---- */

/*
 * A certificate in which one word of one line is another. Return: false, and nothing to free,
 * behind the last word.
 */
static bool rewrite(const char *lines, unsigned int word, char **out)
{
	static const char *const others[] = {
		"0", "1", "2", "-", "18446744073709551615", "parallel", "sequential", "concurrent",
		"inconclusive", "slice", "task", "operation", "x"
	};
	const char *at = lines;
	char value[64];
	size_t len;

	while (word-- && *at) {
		at += strcspn(at, " \n");
		at += strspn(at, " \n");
	}
	if (!*at)
		return false;
	len = strcspn(at, " \n");
	switch (below(4)) {
	case 0:
		snprintf(value, sizeof(value), "%llu", strtoull(at, NULL, 10) + 1);
		break;
	case 1:
		snprintf(value, sizeof(value), "%llu", strtoull(at, NULL, 10) - 1);
		break;
	case 2:
		snprintf(value, sizeof(value), "%llu", (unsigned long long)below(1 << 20));
		break;
	default:
		snprintf(value, sizeof(value), "%s", others[below(ARRAY_SIZE(others))]);
	}
	*out = xasprintf("%.*s%s%s", (int)(at - lines), lines, value, at + len);
	return true;
}

/* The same without one line. */
static bool leave_out(const char *lines, unsigned int line, char **out)
{
	const char *at = lines;

	while (line-- && *at)
		at = strchrnul(at, '\n') + 1;
	if (!*at)
		return false;
	*out = xasprintf("%.*s%s", (int)(at - lines), lines, strchrnul(at, '\n') + 1);
	return true;
}

static void must_fail(int fd, const char *lines, char *changed)
{
	if (strcmp(lines, changed)) {
		vfx_certify(fd, changed);
		if (vfx_verify(fd, NULL) == VERIFY_PROVEN)
			unit_failed(__FILE__, __LINE__, "proven:\n%s", changed);
	}
	free(changed);
}

TEST(verify_mutations_of_certificates_are_caught)
{

	log_set_level(LOG_ERR);
	rng = 42;
	for (size_t i = 0; i < ARRAY_SIZE(traces); i++) {
		struct vfx_verdict verdict;
		char *changed;
		struct vfx v;
		int fd;

		vfx_read(&v, traces[i]);
		fd = vfx_write(&v);
		vfx_judge(fd, false, &verdict);
		for (unsigned int round = 0; round < 3; round++)
			for (unsigned int n = 0; rewrite(verdict.lines, n, &changed); n++)
				must_fail(fd, verdict.lines, changed);
		for (unsigned int n = 0; leave_out(verdict.lines, n, &changed); n++)
			must_fail(fd, verdict.lines, changed);
		vfx_certify(fd, verdict.lines);
		CHECK_EQ(vfx_verify(fd, NULL), VERIFY_PROVEN);
		vfx_verdict_release(&verdict);
		vfx_release(&v);
		close(fd);
	}
}
