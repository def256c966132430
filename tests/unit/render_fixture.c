/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/noise.h"
#include "model_turns.h"
#include "render_fixture.h"
#include "unit.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define US ((uint64_t)1000)
#define MS ((uint64_t)1000000)
#define START_NS ((uint64_t)5000 * 1000 * MS)

extern const struct analysis analysis_capacity, analysis_noise;
extern const struct analysis analysis_calls;
extern const struct analysis analysis_loss;

static void set_meta(struct model *m, const char *name, uint32_t cpus)
{
	struct trace_meta *meta = &m->meta;

	meta->lab_version = xstrdup("0.0.0-test");
	meta->name = xstrdup(name);
	meta->argc = 3;
	meta->argv = xcalloc(4, sizeof(*meta->argv));
	meta->argv[0] = xstrdup(name);
	meta->argv[1] = xstrdup("--tasks");
	meta->argv[2] = xstrdup("2");
	meta->release = xstrdup("6.18.5");
	meta->machine = xstrdup("x86_64");
	meta->virtualized = xstrdup("kvm");
	meta->physical_round_ns = 52;
	meta->physical_age_ns = 600000 * MS;
	meta->cpus_online = cpus;
	meta->cpus_usable_cnt = cpus;
	meta->cpus_usable = xcalloc(cpus, sizeof(*meta->cpus_usable));
	for (uint32_t i = 0; i < cpus; i++)
		meta->cpus_usable[i] = (uint16_t)i;
}

static void set_claim(struct model *m, enum verdict_class class, const char *why)
{
	m->meta.claim.class = class;
	snprintf(m->meta.claim.why, sizeof(m->meta.claim.why), "%s", why);
}

static void set_end(struct model *m, uint64_t window_ns)
{
	m->start_ns = START_NS;
	m->end_ns = START_NS + window_ns;
	m->complete = true;
	m->holds_known = true;
	m->damage = xstrdup("");
	m->file_bytes = 14 * 1024;
	m->event_cnt = 1204;
	m->end = (struct trace_end){
		.reason = TRACE_END_EXIT, .end_ns = m->end_ns, .root_reaped = true,
		.left_known = true, .births = m->task_cnt, .bpf_ns = 310 * US, .bpf_runs = 1204,
		.reader_cpu_ns = 2 * MS,
	};
}

static struct model_task *add_task(struct model *m, uint32_t parent_id, const char *comm)
{
	struct model_task *task = vec_push(m->tasks, m->task_cnt, m->task_cap);

	task->id = (uint32_t)m->task_cnt;
	task->parent_id = parent_id;
	task->tid = 4709 + task->id;
	task->tgid = task->tid;
	task->mm_id = task->id;
	snprintf(task->comm, sizeof(task->comm), "%s", comm);
	return task;
}

/* One more span of the task added last, until @end_us. The first begins at @task->start_ns. */
static struct model_span *add_span(struct model *m, enum span_state state, int cpu_or_reason,
				   uint64_t end_us)
{
	struct model_task *task = &m->tasks[m->task_cnt - 1];
	struct model_span *s = vec_push(task->spans, task->span_cnt, task->span_cap);

	s->start_ns = task->span_cnt > 1 ? s[-1].end_ns : task->start_ns;
	s->end_ns = START_NS + end_us * US;
	s->state = (uint8_t)state;
	if (state == SPAN_BLOCKED) {
		s->cpu = UINT16_MAX;
		s->syscall = LAB_SYSCALL_NONE;
		s->reason = (uint8_t)cpu_or_reason;
	} else {
		s->start_min_ns = s->start_ns;
		s->cpu = (uint16_t)cpu_or_reason;
	}
	m->span_cnt++;
	task->end_ns = s->end_ns;
	return s;
}

static void add_cpu(struct model *m)
{
	struct model_cpu *cpu = vec_push(m->cpus, m->cpu_cnt, m->cpu_cap);

	cpu->cpu = (uint16_t)(m->cpu_cnt - 1);
	cpu->usable_at_release = true;
	cpu->seg_first = m->cpu_seg_cnt;
}

