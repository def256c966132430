/* SPDX-License-Identifier: GPL-2.0-only */
#include "verify/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/format.h"
#include "verify/certificate.h"

#define COLUMNS 80
#define INDENT 11

/* All that one check needs. */
struct check {
	struct reader *reader;
	struct certificate cert;
	struct facts *facts;
	struct figures figures;
	struct complaints wrong;
	char *why;
};

/* ---- output ---- */

/* A label in front of a text that is folded between words; a '~' in it is a space that holds. */
static void say(FILE *out, const char *label, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void say(FILE *out, const char *label, const char *fmt, ...)
{
	char text[1024];
	size_t col = INDENT, len;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fprintf(out, "  %-*s", INDENT - 2, label);
	for (char *word = text; *word; word += len) {
		word += strspn(word, " ");
		len = strcspn(word, " ");
		if (col > INDENT && col + 1 + len > COLUMNS) {
			fprintf(out, "\n%*s", INDENT, "");
			col = INDENT;
		} else if (col > INDENT) {
			fputc(' ', out);
			col++;
		}
		for (size_t i = 0; i < len; i++)
			fputc(word[i] == '~' ? ' ' : word[i], out);
		col += len;
	}
	fputc('\n', out);
}

/* "48.211~ms" */
static struct fmt_text time_word(uint64_t ns)
{
	struct fmt_text t = fmt_ns(ns);

	for (char *c = t.s; *c; c++)
		*c = *c == ' ' ? '~' : *c;
	return t;
}

/* Per cent, rounded down to a tenth. */
static struct fmt_text share(uint64_t part, uint64_t whole)
{
	unsigned int milli = whole ? (unsigned int)((unsigned __int128)part * 1000 / whole) : 0;
	struct fmt_text w;

	snprintf(w.s, sizeof(w.s), "%u.%u~%%", milli / 10, milli % 10);
	return w;
}

/* ---- the comparison: section 1 ---- */

/*
 * What the records contradict: anything, unless missing records explain it and the verdict allows
 * for it.
 */
static void list_faults(struct check *k)
{
	const struct facts *f = k->facts;

	for (size_t i = 0; i < f->faults.cnt; i++) {
		const struct fault *x = &f->faults.v[i];
		uint32_t place = map_get(&f->by_id, x->task, 0);

		if (x->explained && k->cert.class.v == PARALLEL && !k->figures.lossless)
			continue;
		if (x->task && place != NONE)
			complain(&k->wrong, "task %" PRIu32 " (tid %" PRIu32 "): %s: expected %"
				 PRIu64 ", found %" PRIu64, x->task, f->tasks.v[place].tid, x->what,
				 x->expected, x->found);
		else
			complain(&k->wrong, "%s: expected %" PRIu64 ", found %" PRIu64, x->what,
				 x->expected, x->found);
	}
}

static void compare(struct check *k)
{
	const struct figures *g = &k->figures;

	if (k->cert.class.v != g->class)
		complain(&k->wrong, "class: stored %s, derived %s%s%s%s",
			 class_names[k->cert.class.v], class_names[g->class],
			 g->reason ? " (" : "", g->reason ? g->reason : "", g->reason ? ")" : "");
	/*
	 * An inconclusive verdict rests on nothing; where something is missing or wrong its numbers
	 * are moot.
	 */
	if (k->cert.class.v == INCONCLUSIVE && !(g->lossless && g->clean)) {
		compare_number(&k->cert, N_DIGEST, g->n[N_DIGEST], &k->wrong);
		return;
	}
	list_faults(k);
	for (int i = 0; i < N_DERIVED; i++)
		compare_number(&k->cert, (enum number)i, g->n[i], &k->wrong);
	for (uint32_t c = 0; c < CPU_NUMBERS; c++)
		if (k->cert.cpus[c] != k->facts->cpus[c].usable)
			complain(&k->wrong, "CPU %" PRIu32 " is %sone of the usable CPUs", c,
				 k->cert.cpus[c] ? "not " : "");
	witness_hold(&k->cert, k->facts, g, &k->wrong);
}

/* ---- what was proved ---- */

static void say_file(const struct check *k, FILE *out)
{
	const struct facts *f = k->facts;
	unsigned int with_records = 0;

	for (uint32_t c = 0; c < CPU_NUMBERS; c++)
		with_records += f->cpus[c].records > 0;
	say(out, "records",
	    "%s of %u~%s; %s missing by their numbers, %s refused by the kernel's count",
	    fmt_count(f->records).s, with_records, with_records == 1 ? "CPU" : "CPUs",
	    f->missing ? fmt_count(f->missing).s : "none", fmt_count(f->refused).s);
}

static void say_account(const struct check *k, FILE *out)
{
	const struct facts *f = k->facts;

	say(out, "switches",
	    "%s switch-outs recorded, %s counted by the kernel, %s; %s births = %s deaths "
	    "+ %s alive", fmt_count(f->outs).s, fmt_count(f->counted).s,
	    f->outs == f->counted ? "task by task" : "as the missing records explain",
	    fmt_count(f->births).s, fmt_count(f->deaths).s, fmt_count(f->alive).s);
	if (f->hidden)
		say(out, "",
		    "stays whose begin is hidden: %s; drawn at their shortest, bounded at their "
		    "longest", fmt_count(f->hidden).s);
	say(out, "clocks", "any two CPUs agree within %s", time_word(k->figures.n[N_EPS_MAX]).s);
}

static void say_range(FILE *out, const char *label, uint64_t low, uint64_t high, uint64_t whole_low,
		      uint64_t whole_high, const char *what, const char *of)
{
	if (low == high && whole_low == whole_high)
		say(out, label, "%s for %s of %s %s: %s", what, time_word(low).s,
		    time_word(whole_low).s, of, share(low, whole_low).s);
	else
		say(out, label, "%s for %s to %s of %s to %s %s: at least %s, at most %s", what,
		    time_word(low).s, time_word(high).s, time_word(whole_low).s,
		    time_word(whole_high).s, of, share(low, whole_high).s,
		    share(min_u64(high, whole_low), whole_low).s);
}

static void say_slices(const struct check *k, FILE *out)
{
	const struct certificate *c = &k->cert;
	uint64_t from_ns = c->numbers[N_WITNESS_FROM].v;
	const char *label = "witness";

	for (size_t i = 0; i < c->parts.cnt; i++) {
		const struct maybe *p = c->parts.v[i].f;

		if (p[P_SEQ_OUT].there)
			say(out, label, "task~%" PRIu64 " (tid~%" PRIu64 ") on CPU~%" PRIu64
			    ", records~%" PRIu64 "-%" PRIu64, p[P_TASK].v, p[P_TID].v,
			    p[P_CPU_IN].v,
			    p[P_SEQ_IN].v, p[P_SEQ_OUT].v);
		else
			say(out, label, "task~%" PRIu64 " (tid~%" PRIu64 ") on CPU~%" PRIu64
			    ", from record~%" PRIu64 " to the end", p[P_TASK].v, p[P_TID].v,
			    p[P_CPU_IN].v, p[P_SEQ_IN].v);
		label = "";
	}
	say(out, "", "overlap from +%s: %s, longer than eps, %s, and than 1~us",
	    time_word(from_ns - k->facts->start_ns).s,
	    time_word(c->numbers[N_WITNESS_UNTIL].v - from_ns).s,
	    time_word(c->numbers[N_WITNESS_EPS].v).s);
}

static void say_instant(const struct check *k, FILE *out)
{
	const struct certificate *c = &k->cert;
	const struct maybe *a = c->parts.v[0].f, *b = c->parts.v[1].f;
	struct fmt_text at = time_word(c->numbers[N_WITNESS_FROM].v - k->facts->start_ns);

	if (c->witness == WITNESS_OPERATION)
		say(out, "witness",
		    "at +%s operations %" PRIu64 " and %" PRIu64 " were both in progress",
		    at.s, a[P_OP].v, b[P_OP].v);
	else
		say(out, "witness",
		    "at +%s tasks %" PRIu64 " (tid~%" PRIu64 ") and %" PRIu64 " (tid~%"
		    PRIu64 ") were both in progress", at.s, a[P_TASK].v, a[P_TID].v, b[P_TASK].v,
		    b[P_TID].v);
}

static void say_proof(const struct check *k, FILE *out)
{
	const struct figures *g = &k->figures;

	fprintf(out, "PROVEN  %s\n", class_names[g->class]);
	say_file(k, out);
	say_account(k, out);
	say_range(out, "running", g->n[N_PARALLEL_LOW], g->n[N_PARALLEL_HIGH], g->n[N_BUSY_LOW],
		  g->n[N_BUSY_HIGH], "two or more tasks ran at once", "with one or more");
	if (g->n[N_NEVER_TWO])
		say(out, "", "no two ran at once for longer than the clocks may disagree");
	say_range(out, "progress", g->n[N_CONCURRENT], g->n[N_CONCURRENT], g->n[N_ACTIVE],
		  g->n[N_ACTIVE],
		  "two or more were in progress", "with one or more");
	if (g->class == PARALLEL)
		say_slices(k, out);
	else if (g->class == CONCURRENT)
		say_instant(k, out);
	say(out, "numbers", "%d of the certificate, each derived again from the records: equal",
	    N_DERIVED);
}

static void say_wrong(const struct check *k, FILE *out)
{
	const char *text = k->wrong.text.v;

	fprintf(out, "REFUTED  the stored verdict, %s, is not what the records say\n",
		class_names[k->cert.class.v]);
	for (uint64_t i = 0; i < k->wrong.cnt && i < COMPLAINTS_MAX; i++, text += strlen(text) + 1)
		say(out, i ? "" : "wrong", "%s", text);
	if (k->wrong.cnt > COMPLAINTS_MAX)
		say(out, "", "and %s more", fmt_count(k->wrong.cnt - COMPLAINTS_MAX).s);
}

static void say_nothing(const struct check *k, FILE *out)
{
	const struct figures *g = &k->figures;

	if (reader_has_certificate(k->reader))
		fprintf(out, "NOTHING TO PROVE  the stored verdict is inconclusive\n");
	else
		fprintf(out, "NOTHING TO PROVE  no verdict is stored in this trace\n");
	say(out, "derived", "%s%s%s", class_names[g->class], g->reason ? ": " : "",
	    g->reason ? g->reason : "");
}

/* ---- all of it ---- */

static enum verify_result judge(struct check *k, FILE *out)
{
	bool stored = reader_has_certificate(k->reader);

	if (stored)
		compare(k);
	if (k->wrong.cnt)
		say_wrong(k, out);
	else if (!stored || k->cert.class.v == INCONCLUSIVE)
		say_nothing(k, out);
	else
		say_proof(k, out);
	if (k->wrong.cnt)
		return VERIFY_REFUTED;
	return stored && k->cert.class.v != INCONCLUSIVE ? VERIFY_PROVEN : VERIFY_NOTHING;
}

/* Return: whether every record could be read. */
static bool replay_all(struct check *k)
{
	struct event ev;
	int got;

	replay_begin(k->facts, reader_circumstances(k->reader));
	while ((got = reader_next(k->reader, &ev)) > 0) {
		replay_event(k->facts, &ev);
		certificate_event(&k->cert, &ev);
	}
	return !got;
}

static enum verify_result fail(struct check *k, enum verify_result result, const char *why)
{
	snprintf(k->why, VERIFY_WHY_MAX, "%s", why);
	return result;
}

static enum verify_result check_whole(struct check *k, FILE *out)
{
	enum verify_result result;

	if (reader_has_certificate(k->reader) && !certificate_read(k->reader, &k->cert))
		return fail(k, VERIFY_DAMAGED, "its certificate is malformed");
	k->facts = xcalloc(1, sizeof(*k->facts));
	if (!replay_all(k)) {
		result = fail(k, VERIFY_DAMAGED, reader_why(k->reader));
	} else if (!replay_end(k->facts)) {
		result = fail(k, VERIFY_DAMAGED, "no record says what its first task was");
	} else {
		figures_derive(k->facts, &k->figures);
		result = judge(k, out);
		figures_release(&k->figures);
	}
	facts_release(k->facts);
	free(k->facts);
	return result;
}

static enum verify_result verify(int fd, bool any, FILE *out, char why[VERIFY_WHY_MAX])
{
	struct check k = { .why = why };
	enum verify_result result = VERIFY_DAMAGED;

	why[0] = '\0';
	switch (reader_open(&k.reader, fd)) {
	case FILE_WHOLE:
		result = any || !reader_is_dense(k.reader) ? check_whole(&k, out) : VERIFY_DENSE;
		break;
	case FILE_UNFINISHED:
		fprintf(out,
			"NOTHING TO PROVE  the recording was not finished, and no verdict is "
			"stored\n");
		result = VERIFY_NOTHING;
		break;
	case FILE_DAMAGED:
		result = fail(&k, VERIFY_DAMAGED, reader_why(k.reader));
		break;
	case FILE_UNREADABLE:
		result = fail(&k, VERIFY_UNREADABLE, reader_why(k.reader));
	}
	free(k.cert.parts.v);
	reader_free(k.reader);
	free(k.wrong.text.v);
	return result;
}

enum verify_result verify_file(int fd, FILE *out, char why[VERIFY_WHY_MAX])
{
	return verify(fd, false, out, why);
}

enum verify_result verify_any_file(int fd, FILE *out, char why[VERIFY_WHY_MAX])
{
	return verify(fd, true, out, why);
}
