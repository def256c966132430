/* SPDX-License-Identifier: GPL-2.0-only */
#include "fuzz_agree.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "analyze/report.h"
#include "render/render.h"
#include "trace/certificate.h"
#include "trace/schema_table.h"
#include "trace/trace.h"
#include "util/alloc.h"
#include "util/minmax.h"
#include "verify/verify.h"

#define CHANGES_MAX 5

static const char *const traces[] = {
	"tests/fixtures/sequential.lab", "tests/fixtures/async.lab", "tests/fixtures/threads-lock.lab",
	"tests/fixtures/pipe.lab", "tests/fixtures/quota.lab", "tests/fixtures/gil.lab",
	"tests/fixtures/markers.lab", "docs/samples/procs.lab", "tests/fixtures/wrong/split.lab",
};

/* A trace taken apart. */
struct parts {
	struct trace_reader *reader;
	union lab_event *events;
	size_t cnt, cap;
	struct trace_end end;
};

static uint64_t below(uint64_t *random, uint64_t n)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (*random * 0x2545f4914f6cdd1d >> 16) % n;
}

static bool take_apart(struct parts *p, const char *path)
{
	*p = (struct parts){ 0 };
	if (trace_reader_open(&p->reader, path))
		return false;
	while (trace_reader_next(p->reader, vec_push(p->events, p->cnt, p->cap)) == 1)
		;
	p->cnt--;
	p->end = *trace_reader_end(p->reader);
	return true;
}

static void parts_release(struct parts *p)
{
	free(p->events);
	trace_reader_free(p->reader);
}

/* ---- changes ---- */

static const struct group_def *group_of(unsigned int kind)
{
	for (size_t g = 0; g < schema_group_cnt; g++)
		if (schema_groups[g].id == kind)
			return &schema_groups[g];
	return NULL;
}

/* Another value in one field: near it, small, of another record, or one bit of it. */
static void change_field(const struct parts *p, union lab_event *ev, uint64_t *random)
{
	const struct group_def *group = group_of(below(random, 3) ? ev->head.kind : 0);
	const struct field_def *field = &group->fields[below(random, group->field_cnt)];
	const union lab_event *other = &p->events[below(random, p->cnt)];
	uint64_t value = 0;

	if (field->bytes > 8 || !strcmp(field->name, "kind"))
		return;
	memcpy(&value, (char *)ev + field->off, field->bytes);
	switch (below(random, 5)) {
	case 0: value++; break;
	case 1: value--; break;
	case 2: value = below(random, 10); break;
	case 3: value ^= 1ull << below(random, 8 * field->bytes); break;
	default: memcpy(&value, (const char *)other + field->off, field->bytes);
	}
	if (field->is_cpu || field->off == offsetof(struct lab_ev_head, cpu))
		value %= below(random, 8) ? 4 : TRACE_CPUS_MAX;
	memcpy((char *)ev + field->off, &value, field->bytes);
}

static void drop(struct parts *p, size_t at)
{
	memmove(&p->events[at], &p->events[at + 1], (p->cnt - at - 1) * sizeof(*p->events));
	p->cnt--;
}

/* As if the kernel had had no room for some records of a CPU; the totals may say so or not. */
static void refuse(struct parts *p, size_t at, uint64_t *random)
{
	uint16_t cpu = p->events[at].head.cpu;
	uint64_t lost = 0, most = 1 + below(random, 12);

	for (size_t i = at; i < p->cnt && lost < most;) {
		const union lab_event *ev = &p->events[i];

		if (ev->head.cpu != cpu || ev->head.kind == LAB_EV_TASK_TOTAL ||
		    ev->head.kind == LAB_EV_CPU_TOTAL || ev->head.kind == LAB_EV_TASK_SEED) {
			i++;
			continue;
		}
		drop(p, i);
		lost++;
	}
	for (size_t i = 0; i < p->cnt && below(random, 4); i++)
		if (p->events[i].head.kind == LAB_EV_CPU_TOTAL && p->events[i].head.cpu == cpu)
			p->events[i].cpu_total.refused += lost;
}

static int by_time(const void *a, const void *b)
{
	const struct lab_ev_head *x = a, *y = b;

	return x->ts_ns < y->ts_ns ? -1 : x->ts_ns > y->ts_ns;
}

/* All numbers of each CPU anew, so that none is missing. */
static void renumber(struct parts *p)
{
	static uint64_t seq[TRACE_CPUS_MAX];

	memset(seq, 0, sizeof(seq));
	qsort(p->events, p->cnt, sizeof(*p->events), by_time);
	for (size_t i = 0; i < p->cnt; i++)
		if (p->events[i].head.kind != LAB_EV_TASK_TOTAL &&
		    p->events[i].head.kind != LAB_EV_CPU_TOTAL)
			p->events[i].head.seq = seq[p->events[i].head.cpu]++;
	for (size_t i = 0; i < p->cnt; i++)
		if (p->events[i].head.kind == LAB_EV_CPU_TOTAL)
			p->events[i].cpu_total.seq_end = seq[p->events[i].head.cpu];
}

