/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_VERIFY_CERTIFICATE_H
#define LAB_VERIFY_CERTIFICATE_H

/*
 * certificate - what a trace says of itself, and its witness (sections 1 and 12 of
 * docs/certificate.md).
 */

#include "verify/figures.h"

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
	/* of a slice, from the records: */
	bool opened, closed;	/* those that it names are there, and are of this task */
	uint64_t opened_ns, closed_ns;
	uint64_t between;	/* records of that CPU with numbers in between */
	/* The first of these, from the start on, that states who has the CPU; NEVER. */
	uint64_t other_ns;
};

struct certificate {
	struct maybe class;	/* enum class */
	struct maybe numbers[N_CNT];
	bool cpus[CPU_NUMBERS];
	enum witness witness;
	VEC(struct part) parts;
	uint32_t part_on[CPU_NUMBERS]; /* the slice on each CPU, plus one */
};

/* What is wrong, clause by clause. */
struct complaints {
	VEC(char) text;		/* of the first hundred; each ended by NUL */
	uint64_t cnt;
};

#define COMPLAINTS_MAX 100

/* Return: whether it is well formed. */
bool certificate_read(const struct reader *r, struct certificate *c);

/* Each event: whether it is one that a slice names, or lies between those. */
void certificate_event(struct certificate *c, const struct event *ev);

void complain(struct complaints *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A number that is stored against the one that was derived. */
void compare_number(const struct certificate *c, enum number i, uint64_t derived,
		    struct complaints *to);

/* Hold the witness against the stored class, and against the records. */
void witness_hold(const struct certificate *c, const struct facts *f, const struct figures *g,
		  struct complaints *to);

#endif /* LAB_VERIFY_CERTIFICATE_H */
