/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>

#include "render/names.h"
#include "render/term.h"
#include "util/minmax.h"

#define OP_NAME_MAX 40	/* columns */
#define PARTS_SHOWN 4
#define CHECKS_SHOWN 20
#define GAPS_SHOWN 8

static uint64_t operations_at_once(const struct term *t)
{
	return t->r->concurrency.max_operations;
}

/* How many CPUs were in use: of every class. */
static void say_average(const struct term *t, struct phrase *p)
{
	const struct report_parallelism *par = &t->r->parallelism;

	if (t->r->lossless)
		phrase_add(p, "%s of ", fmt_ratio(par->run_ns, par->busy_ns, 2).s);
	else
		phrase_add(p, "%s to %s of ",
			   fmt_ratio(par->average_busy_lower_ppm / 10000, 100, 2).s,
			   fmt_ratio((par->average_busy_upper_ppm + 9999) / 10000, 100, 2).s);
	phrase_count(p, t->m->cpu_cnt, "CPU");
	phrase_add(p, " on average while busy; ");
	phrase_count(p, t->m->task_cnt, "task");
	if (t->r->lossless || par->max_lower == par->max_upper)
		phrase_add(p, ", %u at once", par->max);
	else
		phrase_add(p, ", %u to %u at once", par->max_lower, par->max_upper);
}

/* For how much of the time: a small share of parallelism makes the class, too. */
static void say_parallel(const struct term *t, struct phrase *p)
{
	const struct report_parallelism *par = &t->r->parallelism;
	bool exact = par->parallel_lower_ns == par->parallel_ns &&
		     par->busy_upper_ns == par->busy_ns;

	if (exact)
		phrase_add(p, "for %s of the busy time; ",
			   fmt_share(par->parallel_ns, par->busy_ns).s);
	else
		phrase_add(p, "for at least %s of the busy time; ",
			   fmt_share(par->parallel_lower_ns, par->busy_upper_ns).s);
	say_average(t, p);
}

/* A class that the run was not, but could have been without other programs; CLASS_NONE: none. */
static enum verdict_class other_class(const struct term *t)
{
	if (t->r->verdict.class == CLASS_INCONCLUSIVE)
		return CLASS_NONE;
	for (enum verdict_class class = CLASS_INCONCLUSIVE - 1; class > CLASS_NONE; class--)
		if (class != t->r->verdict.class && t->r->noise.could_be[class])
			return class;
	return CLASS_NONE;
}

/* In the same breath as the class, wherever that is said. */
static void say_others(const struct term *t, struct phrase *p)
{
	const struct report_capacity *c = &t->r->capacity;

	if (c->known && other_class(t) != CLASS_NONE)
		phrase_add(p, "here: other programs had %s of the CPUs; ",
			   fmt_share(c->interference_ns + c->other_ns, c->total_ns).s);
}

void term_caution(const struct term *t)
{
	enum verdict_class class = other_class(t);
	struct phrase p = { 0 };

	if (class == CLASS_NONE)
		return;
	phrase_add(&p, "without other programs this run could have been %s: close them, "
		   "and run it again%s", verdict_class_name(class), term_or_until_quiet(t));
	term_para(t, "caution", &p);
}

static void say_not_parallel(const struct term *t, struct phrase *p)
{
	const struct report_parallelism *par = &t->r->parallelism;

	say_others(t, p);
	phrase_count(p, t->m->task_cnt, "task");
	if (t->r->verdict.never_two || par->max <= 1)
		phrase_add(p, ", 1 CPU at a time");
	else
		phrase_add(p, ", %u CPUs at once, but two or more for only %s of the busy time",
			   par->max, fmt_share(par->parallel_ns, par->busy_ns).s);
}

static void say_concurrent(const struct term *t, struct phrase *p)
{
	say_not_parallel(t, p);
	phrase_add(p, ", up to ");
	if (t->r->concurrency.witness_is_ops ||
	    operations_at_once(t) > t->r->concurrency.max_in_progress) {
		phrase_count(p, operations_at_once(t), "operation");
		phrase_add(p, " in flight");
	} else {
		phrase_count(p, t->r->concurrency.max_in_progress, "task");
		phrase_add(p, " in progress");
	}
}

