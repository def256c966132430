/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_VERIFY_CERTIFICATE_H
#define LAB_VERIFY_CERTIFICATE_H

/*
 * certificate - what a trace says of itself (docs/certificate.md), and the records that it names.
 */

#include "verify/figures.h"

enum number {
	N_WINDOW_START, N_WINDOW_END, N_EPS_MAX, N_RUN, N_BUSY, N_PARALLEL, N_PARALLEL_LOW,
	N_PARALLEL_HIGH, N_BUSY_LOW, N_BUSY_HIGH, N_LONGEST, N_ACTIVE, N_CONCURRENT, N_MAX_TASKS,
	N_MAX_OPS, N_NEVER_TWO, N_BIRTHS, N_DEATHS, N_ALIVE, N_OUTS, N_COUNTED, N_HIDDEN, N_AHEAD,
	N_DIGEST,
	N_DERIVED,		/* those before are derived from the records */
	N_WITNESS_FROM = N_DERIVED, N_WITNESS_UNTIL, N_WITNESS_EPS,
	N_CNT
};

extern const char *const number_keys[N_CNT];
extern const char *const class_names[CLASS_CNT];

enum witness { WITNESS_NONE, WITNESS_SLICE, WITNESS_TASK, WITNESS_OPERATION, WITNESS_CNT };

/* A number that may be absent. */
struct maybe {
	uint64_t v;
	bool there;
};

/* The nine fields. */
enum { P_TASK, P_OP, P_CPU_IN, P_SEQ_IN, P_CPU_OUT, P_SEQ_OUT, P_START, P_END, P_TID, P_CNT };

struct part {
	struct maybe f[P_CNT];
	/* what the records say, for a slice: */
	bool opened, closed;	/* the records that it names are there, and are of this task */
	uint64_t opened_ns, closed_ns;
	uint64_t between;	/* records of that CPU with numbers in between */
	uint64_t other_ns;	/* the first of these that says who has the CPU; NEVER */
};

#define PARTS_MAX CPU_NUMBERS

struct certificate {
	struct maybe class;	/* enum class */
	struct maybe numbers[N_CNT];
	bool cpus[CPU_NUMBERS];
	enum witness witness;
	struct part *parts;
	size_t part_cnt, part_cap;
	uint32_t part_on[CPU_NUMBERS]; /* the slice on each CPU, plus one */
};

/* Return: whether it is well formed. certificate_release() it in either case. */
bool certificate_read(const struct reader *r, struct certificate *c);

/* Each event, before or after the replay has it: whether it is one that a slice names. */
void certificate_event(struct certificate *c, const struct event *ev);

/* Where what is wrong goes, clause by clause. */
struct complaints {
	void (*take)(struct complaints *to, const char *text);
};

void complain(struct complaints *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Hold the witness against the stored class, and against the records. */
void certificate_witness(const struct certificate *c, const struct facts *f,
			 const struct figures *g, struct complaints *to);

void certificate_release(struct certificate *c);

#endif /* LAB_VERIFY_CERTIFICATE_H */
