/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "trace/meta.h"
#include "trace/schema_table.h"
#include "trace/symbols.h"
#include "util/alloc.h"
#include "util/minmax.h"

#define CHUNK_EVENTS 64

/* ---- bytes to a run, and back ---- */

/* The writer refuses what no probe can say. */
static void bound_cpus(union lab_event *ev)
{
	const struct group_def *group = &schema_groups[ev->head.kind];

	ev->head.cpu %= TRACE_CPUS_MAX;
	for (size_t i = 0; i < group->field_cnt; i++) {
		const struct field_def *field = &group->fields[i];
		uint64_t value = 0;

		if (!field->is_cpu)
			continue;
		memcpy(&value, (char *)ev + field->off, field->bytes);
		value %= TRACE_CPUS_MAX;
		memcpy((char *)ev + field->off, &value, field->bytes);
	}
}

static void split_events(struct scenario *s, struct bytes_in *in)
{
	struct lab_ev_head head;

	while (s->cnt < SCENARIO_EVENTS_MAX && bytes_left(in) >= sizeof(head)) {
		union lab_event *ev;
		size_t size;

		memcpy(&head, in->p, sizeof(head));
		if (!trace_event_size(head.kind))
			head.kind = (uint8_t)(1 + head.kind % (LAB_EV_KIND_MAX - 1));
		size = min_u64(trace_event_size(head.kind), bytes_left(in));
		ev = vec_push(s->events, s->cnt, s->cap);
		memcpy(ev, bytes_get(in, size), size);
		ev->head.kind = head.kind;
		bound_cpus(ev);
	}
}

void scenario_split(struct scenario *s, const uint8_t *data, size_t size)
{
	struct bytes_in in = { .p = data, .end = data + size };
	size_t len = min_u64(size, sizeof(s->knobs));

	*s = (struct scenario){ 0 };
	memcpy(&s->knobs, bytes_get(&in, len), len);
	for (int i = 0; i < SECTION_CNT; i++) {
		len = bytes_left(&in) >= 2 ? get_le16(bytes_get(&in, 2)) : 0;
		len = min_u64(len, bytes_left(&in));
		s->sections[i] = (struct section){ bytes_get(&in, len), len };
	}
	split_events(s, &in);
}

bool scenario_parse(struct scenario *s)
{
	const struct section *symbols = &s->sections[SECTION_SYMBOLS];

	if (symbols->len)
		symbols_parse(&s->symbols, symbols->p, symbols->len);
	return !meta_parse(&s->meta, s->sections[SECTION_META].p, s->sections[SECTION_META].len) &&
	       !meta_end_parse(&s->end, s->sections[SECTION_END].p, s->sections[SECTION_END].len);
}

void scenario_release(struct scenario *s)
{
	free(s->events);
	trace_meta_release(&s->meta);
	trace_symbols_release(&s->symbols);
}

void scenario_write(const struct scenario *s, struct bytes_out *out)
{
	bytes_put(out, &s->knobs, sizeof(s->knobs));
	for (int i = 0; i < SECTION_CNT; i++) {
		uint8_t len[2];

		put_le(len, s->sections[i].len, 2);
		bytes_put(out, len, sizeof(len));
		bytes_put(out, s->sections[i].p, s->sections[i].len);
	}
	for (size_t i = 0; i < s->cnt; i++)
		bytes_put(out, &s->events[i], trace_event_size(s->events[i].head.kind));
}

void scenario_record(const struct scenario *s, int fd)
{
	struct trace_writer *w;

	NEED(!trace_writer_open(&w, fd, &s->meta));
	for (size_t i = 0; i < s->cnt; i++) {
		NEED(!trace_writer_add(w, &s->events[i]));
		if (s->knobs.flags & KNOB_CHUNKS && i % CHUNK_EVENTS == CHUNK_EVENTS - 1)
			NEED(!trace_writer_flush(w));
	}
	NEED(!trace_writer_symbols(w, &s->symbols));
	if (!(s->knobs.flags & KNOB_UNFINISHED))
		NEED(!trace_writer_finish(w, &s->end));
	trace_writer_free(w);
}