static void say_sequential(const struct term *t, struct phrase *p)
{
	const struct report_concurrency *con = &t->r->concurrency;

	say_not_parallel(t, p);
	if (con->concurrent_ns)
		phrase_add(p, ", two or more in progress for only %s of the time",
			   fmt_share(con->concurrent_ns, con->active_ns).s);
	else
		phrase_add(p, ", one after another");
}

static struct safe_text reason(const struct term *t)
{
	return term_safe(t, t->r->verdict.reason, sizeof(t->r->verdict.reason), 256);
}

static void prove_parallel(const struct term *t, const struct witness *w)
{
	uint32_t cnt = (uint32_t)min_u64(w->part_cnt, WITNESS_MAX);
	uint32_t shown = (uint32_t)min_u64(cnt, PARTS_SHOWN);
	struct phrase p = { 0 };

	for (uint32_t i = 0; i < shown; i++) {
		const struct witness_part *part = &w->parts[i];

		if (i)
			phrase_add(&p, i + 1 < cnt ? ", " : " and ");
		phrase_add(&p, "%s on CPU %u", term_task(t, part->task_id).s, part->cpu);
		if (!term_in_detail(t))
			continue;
		phrase_add(&p, " (records %s-%s)", fmt_count(part->seq_in).s,
			   fmt_count(part->seq_out).s);
	}
	if (shown < cnt)
		phrase_add(&p, " and %u more", cnt - shown);
	phrase_add(&p, cnt == 2 ? " both ran for %s" : " all ran for %s",
		   fmt_ns(w->until_ns - w->from_ns).s);
	phrase_add(&p, " from %s", term_instant(t, w->from_ns).s);
	if (term_in_detail(t))
		phrase_add(&p, "; the CPUs' clocks agree within %s", fmt_ns(w->eps_ns).s);
	term_para(t, "proof", &p);
}

/* "3", or "3 (fetch)" if it was marked with a name. */
static void say_operation(const struct term *t, struct phrase *p, uint32_t id)
{
	const struct model_op *op = id && id <= t->m->op_cnt ? &t->m->ops[id - 1] : NULL;

	phrase_add(p, "%u", id);
	if (op && op->name_idx)
		phrase_add(p, " (%s)", term_safe_str(t, op_name(t->m, op).s, OP_NAME_MAX).s);
}

/* Two tasks or operations at an instant. */
static void say_both(const struct term *t, struct phrase *p)
{
	const struct report_concurrency *con = &t->r->concurrency;
	const struct witness *w = &con->witness;
	const struct witness_part *a = &w->parts[0], *b = &w->parts[1];

	if (w->part_cnt < 2)
		return;
	phrase_add(p, "at %s ", term_instant(t, w->from_ns).s);
	if (con->witness_is_ops) {
		bool one = a->task_id == b->task_id;

		phrase_add(p, one ? "operations " : "operation ");
		say_operation(t, p, a->op_id);
		if (!one)
			phrase_add(p, " of %s", term_task(t, a->task_id).s);
		phrase_add(p, one ? " and " : " and operation ");
		say_operation(t, p, b->op_id);
		phrase_add(p, one ? " were both open on %s; " : " of %s were both open; ",
			   term_task(t, b->task_id).s);
	} else {
		phrase_add(p, "%s and ", term_task(t, a->task_id).s);
		phrase_add(p, "%s were both in progress; ", term_task(t, b->task_id).s);
	}
	phrase_add(p, "two or more were in progress for %s, %s of the time with any; ",
		   fmt_ns(con->concurrent_ns).s,
		   fmt_share(con->concurrent_ns, con->active_ns).s);
}

/* What is known of overlaps, and what that rests on. */
static void say_overlap(const struct term *t, struct phrase *p)
{
	const struct report_parallelism *par = &t->r->parallelism;

	if (t->r->verdict.never_two)
		phrase_add(p, "in %s no two tasks ran at once", fmt_ns(t->window_ns).s);
	else if (!par->parallel_ns)
		phrase_add(p, "in %s no two tasks were seen to run at once",
			   fmt_ns(t->window_ns).s);
	else
		phrase_add(p, "two tasks ran at once for %s in all, for %s at the longest",
			   fmt_ns(par->parallel_ns).s, fmt_ns(par->longest_overlap_ns).s);
	if (par->parallel_upper_ns > par->parallel_ns && t->m->audit.hidden_switch_ins) {
		phrase_add(p, ", %s at most if the ", fmt_ns(par->parallel_upper_ns).s);
		phrase_count(p, t->m->audit.hidden_switch_ins, "hidden switch-in");
		phrase_add(p, " came as early as can be");
	}
	if (t->r->audit_clean && t->r->lossless)
		phrase_add(p, " (%s switch-outs recorded, as many counted by the kernel: "
			   "none is missing)", fmt_count(t->m->audit.switches_checked).s);
}

