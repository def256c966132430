/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_SWEEP_H
#define LAB_RENDER_SWEEP_H

/*
 * sweep - how a workload scales (analyze/scaling.h) for people, for programs, and for a slide.
 * @scaling is a struct scaling. Return: 0 or -errno (write error).
 */

#include <stdio.h>

#include "analyze/scaling.h"
#include "render/render.h"

int sweep_term(const void *scaling, const struct render_opts *opts, FILE *out);

/* As docs/lab-sweep.schema.json says. */
int sweep_json(const void *scaling, const struct render_opts *opts, FILE *out);

/* A picture that needs nothing else: text as text, no script. */
int sweep_svg(const void *scaling, const struct render_opts *opts, FILE *out);

/* What both pictures leave room for: the largest speedup measured, at least 1. */
double sweep_top(const struct scaling *s);

/* "Amdahl", "USL". */
const char *sweep_law_name(enum scaling_law law);

/* What a fit says, or why there is none; one line of text, ended by no stop. */
struct sweep_text {
	char s[320];
};

struct sweep_text sweep_fit(const struct scaling *s, enum scaling_law law);

/* Which points are in no fit, and why; "" if all are. */
struct sweep_text sweep_left_out(const struct scaling *s);

#endif /* LAB_RENDER_SWEEP_H */
