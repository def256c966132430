/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_REREAD_READER_H
#define LAB_REREAD_READER_H

/*
 * reader - a trace file as docs/trace-format.md describes it; the verifier's own, which shares
 * nothing with the reader that the reports come from (trace/trace.h).
 *
 * Nothing is proved from a part of a file: whatever is wrong with one byte of it, all of
 * it is damaged. Every byte is hostile. Memory is that of the chunks whose times overlap.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reread/tools.h"

#define CPU_NUMBERS 1024	/* a CPU's number is below */

/* The kinds of section 11. */
enum kind {
	KIND_OUT = 1, KIND_IN, KIND_CLASS, KIND_WAKING, KIND_WAKEUP_NEW, KIND_MIGRATE, KIND_NEW,
	KIND_SEED, KIND_EXEC, KIND_EXIT, KIND_RENAME, KIND_CTL, KIND_WAIT, KIND_READY,
	KIND_TASK_TOTAL, KIND_CPU_TOTAL, KIND_MARKER, KIND_AFFINITY, KIND_GROUP,
	KIND_THROTTLE, KIND_CNT
};

/* Places of the fields in struct event. */
enum slot {
	F_TASK, F_FLAGS, F_NVCSW, F_NIVCSW, F_SUM_EXEC, F_MIGRATIONS, F_SYSCALL, F_ARG0, F_ARG1,
	F_ARG2, F_FD_TYPE, F_FD_FLAGS, F_STATE, F_CLOCK, F_NEXT_ID, F_EXEC_START, F_SINCE,
	F_WAKER_ID, F_WAKER_TID, F_WAKER_SYSCALL, F_WAKER_ARG0, F_OWNER, F_ORIG_CPU, F_DEST_CPU,
	F_PARENT, F_TID, F_TGID, F_CLONE, F_ON_CPU, F_TASK_CPU, F_EPFD, F_FD, F_OP, F_DATA, F_CNT,
	F_OUTS, F_MIGRATES,
	F_DEAD, F_SEQ_END, F_REFUSED,
	F_TEXT,			/* not here, but in struct event's text */
	F_READY,		/* READY_MAX pairs: low half, high half */
};

#define READY_MAX 16
#define MARKER_TEXT_MAX 96
#define SLOT_CNT (F_READY + 2 * READY_MAX)

struct head {
	uint64_t ts_ns, seq;
	uint32_t cpu;
	uint32_t kind;		/* enum kind; or one from KIND_CNT on, which nobody knows here */
};

static inline bool head_before(const struct head *a, const struct head *b)
{
	if (a->ts_ns != b->ts_ns)
		return a->ts_ns < b->ts_ns;
	return a->cpu != b->cpu ? a->cpu < b->cpu : a->seq < b->seq;
}

/* A text within the reader's memory; no NUL follows. */
struct words {
	const char *p;
	size_t len;
};

/* Fields that its kind or the file has not are 0; signed ones are extended. */
struct event {
	struct head head;
	uint64_t f[SLOT_CNT];
	struct words text;	/* of a marker: in text_bytes */
	char text_bytes[MARKER_TEXT_MAX];
};

struct clock_pair {
	uint32_t a, b;
	uint64_t eps_ns;
};

/* Of META and ENDM what a verdict rests on. */
struct circumstances {
	uint64_t digest;	/* of the chunks in front of the certificate */
	uint64_t attach_tgid, armed_ns;
	bool usable[CPU_NUMBERS];
	VEC(struct clock_pair) pairs;
	uint64_t reason, end_ns, births, storage_failures, recursion_misses, ready_unseen;
};

enum file_state {
	FILE_WHOLE = 0,
	FILE_UNFINISHED,	/* the recorder did not come to its end */
	FILE_DAMAGED,
	FILE_UNREADABLE,	/* the system refuses */
};

struct reader;

/**
 * reader_open() - a file, its description and its certificate
 * @fd: of a regular file, open for reading; borrowed for the reader's life
 * @r: always set; reader_why() says what is wrong, and it is to be freed
 */
enum file_state reader_open(struct reader **r, int fd);

/* Whether it says that it has more events than section 10 of the format allows for its size. */
bool reader_is_dense(const struct reader *r);

/* The next event in order of (ts_ns, cpu, seq). Return: 1, 0 at the end, -1: see reader_why(). */
int reader_next(struct reader *r, struct event *ev);

/* What is wrong with the file, a clause such as "its last chunk is cut". Borrowed. */
const char *reader_why(const struct reader *r);

const struct circumstances *reader_circumstances(const struct reader *r);

/* Whether there is a CERT chunk. */
bool reader_has_certificate(const struct reader *r);

/**
 * reader_pair() - the pairs of the certificate, one after the other
 * @pos: 0 before the first
 *
 * Return: 1, 0 at the end, -1: what follows is no pair.
 */
int reader_pair(const struct reader *r, size_t *pos, struct words *key, struct words *value);

/* Whether two are the same. */
bool words_are(struct words w, const char *text);

/* A CPU of a list in which they ascend; it is set in @cpus. */
bool words_cpu(struct words w, bool cpus[CPU_NUMBERS]);

/*
 * Take one decimal number off the front, with one space behind it if more follows. False: there is
 * none.
 */
bool words_number(struct words *w, uint64_t max, uint64_t *value);

void reader_free(struct reader *r);

#endif /* LAB_REREAD_READER_H */