static void change_end(struct trace_end *end, uint64_t *random)
{
	switch (below(random, 6)) {
	case 0: end->reason = (uint32_t)(1 + below(random, 6)); break;
	case 1: end->births += below(random, 2) ? 1 : UINT64_MAX; break;
	case 2: end->storage_failures = below(random, 2); break;
	case 3: end->recursion_misses = below(random, 2); break;
	case 4: end->ready_unseen = below(random, 2); break;
	default: end->end_ns += below(random, 10000000);
	}
}

static void shift_cpu(struct parts *p, uint16_t cpu, uint64_t *random)
{
	uint64_t by = below(random, 2000000);

	for (size_t i = 0; i < p->cnt; i++)
		if (p->events[i].head.cpu == cpu)
			p->events[i].head.ts_ns += by;
}

static void change_one(struct parts *p, uint64_t *random)
{
	size_t at = below(random, p->cnt), other = below(random, p->cnt);
	union lab_event *ev = &p->events[at], copy = *ev;

	switch (below(random, 10)) {
	case 0:
		drop(p, at);
		break;
	case 1:
		*vec_push(p->events, p->cnt, p->cap) = copy;
		break;
	case 2:
		*ev = p->events[other];
		p->events[other] = copy;
		break;
	case 3:
		ev->head.ts_ns += below(random, below(random, 2) ? 200 : 3000000);
		break;
	case 4:
		ev->head.ts_ns -= min_u64(ev->head.ts_ns, below(random, below(random, 2) ? 200 : 3000000));
		break;
	case 5:
		refuse(p, at, random);
		break;
	case 6:
		change_end(&p->end, random);
		break;
	case 7:
		shift_cpu(p, ev->head.cpu, random);
		break;
	default:
		change_field(p, ev, random);
	}
	if (!below(random, 6))
		renumber(p);
}

/* ---- the two judges ---- */

static int put_together(const struct parts *p)
{
	int fd = memfd_create("agree", MFD_CLOEXEC);
	struct trace_writer *w;

	if (fd < 0 || trace_writer_open(&w, fd, trace_reader_meta(p->reader)))
		abort();
	for (size_t i = 0; i < p->cnt; i++)
		if (trace_writer_add(w, &p->events[i]))
			abort();
	if (trace_writer_finish(w, &p->end))
		abort();
	trace_writer_free(w);
	return fd;
}

/* What lab makes of it, stored in it. Return: what the checker must say of that. */
static enum verify_result judge(int fd, const char *path, char **lines)
{
	const struct render_opts opts = { 0 };
	enum verify_result want = VERIFY_DAMAGED;
	struct trace_reader *reader;
	struct report report;
	struct model model;
	size_t len;
	FILE *to = open_memstream(lines, &len);

	if (!to || trace_reader_open(&reader, path))
		abort();
	if (!model_build(reader, &model)) {
		report_compute(&model, &report);
		want = report.verdict.class == CLASS_INCONCLUSIVE ? VERIFY_NOTHING : VERIFY_PROVEN;
		renderer_find("certificate")->render(&model, &report, &opts, to);
		fprintf(to, "reason %s\n", report.verdict.reason);
		report_release(&report);
	}
	model_release(&model);
	trace_reader_free(reader);
	fclose(to);
	if (want != VERIFY_DAMAGED && trace_certificate_store(fd, *lines))
		abort();
	return want;
}

void fuzz_agree(uint64_t seed)
{
	uint64_t random = seed | 1;
	const char *trace = traces[below(&random, ARRAY_SIZE(traces))];
	char path[32], why[VERIFY_WHY_MAX], *lines = NULL, *said = NULL;
	enum verify_result want, got;
	struct parts parts;
	size_t len;
	FILE *out;
	int fd;

	if (!take_apart(&parts, trace))
		abort();
	for (uint64_t i = below(&random, CHANGES_MAX + 1); i; i--)
		change_one(&parts, &random);
	fd = put_together(&parts);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	want = judge(fd, path, &lines);
	out = open_memstream(&said, &len);
	if (!out)
		abort();
	got = verify_file(fd, out, why);
	fclose(out);
	if (got != want) {
		printf("# seed %" PRIu64 ", %s: the report and the checker differ: %d, not %d\n%s%s\n%s\n", seed,
		       trace, got, want, said, why, lines);
		fflush(stdout);
		abort();
	}
	free(said);
	free(lines);
	close(fd);
	parts_release(&parts);
}
