/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>

#include "analyze/scope.h"
#include "render/json_parts.h"
#include "util/minmax.h"

/*
 * Schema lab-report/1. A key of something that is not computed is absent; null
 * means that it was looked at and there is none (no quota, not ended by a
 * signal, an average of nothing, an undecided claim). Without a claim the
 * keys workload.claim and verdict.claim_holds are absent. What is absent is written, too, between
 * json_begin_if() and json_end_if(): `lab check` tells a key that is not there from a wrong one.
 */

static void put_claim(struct json *j, const struct claim *claim)
{
	json_begin_if(j, claim->class != CLASS_NONE);
	json_open_object(j, "claim");
	json_str(j, "class", verdict_class_name(claim->class));
	if (claim->min_parallelism_milli)
		json_ratio(j, "min_parallelism", claim->min_parallelism_milli, 1000);
	else
		json_null(j, "min_parallelism");
	json_uint_or_null(j, "min_operations", claim->min_operations, claim->min_operations);
	json_uint(j, "needs_cpus", claim->needs_cpus);
	json_bool(j, "at_least", claim->at_least);
	json_bool(j, "serializer", claim->serializer);
	json_bool(j, "deadlock", claim->deadlock);
	json_str_or_null(j, "stall", claim->stall ? claim_stall_name(claim->stall) : NULL);
	json_uint_or_null(j, "stall_ns", claim->stall, claim->stall_ns);
	json_text(j, "why", claim->why, sizeof(claim->why));
	json_close_object(j);
	json_end_if(j);
}

static void put_workload(struct json *j, const struct model *m)
{
	const struct trace_end *end = &m->end;

	json_open_object(j, "workload");
	json_str(j, "name", m->meta.name);
	json_bool(j, "command", m->meta.is_command);
	json_open_list(j, "argv");
	for (uint32_t i = 0; i < m->meta.argc; i++)
		json_str(j, NULL, m->meta.argv[i]);
	json_close_array(j);
	if (end->root_reaped && WIFEXITED(end->wait_status))
		json_int(j, "exit_status", WEXITSTATUS(end->wait_status));
	else
		json_null(j, "exit_status");
	if (end->root_reaped && WIFSIGNALED(end->wait_status))
		json_int(j, "signal", WTERMSIG(end->wait_status));
	else
		json_null(j, "signal");
	put_claim(j, &m->meta.claim);
	json_begin_if(j, m->meta.attempt && m->meta.attempts_max);
	json_open_row(j, "attempts");
	json_uint(j, "made", m->meta.attempt);
	json_uint(j, "allowed", m->meta.attempts_max);
	json_close_object(j);
	json_end_if(j);
	json_close_object(j);
}

static void put_physical(struct json *j, const struct model *m)
{
	json_begin_if(j, scope_physical_known(m));
	json_open_object(j, "physical");
	json_uint(j, "round_ns", m->meta.physical_round_ns);
	json_uint(j, "age_ns", m->meta.physical_age_ns);
	json_close_object(j);
	json_end_if(j);
}

static void put_host(struct json *j, const struct model *m)
{
	const struct trace_meta *meta = &m->meta;

	json_open_object(j, "host");
	json_str(j, "release", meta->release);
	json_str(j, "machine", meta->machine);
	json_uint(j, "cpus_online", meta->cpus_online);
	json_open_list(j, "cpus_usable");
	for (size_t i = 0; i < m->cpu_cnt; i++)
		json_uint(j, NULL, m->cpus[i].cpu);
	json_close_array(j);
	if (meta->quota_milli_cpus)
		json_ratio(j, "quota_cpus", meta->quota_milli_cpus, 1000);
	else
		json_null(j, "quota_cpus");
	json_bool(j, "smt", meta->smt);
	json_str_or_null(j, "virtualized",
			 meta->virtualized && meta->virtualized[0] ? meta->virtualized : NULL);
	put_physical(j, m);
	json_uint_if(j, "steal_ns", m->end.reason != TRACE_END_UNKNOWN, m->end.steal_ns);
	json_close_object(j);
}

static uint64_t window_ns(const struct model *m)
{
	return json_rel(m, m->end_ns);
}