static void add_seg(struct model *m, enum lab_cpu_class class, uint32_t who, uint64_t end_us)
{
	struct model_cpu *cpu = &m->cpus[m->cpu_cnt - 1];
	struct model_cpu_seg *seg = vec_push(m->cpu_segs, m->cpu_seg_cnt, m->cpu_seg_cap);

	seg->start_ns = cpu->seg_cnt ? seg[-1].end_ns : START_NS;
	seg->end_ns = START_NS + end_us * US;
	seg->class = (uint8_t)class;
	seg->task_id = class == LAB_CPU_OURS ? who : 0;
	seg->tid = class == LAB_CPU_FOREIGN ? who : 0;
	cpu->seg_cnt++;
}

extern const struct analysis analysis_path;

/* The sums of the report and the critical path, from the spans and segments. */
static void sum_up(struct render_fixture *f)
{
	struct model *m = &f->model;
	struct report *r = &f->report;

	r->task_cnt = m->task_cnt;
	r->tasks = xcalloc(m->task_cnt, sizeof(*r->tasks));
	for (size_t i = 0; i < m->task_cnt; i++) {
		struct model_task *task = &m->tasks[i];
		struct report_task *row = &r->tasks[i];

		row->cpus = xcalloc(task->span_cnt, sizeof(*row->cpus));
		for (size_t s = 0; s < task->span_cnt; s++) {
			const struct model_span *span = &task->spans[s];
			uint64_t ns = span->end_ns - span->start_ns;

			if (span->state == SPAN_RUNNING) {
				row->run_ns += ns;
				if (!row->cpu_cnt || row->cpus[row->cpu_cnt - 1] < span->cpu)
					row->cpus[row->cpu_cnt++] = span->cpu;
			} else if (span->state == SPAN_READY) {
				row->ready_ns += ns;
				row->max_ready_ns = max_u64(row->max_ready_ns, ns);
			} else {
				row->blocked_ns[span->reason] += ns;
			}
		}
		task->cpu_ns = row->run_ns - row->run_ns / 1000;
		r->parallelism.run_ns += row->run_ns;
	}
	r->cpu_cnt = m->cpu_cnt;
	r->cpus = xcalloc(m->cpu_cnt, sizeof(*r->cpus));
	for (size_t i = 0; i < m->cpu_cnt; i++)
		for (size_t s = 0; s < m->cpus[i].seg_cnt; s++) {
			const struct model_cpu_seg *seg = &m->cpu_segs[m->cpus[i].seg_first + s];

			r->cpus[i].class_ns[seg->class] += seg->end_ns - seg->start_ns;
		}
	analysis_calls.run(m, r);
	model_turns_sort(m);
	analysis_capacity.run(m, r);
	analysis_loss.run(m, r);
	r->audit_clean = true;
	r->lossless = true;
	r->deadlock.known = true;
	m->audit.tasks_checked = m->task_cnt;
	analysis_path.run(m, r);
}

/* Nothing is hidden or missing: the bounds are the figures. */
static void bounds_meet(struct render_fixture *f)
{
	struct report_parallelism *par = &f->report.parallelism;

	par->max_lower = par->max_upper = par->max;
	par->run_lower_ns = par->run_upper_ns = par->run_ns;
	par->busy_lower_ns = par->busy_upper_ns = par->busy_ns;
	par->parallel_lower_ns = par->parallel_upper_ns = par->parallel_ns;
	par->average_busy_lower_ppm = par->run_ns * 1000000 / par->busy_ns;
	par->average_busy_upper_ppm = (par->run_ns * 1000000 + par->busy_ns - 1) / par->busy_ns;
	analysis_noise.run(&f->model, &f->report);
	noise_classes(&f->report);
}

