/* SPDX-License-Identifier: GPL-2.0-only */

#include "trace/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/index.h"
#include "trace/merge.h"
#include "trace/meta.h"
#include "trace/scan.h"
#include "trace/schema.h"
#include "trace/symbols.h"
#include "util/io.h"
#include "util/log.h"

#define META_RAW_MAX (8u << 20)
#define SCHEMA_RAW_MAX (2u << 20)
#define INDEX_RAW_MAX (48u << 20)

struct trace_reader {
	struct trace_source from;
	int own_fd;		/* -1: the caller's */
	char *path;
	uint64_t bytes;
	struct trace_file_header header;
	bool header_bad;
	struct scan scan;
	struct trace_meta meta;
	struct trace_end end;
	bool end_known;		/* ENDM and INDX are whole and the file ends with them */
	size_t missing;		/* chunks that are not in the file, as far as can be told */
	struct trace_symbols symbols;
	struct schema schema;
	struct merge *merge;	/* NULL until the schema is known */
	char damage[96];
};

static size_t events_chunks(const struct trace_reader *r)
{
	size_t cnt = 0;

	for (size_t i = 0; i < r->scan.chunk_cnt; i++)
		cnt += r->scan.chunks[i].head.type == TRACE_CHUNK_EVENTS;
	return cnt;
}

static const char *plural(size_t cnt)
{
	return cnt == 1 ? "" : "s";
}

/* Say what is wrong, the worst first; "" if nothing is. */
static void describe_damage(struct trace_reader *r)
{
	size_t failed = merge_failed(r->merge);
	size_t lost = failed + r->missing;
	size_t whole = events_chunks(r) - failed;
	bool unfinished = r->header.flags & TRACE_FILE_INCOMPLETE;

	r->damage[0] = '\0';
	if (lost)
		snprintf(r->damage, sizeof(r->damage),
			 "damaged: %zu of its chunks left out, %zu chunk%s of events read",
			 lost, whole, plural(whole));
	else if (r->header_bad)
		snprintf(r->damage, sizeof(r->damage), "damaged in its header");
	else if (r->scan.broken)
		snprintf(r->damage, sizeof(r->damage), "damaged between its chunks");
	else if (!r->end_known && unfinished)
		snprintf(r->damage, sizeof(r->damage),
			 "not finished: recording stopped after %zu whole chunk%s of events",
			 whole, plural(whole));
	else if (!r->end_known && r->header.index_off >= r->bytes)
		snprintf(r->damage, sizeof(r->damage), "cut after %zu of its chunks of events",
			 whole);
	else if (!r->end_known)
		snprintf(r->damage, sizeof(r->damage), "cut or damaged at its end");
	else if (unfinished)
		snprintf(r->damage, sizeof(r->damage), "not marked as finished");
	else if (r->scan.end_off < r->bytes)
		snprintf(r->damage, sizeof(r->damage),
			 "followed by %" PRIu64 " bytes that do not belong to it",
			 r->bytes - r->scan.end_off);
}

/* The first chunk of a type, or NULL. */
static const struct scan_chunk *chunk_of_type(const struct trace_reader *r, uint32_t type)
{
	for (size_t i = 0; i < r->scan.chunk_cnt; i++)
		if (r->scan.chunks[i].head.type == type)
			return &r->scan.chunks[i];
	return NULL;
}

static int load(const struct trace_reader *r, const struct scan_chunk *chunk, uint64_t raw_max,
		uint8_t **raw)
{
	if (!chunk)
		return -EBADMSG;
	return trace_source_err(&r->from, trace_chunk_load(&r->from, chunk->off, &chunk->head,
							   raw_max, raw));
}

/* META and SCHM: without them nothing can be read. */
static int read_start(struct trace_reader *r)
{
	const struct scan_chunk *meta = chunk_of_type(r, TRACE_CHUNK_META);
	const struct scan_chunk *schema = chunk_of_type(r, TRACE_CHUNK_SCHEMA);
	uint8_t *raw;
	int err;

	err = load(r, meta, META_RAW_MAX, &raw);
	if (err)
		return err;
	err = meta_parse(&r->meta, raw, meta->head.raw_len);
	free(raw);
	if (err)
		return err;
	err = load(r, schema, SCHEMA_RAW_MAX, &raw);
	if (err)
		return err;
	err = schema_parse(&r->schema, raw, schema->head.raw_len);
	free(raw);
	return err;
}

/* How many chunks the index knows that the scan did not find where it says. */
static size_t missing_by_index(const struct trace_reader *r, const struct index *index)
{
	size_t missing = 0, i = 0;

	for (size_t k = 0; k < index->chunk_cnt; k++) {
		const struct index_chunk *want = &index->chunks[k];
		const struct scan_chunk *c = NULL;

		while (i < r->scan.chunk_cnt && r->scan.chunks[i].off < want->off)
			i++;
		if (i < r->scan.chunk_cnt && r->scan.chunks[i].off == want->off)
			c = &r->scan.chunks[i];
		if (!c || c->head.type != TRACE_CHUNK_EVENTS || c->head.count != want->count ||
		    c->head.first_ns != want->first_ns || c->head.last_ns != want->last_ns)
			missing++;
	}
	return missing;
}

