/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/maps.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/alloc.h"

#define BUFFER_BYTES (32u << 10)	/* more than a line with the longest path */

struct text {
	const char *p, *end;
};

static void skip(struct text *t, char c)
{
	while (t->p < t->end && *t->p == c)
		t->p++;
}

/* A number in this base and the character behind it. Return: false if they are not there. */
static bool number(struct text *t, unsigned int base, char behind, uint64_t *value)
{
	const char *start = t->p;

	*value = 0;
	for (; t->p < t->end && isxdigit((unsigned char)*t->p); t->p++) {
		unsigned int digit = isdigit((unsigned char)*t->p) ?
			(unsigned int)(*t->p - '0') :
			(unsigned int)(tolower((unsigned char)*t->p) - 'a' + 10);

		if (digit >= base || *value > (UINT64_MAX - digit) / base)
			return false;
		*value = *value * base + digit;
	}
	if (t->p == start || t->p == t->end || *t->p != behind)
		return false;
	t->p++;
	return true;
}

/* START-END rwxp OFFSET MAJOR:MINOR INODE PATH; blanks before the path. */
bool map_parse(const char *line, size_t len, struct map *out)
{
	struct text t = { line, line + len };
	uint64_t major, minor;

	if (!number(&t, 16, '-', &out->start) || !number(&t, 16, ' ', &out->end) ||
	    out->start >= out->end || t.end - t.p < 5 || t.p[4] != ' ')
		return false;
	out->writable = t.p[1] == 'w';
	t.p += 5;
	if (!number(&t, 16, ' ', &out->off) || !number(&t, 16, ':', &major) ||
	    !number(&t, 16, ' ', &minor) || !number(&t, 10, ' ', &out->ino))
		return false;
	skip(&t, ' ');
	if (major > UINT32_MAX || minor > UINT32_MAX || t.end - t.p >= MAPS_PATH_MAX ||
	    memchr(t.p, 0, (size_t)(t.end - t.p)))
		return false;
	out->dev_major = (uint32_t)major;
	out->dev_minor = (uint32_t)minor;
	memcpy(out->path, t.p, (size_t)(t.end - t.p));
	out->path[t.end - t.p] = '\0';
	return true;
}

/* A reading under way. */
struct reading {
	const uint64_t *addrs;
	size_t cnt, next;	/* next: the first address not looked up yet */
	maps_found_fn found;
	void *ctx;
	struct map *at, *file;	/* this line; the last file */
	uint64_t chain_end;	/* what adjoins the file ends here; 0: something came between */
};

static void take_line(struct reading *r, const char *line, size_t len)
{
	if (!map_parse(line, len, r->at)) {
		r->chain_end = 0;
		return;
	}
	if (!r->at->ino && r->at->start != r->chain_end)
		r->chain_end = 0;
	for (; r->next < r->cnt && r->addrs[r->next] < r->at->end; r->next++)
		if (r->addrs[r->next] >= r->at->start)
			r->found(r->ctx, r->next, r->at,
				 !r->at->ino && r->chain_end ? r->file : NULL);
	if (r->at->ino) {
		struct map *was = r->file;

		r->file = r->at;
		r->at = was;
		r->chain_end = r->file->end;
	} else if (r->chain_end) {
		r->chain_end = r->at->end;
	}
}

/* The whole lines of the buffer. Return: the bytes they take. */
static size_t take_lines(struct reading *r, const char *buf, size_t len)
{
	const char *line = buf, *end;

	while ((end = memchr(line, '\n', len - (size_t)(line - buf))) != NULL) {
		take_line(r, line, (size_t)(end - line));
		line = end + 1;
	}
	return (size_t)(line - buf);
}

int maps_find(int fd, const uint64_t *addrs, size_t cnt, maps_found_fn found, void *ctx)
{
	struct reading r = { .addrs = addrs, .cnt = cnt, .found = found, .ctx = ctx };
	char *buf = xmalloc(BUFFER_BYTES);
	size_t len = 0, total = 0, used;
	int err = 0;

	r.at = xcalloc(1, sizeof(*r.at));
	r.file = xcalloc(1, sizeof(*r.file));
	while (r.next < cnt && total < MAPS_BYTES_MAX && len < BUFFER_BYTES) {
		ssize_t n = read(fd, buf + len, BUFFER_BYTES - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err = n < 0 ? -errno : 0;
			break;
		}
		len += (size_t)n;
		total += (size_t)n;
		used = take_lines(&r, buf, len);
		memmove(buf, buf + used, len - used);
		len -= used;
	}
	free(r.at);
	free(r.file);
	free(buf);
	return err;
}