static void workers_model(struct model *m)
{
	add_task(m, 0, "procs")->start_ns = START_NS;
	add_span(m, SPAN_RUNNING, 0, 400);
	add_span(m, SPAN_BLOCKED, REASON_CHILD, 19500);
	add_span(m, SPAN_READY, 1, 19550);
	add_span(m, SPAN_RUNNING, 1, 20000);

	add_task(m, 1, "worker/1")->start_ns = START_NS + 200 * US;
	add_span(m, SPAN_READY, 0, 450);
	add_span(m, SPAN_RUNNING, 0, 12000);
	add_span(m, SPAN_READY, 0, 12800);
	add_span(m, SPAN_RUNNING, 0, 19000);

	add_task(m, 1, "worker/2")->start_ns = START_NS + 300 * US;
	add_span(m, SPAN_READY, 1, 350);
	add_span(m, SPAN_RUNNING, 1, 8000);
	add_span(m, SPAN_BLOCKED, REASON_LOCK, 9500)->addr = 0x7f3a1c000b60;
	add_span(m, SPAN_READY, 1, 9520);
	add_span(m, SPAN_RUNNING, 1, 14000);
	add_span(m, SPAN_BLOCKED, REASON_SLEEP, 15000);
	add_span(m, SPAN_READY, 1, 15010);
	add_span(m, SPAN_RUNNING, 1, 19400);

	add_cpu(m);
	add_seg(m, LAB_CPU_OURS, 1, 400);
	add_seg(m, LAB_CPU_IDLE, 0, 450);
	add_seg(m, LAB_CPU_OURS, 2, 12000);
	add_seg(m, LAB_CPU_FOREIGN, 99, 12800);
	add_seg(m, LAB_CPU_OURS, 2, 19000);
	add_seg(m, LAB_CPU_IDLE, 0, 20000);
	add_cpu(m);
	add_seg(m, LAB_CPU_IDLE, 0, 350);
	add_seg(m, LAB_CPU_OURS, 3, 8000);
	add_seg(m, LAB_CPU_IDLE, 0, 9520);
	add_seg(m, LAB_CPU_OURS, 3, 14000);
	add_seg(m, LAB_CPU_IDLE, 0, 15010);
	add_seg(m, LAB_CPU_OURS, 3, 19400);
	add_seg(m, LAB_CPU_IDLE, 0, 19550);
	add_seg(m, LAB_CPU_OURS, 1, 20000);

	for (size_t i = 0; i < m->task_cnt; i++) {
		m->tasks[i].voluntary = 2 + i;
		m->tasks[i].involuntary = i;
		m->tasks[i].migrations = i == 0;
	}
	m->audit.switches_checked = 12;
	m->audit.migrations_checked = 1;
	*vec_push(m->migrations, m->migration_cnt, m->migration_cap) =
		(struct model_migration){ START_NS + 19500 * US, 1, 0, 1, MOVE_BALANCE };
}

static void workers_waits(struct report_waits *w)
{
	*w = (struct report_waits){
		.cnt = 6, .total_ns = 1180 * US, .p50_ns = 50 * US, .p90_ns = 800 * US,
		.p99_ns = 800 * US, .max_ns = 800 * US, .max_task_id = 2,
		.max_start_ns = START_NS + 12000 * US, .antagonist_cnt = 2,
		.antagonists = {
			{ .tid = 99, .comm = "gzip", .ns = 800 * US },
			{ .task_id = 1, .comm = "procs", .ns = 200 * US },
		},
		.idle_ns = 180 * US,
		.max_antagonist = { .tid = 99, .comm = "gzip", .ns = 800 * US },
	};
	w->histogram[13] = 1;
	w->histogram[14] = 1;
	w->histogram[15] = 2;
	w->histogram[17] = 1;
	w->histogram[19] = 1;
}

static const struct model_symbol workers_symbol = {
	.mm_id = 3, .addr = 0x7f3a1c000b60, .object = "/opt/lab/libcrew.so.1", .offset = 0x4b60,
	.symbol = "crew_queue", .symbol_off = 0x20,
};

static void workers_report(struct report *r)
{
	struct report_parallelism *par = &r->parallelism;

	par->max = 2;
	par->busy_ns = 19850 * US;
	par->parallel_ns = 15270 * US;
	par->longest_overlap_ns = 7550 * US;
	par->profile_cnt = 3;
	par->profile_ns = xcalloc(3, sizeof(*par->profile_ns));
	par->profile_ns[0] = 150 * US;
	par->profile_ns[1] = 4580 * US;
	par->profile_ns[2] = 15270 * US;
	par->witness = (struct witness){
		.part_cnt = 2, .from_ns = START_NS + 450 * US, .until_ns = START_NS + 8000 * US,
		.eps_ns = 3700,
		.parts = {
			{ .task_id = 2, .cpu = 0, .start_ns = START_NS + 450 * US,
			  .end_ns = START_NS + 12000 * US, .seq_in = 4, .seq_out = 9 },
			{ .task_id = 3, .cpu = 1, .start_ns = START_NS + 350 * US,
			  .end_ns = START_NS + 8000 * US, .seq_in = 2, .seq_out = 7 },
		},
	};
	r->concurrency.max_in_progress = 2;
	r->concurrency.active_ns = 20000 * US;
	r->concurrency.concurrent_ns = 18700 * US;
	r->verdict = (struct report_verdict){
		.class = CLASS_PARALLEL, .claim_holds = CLAIM_YES, .eps_ns = 3700,
		.reason = "two or more ran at once for 76.9 % of the busy time",
		.scope = { "the kernel's view: what a virtual CPU is given by its host is "
			   "not seen" },
		.scope_cnt = 1,
	};
	*vec_push(r->locks, r->lock_cnt, r->lock_cap) = (struct report_lock){
		.mm_id = 3, .tgid = 4712, .addr = 0x7f3a1c000b60, .kind = LOCK_KIND_LOCK,
		.waits = 1, .wait_ns = 1500 * US, .max_wait_ns = 1500 * US, .waiter_cnt = 1,
		.holders = { 2 }, .holder_cnt = 1, .holder_ready_ns = 300 * US,
		.symbol = &workers_symbol,
	};
	*vec_push(r->migrations, r->migration_cnt, r->migration_cap) =
		(struct migration_cell){ 0, 1, 1 };
	r->moves.by_cause[MOVE_BALANCE] = 1;
	workers_waits(&r->waits);
}