static void prove_not_parallel(const struct term *t)
{
	struct phrase p = { 0 };

	if (t->r->verdict.class == CLASS_CONCURRENT)
		say_both(t, &p);
	say_overlap(t, &p);
	term_para(t, "proof", &p);
}

/* Where no line "next" follows, its command is said here. */
static void say_hook(const struct term *t, struct phrase *p)
{
	struct phrase line = { 0 };

	if ((t->sink || t->opts->brief) && term_hook_line(t, &line))
		phrase_add(p, "; for this program: %s", line.s);
	free(line.s);
}

/* A run that could not go on has a headline before this one. */
static void class_headline(const struct term *t, const char *class, const char *sgr,
			   struct phrase *p)
{
	struct phrase before = { 0 };
	char label[48];

	snprintf(label, sizeof(label), "%s%s", class, report_is_stuck(t->r) ? " until then" : "");
	if (t->sink && report_is_stuck(t->r)) {
		phrase_add(&before, "%s: %s", label, p->s ? p->s : "");
		free(p->s);
		*p = (struct phrase){ 0 };
		term_para(t, "before", &before);
		return;
	}
	term_headline(t, label, sgr, p);
}

static void inconclusive(const struct term *t)
{
	struct phrase p = { 0 };

	phrase_add(&p, "%s", t->r->verdict.reason[0] ? reason(t).s :
		   "what is missing from the trace could change the verdict");
	say_hook(t, &p);
	class_headline(t, "INCONCLUSIVE", "1;33", &p);
	if (t->opts->brief)
		return;
	say_average(t, &p);
	term_para(t, "seen", &p);
	if (t->r->parallelism.witness.part_cnt >= 2)
		prove_parallel(t, &t->r->parallelism.witness);
}

void term_verdict(const struct term *t)
{
	struct phrase p = { 0 };

	switch (t->r->verdict.class) {
	case CLASS_PARALLEL:
		say_parallel(t, &p);
		class_headline(t, "PARALLEL", "1;32", &p);
		if (!t->opts->brief)
			prove_parallel(t, &t->r->parallelism.witness);
		return;
	case CLASS_CONCURRENT:
		say_concurrent(t, &p);
		class_headline(t, "CONCURRENT, not parallel", "1;36", &p);
		break;
	case CLASS_SEQUENTIAL:
		say_sequential(t, &p);
		class_headline(t, "SEQUENTIAL", "1;34", &p);
		break;
	default:
		inconclusive(t);
		return;
	}
	if (!t->opts->brief)
		prove_not_parallel(t);
}

static void say_stall_contradiction(const struct claim *claim, struct phrase *p)
{
	struct fmt_text least = fmt_ns(claim->stall_ns);

	switch (claim->stall) {
	case STALL_COMPUTING:
		phrase_add(p, "; claimed was an event loop that computes for %s or longer, and is "
			   "blocked for less", least.s);
		break;
	case STALL_BLOCKED:
		phrase_add(p, "; claimed was an event loop that is blocked for %s or longer, and "
			   "computes for less", least.s);
		break;
	case STALL_NONE:
		phrase_add(p, "; claimed was an event loop that nothing holds up for %s", least.s);
		break;
	}
}