static void put_window(struct json *j, const struct model *m)
{
	static const char *const ended_by[] = {
		[TRACE_END_UNKNOWN] = "unknown", [TRACE_END_EXIT] = "exit",
		[TRACE_END_FOR] = "for", [TRACE_END_INTERRUPT] = "interrupt",
		[TRACE_END_DAEMON] = "daemon", [TRACE_END_DETACH] = "detach",
		[TRACE_END_WRITE_ERROR] = "write_error",
	};
	uint32_t reason = m->end.reason < ARRAY_SIZE(ended_by) ? m->end.reason : 0;
	char start[24];

	snprintf(start, sizeof(start), "%" PRIu64, m->start_ns);
	json_open_object(j, "window");
	json_str(j, "start_ns", start);
	json_uint(j, "end_ns", window_ns(m));
	json_uint(j, "duration_ns", window_ns(m));
	json_str(j, "ended_by", ended_by[reason]);
	json_uint_if(j, "left", m->end.left_known, m->end.left);
	json_close_object(j);
}

static void put_loss(struct json *j, const struct model *m)
{
	bool ended = m->end.reason != TRACE_END_UNKNOWN, marked = ended && m->meta.ops_hooked;
	bool missed = ended && !m->end.misses_unread;

	json_open_object(j, "loss");
	json_uint(j, "dropped", m->dropped);
	json_uint(j, "gaps", m->gap_cnt);
	json_uint(j, "hidden_switch_ins", m->audit.hidden_switch_ins);
	json_uint(j, "unseen_moves", m->audit.unseen_moves);
	json_uint(j, "unseen_wakings", m->audit.unseen_wakings);
	json_bool(j, "complete", m->complete);
	json_bool(j, "recovered", !m->complete && m->event_cnt);
	json_str_if(j, "damage", !m->complete, m->damage);
	json_uint_if(j, "storage_failures", ended, m->end.storage_failures);
	json_uint_if(j, "markers_unread", marked, m->markers_unread);
	json_uint_if(j, "markers_malformed", marked, m->markers_malformed);
	json_uint_if(j, "markers_unmatched", marked, m->markers_unmatched);
	json_uint_if(j, "recursion_misses", missed, m->end.recursion_misses);
	json_uint_if(j, "name_misses", missed, m->end.name_misses);
	json_open_array(j, "stretches");
	for (size_t i = 0; i < m->gap_cnt; i++) {
		json_open_row(j, NULL);
		json_uint(j, "cpu", m->gaps[i].cpu);
		json_uint(j, "start_ns", json_rel(m, m->gaps[i].from_ns));
		json_uint_or_null(j, "end_ns", m->gaps[i].until_ns != UINT64_MAX,
				  json_rel(m, m->gaps[i].until_ns));
		json_uint(j, "count", m->gaps[i].cnt);
		json_close_object(j);
	}
	json_close_array(j);
	json_close_object(j);
}

static void put_witness(struct json *j, const struct model *m, const struct witness *w,
			const char *kind)
{
	uint32_t cnt = (uint32_t)min_u64(w->part_cnt, WITNESS_MAX);
	bool is_slice = !strcmp(kind, "slice");

	json_open_array(j, "witness");
	for (uint32_t i = 0; i < cnt; i++) {
		const struct witness_part *part = &w->parts[i];

		json_open_row(j, NULL);
		json_str(j, "kind", kind);
		json_task_ids(j, m, part->task_id);
		json_uint_or_null(j, "cpu", is_slice, part->cpu);
		json_uint(j, "start_ns", json_rel(m, part->start_ns));
		json_uint(j, "end_ns", json_rel(m, part->end_ns));
		json_uint_or_null(j, "seq_in", is_slice, part->seq_in);
		json_uint_or_null(j, "seq_out", is_slice && !part->cut_out, part->seq_out);
		json_uint_or_null(j, "op", part->op_id, part->op_id);
		json_close_object(j);
	}
	json_close_array(j);
	json_begin_if(j, cnt);
	json_open_row(j, "overlap");
	json_uint(j, "start_ns", json_rel(m, w->from_ns));
	json_uint(j, "end_ns", json_rel(m, w->until_ns));
	json_close_object(j);
	json_end_if(j);
}

/* What carries the class; under an inconclusive verdict what was seen of parallelism. */
static void put_evidence(struct json *j, const struct model *m, const struct report *r)
{
	static const struct witness none;

	if (r->verdict.class == CLASS_PARALLEL || r->verdict.class == CLASS_INCONCLUSIVE)
		put_witness(j, m, &r->parallelism.witness, "slice");
	else if (r->verdict.class == CLASS_CONCURRENT)
		put_witness(j, m, &r->concurrency.witness,
			    r->concurrency.witness_is_ops ? "operation" : "task");
	else
		put_witness(j, m, &none, "slice");
}