/* Chunks that the numbers of those that are there say are not there. */
static size_t missing_by_number(const struct trace_reader *r)
{
	const struct scan *scan = &r->scan;

	return scan->chunk_cnt ? scan->chunks[scan->chunk_cnt - 1].head.number + (size_t)1 -
				 scan->chunk_cnt : 0;
}

/* ENDM and INDX, if they are there. Return: 0 or -errno of a read. */
static int read_end(struct trace_reader *r)
{
	const struct scan_chunk *end = chunk_of_type(r, TRACE_CHUNK_END);
	const struct scan_chunk *idx = chunk_of_type(r, TRACE_CHUNK_INDEX);
	struct index index = { 0 };
	uint8_t *raw;
	int err;

	r->missing = missing_by_number(r);
	err = load(r, end, META_RAW_MAX, &raw);
	if (err)
		return err == -EBADMSG ? 0 : err;
	err = meta_end_parse(&r->end, raw, end->head.raw_len);
	free(raw);
	if (err)
		return 0;
	err = load(r, idx, INDEX_RAW_MAX, &raw);
	if (err)
		return err == -EBADMSG ? 0 : err;
	err = index_parse_chunks(&index, raw, idx->head.raw_len);
	free(raw);
	if (!err && (r->header.flags & TRACE_FILE_INCOMPLETE ||
		     r->header.index_off == idx->off)) {
		size_t missing = missing_by_index(r, &index);

		if (missing > r->missing)
			r->missing = missing;
		r->end_known = index.chunk_cnt - missing == events_chunks(r);
	}
	index_release(&index);
	return 0;
}

/* Names are a help and prove nothing: a file without is as good. Return: 0 or -errno of a read. */
static int read_symbols(struct trace_reader *r)
{
	const struct scan_chunk *chunk = chunk_of_type(r, TRACE_CHUNK_SYMBOLS);
	uint8_t *raw;
	int err = load(r, chunk, SYMBOLS_RAW_MAX, &raw);

	if (err)
		return err == -EBADMSG ? 0 : err;
	symbols_parse(&r->symbols, raw, chunk->head.raw_len);
	free(raw);
	return 0;
}

/* ---- opening ---- */