static void say_contradiction(const struct term *t, struct phrase *p)
{
	const struct claim *claim = &t->m->meta.claim;
	const struct report_parallelism *par = &t->r->parallelism;

	switch (t->r->verdict.claim_fault) {
	case FAULT_NONE:
		break;
	case FAULT_CLASS:
		phrase_add(p, "; claimed was %s%s, seen was %s%s",
			   claim->at_least ? "at least " : "", verdict_class_name(claim->class),
			   t->r->verdict.at_least ? "at least " : "",
			   verdict_class_name(report_lowest_class(t->r)));
		break;
	case FAULT_PARALLELISM:
		phrase_add(p, "; claimed were %s CPUs on average while busy, seen were %s",
			   fmt_ratio(claim->min_parallelism_milli, 1000, 3).s,
			   fmt_ratio(par->run_ns, par->busy_ns, 3).s);
		break;
	case FAULT_SERIALIZER:
		phrase_add(p, "; claimed was a lock that lets one task run at a time, "
			   "none was found");
		break;
	case FAULT_OPERATIONS:
		phrase_add(p, "; claimed were %s operations in flight, seen were %s",
			   fmt_count(claim->min_operations).s, fmt_count(operations_at_once(t)).s);
		break;
	case FAULT_STALL:
		say_stall_contradiction(claim, p);
		break;
	case FAULT_DEADLOCK:
		phrase_add(p, "; claimed were tasks that wait for each other in a circle, "
			   "none did");
		break;
	case FAULT_STUCK:
		phrase_add(p, t->r->deadlock.present ? "; it ended in a deadlock" :
						       "; it stood still, and could not go on");
		break;
	}
}

static void say_undecided(const struct term *t, struct phrase *p)
{
	const struct report_verdict *v = &t->r->verdict;

	switch (v->claim_doubt) {
	case DOUBT_VERDICT:
		phrase_add(p, ": the verdict is inconclusive");
		break;
	case DOUBT_FEW_CPUS:
		phrase_add(p, ": it takes %s usable CPUs, and this run had %zu",
			   fmt_count(v->claim_cpus_needed).s, t->m->cpu_cnt);
		break;
	case DOUBT_BUSY_CPUS:
		phrase_add(p, ": other programs had CPUs for which tasks waited, and without them "
			   "it could have been otherwise: run it again on a quieter machine%s",
			   term_or_until_quiet(t));
		break;
	case DOUBT_OPERATIONS:
		phrase_add(p, ": its operations were not observed");
		break;
	case DOUBT_LOSS:
		phrase_add(p, ": records are missing");
		break;
	case DOUBT_NONE:
		break;
	}
}

void term_claim(const struct term *t)
{
	const struct claim *claim = &t->m->meta.claim;
	struct phrase p = { 0 };

	if (t->r->verdict.claim_holds == CLAIM_NOT_MADE)
		return;
	if (claim->why[0])
		phrase_add(&p, "\"%s\": ", term_safe(t, claim->why, sizeof(claim->why),
						     CLAIM_WHY_MAX).s);
	else
		phrase_add(&p, "%s: ", verdict_class_name(claim->class));

	switch (t->r->verdict.claim_holds) {
	case CLAIM_YES:
		phrase_add(&p, "holds");
		break;
	case CLAIM_NO:
		phrase_add(&p, "CONTRADICTED");
		say_contradiction(t, &p);
		break;
	default:
		phrase_add(&p, "undecided");
		say_undecided(t, &p);
		break;
	}
	term_para(t, "claim", &p);
}

static void failed_checks(const struct term *t)
{
	const struct model_audit *audit = &t->m->audit;
	uint64_t shown = min_u64(audit->failure_cnt, CHECKS_SHOWN);
	struct phrase p = { 0 };

	for (uint64_t i = 0; i < shown; i++) {
		const struct audit_failure *f = &audit->failures[i];

		phrase_add(&p, "%s", f->name);
		if (f->task_id)
			phrase_add(&p, " of %s", term_task(t, f->task_id).s);
		phrase_add(&p, ": expected %s,", fmt_count(f->expected).s);
		phrase_add(&p, " observed %s", fmt_count(f->observed).s);
		term_para(t, "", &p);
	}
	if (audit->failures_total > shown) {
		phrase_add(&p, "and %s more", fmt_count(audit->failures_total - shown).s);
		term_para(t, "", &p);
	}
}

void term_certificate(const struct term *t)
{
	const char *command = t->opts->command ? t->opts->command : "lab";
	struct phrase p = { 0 };

	if (t->opts->certificate != CERTIFICATE_REFUTED)
		return;
	phrase_add(&p, "REFUTED: the verdict that is stored in this file does not follow from its "
		   "records, so the file was changed, or another version of lab stored it; "
		   "'%s verify' lists the differences, "
		   "'%s report --certify' stores the verdict above", command, command);
	term_para(t, "stored", &p);
}

