/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz_seeds - inputs from the traces of the tree, so that those need not lie in the corpus in
 * other forms.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scenario.h"
#include "trace/chunk.h"
#include "trace/scan.h"
#include "trace/schema.h"
#include "util/minmax.h"

static const char *const traces[] = {
	"tests/fixtures/sequential.lab", "tests/fixtures/async.lab",
	"tests/fixtures/threads-lock.lab",
	"tests/fixtures/pipe.lab", "tests/fixtures/quota.lab", "tests/fixtures/gil.lab",
	"tests/fixtures/markers.lab", "tests/fixtures/hidden.lab", "tests/fixtures/pingpong.lab",
	"tests/fixtures/pool.lab", "tests/fixtures/rounds.lab", "tests/fixtures/stuck.lab",
	"tests/fixtures/lossy/pipe.lab", "tests/fixtures/wrong/split.lab", "docs/samples/procs.lab",
};

/* What is collected for one target. */
struct seeds {
	const char *target;
	struct bytes_out file;	/* so far, as "bytes" takes it */
	void (*add)(void *ctx, const uint8_t *data, size_t size);
	void *ctx;
};

static bool is_for(const struct seeds *s, const char *target)
{
	return !strcmp(s->target, target);
}

/* An input that is a payload behind a few bytes of the target's own. */
static void add_behind(struct seeds *s, const uint8_t *front, size_t front_len, const uint8_t *raw,
		       size_t len)
{
	struct bytes_out out = { 0 };

	bytes_put(&out, front, front_len);
	bytes_put(&out, raw, len);
	s->add(s->ctx, out.p, out.len);
	free(out.p);
}

static void add_chunk(struct seeds *s, size_t idx, const struct trace_chunk *head,
		      const uint8_t *raw)
{
	uint8_t front[4] = { (uint8_t)idx };

	if (is_for(s, "chunk")) {
		add_behind(s, front, 1, raw, head->raw_len);
	} else if (is_for(s, "meta") &&
		   (head->type == TRACE_CHUNK_META || head->type == TRACE_CHUNK_END)) {
		front[0] = head->type == TRACE_CHUNK_END;
		add_behind(s, front, 1, raw, head->raw_len);
	} else if (is_for(s, "columns") && head->type == TRACE_CHUNK_EVENTS) {
		put_le(front, head->count, 2);
		put_le(front + 2, 0, 2);
		add_behind(s, front, 4, raw, head->raw_len);
	} else if ((is_for(s, "schema") && head->type == TRACE_CHUNK_SCHEMA) ||
		   (is_for(s, "index") && head->type == TRACE_CHUNK_INDEX) ||
		   (is_for(s, "symbols") && head->type == TRACE_CHUNK_SYMBOLS)) {
		s->add(s->ctx, raw, head->raw_len);
	}
}

/* As "bytes" takes it: fuzz_mend() makes right what is left out of its headers. */
static void add_to_file(struct seeds *s, const struct trace_chunk *head, const uint8_t *raw)
{
	uint8_t buf[TRACE_CHUNK_HEADER_LEN] = TRACE_CHUNK_MARK;

	put_le(buf + 4, head->type, 4);
	put_le(buf + 24, head->count, 4);
	put_le(buf + 32, head->first_ns, 8);
	put_le(buf + 40, head->last_ns, 8);
	bytes_put(&s->file, buf, sizeof(buf));
	bytes_put(&s->file, raw, head->raw_len);
}

static void take_apart(struct seeds *s, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const struct trace_source from = { .fd = fd };
	struct scan scan;

	NEED(fd >= 0 && !scan_file(&scan, fd, (uint64_t)lseek(fd, 0, SEEK_END)));
	s->file.len = 0;
	bytes_reserve(&s->file, TRACE_FILE_HEADER_LEN);
	memset(s->file.p, 0, TRACE_FILE_HEADER_LEN);
	s->file.len = TRACE_FILE_HEADER_LEN;
	for (size_t i = 0; i < scan.chunk_cnt; i++) {
		const struct trace_chunk *head = &scan.chunks[i].head;
		uint8_t *raw;

		NEED(!trace_chunk_load(&from, scan.chunks[i].off, head, TRACE_RAW_MAX, &raw));
		add_chunk(s, i, head, raw);
		add_to_file(s, head, raw);
		free(raw);
	}
	if (is_for(s, "bytes")) {
		fuzz_mend(s->file.p, s->file.len);
		s->add(s->ctx, s->file.p, s->file.len);
	}
	free(scan.chunks);
	close(fd);
}

void fuzz_seeds(const struct fuzz_target *target,
		void (*add)(void *ctx, const uint8_t *data, size_t size), void *ctx)
{
	struct seeds s = { .target = target->name, .add = add, .ctx = ctx };
	struct bytes_out scenario = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(traces); i++) {
		if (target->kind == TRACE) {
			scenario_of_trace(traces[i], &scenario);
			add(ctx, scenario.p, scenario.len);
		} else {
			take_apart(&s, traces[i]);
		}
	}
	free(scenario.p);
	free(s.file.p);
}
