/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * perfetto - a trace for Perfetto (https://ui.perfetto.dev) and its trace_processor: what each CPU
 * ran, wakings, processes and threads, operations and the verdict as tracks. Field numbers are
 * those of protos/perfetto/trace/ in google/perfetto; tests/reports/perfetto.proto has the ones
 * that are used.
 *
 * Stamps are those of CLOCK_MONOTONIC, said to be CLOCK_BOOTTIME too, which is what events of the
 * scheduler count in. Thread numbers that recur in a run are replaced from their second bearer on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "render/names.h"
#include "render/perfetto.h"
#include "render/protobuf.h"
#include "render/slices.h"
#include "util/alloc.h"

#define SEQUENCE 1
#define CLEARED 1		/* SEQ_INCREMENTAL_STATE_CLEARED */
#define CLOCK_MONOTONIC_ID 3
#define CLOCK_BOOTTIME_ID 6
#define BUNDLE 4096		/* switches */
#define PRIO_NICE_0 120
#define FLAG_HARDIRQ 0x08
#define NOT_KNOWN_PID INT32_MAX

/* Fields, by message. */
enum { TRACE_PACKET = 1 };
enum { PACKET_FTRACE = 1, PACKET_PROCESSES = 2, PACKET_CLOCKS = 6, PACKET_TIMESTAMP = 8,
       PACKET_SEQUENCE = 10, PACKET_EVENT = 11, PACKET_FLAGS = 13, PACKET_TRACK = 60 };
enum { CLOCKS_CLOCK = 1, CLOCK_ID = 1, CLOCK_TIMESTAMP = 2 };
enum { TREE_PROCESS = 1, TREE_THREAD = 2, PROCESS_PID = 1, PROCESS_PPID = 2, PROCESS_CMDLINE = 3,
       THREAD_TID = 1, THREAD_NAME = 2, THREAD_TGID = 3 };
enum { FTRACE_CPU = 1, FTRACE_COMPACT = 4 };
enum { SWITCH_TIMESTAMP = 1, SWITCH_PREV_STATE = 2, SWITCH_NEXT_PID = 3, SWITCH_NEXT_PRIO = 4,
       COMPACT_NAMES = 5, SWITCH_NEXT_COMM = 6, WAKING_TIMESTAMP = 7, WAKING_PID = 8,
       WAKING_CPU = 9, WAKING_PRIO = 10, WAKING_COMM = 11, WAKING_FLAGS = 12, COMPACT_CNT };
enum { TRACK_UUID = 1, TRACK_NAME = 2, TRACK_THREAD = 4, TRACK_PARENT = 5, OF_PID = 1, OF_TID = 2 };
enum { EVENT_TYPE = 9, EVENT_TRACK = 11, EVENT_NAME = 23, EVENT_BEGIN = 1, EVENT_END = 2 };
enum { UUID_VERDICT = 1, UUID_OPERATIONS = 2, UUID_FIRST_OPERATION = 16 };
#define UUID_FIRST_THREAD (1ULL << 40)

struct packets {
	FILE *out;
	const struct model *m;
	bool began;
};

/* ---- packets ---- */

static void put_packet(struct packets *ps, struct pb *packet)
{
	struct pb head = { 0 };

	pb_uint(packet, PACKET_SEQUENCE, SEQUENCE);
	if (!ps->began)
		pb_uint(packet, PACKET_FLAGS, CLEARED);
	ps->began = true;
	pb_varint(&head, TRACE_PACKET << 3 | 2);
	pb_varint(&head, packet->len);
	fwrite(head.p, 1, head.len, ps->out);
	fwrite(packet->p, 1, packet->len, ps->out);
	packet->len = 0;
	free(head.p);
}

static void put_clocks(struct packets *ps)
{
	static const uint32_t ids[] = { CLOCK_MONOTONIC_ID, CLOCK_BOOTTIME_ID };
	struct pb packet = { 0 }, clocks = { 0 }, clock = { 0 };

	for (int i = 0; i < 2; i++) {
		clock.len = 0;
		pb_uint(&clock, CLOCK_ID, ids[i]);
		pb_uint(&clock, CLOCK_TIMESTAMP, ps->m->start_ns);
		pb_bytes(&clocks, CLOCKS_CLOCK, &clock);
	}
	pb_bytes(&packet, PACKET_CLOCKS, &clocks);
	put_packet(ps, &packet);
	free(packet.p);
	free(clocks.p);
	free(clock.p);
}

static void put_processes(struct packets *ps, const struct perfetto_pids *pids)
{
	struct pb packet = { 0 }, tree = { 0 }, one = { 0 };

	for (size_t i = 0; i < ps->m->task_cnt; i++) {
		const struct model_task *t = &ps->m->tasks[i];
		const struct model_task *parent = model_task(ps->m, t->parent_id);

		one.len = 0;
		if (pids->tgids[i] == pids->tids[i]) {
			pb_uint(&one, PROCESS_PID, pids->tids[i]);
			if (parent)
				pb_uint(&one, PROCESS_PPID, pids->tgids[parent - ps->m->tasks]);
			pb_text(&one, PROCESS_CMDLINE, t->comm);
			pb_bytes(&tree, TREE_PROCESS, &one);
			one.len = 0;
		}
		pb_uint(&one, THREAD_TID, pids->tids[i]);
		pb_text(&one, THREAD_NAME, t->comm);
		pb_uint(&one, THREAD_TGID, pids->tgids[i]);
		pb_bytes(&tree, TREE_THREAD, &one);
	}
	pb_uint(&packet, PACKET_TIMESTAMP, ps->m->start_ns);
	pb_bytes(&packet, PACKET_PROCESSES, &tree);
	put_packet(ps, &packet);
	free(packet.p);
	free(tree.p);
	free(one.p);
}

/* ---- the scheduler ---- */

/* A bundle under way: columns by field, and the names that it has so far. */
struct bundle {
	struct pb columns[COMPACT_CNT], names;
	uint64_t switch_ns, waking_ns;	/* of the row before */
	uint32_t name_cnt;
	/* By row of model.tasks and of model.comms: 1 + index of its name; 0: not there. */
	uint32_t *of_task, *of_comm;
};

static uint32_t name_in(struct bundle *b, uint32_t *place, const char *name)
{
	if (!*place) {
		pb_text(&b->names, COMPACT_NAMES, name);
		*place = ++b->name_cnt;
	}
	return *place - 1;
}

static uint32_t prio_of(const struct model_task *t)
{
	return PRIO_NICE_0 + (uint32_t)t->nice;		/* any nice: it is from a file */
}

static void add_switch(struct bundle *b, const struct model *m, const struct perfetto_pids *pids,
		       const struct model_cpu_seg *seg, uint32_t prev_state)
{
	const struct model_task *t = seg->task_id ? model_task(m, seg->task_id) : NULL;
	uint32_t *no_name = &b->of_comm[m->comm_cnt + (seg->class == LAB_CPU_IDLE)];
	uint32_t pid = seg->class == LAB_CPU_IDLE ? 0 : seg->tid ? seg->tid : NOT_KNOWN_PID, name;

	if (t) {
		pid = pids->tids[t - m->tasks];
		name = name_in(b, &b->of_task[t - m->tasks], t->comm);
	} else if (seg->class == LAB_CPU_FOREIGN && seg->comm_idx && seg->comm_idx < m->comm_cnt) {
		name = name_in(b, &b->of_comm[seg->comm_idx], m->comms[seg->comm_idx]);
	} else {
		name = name_in(b, no_name, seg->class == LAB_CPU_IDLE ? "swapper" : "not known");
	}
	pb_varint(&b->columns[SWITCH_TIMESTAMP], seg->start_ns - b->switch_ns);
	pb_varint(&b->columns[SWITCH_PREV_STATE], prev_state);
	pb_varint(&b->columns[SWITCH_NEXT_PID], pid);
	pb_varint(&b->columns[SWITCH_NEXT_PRIO], t ? prio_of(t) : PRIO_NICE_0);
	pb_varint(&b->columns[SWITCH_NEXT_COMM], name);
	b->switch_ns = seg->start_ns;
}

static void add_waking(struct bundle *b, const struct model *m, const struct perfetto_pids *pids,
		       const struct perfetto_waking *w)
{
	const struct model_task *t = &m->tasks[w->task];

	pb_varint(&b->columns[WAKING_TIMESTAMP], w->at_ns - b->waking_ns);
	pb_varint(&b->columns[WAKING_PID], pids->tids[w->task]);
	pb_varint(&b->columns[WAKING_CPU], w->target_cpu);
	pb_varint(&b->columns[WAKING_PRIO], prio_of(t));
	pb_varint(&b->columns[WAKING_COMM], name_in(b, &b->of_task[w->task], t->comm));
	pb_varint(&b->columns[WAKING_FLAGS], w->by_nobody ? FLAG_HARDIRQ : 0);
	b->waking_ns = w->at_ns;
}

static void bundle_put(struct packets *ps, struct bundle *b, uint16_t cpu)
{
	struct pb packet = { 0 }, bundle = { 0 };

	for (int i = 0; i < COMPACT_CNT; i++) {
		if (b->columns[i].len)
			pb_bytes(&b->names, (uint32_t)i, &b->columns[i]);
		b->columns[i].len = 0;
	}
	pb_uint(&bundle, FTRACE_CPU, cpu);
	pb_bytes(&bundle, FTRACE_COMPACT, &b->names);
	pb_bytes(&packet, PACKET_FTRACE, &bundle);
	put_packet(ps, &packet);
	b->names.len = 0;
	b->name_cnt = 0;
	b->switch_ns = b->waking_ns = 0;
	memset(b->of_task, 0, ps->m->task_cnt * sizeof(*b->of_task));
	memset(b->of_comm, 0, (ps->m->comm_cnt + 2) * sizeof(*b->of_comm));
	free(packet.p);
	free(bundle.p);
}

/* @wakings: those that were made on this CPU. */
static void put_cpu(struct packets *ps, const struct perfetto_pids *pids,
		    const struct model_cpu *cpu, const struct perfetto_waking *wakings,
		    size_t waking_cnt)
{
	const struct model *m = ps->m;
	struct bundle b = { 0 };
	size_t next = 0;

	b.of_task = xcalloc(m->task_cnt + 1, sizeof(*b.of_task));
	b.of_comm = xcalloc(m->comm_cnt + 2, sizeof(*b.of_comm));
	for (size_t i = 0; i < cpu->seg_cnt; i++) {
		const struct model_cpu_seg *seg = &m->cpu_segs[cpu->seg_first + i];
		bool last = i + 1 == cpu->seg_cnt;

		add_switch(&b, m, pids, seg, i ? perfetto_left_as(m, seg - 1) : 0);
		while (next < waking_cnt && (last || wakings[next].at_ns < seg->end_ns))
			add_waking(&b, m, pids, &wakings[next++]);
		if (last || i % BUNDLE == BUNDLE - 1)
			bundle_put(ps, &b, cpu->cpu);
	}
	for (int i = 0; i < COMPACT_CNT; i++)
		free(b.columns[i].p);
	free(b.names.p);
	free(b.of_task);
	free(b.of_comm);
}

static void put_scheduler(struct packets *ps, const struct perfetto_pids *pids)
{
	struct perfetto_waking *wakings;
	size_t cnt = perfetto_wakings(ps->m, &wakings), first = 0;

	for (size_t i = 0; i < ps->m->cpu_cnt; i++) {
		size_t end = first;

		while (end < cnt && wakings[end].cpu == ps->m->cpus[i].cpu)
			end++;
		put_cpu(ps, pids, &ps->m->cpus[i], wakings + first, end - first);
		first = end;
	}
	free(wakings);
}

/* ---- tracks ---- */

static void put_track(struct packets *ps, uint64_t uuid, uint64_t parent, const char *name)
{
	struct pb packet = { 0 }, track = { 0 };

	pb_uint(&track, TRACK_UUID, uuid);
	pb_text(&track, TRACK_NAME, name);
	if (parent)
		pb_uint(&track, TRACK_PARENT, parent);
	pb_bytes(&packet, PACKET_TRACK, &track);
	put_packet(ps, &packet);
	free(packet.p);
	free(track.p);
}

static void put_thread_track(struct packets *ps, uint64_t uuid, uint32_t pid, uint32_t tid)
{
	struct pb packet = { 0 }, track = { 0 }, thread = { 0 };

	pb_uint(&thread, OF_PID, pid);
	pb_uint(&thread, OF_TID, tid);
	pb_uint(&track, TRACK_UUID, uuid);
	pb_bytes(&track, TRACK_THREAD, &thread);
	pb_bytes(&packet, PACKET_TRACK, &track);
	put_packet(ps, &packet);
	free(packet.p);
	free(track.p);
	free(thread.p);
}

static void put_event(struct packets *ps, uint64_t at_ns, uint32_t type, uint64_t track,
		      const char *name)
{
	struct pb packet = { 0 }, event = { 0 };

	pb_uint(&event, EVENT_TYPE, type);
	pb_uint(&event, EVENT_TRACK, track);
	if (name)
		pb_text(&event, EVENT_NAME, name);
	pb_uint(&packet, PACKET_TIMESTAMP, at_ns);
	pb_bytes(&packet, PACKET_EVENT, &event);
	put_packet(ps, &packet);
	free(packet.p);
	free(event.p);
}

static void put_slice(struct packets *ps, uint64_t track, const char *name, uint64_t start_ns,
		      uint64_t end_ns)
{
	put_event(ps, start_ns, EVENT_BEGIN, track, name);
	put_event(ps, end_ns, EVENT_END, track, NULL);
}

static void put_verdict(struct packets *ps, const struct report *r)
{
	const struct witness *w = NULL;

	if (r->verdict.class == CLASS_PARALLEL)
		w = &r->parallelism.witness;
	else if (r->verdict.class == CLASS_CONCURRENT)
		w = &r->concurrency.witness;
	put_track(ps, UUID_VERDICT, 0, "verdict");
	put_event(ps, ps->m->start_ns, EVENT_BEGIN, UUID_VERDICT,
		  verdict_class_name(r->verdict.class));
	if (w && w->part_cnt)
		put_slice(ps, UUID_VERDICT, "witness", w->from_ns, w->until_ns);
	put_event(ps, ps->m->end_ns, EVENT_END, UUID_VERDICT, NULL);
}

/* Each on a track of its own, a part below its operation: neither need nest in time. */
static void put_operations(struct packets *ps)
{
	const struct model *m = ps->m;

	if (m->op_cnt)
		put_track(ps, UUID_OPERATIONS, 0, "operations");
	for (size_t i = 0; i < m->op_cnt; i++) {
		const struct model_op *op = &m->ops[i];
		uint64_t uuid = UUID_FIRST_OPERATION + op->id;

		put_track(ps, uuid, op->parent_id ? UUID_FIRST_OPERATION + op->parent_id :
						    UUID_OPERATIONS, op_name(m, op).s);
		put_slice(ps, uuid, op_name(m, op).s, op->start_ns, op->end_ns);
	}
}

/* On the track of the thread, because no switch says that its state is not known any more. */
static void put_unknown(struct packets *ps, const struct perfetto_pids *pids, size_t idx)
{
	const struct model_task *t = &ps->m->tasks[idx];
	uint64_t uuid = UUID_FIRST_THREAD + t->id;
	bool has_track = false;

	for (size_t k = 0; k < t->span_cnt; k++) {
		const struct model_span *s = &t->spans[k];

		if (s->state != SPAN_UNKNOWN)
			continue;
		if (!has_track)
			put_thread_track(ps, uuid, pids->tgids[idx], pids->tids[idx]);
		has_track = true;
		put_slice(ps, uuid, slice_state_words(s), s->start_ns, s->end_ns);
	}
}

static int perfetto_render(const struct model *m, const struct report *r,
			   const struct render_opts *opts, FILE *out)
{
	struct packets ps = { .out = out, .m = m };
	struct perfetto_pids pids;

	(void)opts;
	perfetto_pids_init(&pids, m);
	put_clocks(&ps);
	put_processes(&ps, &pids);
	put_scheduler(&ps, &pids);
	put_verdict(&ps, r);
	put_operations(&ps);
	for (size_t i = 0; i < m->task_cnt; i++)
		put_unknown(&ps, &pids, i);
	perfetto_pids_release(&pids);
	return ferror(out) ? -EIO : 0;
}

const struct renderer renderer_perfetto = {
	.name = "perfetto",
	.help = "for Perfetto: CPUs, threads, wakings, operations",
	.binary = true,
	.render = perfetto_render,
};