void scenario_of_trace(const char *path, struct bytes_out *data)
{
	struct scenario s = { .knobs = { .flags = KNOB_LENS, .from = 64, .until = 128 } };
	struct bytes_out meta = { 0 }, end = { 0 }, symbols = { 0 };
	struct trace_reader *r;

	NEED(!trace_reader_open(&r, path));
	while (trace_reader_next(r, vec_push(s.events, s.cnt, s.cap)) == 1)
		;
	s.cnt--;
	NEED(trace_reader_end(r) && !meta_write(trace_reader_meta(r), &meta));
	meta_end_write(trace_reader_end(r), &end);
	symbols_write(trace_reader_symbols(r), &symbols);
	s.sections[SECTION_META] = (struct section){ meta.p, meta.len };
	s.sections[SECTION_END] = (struct section){ end.p, end.len };
	s.sections[SECTION_SYMBOLS] = (struct section){ symbols.p, symbols.len };
	s.sections[SECTION_KEYS] = (struct section){ (const uint8_t *)"fzw lj[f]z/a\re?\033", 17 };
	data->len = 0;
	scenario_write(&s, data);
	free(meta.p);
	free(end.p);
	free(symbols.p);
	scenario_release(&s);
	trace_reader_free(r);
}

/* ---- changes ---- */

/* Another value in one field: near it, small, of another record, or one bit of it. */
static void change_field(const struct scenario *s, union lab_event *ev, uint64_t *random)
{
	const struct group_def *group = &schema_groups[fuzz_below(random, 3) ? ev->head.kind : 0];
	const struct field_def *field = &group->fields[fuzz_below(random, group->field_cnt)];
	const union lab_event *other = &s->events[fuzz_below(random, s->cnt)];
	char *at = (char *)ev + field->off;
	uint64_t value = 0;

	if (!strcmp(field->name, "kind"))
		return;
	if (field->bytes > 8) {
		fuzz_mutate_bytes((uint8_t *)at, field->bytes, field->bytes, random);
		return;
	}
	memcpy(&value, at, field->bytes);
	switch (fuzz_below(random, 6)) {
	case 0: value++; break;
	case 1: value--; break;
	case 2: value = fuzz_below(random, 10); break;
	case 3: value ^= 1ull << fuzz_below(random, 8 * field->bytes); break;
	case 4: value = UINT64_MAX >> fuzz_below(random, 64); break;
	default: memcpy(&value, (const char *)other + field->off, field->bytes);
	}
	if (field->is_cpu || field->off == offsetof(struct lab_ev_head, cpu))
		value %= fuzz_below(random, 8) ? 4 : TRACE_CPUS_MAX;
	memcpy(at, &value, field->bytes);
}

static void drop(struct scenario *s, size_t at)
{
	memmove(&s->events[at], &s->events[at + 1], (s->cnt - at - 1) * sizeof(*s->events));
	s->cnt--;
}

static bool is_total(const union lab_event *ev)
{
	return ev->head.kind == LAB_EV_TASK_TOTAL || ev->head.kind == LAB_EV_CPU_TOTAL;
}

/* As if the kernel had had no room for some records of a CPU; the totals may say so or not. */
static void refuse(struct scenario *s, size_t at, uint64_t *random)
{
	uint64_t lost = 0, most = 1 + fuzz_below(random, 12);
	uint16_t cpu = s->events[at].head.cpu;

	for (size_t i = at; i < s->cnt && lost < most;) {
		const union lab_event *ev = &s->events[i];

		if (ev->head.cpu != cpu || is_total(ev) || ev->head.kind == LAB_EV_TASK_SEED) {
			i++;
			continue;
		}
		drop(s, i);
		lost++;
	}
	for (size_t i = 0; i < s->cnt && fuzz_below(random, 4); i++)
		if (s->events[i].head.kind == LAB_EV_CPU_TOTAL && s->events[i].head.cpu == cpu)
			s->events[i].cpu_total.refused += lost;
}