void fixture_workers(struct render_fixture *f)
{
	memset(f, 0, sizeof(*f));
	set_meta(&f->model, "procs", 2);
	set_claim(&f->model, CLASS_PARALLEL, "processes use every CPU");
	f->model.meta.claim.min_parallelism_milli = 1500;
	f->model.meta.claim.needs_cpus = 2;
	workers_model(&f->model);
	set_end(&f->model, 20 * MS);
	workers_report(&f->report);
	sum_up(f);
	bounds_meet(f);
}

static void loop_operations(struct model *m)
{
	static const uint16_t us[][2] = { { 500, 4000 }, { 2000, 7000 }, { 8000, 9000 } };

	for (uint32_t i = 0; i < ARRAY_SIZE(us); i++)
		*vec_push(m->ops, m->op_cnt, m->op_cap) = (struct model_op){
			.id = i + 1, .task_id = 1, .fd = (int32_t)(5 + i),
			.start_ns = START_NS + us[i][0] * US, .end_ns = START_NS + us[i][1] * US,
			.ready_cnt = 1,
		};
}

static void loop_rows(struct report *r)
{
	*vec_push(r->loops, r->loop_cnt, r->loop_cap) = (struct report_loop){
		.task_id = 1, .epfd = 4, .waits = 10, .ready = 12, .max_operations = 2,
		.iterations = 10, .cpu_ns = 2900 * US, .blocked_ns = 100 * US,
		.longest_cpu_ns = 390 * US, .longest_blocked_ns = 20 * US,
		.longest_stall_ns = 400 * US, .longest_stall_start_ns = START_NS + 3 * MS,
	};
	*vec_push(r->loops, r->loop_cnt, r->loop_cap) = (struct report_loop){
		.task_id = 1, .epfd = 7, .waits = 1, .max_operations = 2, .iterations = 1,
		.cpu_ns = 10 * US, .blocked_ns = 90 * US,
		.longest_cpu_ns = 10 * US, .longest_blocked_ns = 90 * US,
		.longest_stall_ns = 100 * US, .longest_stall_start_ns = START_NS + 9 * MS,
		.stall_state = SPAN_BLOCKED, .stall_reason = REASON_DISK, .stall_call = "fsync",
	};
}