void term_audit(const struct term *t)
{
	const struct model_audit *audit = &t->m->audit;
	bool whole = t->m->complete;
	struct phrase p = { 0 };
	uint64_t cpu_ns = 0;

	for (size_t i = 0; i < t->m->task_cnt; i++)
		cpu_ns += t->m->tasks[i].cpu_ns;
	phrase_count(&p, audit->tasks_checked, "task");
	phrase_add(&p, ", ");
	phrase_count(&p, audit->switches_checked, "switch-out");
	phrase_add(&p, ", ");
	phrase_count(&p, audit->migrations_checked, "migration");
	phrase_add(&p, ", %s of CPU time: ", fmt_ns(cpu_ns).s);
	if (t->r->audit_clean)
		phrase_add(&p, "equal to the kernel's counts%s",
			   whole ? "" : " as far as the file goes");
	else
		phrase_add(&p, "FAILED");
	if (audit->failures_total) {
		phrase_add(&p, " in ");
		phrase_count(&p, audit->failures_total, "check");
		if (!audit->unexplained_total)
			phrase_add(&p, ", as the missing records explain");
		else if (!t->r->lossless)
			phrase_add(&p, ", %s of them beyond what the missing records explain",
				   fmt_count(audit->unexplained_total).s);
	}
	phrase_add(&p, "; %s events lost%s", fmt_count(t->m->dropped).s,
		   whole ? "" : " as far as is known");
	if (audit->hidden_switch_ins) {
		phrase_add(&p, "; ");
		phrase_count(&p, audit->hidden_switch_ins, "switch-in");
		phrase_add(&p, " hidden by the host, none of them used as proof");
	}
	term_para(t, "audit", &p);
	failed_checks(t);
}

static void say_gaps(const struct term *t)
{
	size_t shown = min_u64(t->m->gap_cnt, GAPS_SHOWN);
	struct phrase p = { 0 };

	for (size_t i = 0; i < shown; i++) {
		const struct model_gap *gap = &t->m->gaps[i];

		phrase_add(&p, "CPU %u: ", gap->cpu);
		phrase_count(&p, gap->cnt, "event");
		phrase_add(&p, " from %s until ", term_instant(t, gap->from_ns).s);
		phrase_add(&p, "%s", gap->until_ns == UINT64_MAX ?
			   "the end" : term_instant(t, gap->until_ns).s);
		term_para(t, i ? "" : "loss", &p);
	}
	if (t->m->gap_cnt > shown) {
		phrase_add(&p, "and %s more stretches: lab report -f json shows all",
			   fmt_count(t->m->gap_cnt - shown).s);
		term_para(t, "", &p);
	}
}

static void say_count_of_loss(const struct term *t, uint64_t cnt, const char *noun,
			      const char *what)
{
	struct phrase p = { 0 };

	if (!cnt)
		return;
	phrase_count(&p, cnt, noun);
	phrase_add(&p, " %s", what);
	term_para(t, "loss", &p);
}

void term_loss(const struct term *t)
{
	struct phrase p = { 0 };

	say_gaps(t);
	if (!t->m->gap_cnt)
		say_count_of_loss(t, t->m->dropped, "event",
				  "refused by a full ring; where, is not known");
	say_count_of_loss(t, t->m->end.storage_failures, "task", "could not be followed");
	say_count_of_loss(t, t->m->end.recursion_misses, "probe run", "skipped by the kernel");
	if (!t->m->complete) {
		phrase_add(&p, "the trace file is not complete");
		if (t->m->damage && t->m->damage[0])
			phrase_add(&p, ": %s", term_safe_str(t, t->m->damage, 300).s);
		term_para(t, "loss", &p);
	}
}

void term_scope(const struct term *t)
{
	const struct report_verdict *v = &t->r->verdict;
	const char *label = "scope";
	struct phrase p = { 0 };

	for (size_t i = 0; i < min_u64(v->scope_cnt, SCOPE_MAX); i++) {
		if (v->scope_stands[i] && !term_in_detail(t))
			continue;
		phrase_add(&p, "%s", v->scope[i]);
		term_para(t, label, &p);
		label = "";
	}
}
