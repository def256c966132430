/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "analyze/judge.h"
#include "render/term.h"
#include "util/minmax.h"

#define LOOPS_SHOWN 8
#define ARGS_COLS_MAX 60

static void say_antagonist(const struct term *t, struct phrase *p, const struct antagonist *a)
{
	if (a->task_id)
		phrase_add(p, "%s", term_task(t, a->task_id).s);
	else if (a->comm[0])
		phrase_add(p, "%s (tid %u, another program)",
			   term_safe(t, a->comm, sizeof(a->comm), LAB_COMM_LEN).s, a->tid);
	else
		phrase_add(p, "another program (tid %u)", a->tid);
}

#define WAITED_FOR_SHOWN 4	/* the JSON report has all that are told apart */

/*
 * For which tasks the others waited: the sum over all waits, which is more than these tasks ran
 * where several waited at once.
 */
static void say_waited_for(const struct term *t)
{
	const struct report_waits *w = &t->r->waits;
	uint32_t cnt = (uint32_t)min_u64(w->antagonist_cnt, ANTAGONIST_MAX);
	uint64_t others_ns = w->other_antagonists_ns;
	struct phrase p = { 0 };

	phrase_add(&p, "tasks waited in all: ");
	for (uint32_t i = 0; i < cnt; i++) {
		if (i >= WAITED_FOR_SHOWN) {
			others_ns += w->antagonists[i].ns;
			continue;
		}
		phrase_add(&p, "%s for ", fmt_ns(w->antagonists[i].ns).s);
		say_antagonist(t, &p, &w->antagonists[i]);
		phrase_add(&p, ", ");
	}
	if (others_ns)
		phrase_add(&p, "%s for others, ", fmt_ns(others_ns).s);
	if (w->held_ns)
		phrase_add(&p, "%s for %s, ", fmt_ns(w->held_ns).s, term_holder(t));
	phrase_add(&p, "%s for %s", fmt_ns(w->idle_ns).s,
		   t->m->holds_known ? "the wake-up itself" : "idle CPUs");
	if (w->unknown_ns)
		phrase_add(&p, ", %s not known", fmt_ns(w->unknown_ns).s);
	term_para(t, "", &p);
}

void term_waits(const struct term *t)
{
	const struct report_waits *w = &t->r->waits;
	struct phrase p = { 0 };

	if (!w->cnt)
		return;
	phrase_add(&p, "%s", term_as_far(t));
	phrase_count(&p, w->cnt, "wait");
	phrase_add(&p, " for a CPU, %s in all: median %s,", fmt_ns(w->total_ns).s,
		   fmt_ns(w->p50_ns).s);
	phrase_add(&p, " 90 %% within %s, 99 %% within %s;", fmt_ns(w->p90_ns).s,
		   fmt_ns(w->p99_ns).s);
	phrase_add(&p, " longest %s: %s", fmt_ns(w->max_ns).s, term_task(t, w->max_task_id).s);
	phrase_add(&p, " from %s", term_instant(t, w->max_start_ns).s);
	if (w->max_held_ns > w->max_antagonist.ns) {
		phrase_add(&p, ", held back by %s for %s of it", term_holder(t),
			   fmt_ns(w->max_held_ns).s);
	} else if (w->max_antagonist.ns) {
		phrase_add(&p, ", while ");
		say_antagonist(t, &p, &w->max_antagonist);
		phrase_add(&p, " ran for %s of it", fmt_ns(w->max_antagonist.ns).s);
	}
	term_para(t, "wait", &p);
	say_waited_for(t);
}

void term_moves(const struct term *t)
{
	static const char *const why[MOVE_CAUSE_CNT] = {
		[MOVE_AFFINITY] = "because the CPU was barred to them",
		[MOVE_WAKEUP] = "when they were woken",
		[MOVE_EXEC] = "at an exec",
		[MOVE_BALANCE] = "to balance the CPUs' queues",
		[MOVE_UNKNOWN] = "for reasons not known",
	};
	static const enum move_cause order[] = {
		MOVE_WAKEUP, MOVE_BALANCE, MOVE_EXEC, MOVE_AFFINITY, MOVE_UNKNOWN,
	};
	const char *lead = ": ";
	struct phrase p = { 0 };

	if (!t->m->migration_cnt)
		return;
	phrase_add(&p, "%s", term_as_far(t));
	phrase_count(&p, t->m->migration_cnt, "migration");
	/* As of a recording that tells no causes. */
	if (t->r->moves.by_cause[MOVE_UNKNOWN] == t->m->migration_cnt) {
		term_para(t, "moves", &p);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		uint64_t cnt = t->r->moves.by_cause[order[i]];

		if (!cnt)
			continue;
		phrase_add(&p, "%s%s %s", lead, fmt_count(cnt).s, why[order[i]]);
		lead = ", ";
	}
	term_para(t, "moves", &p);
}

#define OTHERS_SHOWN 3

