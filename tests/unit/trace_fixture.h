/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TESTS_TRACE_FIXTURE_H
#define LAB_TESTS_TRACE_FIXTURE_H

/*
 * trace_fixture - seeded random events, and trace files in memory, for the
 * tests of the trace file. A file is named by its path below /proc/self/fd.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/chunk.h"
#include "trace/schema_table.h"
#include "trace/trace.h"
#include "util/io.h"
#include "unit.h"

struct fixture_file {
	int fd;
	char path[32];
};

static inline struct fixture_file fixture_open(void)
{
	struct fixture_file file = { .fd = memfd_create("trace", MFD_CLOEXEC) };

	REQUIRE(file.fd >= 0);
	snprintf(file.path, sizeof(file.path), "/proc/self/fd/%d", file.fd);
	return file;
}

static inline void fixture_set(const struct fixture_file *file, const void *buf, size_t len)
{
	REQUIRE(ftruncate(file->fd, 0) == 0);
	REQUIRE(io_pwrite_all(file->fd, buf, len, 0) == 0);
}

static inline uint64_t fixture_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed * 0x2545f4914f6cdd1d;
}

/*
 * Any bits in every field that the file keeps, zero in all padding. Small
 * values are as likely as large ones.
 */
static inline void fixture_event(union lab_event *ev, unsigned int kind, uint64_t *seed)
{
	const struct group_def *group = &schema_groups[kind];

	memset(ev, 0, sizeof(*ev));
	for (size_t i = 0; i < group->field_cnt; i++) {
		const struct field_def *field = &group->fields[i];
		uint64_t shift = fixture_random(seed) % 64;

		for (size_t b = 0; b < field->bytes; b += 8) {
			uint64_t value = fixture_random(seed) >> shift;

			memcpy((char *)ev + field->off + b, &value,
			       field->bytes - b < 8 ? field->bytes - b : 8);
		}
		if (field->is_cpu) {
			uint32_t cpu = (uint32_t)(fixture_random(seed) % TRACE_CPUS_MAX);

			memcpy((char *)ev + field->off, &cpu, field->bytes);
		}
	}
	ev->head.kind = (uint8_t)kind;
	ev->head.cpu = (uint16_t)(fixture_random(seed) % 5);
	ev->head.seq = fixture_random(seed) % 7;
	ev->head.task %= 9;
}

static inline struct trace_writer *fixture_writer(const struct fixture_file *file)
{
	static const struct trace_meta empty;
	struct trace_writer *w = NULL;

	REQUIRE(trace_writer_open(&w, file->fd, &empty) == 0);
	return w;
}

/* Whether the reader gives exactly these events, then the end. */
static inline bool fixture_gives(struct trace_reader *r, const union lab_event *want, size_t cnt)
{
	union lab_event ev;

	for (size_t i = 0; i < cnt; i++) {
		memset(&ev, 0xa5, sizeof(ev));
		if (trace_reader_next(r, &ev) != 1 || memcmp(&ev, &want[i], sizeof(ev)))
			return false;
	}
	return trace_reader_next(r, &ev) == 0;
}

/* By (ts_ns, cpu, seq), stable, the slow and plain way of a merge sort. */
static inline void fixture_sort(union lab_event *ev, size_t cnt)
{
	size_t half = cnt / 2, a = 0, b = half;
	union lab_event *out;

	if (cnt < 2)
		return;
	fixture_sort(ev, half);
	fixture_sort(ev + half, cnt - half);
	out = calloc(cnt, sizeof(*out));
	REQUIRE(out);
	for (size_t i = 0; i < cnt; i++) {
		const struct lab_ev_head *x = &ev[a].head, *y = &ev[b].head;
		bool second = a == half;

		if (a < half && b < cnt)
			second = y->ts_ns != x->ts_ns ? y->ts_ns < x->ts_ns :
				 y->cpu != x->cpu ? y->cpu < x->cpu : y->seq < x->seq;
		out[i] = ev[second ? b++ : a++];
	}
	memcpy(ev, out, cnt * sizeof(*ev));
	free(out);
}

#endif /* LAB_TESTS_TRACE_FIXTURE_H */
