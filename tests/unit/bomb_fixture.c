/* SPDX-License-Identifier: GPL-2.0-only */
#include "bomb_fixture.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "analyze/missing.h"
#include "analyze/report.h"
#include "cli/check_eval.h"
#include "model/model.h"
#include "render/render.h"
#include "trace/seal.h"
#include "trace_fixture.h"
#include "unseen_terminal.h"
#include "util/alloc.h"
#include "verify/verify.h"
#include "view/loop.h"

struct bomb {
	struct fixture_file file;
	struct trace_writer *w;
	union lab_event ev;	/* not yet written */
	uint64_t seq[TRACE_CPUS_MAX], refused[TRACE_CPUS_MAX];
	uint32_t births;
	struct counted { uint64_t nvcsw, sum_ns; } *counted;	/* by task */
	size_t counted_cnt, counted_cap;
};

static void write_pending(struct bomb *b)
{
	if (b->ev.head.kind)
		REQUIRE(trace_writer_add(b->w, &b->ev) == 0);
	b->ev.head.kind = 0;
}

union lab_event *bomb_add(struct bomb *b, unsigned int kind, uint64_t ts_ns, uint32_t cpu,
			  uint32_t task)
{
	bool numbered = kind != LAB_EV_CPU_TOTAL && kind != LAB_EV_TASK_TOTAL;

	write_pending(b);
	memset(&b->ev, 0, sizeof(b->ev));
	b->ev.head = (struct lab_ev_head){
		.ts_ns = ts_ns, .task = task, .cpu = (uint16_t)cpu, .kind = (uint8_t)kind,
		.seq = numbered ? b->seq[cpu]++ : 0,
	};
	return &b->ev;
}

void bomb_lose(struct bomb *b, uint32_t cpu)
{
	b->seq[cpu]++;
	b->refused[cpu]++;
}

struct bomb *bomb_new_meta(struct trace_meta *meta)
{
	struct bomb *b = xcalloc(1, sizeof(*b));
	struct lab_ev_task *seed;

	b->file = fixture_open();
	REQUIRE(trace_writer_open(&b->w, b->file.fd, meta) == 0);
	trace_meta_release(meta);
	seed = &bomb_add(b, LAB_EV_TASK_SEED, BOMB_SEC, 0, 1)->task;
	seed->tid = seed->tgid = 1;
	seed->on_cpu = 1;
	b->births = 1;
	return b;
}

struct bomb *bomb_new(uint32_t cpu_cnt)
{
	struct trace_meta meta = { .cpus_usable_cnt = cpu_cnt, .cpus_online = cpu_cnt };

	meta.throttling = LAB_THROTTLING_QUEUE;
	meta.ops_hooked = true;
	meta.armed_ns = BOMB_SEC;
	meta.cpus_usable = xcalloc(cpu_cnt, sizeof(*meta.cpus_usable));
	for (uint32_t i = 0; i < cpu_cnt; i++)
		meta.cpus_usable[i] = (uint16_t)i;
	return bomb_new_meta(&meta);
}

void bomb_task(struct bomb *b, uint64_t ts_ns, uint32_t cpu, uint32_t task, uint32_t parent,
	       bool thread)
{
	struct lab_ev_task *ev = &bomb_add(b, LAB_EV_TASK_NEW, ts_ns, cpu, task)->task;

	ev->parent_id = parent;
	ev->tid = task;
	ev->tgid = thread ? 1 : task;
	ev->clone_flags = thread ? 0x003d0f00 : 0x11;
	snprintf(ev->comm, sizeof(ev->comm), "task%u", task);
	bomb_add(b, LAB_EV_WAKEUP_NEW, ts_ns, cpu, task)->wakeup_new.dest_cpu = cpu;
	b->births++;
}

static struct counted *counted_of(struct bomb *b, uint32_t task)
{
	while (b->counted_cnt <= task)
		vec_add(b->counted, b->counted_cnt, b->counted_cap, (struct counted){ 0, 0 });
	return &b->counted[task];
}

struct lab_ev_switch_out *bomb_out(struct bomb *b, uint64_t ts_ns, uint32_t cpu, uint32_t task,
				   uint32_t next, int32_t syscall)
{
	struct lab_ev_switch_out *ev =
		&bomb_add(b, LAB_EV_SWITCH_OUT, ts_ns, cpu, task)->switch_out;
	struct counted *c = counted_of(b, task);

	ev->head.flags = LAB_F_NO_RQ;
	ev->next_id = next;
	ev->next_tid = next;
	ev->next_class = next ? LAB_CPU_OURS : LAB_CPU_IDLE;
	ev->prev_state = LAB_STATE_INTERRUPTIBLE;
	ev->nvcsw = ++c->nvcsw;
	ev->sum_exec_ns = c->sum_ns += 1000;
	ev->syscall = syscall;
	return ev;
}

struct lab_ev_waking *bomb_wake(struct bomb *b, uint64_t ts_ns, uint32_t cpu, uint32_t task,
				uint32_t waker)
{
	struct lab_ev_waking *ev = &bomb_add(b, LAB_EV_WAKING, ts_ns, cpu, task)->waking;

	ev->head.flags = waker ? 0 : LAB_F_HARDIRQ;
	ev->waker_id = ev->waker_tid = waker;
	ev->waker_syscall = waker ? 202 : LAB_SYSCALL_NONE;
	ev->state = LAB_STATE_INTERRUPTIBLE;
	return ev;
}