static void put_verdict(struct json *j, const struct model *m, const struct report *r,
			const struct render_opts *opts)
{
	static const char *const doubts[] = {
		[DOUBT_NONE] = "",
		[DOUBT_VERDICT] = "inconclusive",
		[DOUBT_FEW_CPUS] = "few_cpus",
		[DOUBT_BUSY_CPUS] = "busy_cpus",
		[DOUBT_OPERATIONS] = "operations_not_observed",
		[DOUBT_LOSS] = "records_missing",
	};
	static const char *const faults[] = {
		[FAULT_NONE] = "", [FAULT_CLASS] = "class", [FAULT_PARALLELISM] = "parallelism",
		[FAULT_SERIALIZER] = "serializer", [FAULT_OPERATIONS] = "operations",
		[FAULT_STALL] = "stall", [FAULT_DEADLOCK] = "deadlock",
		[FAULT_STUCK] = "stuck",
	};
	const struct report_verdict *v = &r->verdict;

	json_open_object(j, "verdict");
	json_str(j, "class", verdict_class_name(v->class));
	json_str_if(j, "at_least", v->at_least, verdict_class_name(v->at_least));
	json_str_or_null(j, "stuck",
			 report_is_stuck(r) ? r->deadlock.present ? "deadlock" : "stuck" : NULL);
	json_begin_if(j, v->claim_holds != CLAIM_NOT_MADE);
	if (v->claim_holds == CLAIM_UNDECIDED)
		json_null(j, "claim_holds");
	else
		json_bool(j, "claim_holds", v->claim_holds == CLAIM_YES);
	json_end_if(j);
	json_str_if(j, "claim_doubt", v->claim_holds == CLAIM_UNDECIDED, doubts[v->claim_doubt]);
	json_str_if(j, "claim_fault", v->claim_fault, faults[v->claim_fault]);
	json_text(j, "reason", v->reason, sizeof(v->reason));
	json_uint(j, "eps_ns", v->eps_ns);
	json_open_array(j, "scope");
	for (size_t i = 0; i < v->scope_cnt && i < SCOPE_MAX; i++)
		json_str(j, NULL, v->scope[i]);
	json_close_array(j);
	json_uint(j, "incidental_ns", v->incidental_ns);
	json_bool(j, "never_two", v->never_two);
	json_begin_if(j, opts->certificate != CERTIFICATE_NONE);
	json_bool(j, "certificate_holds", opts->certificate == CERTIFICATE_HOLDS);
	json_end_if(j);
	put_evidence(j, m, r);
	json_close_object(j);
}

static void put_bounds(struct json *j, const char *key, uint64_t lower, uint64_t upper)
{
	json_open_list(j, key);
	json_uint(j, NULL, lower);
	json_uint(j, NULL, upper);
	json_close_array(j);
}

static void put_parallelism(struct json *j, const struct model *m, const struct report *r)
{
	const struct report_parallelism *par = &r->parallelism;

	json_open_object(j, "parallelism");
	json_uint(j, "max", par->max);
	json_ratio(j, "average", par->run_ns, window_ns(m));
	json_ratio(j, "average_busy", par->run_ns, par->busy_ns);
	json_ratio(j, "share", par->parallel_ns, par->busy_ns);
	json_uint(j, "run_ns", par->run_ns);
	json_uint(j, "parallel_ns", par->parallel_ns);
	put_bounds(j, "bounds", par->parallel_lower_ns, par->parallel_upper_ns);
	json_uint(j, "busy_ns", par->busy_ns);
	put_bounds(j, "busy_bounds", par->busy_lower_ns, par->busy_upper_ns);
	put_bounds(j, "run_bounds", par->run_lower_ns, par->run_upper_ns);
	put_bounds(j, "max_bounds", par->max_lower, par->max_upper);
	json_open_list(j, "average_busy_bounds");
	json_ratio(j, NULL, par->average_busy_lower_ppm, 1000000);
	json_ratio(j, NULL, par->average_busy_upper_ppm, 1000000);
	json_close_array(j);
	json_uint(j, "longest_overlap_ns", par->longest_overlap_ns);
	json_open_list(j, "profile_ns");
	for (uint32_t i = 0; i < par->profile_cnt; i++)
		json_uint(j, NULL, par->profile_ns[i]);
	json_close_array(j);
	json_close_object(j);
}