void fixture_loop(struct render_fixture *f)
{
	struct model *m = &f->model;
	struct report *r = &f->report;

	memset(f, 0, sizeof(*f));
	set_meta(m, "async", 2);
	set_claim(m, CLASS_CONCURRENT, "one thread keeps many operations in flight");
	m->meta.claim.min_operations = 3;
	m->meta.attempt = 2;
	m->meta.attempts_max = 5;
	m->meta.claim.deadlock = true;
	add_task(m, 0, "async")->start_ns = START_NS;
	for (uint64_t us = 1000; us <= 10000; us += 1000) {
		add_span(m, SPAN_RUNNING, 1, us - 700);
		if (us == 10000)
			add_span(m, SPAN_BLOCKED, REASON_DISK, us - 610)->syscall = 74;
		add_span(m, SPAN_BLOCKED, REASON_EPOLL, us);
	}
	loop_operations(m);
	add_cpu(m);
	add_seg(m, LAB_CPU_IDLE, 0, 10000);
	add_cpu(m);
	for (uint64_t us = 1000; us <= 10000; us += 1000) {
		add_seg(m, LAB_CPU_OURS, 1, us - 700);
		add_seg(m, LAB_CPU_IDLE, 0, us);
	}
	m->audit.switches_checked = 10;
	set_end(m, 10 * MS);

	m->tasks[0].voluntary = 10;

	r->parallelism.max = 1;
	r->parallelism.busy_ns = 3 * MS;
	r->parallelism.profile_cnt = 2;
	r->parallelism.profile_ns = xcalloc(2, sizeof(*r->parallelism.profile_ns));
	r->parallelism.profile_ns[0] = 7 * MS;
	r->parallelism.profile_ns[1] = 3 * MS;
	r->concurrency = (struct report_concurrency){
		.max_in_progress = 1, .max_operations = 2, .active_ns = 10 * MS,
		.concurrent_ns = 2 * MS, .witness_is_ops = true,
		.witness = {
			.part_cnt = 2, .from_ns = START_NS + 2 * MS, .until_ns = START_NS + 2 * MS,
			.parts = { { .task_id = 1, .op_id = 1, .start_ns = m->ops[0].start_ns,
				     .end_ns = m->ops[0].end_ns },
				   { .task_id = 1, .op_id = 2, .start_ns = m->ops[1].start_ns,
				     .end_ns = m->ops[1].end_ns } },
		},
	};
	r->operations = (struct report_operations){
		.step = 1, .profile_cnt = 3, .profile_ns = { 2500 * US, 5500 * US, 2000 * US },
	};
	r->verdict = (struct report_verdict){
		.class = CLASS_CONCURRENT, .claim_holds = CLAIM_NO, .never_two = true,
		.claim_fault = FAULT_OPERATIONS,
		.reason = "two or more operations were in progress for 20.0 % of the active time",
	};
	loop_rows(r);
	fixture_stuck_alone(r, START_NS + 9 * MS);
	sum_up(f);
	bounds_meet(f);
}

static void crowd_futexes(struct report *r, uint32_t futexes)
{
	for (uint32_t i = 0; i < futexes; i++)
		*vec_push(r->locks, r->lock_cnt, r->lock_cap) = (struct report_lock){
			.mm_id = 1, .tgid = 4710, .addr = UINT64_MAX - i, .kind = LOCK_KIND_COND,
			.waits = UINT64_MAX, .wait_ns = UINT64_MAX, .max_wait_ns = UINT64_MAX,
			.waiter_cnt = UINT32_MAX, .holders = { 1, 2, 3, 4, 5, 6, 7, 8 },
			.holder_cnt = UINT32_MAX, .timeouts = UINT64_MAX,
		};
}

void fixture_crowd(struct render_fixture *f, uint32_t tasks, uint32_t cpus, uint32_t futexes,
		   uint64_t window_ns)
{
	struct model *m = &f->model;
	struct report *r = &f->report;
	uint64_t window_us = window_ns / US;

	memset(f, 0, sizeof(*f));
	set_meta(m, "crowd", cpus);
	for (uint32_t i = 0; i < tasks; i++) {
		add_task(m, i != 0, "a-very-long-name")->start_ns = START_NS;
		for (uint64_t part = 1; part <= 7; part++)
			add_span(m, (i + part) % 3, (i + part) % 3 == SPAN_BLOCKED ?
				 (int)(1 + (i + part) % (REASON_CNT - 1)) : (int)(i % cpus),
				 window_us * part / 7);
		m->tasks[i].voluntary = m->tasks[i].involuntary = UINT64_MAX / 2;
		m->tasks[i].migrations = UINT64_MAX;
	}
	for (uint32_t i = 0; i < cpus; i++) {
		add_cpu(m);
		for (uint64_t part = 1; part <= 7; part++)
			add_seg(m, (i + part) % 4, 1 + i % (tasks + 1), window_us * part / 7);
	}
	crowd_futexes(r, futexes);
	set_end(m, window_us * US);
	m->end.reason = TRACE_END_UNKNOWN;
	m->complete = false;
	m->dropped = 12;
	for (uint16_t i = 0; i < 30; i++)
		*vec_push(m->gaps, m->gap_cnt, m->gap_cap) = (struct model_gap){
			i, START_NS, i ? START_NS + 1 : UINT64_MAX, 3 };
	for (uint32_t i = 0; i < 30; i++)
		*vec_push(m->audit.failures, m->audit.failure_cnt, m->audit.failure_cap) =
			(struct audit_failure){ "switches", i, UINT64_MAX, i, true };
	m->audit.failures_total = 2000;
	r->serializer = (struct report_serializer){
		.present = true, .measured = true, .mm_id = 1, .tgid = 4710, .addr = UINT64_MAX,
		.demand_ns = UINT64_MAX, .reached_ns = UINT64_MAX / 50,
		.locked_ns = UINT64_MAX / 50 * 49, .index_ppm = 980000,
		.tasks = { 1, 2, 3, 4, 5, 6, 7, 8 }, .task_cnt = UINT32_MAX,
	};
	r->verdict.class = CLASS_INCONCLUSIVE;
	r->verdict.claim_holds = CLAIM_UNDECIDED;
	r->verdict.claim_doubt = DOUBT_VERDICT;
	snprintf(r->verdict.reason, sizeof(r->verdict.reason), "12 events were lost");
	sum_up(f);
	r->audit_clean = false;
	r->lossless = false;
	r->deadlock.known = false;
	r->parallelism.average_busy_lower_ppm = 1019999;
	r->parallelism.average_busy_upper_ppm = 19940001;
	r->parallelism.max_lower = 1;
	r->parallelism.max_upper = 20;
}