void bomb_class(struct bomb *b, uint64_t ts_ns, uint32_t cpu, bool foreign)
{
	struct lab_ev_cpu_class *ev = &bomb_add(b, LAB_EV_CPU_CLASS, ts_ns, cpu, 0)->cpu_class;

	ev->prev_class = foreign ? LAB_CPU_IDLE : LAB_CPU_FOREIGN;
	ev->next_class = foreign ? LAB_CPU_FOREIGN : LAB_CPU_IDLE;
	ev->prev_tid = foreign ? 0 : 77;
	ev->next_tid = foreign ? 77 : 0;
	snprintf(ev->prev_comm, sizeof(ev->prev_comm), "%s", foreign ? "" : "other");
}

int bomb_end(struct bomb *b, uint64_t ts_ns, enum trace_end_reason reason)
{
	struct trace_end end = { .reason = reason, .end_ns = ts_ns, .births = b->births };
	int fd = b->file.fd;

	for (uint32_t i = 0; i < TRACE_CPUS_MAX; i++) {
		struct lab_ev_cpu_total *total;

		if (!b->seq[i])
			continue;
		total = &bomb_add(b, LAB_EV_CPU_TOTAL, ts_ns, i, 0)->cpu_total;
		total->seq_end = b->seq[i];
		total->refused = b->refused[i];
	}
	write_pending(b);
	REQUIRE(trace_writer_finish(b->w, &end) == 0);
	trace_writer_free(b->w);
	free(b->counted);
	free(b);
	return fd;
}

/* ---- what it costs ---- */

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * BOMB_SEC + (uint64_t)t.tv_nsec;
}

static void note(struct bomb_cost *cost, const char *step, uint64_t since_ns)
{
	uint64_t ns = cpu_ns() - since_ns;

	if (getenv("BOMB_VERBOSE"))
		fprintf(stderr, "  %-12s %6llu ms\n", step, (unsigned long long)ns / 1000000);
	if (ns < cost->cpu_ns)
		return;
	cost->cpu_ns = ns;
	cost->step = step;
}

static void render_all(const struct model *m, const struct report *r, struct bomb_cost *cost)
{
	for (size_t i = 0; renderers[i]; i++) {
		uint64_t at_ns = cpu_ns();
		FILE *out = fopen("/dev/null", "w");

		REQUIRE(out);
		CHECK_EQ(renderers[i]->render(m, r, &(struct render_opts){ 0 }, out), 0);
		fclose(out);
		note(cost, renderers[i]->name, at_ns);
	}
}

static void check_json(const struct model *m, const struct report *r, struct bomb_cost *cost)
{
	uint64_t at_ns = cpu_ns();
	char error[CHECK_ERROR_MAX];
	struct check_result result;
	struct check_expr expr;
	struct json_doc doc = { 0 };

	json_report(m, r, &(struct render_opts){ 0 }, &doc);
	REQUIRE(check_parse(&expr, "len(tasks)>=1", error) == 0);
	CHECK(check_eval(&expr, &doc, &result) || result.outcome != CHECK_FAILS);
	json_doc_release(&doc);
	note(cost, "check", at_ns);
}

/* To the next and the last change, closer, and out again. */
static void view_all(const struct model *m, const struct report *r, struct bomb_cost *cost)
{
	static const char keys[] = "+++ffffbbjjjj---eff0";
	int master = unseen_terminal_open();
	uint64_t at_ns = cpu_ns();

	REQUIRE(master >= 0);
	REQUIRE(unseen_terminal_press(master, 200, 50, keys, sizeof(keys) - 1) == 0);
	CHECK_EQ(loop_run(m, r, NULL, true, true), 0);
	note(cost, "view", at_ns);
}

static void all_steps(int fd, struct bomb_cost *cost)
{
	const struct trace_source from = { .fd = fd };
	char why[VERIFY_WHY_MAX];
	FILE *out = fopen("/dev/null", "w");
	struct trace_reader *reader;
	struct report report;
	struct model model;
	uint64_t at_ns = cpu_ns();

	REQUIRE(out && trace_reader_start(&reader, &from, "bomb") == 0);
	REQUIRE(model_build(reader, &model) == 0);
	trace_reader_free(reader);
	note(cost, "read", at_ns);
	cost->events = model.event_cnt;
	at_ns = cpu_ns();
	report_compute(&model, &report);
	report_hide_missing(&model, &report);
	note(cost, "analyze", at_ns);
	render_all(&model, &report, cost);
	view_all(&model, &report, cost);
	check_json(&model, &report, cost);
	report_release(&report);
	model_release(&model);
	at_ns = cpu_ns();
	CHECK(verify_any_file(fd, out, why) == VERIFY_NOTHING);
	note(cost, "verify", at_ns);
	fclose(out);
}

struct bomb_cost bomb_cost(int fd)
{
	struct bomb_cost cost = { 0 };
	struct rusage usage;
	int ends[2], status;
	pid_t pid;

	REQUIRE(pipe(ends) == 0);
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		all_steps(fd, &cost);
		_exit(write(ends[1], &cost, sizeof(cost)) != sizeof(cost));
	}
	close(ends[1]);
	REQUIRE(read(ends[0], &cost, sizeof(cost)) == sizeof(cost));
	close(ends[0]);
	REQUIRE(wait4(pid, &status, 0, &usage) == pid && status == 0);
	cost.bytes = (uint64_t)usage.ru_maxrss * 1024;
	return cost;
}
