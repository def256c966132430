/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_VERIFY_FIXTURE_H
#define TESTS_VERIFY_FIXTURE_H

/*
 * verify_fixture - traces in memory, with the certificate that lab itself stores, for the tests of
 * the checker.
 */

#include <stdbool.h>
#include <stddef.h>

#include "claim.h"
#include "lab_event.h"
#include "schedule.h"
#include "trace/trace.h"
#include "verify/verify.h"

/* A trace taken apart. */
struct vfx {
	union lab_event *events;
	size_t cnt, cap;
	const struct trace_meta *meta;
	const struct trace_end *end;
	struct trace_reader *reader;	/* owns the two, if it was read; else the fixture does */
};

/* What lab itself makes of a trace. */
struct vfx_verdict {
	bool exists;		/* else it has no root */
	enum verdict_class class;
	bool lossless, clean;
	char *lines;		/* the certificate; owned */
	char *model;		/* all tasks and their spans, as text; owned */
};

/* Read a file of the tree, from the top of the checkout. */
void vfx_read(struct vfx *v, const char *path);

/* The events of a made-up run, which is borrowed. */
void vfx_take(struct vfx *v, const struct schedule *s);

void vfx_release(struct vfx *v);

/* A file in memory with these events and no certificate. Return: its descriptor. */
int vfx_write(const struct vfx *v);

/* Change an event, or its order, and later bring it back. */
void vfx_copy(struct vfx *to, const struct vfx *from);

/* What the model and the report make of it. @with_model: also as text */
void vfx_judge(int fd, bool with_model, struct vfx_verdict *out);
void vfx_verdict_release(struct vfx_verdict *v);

/* Store a certificate. */
void vfx_certify(int fd, const char *lines);

/* Run the checker. @text: set to what it prints, to be freed; may be NULL */
enum verify_result vfx_verify(int fd, char **text);

#endif /* TESTS_VERIFY_FIXTURE_H */