/* Which other programs had the CPUs that tasks waited for. */
static void say_who_was_busy(const struct term *t, struct phrase *p)
{
	const struct report_capacity *c = &t->r->capacity;
	const struct report_waits *w = &t->r->waits;
	const char *lead = "; tasks waited ";
	uint32_t shown = 0;

	if (c->known)
		phrase_add(p, ", in which other programs had %s of the CPUs",
			   fmt_share(c->interference_ns + c->other_ns, c->total_ns).s);
	for (uint32_t i = 0; i < w->antagonist_cnt && shown < OTHERS_SHOWN; i++) {
		if (w->antagonists[i].task_id)
			continue;
		phrase_add(p, "%s%s for ", lead, fmt_ns(w->antagonists[i].ns).s);
		say_antagonist(t, p, &w->antagonists[i]);
		lead = ", ";
		shown++;
	}
}

void term_attempts(const struct term *t)
{
	uint32_t cnt = t->m->meta.attempt, most = t->m->meta.attempts_max;
	enum trace_end_reason reason = t->m->end.reason;
	bool busy = judge_others_decide(t->r), open = busy || judge_chance_decides(t->r);
	struct phrase p = { 0 };

	if (!cnt || !most || (t->opts->brief && !open))
		return;
	if (!open && t->r->verdict.class == CLASS_INCONCLUSIVE) {
		phrase_add(&p, "run %s of at most ", fmt_count(cnt).s);
		phrase_add(&p, "%s; other programs are not why it is inconclusive",
			   fmt_count(most).s);
	} else if (!open) {
		phrase_add(&p, "it took ");
		phrase_count(&p, cnt, "run");
		phrase_add(&p, " (at most %s) until other programs could not have "
			   "changed the verdict", fmt_count(most).s);
		phrase_add(&p, cnt > 1 ? "; this is the last one" : "");
	} else if (cnt < most) {
		phrase_add(&p, "%s the verdict of run %s (of at most ",
			   busy ? "other programs could have changed" : "chance left open",
			   fmt_count(cnt).s);
		phrase_add(&p, "%s), and it was not run again: %s", fmt_count(most).s,
			   reason == TRACE_END_INTERRUPT ? "it was interrupted" :
			   reason == TRACE_END_DAEMON || t->m->end.left ?
			   "processes that it left behind go on" : "its recording was cut off");
	} else {
		phrase_add(&p, "after ");
		phrase_count(&p, cnt, "run");
		phrase_add(&p, busy ? " the machine was still busy: other programs could have "
				      "changed the verdict; this is the last one" :
				      " the host still left the verdict open; "
				      "this is the last one");
		if (busy)
			say_who_was_busy(t, &p);
	}
	term_para(t, "tries", &p);
}

static void say_stall(struct phrase *p, const struct report_loop *loop)
{
	if (loop->stall_state == SPAN_RUNNING)
		phrase_add(p, "computing");
	else if (loop->stall_state == SPAN_READY)
		phrase_add(p, "waiting for a CPU");
	else if (loop->stall_call)
		phrase_add(p, "blocked in %s (%s)", loop->stall_call,
			   reason_name(loop->stall_reason));
	else
		phrase_add(p, "blocked: %s", reason_name(loop->stall_reason));
}

/* What held the loop up between two waits. */
static void say_iterations(const struct term *t, const struct report_loop *loop)
{
	struct phrase p = { 0 };

	if (!loop->iterations)
		return;
	phrase_count(&p, loop->iterations, "iteration");
	phrase_add(&p, ": computing %s, waiting for a CPU %s,", fmt_ns(loop->cpu_ns).s,
		   fmt_ns(loop->ready_ns).s);
	phrase_add(&p, " blocked %s; the longest took %s", fmt_ns(loop->blocked_ns).s,
		   fmt_ns(loop->longest_stall_ns).s);
	phrase_add(&p, " from %s, most of it ", term_instant(t, loop->longest_stall_start_ns).s);
	say_stall(&p, loop);
	term_para(t, "", &p);
}

void term_loops(const struct term *t)
{
	size_t shown = min_u64(t->r->loop_cnt, LOOPS_SHOWN);
	struct phrase p = { 0 };

	for (size_t i = 0; i < shown; i++) {
		const struct report_loop *loop = &t->r->loops[i];

		phrase_add(&p, "%s: %s", term_task(t, loop->task_id).s, term_as_far(t));
		if (loop->epfd >= 0) {
			phrase_count(&p, loop->waits, "return");
			phrase_add(&p, " of epoll_wait on fd %d with ", loop->epfd);
			phrase_count(&p, loop->ready, "event");
			phrase_add(&p, ", ");
		}
		phrase_add(&p, "up to ");
		phrase_count(&p, loop->max_operations, "operation");
		phrase_add(&p, " in flight");
		term_para(t, i ? "" : "loop", &p);
		say_iterations(t, loop);
	}
	if (t->r->loop_cnt > shown) {
		phrase_add(&p, "and %s more: lab report -f json shows all",
			   fmt_count(t->r->loop_cnt - shown).s);
		term_para(t, "", &p);
	}
}

