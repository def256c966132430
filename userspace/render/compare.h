/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_COMPARE_H
#define LAB_RENDER_COMPARE_H

/*
 * compare - a comparison (analyze/comparison.h) for people and for programs. @comparison is a
 * struct comparison. Return: 0 or -errno (write error).
 */

#include <stdio.h>

#include "analyze/comparison.h"
#include "render/render.h"

int compare_term(const void *comparison, const struct render_opts *opts, FILE *out);

/* As docs/lab-compare.schema.json says. */
int compare_json(const void *comparison, const struct render_opts *opts, FILE *out);

/* "the CPUs: work 97.2 %", "blocked on sleep 98.1 %", "too few tasks 50.0 %". */
struct loss_text {
	char s[64];
};

struct loss_text compare_loss(const struct comparison_row *row);

/* A part of the capacity by its name in JSON: "blocked", "no_thread", ...; "none". */
const char *compare_loss_name(enum capacity_loss loss);

#endif /* LAB_RENDER_COMPARE_H */