static int by_time(const void *a, const void *b)
{
	const struct lab_ev_head *x = a, *y = b;

	return x->ts_ns < y->ts_ns ? -1 : x->ts_ns > y->ts_ns;
}

/* All numbers of each CPU anew, so that none is missing. */
static void renumber(struct scenario *s)
{
	static uint64_t seq[TRACE_CPUS_MAX];

	memset(seq, 0, sizeof(seq));
	qsort(s->events, s->cnt, sizeof(*s->events), by_time);
	for (size_t i = 0; i < s->cnt; i++)
		if (!is_total(&s->events[i]))
			s->events[i].head.seq = seq[s->events[i].head.cpu]++;
	for (size_t i = 0; i < s->cnt; i++)
		if (s->events[i].head.kind == LAB_EV_CPU_TOTAL)
			s->events[i].cpu_total.seq_end = seq[s->events[i].head.cpu];
}

static void shift_cpu(struct scenario *s, uint16_t cpu, uint64_t *random)
{
	uint64_t by = fuzz_below(random, 2000000);

	for (size_t i = 0; i < s->cnt; i++)
		if (s->events[i].head.cpu == cpu)
			s->events[i].head.ts_ns += by;
}

static void change_stamp(struct lab_ev_head *head, uint64_t *random)
{
	uint64_t by = fuzz_below(random, fuzz_below(random, 2) ? 200 : 3000000);

	if (fuzz_below(random, 2))
		head->ts_ns += by;
	else
		head->ts_ns -= min_u64(head->ts_ns, by);
}

static void change_records(struct scenario *s, uint64_t *random)
{
	size_t at = fuzz_below(random, s->cnt), other = fuzz_below(random, s->cnt);
	union lab_event *ev = &s->events[at], copy = *ev;

	switch (fuzz_below(random, 10)) {
	case 0:
		drop(s, at);
		break;
	case 1:
		*vec_push(s->events, s->cnt, s->cap) = copy;
		break;
	case 2:
		*ev = s->events[other];
		s->events[other] = copy;
		break;
	case 3:
		change_stamp(&ev->head, random);
		break;
	case 4:
		refuse(s, at, random);
		break;
	case 5:
		shift_cpu(s, ev->head.cpu, random);
		break;
	case 6:
		ev->head.kind = (uint8_t)(1 + fuzz_below(random, LAB_EV_KIND_MAX - 1));
		break;
	default:
		change_field(s, ev, random);
	}
	if (s->cnt && !fuzz_below(random, 6))
		renumber(s);
}

#define SECTION_ROOM 256	/* by which a section may grow */

static uint8_t *change_section(struct section *section, uint64_t *random)
{
	uint8_t *room = xmalloc(section->len + SECTION_ROOM);

	if (section->len)
		memcpy(room, section->p, section->len);
	section->len = fuzz_mutate_bytes(room, section->len,
					 min_u64(section->len + SECTION_ROOM, UINT16_MAX), random);
	section->p = room;
	return room;
}

size_t scenario_mutate(uint8_t *data, size_t size, size_t size_max, uint64_t *random)
{
	struct bytes_out out = { 0 };
	uint8_t *section = NULL;
	struct scenario s;

	scenario_split(&s, data, size);
	if (!s.cnt || !fuzz_below(random, 8))
		section = change_section(&s.sections[fuzz_below(random, SECTION_CNT)], random);
	else if (!fuzz_below(random, 16))
		fuzz_mutate_bytes((uint8_t *)&s.knobs, sizeof(s.knobs), sizeof(s.knobs), random);
	else
		change_records(&s, random);
	scenario_write(&s, &out);
	size = min_u64(out.len, size_max);
	memcpy(data, out.p, size);
	free(out.p);
	free(section);
	scenario_release(&s);
	return size;
}