/* For its errors; O_PATH opens nothing, so that no device does anything. */
static int look_for_regular(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;
	int err;

	if (fd < 0 || fstat(fd, &st)) {
		err = -errno;
		log_err("cannot open %s: %s; check the path and the permissions", path,
			io_reason(-err));
	} else if (S_ISDIR(st.st_mode)) {
		err = -EISDIR;
		log_err("%s is a directory; name the trace file in it, such as %s/trace.lab",
			path, path);
	} else if (!S_ISREG(st.st_mode)) {
		err = -EINVAL;
		log_err("%s is not a regular file; copy the trace into a file and name that", path);
	} else if (!st.st_size) {
		err = -EBADMSG;
		log_err("%s is empty: no trace was written to it; record again", path);
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return err;
}

int trace_open(const char *path, int flags)
{
	int found = look_for_regular(path), fd;
	char link[32];

	if (found < 0)
		return found;
	/* What was looked at, whatever has the name now. */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", found);
	fd = open(link, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		fd = -errno;
		log_err("cannot open %s: %s; check the path and the permissions", path,
			io_reason(-fd));
	}
	close(found);
	return fd;
}

static int read_error(const struct trace_reader *r, int err)
{
	if (err == -EKEYREJECTED)
		log_err("another process has changed %s since lab wrote it: there is no report. "
			"Whoever may write there can do this; run the workload as another user "
			"(--user)", r->path);
	else
		log_err("cannot read %s: %s%s", r->path, io_reason(-err),
			err == -ENOMEM ? "" : "; copy it to another disk and try that");
	return err;
}

static int read_file_header(struct trace_reader *r)
{
	uint8_t buf[TRACE_FILE_HEADER_LEN] = { 0 };
	size_t len = r->bytes < sizeof(buf) ? (size_t)r->bytes : sizeof(buf);
	int err = io_pread_all(r->from.fd, buf, len, 0);

	if (!err && r->from.seal && !trace_seal_holds(r->from.seal, 0, buf, len))
		err = -EKEYREJECTED;
	if (err)
		return read_error(r, err);
	err = trace_file_header_get(buf, &r->header);
	if (err == -EBADMSG) {
		log_err("%s is not a lab trace; name a trace.lab that lab run wrote", r->path);
		return err;
	}
	r->header_bad = err == -EUCLEAN;
	if (r->header.major != TRACE_MAJOR) {
		log_err("%s is a trace of format version %u.%u, and this lab reads version %u; "
			"use the lab that wrote it, or a newer one", r->path, r->header.major,
			r->header.minor, TRACE_MAJOR);
		return -EPROTONOSUPPORT;
	}
	return 0;
}

static int reader_start(struct trace_reader *r)
{
	int err = read_file_header(r);

	if (err)
		return err;
	err = scan_file(&r->scan, r->from.fd, r->bytes);
	/* A chunk that is there is checked when it is loaded; here, that none is gone, or came. */
	if (!err && r->from.seal && r->scan.chunk_cnt + 1 != trace_seal_piece_cnt(r->from.seal))
		err = -EKEYREJECTED;
	if (!err)
		err = read_start(r);
	if (!err)
		err = read_symbols(r);
	if (!err)
		err = read_end(r);
	if (err == -EPROTONOSUPPORT)
		log_err("%s was written by a newer lab that codes events in another way; "
			"use that lab, or a newer one", r->path);
	else if (err == -EBADMSG)
		log_err("%s is damaged before its first event, so none can be read; "
			"copy it again from where it was recorded, or record again", r->path);
	else if (err)
		read_error(r, err);
	return err;
}

int trace_reader_start(struct trace_reader **out, const struct trace_source *from, const char *name)
{
	struct trace_reader *r;
	struct stat st;
	int err;

	if (fstat(from->fd, &st)) {
		err = -errno;
		log_err("cannot read %s: %s", name, strerror(-err));
		return err;
	}
	r = xcalloc(1, sizeof(*r));
	r->from = *from;
	r->own_fd = -1;
	r->path = xstrdup(name);
	r->bytes = (uint64_t)st.st_size;
	err = reader_start(r);
	if (err) {
		trace_reader_free(r);
		return err;
	}
	r->merge = merge_new(&r->from, &r->scan, &r->schema);
	describe_damage(r);
	*out = r;
	return 0;
}

int trace_reader_open(struct trace_reader **out, const char *path)
{
	struct trace_source from = { .fd = trace_open(path, O_RDONLY) };
	int err = from.fd < 0 ? from.fd : trace_reader_start(out, &from, path);

	if (!err)
		(*out)->own_fd = from.fd;
	else if (from.fd >= 0)
		close(from.fd);
	return err;
}

/* ---- what is asked of it ---- */

const struct trace_meta *trace_reader_meta(const struct trace_reader *r)
{
	return &r->meta;
}

const struct trace_symbols *trace_reader_symbols(const struct trace_reader *r)
{
	return &r->symbols;
}

bool trace_reader_complete(const struct trace_reader *r)
{
	return !r->damage[0];
}

const struct trace_end *trace_reader_end(const struct trace_reader *r)
{
	return trace_reader_complete(r) ? &r->end : NULL;
}

bool trace_reader_damaged(const struct trace_reader *r)
{
	bool unfinished = r->header.flags & TRACE_FILE_INCOMPLETE;

	return r->damage[0] && (!unfinished || r->missing || merge_failed(r->merge) ||
				r->header_bad || r->scan.broken);
}

const char *trace_reader_damage(const struct trace_reader *r)
{
	return r->damage;
}

uint64_t trace_reader_bytes(const struct trace_reader *r)
{
	return r->bytes;
}

uint64_t trace_reader_events(const struct trace_reader *r)
{
	uint64_t events = 0;

	for (size_t i = 0; i < r->scan.chunk_cnt; i++)
		if (r->scan.chunks[i].head.type == TRACE_CHUNK_EVENTS)
			events += r->scan.chunks[i].head.count;
	return events;
}

bool trace_reader_is_dense(const struct trace_reader *r)
{
	return trace_reader_events(r) > TRACE_EVENTS_ALWAYS + r->bytes;
}

uint64_t trace_reader_unknown(const struct trace_reader *r)
{
	return merge_unknown(r->merge);
}

int trace_reader_borrow(struct trace_reader *r, const union lab_event **ev)
{
	size_t failed = merge_failed(r->merge);
	int ret = merge_next(r->merge, ev);

	if (merge_failed(r->merge) != failed)
		describe_damage(r);
	return ret < 0 ? read_error(r, ret) : ret;
}

int trace_reader_next(struct trace_reader *r, union lab_event *ev)
{
	const union lab_event *from;
	int ret = trace_reader_borrow(r, &from);

	if (ret > 0) {
		*ev = (union lab_event){ 0 };
		memcpy(ev, from, trace_event_size(from->head.kind));
	}
	return ret;
}

void trace_reader_free(struct trace_reader *r)
{
	if (!r)
		return;
	merge_free(r->merge);
	schema_release(&r->schema);
	trace_meta_release(&r->meta);
	trace_symbols_release(&r->symbols);
	free(r->scan.chunks);
	free(r->path);
	if (r->own_fd >= 0)
		close(r->own_fd);
	free(r);
}