/* Where operations were not looked for, or records are missing, their number is not known. */
static void put_operations_profile(struct json *j, const struct model *m, const struct report *r)
{
	const struct report_operations *ops = &r->operations;

	json_begin_if(j, (m->meta.ops_hooked || m->op_cnt) && r->lossless);
	json_uint(j, "operations_step", ops->step);
	json_open_list(j, "operations_profile_ns");
	for (uint32_t i = 0; i < ops->profile_cnt; i++)
		json_uint(j, NULL, ops->profile_ns[i]);
	json_close_array(j);
	json_end_if(j);
}

static void put_concurrency(struct json *j, const struct model *m, const struct report *r)
{
	const struct report_concurrency *con = &r->concurrency;

	json_open_object(j, "concurrency");
	json_uint(j, "max_in_progress", con->max_in_progress);
	json_uint(j, "max_operations", con->max_operations);
	json_uint(j, "active_ns", con->active_ns);
	json_uint(j, "concurrent_ns", con->concurrent_ns);
	put_operations_profile(j, m, r);
	json_close_object(j);
}

static void put_audit(struct json *j, const struct model *m, const struct report *r)
{
	const struct model_audit *a = &m->audit;

	json_open_object(j, "audit");
	json_bool(j, "clean", r->audit_clean);
	json_bool(j, "lossless", r->lossless);
	json_uint(j, "tasks_checked", a->tasks_checked);
	json_uint(j, "switches_checked", a->switches_checked);
	json_uint(j, "migrations_checked", a->migrations_checked);
	json_uint(j, "migrations_unseen", m->migrations_unseen);
	json_uint(j, "clock_ahead_ns", a->clock_ahead_ns);
	json_uint(j, "exec_excess_ns", a->exec_excess_ns);
	json_uint(j, "repicks", a->repicks);
	json_uint(j, "failures", a->failures_total);
	json_uint(j, "unexplained", a->unexplained_total);
	json_open_array(j, "checks");
	for (size_t i = 0; i < a->failure_cnt; i++) {
		json_open_row(j, NULL);
		json_str(j, "name", a->failures[i].name);
		json_task_ids(j, m, a->failures[i].task_id);
		json_uint(j, "expected", a->failures[i].expected);
		json_uint(j, "observed", a->failures[i].observed);
		json_bool(j, "by_loss", a->failures[i].by_loss);
		json_close_object(j);
	}
	json_close_array(j);
	json_close_object(j);
}

static void put_overhead(struct json *j, const struct model *m)
{
	json_open_object(j, "overhead");
	json_uint_if(j, "bpf_ns", m->end.bpf_runs, m->end.bpf_ns);
	json_uint_if(j, "bpf_runs", m->end.bpf_runs, m->end.bpf_runs);
	json_uint_if(j, "reader_cpu_ns", m->end.reason != TRACE_END_UNKNOWN, m->end.reader_cpu_ns);
	json_uint(j, "events", m->event_cnt);
	json_uint(j, "bytes", m->file_bytes);
	json_close_object(j);
}

static void put_report(struct json j, const struct model *m, const struct report *r,
		       const struct render_opts *opts)
{
	json_open_object(&j, NULL);
	json_str(&j, "schema", "lab-report/1");
	json_str(&j, "lab_version", m->meta.lab_version);
	put_workload(&j, m);
	put_host(&j, m);
	put_window(&j, m);
	put_loss(&j, m);
	put_verdict(&j, m, r, opts);
	put_parallelism(&j, m, r);
	put_concurrency(&j, m, r);
	put_audit(&j, m, r);
	json_capacity(&j, m, r);
	json_cpus(&j, m, r);
	json_tasks(&j, m, r);
	json_operations(&j, m);
	json_waits(&j, m, r);
	json_migrations(&j, m, r);
	json_locks(&j, m, r);
	json_loops(&j, m, r);
	json_serializer(&j, m, r);
	json_deadlock(&j, m, r);
	json_stuck(&j, m, r);
	json_findings(&j, m, r);
	json_path(&j, m, r, !opts->embedded);
	json_noise(&j, m, r);
	put_overhead(&j, m);
	json_close_object(&j);
}

void json_report(const struct model *m, const struct report *r, const struct render_opts *opts,
		 struct json_doc *doc)
{
	put_report((struct json){ .tree = doc }, m, r, opts);
}

static int json_render(const struct model *m, const struct report *r,
		       const struct render_opts *opts, FILE *out)
{
	put_report((struct json){ .out = out }, m, r, opts);
	return ferror(out) ? -EIO : 0;
}

const struct renderer renderer_json = {
	.name = "json",
	.help = "everything that was computed, for programs (schema lab-report/1)",
	.render = json_render,
};
