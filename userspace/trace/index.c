/* SPDX-License-Identifier: GPL-2.0-only */

#include "trace/index.h"

#include <errno.h>

#include "util/minmax.h"

static bool has_seq(unsigned int kind)
{
	return kind != LAB_EV_TASK_TOTAL && kind != LAB_EV_CPU_TOTAL;
}

void index_count(struct index *index, const union lab_event *ev)
{
	struct index_cpu *cpu;

	while (index->cpu_cnt <= ev->head.cpu)
		(void)vec_push(index->cpus, index->cpu_cnt, index->cpu_cap);
	cpu = &index->cpus[ev->head.cpu];
	index->events++;
	index->kind_events[ev->head.kind]++;
	if (ev->head.kind == LAB_EV_CPU_TOTAL)
		cpu->refused += ev->cpu_total.refused;
	if (!has_seq(ev->head.kind))
		return;
	cpu->seq_min = cpu->records ? min_u64(cpu->seq_min, ev->head.seq) : ev->head.seq;
	cpu->seq_max = max_u64(cpu->seq_max, ev->head.seq);
	cpu->records++;
}

static bool cpu_is_used(const struct index_cpu *cpu)
{
	return cpu->records || cpu->refused;
}

void index_write(const struct index *index, struct bytes_out *out)
{
	uint64_t off = 0, kinds = 0, cpus = 0;

	bytes_put_varint(out, index->events);
	bytes_put_varint(out, index->chunk_cnt);
	for (size_t i = 0; i < index->chunk_cnt; i++) {
		const struct index_chunk *chunk = &index->chunks[i];

		bytes_put_varint(out, chunk->off - off);
		bytes_put_varint(out, chunk->first_ns);
		bytes_put_varint(out, chunk->last_ns - chunk->first_ns);
		bytes_put_varint(out, chunk->count);
		off = chunk->off;
	}
	for (size_t i = 0; i < index->cpu_cnt; i++)
		cpus += cpu_is_used(&index->cpus[i]);
	bytes_put_varint(out, cpus);
	for (size_t i = 0; i < index->cpu_cnt; i++) {
		const struct index_cpu *cpu = &index->cpus[i];

		if (!cpu_is_used(cpu))
			continue;
		bytes_put_varint(out, i);
		bytes_put_varint(out, cpu->records);
		bytes_put_varint(out, cpu->seq_min);
		bytes_put_varint(out, cpu->seq_max);
		bytes_put_varint(out, cpu->refused);
	}
	for (size_t i = 0; i < LAB_EV_KIND_MAX; i++)
		kinds += index->kind_events[i] != 0;
	bytes_put_varint(out, kinds);
	for (size_t i = 0; i < LAB_EV_KIND_MAX; i++) {
		if (!index->kind_events[i])
			continue;
		bytes_put_varint(out, i);
		bytes_put_varint(out, index->kind_events[i]);
	}
}

int index_parse_chunks(struct index *index, const uint8_t *buf, size_t len)
{
	struct bytes_in in = { .p = buf, .end = buf + len };
	uint64_t off = 0, events = 0;
	size_t cnt;

	*index = (struct index){ .events = bytes_get_varint(&in) };
	cnt = bytes_get_bounded(&in, bytes_left(&in) / 4);
	for (size_t i = 0; i < cnt && !in.bad; i++) {
		struct index_chunk *chunk = vec_push(index->chunks, index->chunk_cnt,
						     index->chunk_cap);

		off += bytes_get_varint(&in);
		chunk->off = off;
		chunk->first_ns = bytes_get_varint(&in);
		chunk->last_ns = chunk->first_ns + bytes_get_varint(&in);
		chunk->count = (uint32_t)bytes_get_bounded(&in, UINT32_MAX);
		events += chunk->count;
	}
	return in.bad || events != index->events ? -EBADMSG : 0;
}

void index_release(struct index *index)
{
	free(index->chunks);
	free(index->cpus);
	*index = (struct index){ 0 };
}