static void say_arguments(const struct term *t, struct phrase *p)
{
	const struct trace_meta *meta = &t->m->meta;
	struct phrase args = { 0 };

	for (uint32_t i = 0; i < meta->argc && args.len <= ARGS_COLS_MAX; i++)
		phrase_add(&args, "%s%s", i ? " " : "",
			   term_safe_str(t, meta->argv[i], ARGS_COLS_MAX).s);
	if (args.len)
		phrase_add(p, "%s: ", term_safe(t, args.s, args.len, ARGS_COLS_MAX).s);
	else
		phrase_add(p, "%s: ", term_safe_str(t, meta->name, ARGS_COLS_MAX).s);
	free(args.s);
}

/* "exit status 3", "killed by SIGSEGV". */
static void say_status(struct phrase *p, int status)
{
	const char *name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;

	if (!WIFSIGNALED(status))
		phrase_add(p, "exit status %d", WEXITSTATUS(status));
	else if (name)
		phrase_add(p, "killed by SIG%s", name);
	else
		phrase_add(p, "killed by signal %d", WTERMSIG(status));
}

static void say_end(const struct term *t, struct phrase *p)
{
	const struct trace_end *end = &t->m->end;
	bool lab_ended = end->reason == TRACE_END_FOR || end->reason == TRACE_END_INTERRUPT;

	switch (end->reason) {
	case TRACE_END_EXIT:
		break;
	case TRACE_END_FOR:
		phrase_add(p, ", cut by --for");
		break;
	case TRACE_END_INTERRUPT:
		phrase_add(p, ", interrupted");
		break;
	case TRACE_END_DAEMON:
		phrase_add(p, ", ");
		phrase_count(p, t->m->daemons, "task");
		phrase_add(p, " left behind still alive");
		break;
	case TRACE_END_DETACH:
		phrase_add(p, ", left running");
		break;
	case TRACE_END_WRITE_ERROR:
		phrase_add(p, ", recorded until the file could not be written");
		break;
	default:
		phrase_add(p, ", how it ended is not recorded");
		return;
	}
	if (end->left_known && end->left)
		phrase_add(p, ", %s %s", fmt_count(end->left).s, lab_ended ?
			   (end->left == 1 ? "process could not be ended" :
					     "processes could not be ended") :
			   (end->left == 1 ? "process lives on" : "processes live on"));
	if (end->root_reaped) {
		phrase_add(p, ", ");
		say_status(p, end->wait_status);
	}
}

void term_exit(const struct term *t)
{
	const struct trace_end *end = &t->m->end;
	struct phrase p = { 0 };

	if (!trace_end_failed(end))
		return;
	say_status(&p, end->wait_status);
	term_para(t, "exit", &p);
}

static void say_host(const struct term *t, struct phrase *p)
{
	const struct trace_meta *meta = &t->m->meta;

	phrase_add(p, "; Linux %s %s, ", term_safe_str(t, meta->release, 64).s,
		   term_safe_str(t, meta->machine, 32).s);
	phrase_count(p, meta->cpus_online, "CPU");
	phrase_add(p, " online");
	if (meta->smt)
		phrase_add(p, " with SMT");
	if (meta->virtualized && meta->virtualized[0])
		phrase_add(p, ", %s", term_safe_str(t, meta->virtualized, 32).s);
	if (t->m->end.steal_ns)
		phrase_add(p, ", the host took %s away", fmt_ns(t->m->end.steal_ns).s);
}

void term_run(const struct term *t)
{
	const struct trace_end *end = &t->m->end;
	bool usual = end->reason == TRACE_END_EXIT && !(end->left_known && end->left);
	struct phrase p = { 0 };

	if (usual && !term_in_detail(t))
		return;
	say_arguments(t, &p);
	phrase_add(&p, "%s", fmt_ns(t->window_ns).s);
	say_end(t, &p);
	if (term_in_detail(t))
		say_host(t, &p);
	term_para(t, "run", &p);

	if ((!end->bpf_runs && !end->reader_cpu_ns) || !term_in_detail(t))
		return;
	if (end->bpf_runs)
		phrase_add(&p, "probes %s in %s runs, ", fmt_ns(end->bpf_ns).s,
			   fmt_count(end->bpf_runs).s);
	phrase_add(&p, "recorder %s of CPU time", fmt_ns(end->reader_cpu_ns).s);
	term_para(t, "cost", &p);
}

void term_line(const struct term *t, const char *label, const char *text)
{
	fprintf(t->out, "  %-*s%s\n", TERM_INDENT - 2, label, text);
}

void term_files(const struct term *t)
{
	const struct render_opts *opts = t->opts;
	const char *label = "files";
	struct phrase p = { 0 };

	if (opts->html_path) {
		term_line(t, label, term_safe_str(t, opts->html_path, 400).s);
		label = "";
	}
	if (!opts->trace_path)
		return;
	phrase_add(&p, "%s (%s, ", term_safe_str(t, opts->trace_path, 400).s,
		   fmt_bytes(t->m->file_bytes).s);
	phrase_count(&p, t->m->event_cnt, "event");
	phrase_add(&p, ")");
	term_line(t, label, p.s);
	free(p.s);
}