void fixture_empty(struct render_fixture *f)
{
	memset(f, 0, sizeof(*f));
	set_meta(&f->model, "nothing", 0);
	set_end(&f->model, 0);
	f->report.verdict.class = CLASS_SEQUENTIAL;
	f->report.verdict.claim_holds = CLAIM_NOT_MADE;
	sum_up(f);
}

void fixture_lose(struct render_fixture *f, uint16_t cpu)
{
	*vec_push(f->model.gaps, f->model.gap_cnt, f->model.gap_cap) =
		(struct model_gap){ cpu, START_NS + 5 * MS, START_NS + 7 * MS, 12 };
	f->model.dropped = 12;
	f->report.lossless = false;
	report_hide_missing(&f->model, &f->report);
}

#define HOSTILE "\033]52;c;cm0=\a\xc2\x9b" "31m\xe2\x80\xae</script>\xff\xfe\"\\\x7f"

static const struct model_symbol hostile_symbol = {
	.object = "/tmp/" HOSTILE, .symbol = HOSTILE,
	.offset = UINT64_MAX, .symbol_off = UINT64_MAX,
};

void fixture_make_hostile(struct render_fixture *f)
{
	struct model *m = &f->model;
	char **texts[] = {
		&m->meta.name, &m->meta.release, &m->meta.machine, &m->meta.virtualized,
		&m->meta.lab_version, &m->damage, &m->meta.argv[0], &m->meta.argv[1],
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		free(*texts[i]);
		*texts[i] = xstrdup(HOSTILE);
	}
	free(m->meta.argv[2]);
	m->meta.argv[2] = xcalloc(4097, 1);
	memset(m->meta.argv[2], 0xff, 4096);
	memcpy(m->meta.claim.why, HOSTILE, sizeof(HOSTILE));
	memcpy(f->report.verdict.reason, HOSTILE, sizeof(HOSTILE));
	for (size_t i = 0; i < m->task_cnt; i++)
		memcpy(m->tasks[i].comm, HOSTILE + 4 * i % (sizeof(HOSTILE) - LAB_COMM_LEN),
		       LAB_COMM_LEN);
	for (size_t i = 0; i < ANTAGONIST_MAX; i++)
		memcpy(f->report.waits.antagonists[i].comm, HOSTILE, LAB_COMM_LEN);
	memcpy(f->report.waits.max_antagonist.comm, "\xe2\x80\xae\033\0hidden", 12);
	for (size_t i = 0; i < f->report.lock_cnt; i++)
		f->report.locks[i].symbol = &hostile_symbol;
	f->report.serializer.present = f->report.serializer.measured = true;
	f->report.serializer.symbol = &hostile_symbol;
	m->complete = false;
}

void fixture_release(struct render_fixture *f)
{
	model_release(&f->model);
	report_release(&f->report);
}

char *fixture_render(const struct render_fixture *f, const char *format,
		     const struct render_opts *opts)
{
	const struct renderer *renderer = renderer_find(format);
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	REQUIRE(renderer);
	out = open_memstream(&text, &len);
	REQUIRE(out);
	CHECK_EQ(renderer->render(&f->model, &f->report, opts, out), 0);
	REQUIRE(!fclose(out));
	CHECK_EQ(strlen(text), len);	/* no NUL in what is for people or programs */
	return text;
}
