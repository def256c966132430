/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * schedule_holdings - who had each CPU, put as well as the records can show it.
 *
 * A record is made where a task of ours or the class of the holder changes. It
 * says who comes, and who leaves with its name and since when the last switch was seen. So of
 * several foreign tasks in a row only the last one has a name, and none if its end was not
 * recorded. Where a switch was seen by no probe, what the next record says of the past may
 * contradict what the one before said of the future: then nobody knows.
 */

#include <string.h>

#include "schedule_sim.h"
#include "util/alloc.h"

/* The records at both ends of a row of holdings; @end is that of the closing one. */
struct row {
	const struct kholding *h;
	size_t cnt;
	uint64_t start, end;
	bool closed;		/* by a record, not by the end of the window */
};

void truth_holds(struct sim *s, struct kcpu *c, struct ktask *next, enum khow_seen seen)
{
	struct kholding *h;

	/* A record gives the name that the one who goes has by then. */
	if (c->holding_cnt && c->cur)
		memcpy(c->holdings[c->holding_cnt - 1].comm, c->cur->comm, LAB_COMM_LEN);
	h = vec_push(c->holdings, c->holding_cnt, c->holding_cap);
	h->ts = sim_stamp(s, c);
	h->id = next && next->marked ? next->id : 0;
	h->tid = next ? next->tid : 0;
	h->seen = seen;
	h->idle = !next;
	memcpy(h->comm, next ? next->comm : "", next ? LAB_COMM_LEN : 1);
}

void truth_holds_already(struct kcpu *c, const struct ktask *t, uint64_t ts)
{
	*vec_push(c->holdings, c->holding_cnt, c->holding_cap) = (struct kholding){
		.ts = ts, .id = t->id, .tid = t->tid, .seen = SEEN_NOT, .seeded = true,
	};
}

static uint8_t class_of(const struct kholding *h)
{
	if (h->idle)
		return LAB_CPU_IDLE;
	return h->id ? LAB_CPU_OURS : LAB_CPU_FOREIGN;
}

static void add(const struct truth *truth, struct truth_cpu *c, uint64_t start, uint64_t end,
		struct truth_seg seg)
{
	struct truth_seg *last = c->seg_cnt ? &c->segs[c->seg_cnt - 1] : NULL;

	seg.start_ns = start > truth->start_ns ? start : truth->start_ns;
	seg.end_ns = end < truth->end_ns ? end : truth->end_ns;
	if (seg.start_ns >= seg.end_ns)
		return;
	if (last && last->class == seg.class && !seg.task_id && last->tid == seg.tid &&
	    !strcmp(last->comm, seg.comm))
		last->end_ns = seg.end_ns;
	else
		*vec_push(c->segs, c->seg_cnt, c->seg_cap) = seg;
}

static struct truth_seg nameless(uint8_t class)
{
	return (struct truth_seg){ .class = class };
}

static struct truth_seg named(const struct kholding *h)
{
	struct truth_seg seg = { .class = class_of(h) };

	if (seg.class == LAB_CPU_FOREIGN) {
		seg.tid = h->tid;
		memcpy(seg.comm, h->comm, LAB_COMM_LEN);
	}
	return seg;
}

/* A row that tasks of ours had no part of, or only its end. */
static void add_others(const struct truth *truth, struct truth_cpu *c, const struct row *r)
{
	const struct kholding *first = &r->h[0], *last = &r->h[r->cnt - 1];
	bool foreign = class_of(first) == LAB_CPU_FOREIGN;
	uint64_t told = r->start;

	if (class_of(last) == LAB_CPU_OURS) {
		bool shown = r->closed || last->seeded;

		/* From an idle CPU none of ours comes unseen. */
		add(truth, c, r->start, shown ? last->ts : r->end,
		    nameless(foreign ? LAB_CPU_FOREIGN : LAB_CPU_UNKNOWN));
		return;
	}
	if (!r->closed) {
		add(truth, c, r->start, r->end, nameless(class_of(first)));
		return;
	}
	for (size_t i = 1; i < r->cnt; i++)
		if (r->h[i].seen == SEEN_UNRECORDED)
			told = r->h[i].ts;
	if (told > r->start) {
		/* Foreign to foreign: all else is recorded. */
		add(truth, c, r->start, told, nameless(LAB_CPU_FOREIGN));
		add(truth, c, told, r->end, class_of(last) == LAB_CPU_FOREIGN ? named(last) :
						nameless(LAB_CPU_UNKNOWN));
	} else if (class_of(first) != class_of(last)) {
		add(truth, c, r->start, r->end, nameless(LAB_CPU_UNKNOWN));
	} else {
		add(truth, c, r->start, r->end,
		    first->tid == last->tid ? named(last) : nameless(class_of(last)));
	}
}

static void add_row(const struct truth *truth, struct truth_cpu *c, const struct row *r)
{
	const struct kholding *last = &r->h[r->cnt - 1];

	if (class_of(&r->h[0]) != LAB_CPU_OURS)
		add_others(truth, c, r);
	/* One that comes unseen and is not seen to go shows nowhere. */
	if (class_of(last) == LAB_CPU_OURS && (r->closed || last == r->h || last->seeded))
		add(truth, c, last->ts, r->end,
		    (struct truth_seg){ .class = LAB_CPU_OURS, .task_id = last->id });
}

/* Before its first record, of @cnt holdings, nothing is known but a stay of ours that it ends. */
static void add_first(const struct truth *truth, struct truth_cpu *c, const struct kholding *h,
		      size_t cnt, uint64_t end)
{
	const struct kholding *last = cnt ? &h[cnt - 1] : NULL;

	if (last && (!last->id || (end == UINT64_MAX && !last->seeded)))
		last = NULL;

	add(truth, c, 0, last ? last->ts : end, nameless(LAB_CPU_UNKNOWN));
	if (last)
		add(truth, c, last->ts, end,
		    (struct truth_seg){ .class = LAB_CPU_OURS, .task_id = last->id });
}

static void add_cpu(struct sim *s, struct kcpu *k, struct truth_cpu *c)
{
	const struct truth *truth = &s->out->truth;
	size_t i = 0, first;

	while (i < k->holding_cnt && k->holdings[i].seen != SEEN_RECORDED)
		i++;
	first = i;
	add_first(truth, c, k->holdings, first,
		  first < k->holding_cnt ? k->holdings[first].ts : UINT64_MAX);
	for (; first < k->holding_cnt; first = i) {
		struct row row = { .h = &k->holdings[first], .start = k->holdings[first].ts };

		for (i = first + 1; i < k->holding_cnt; i++)
			if (k->holdings[i].seen == SEEN_RECORDED)
				break;
		row.cnt = i - first;
		row.closed = i < k->holding_cnt;
		row.end = row.closed ? k->holdings[i].ts : UINT64_MAX;
		add_row(truth, c, &row);
	}
}

void holdings_finish(struct sim *s)
{
	struct truth *truth = &s->out->truth;

	for (unsigned int i = 0; i < s->opt->cpu_cnt; i++) {
		struct truth_cpu cpu = { .cpu = s->cpus[i].number };
		bool ran = false;

		for (uint32_t j = 0; j < s->out->meta.cpus_usable_cnt; j++)
			cpu.usable |= s->out->meta.cpus_usable[j] == cpu.cpu;
		for (size_t j = 0; j < truth->task_cnt; j++)
			for (size_t k = 0; k < truth->tasks[j].span_cnt; k++)
				ran |= truth->tasks[j].spans[k].state == SPAN_RUNNING &&
				       truth->tasks[j].spans[k].cpu == cpu.cpu;
		if (!cpu.usable && !ran)
			continue;
		add_cpu(s, &s->cpus[i], &cpu);
		*vec_push(truth->cpus, truth->cpu_cnt, truth->cpu_cap) = cpu;
	}
}
