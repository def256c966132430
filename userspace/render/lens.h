/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_LENS_H
#define LAB_RENDER_LENS_H

/*
 * lens - what part of a run a reader wants to see. It leaves out lanes and rows and
 * shortens the time; the verdict stays the whole run's.
 */

#include <stdbool.h>
#include <stddef.h>

#include "analyze/range.h"

struct render_lens {
	struct range range;	/* owned by who made it */
	const bool *task_in;	/* by index into model.tasks; NULL: all */
	const bool *cpu_in;	/* by index into model.cpus; NULL: all */
};

static inline bool lens_has_task(const struct render_lens *lens, size_t idx)
{
	return !lens->task_in || lens->task_in[idx];
}

static inline bool lens_has_cpu(const struct render_lens *lens, size_t idx)
{
	return !lens->cpu_in || lens->cpu_in[idx];
}

/**
 * lens_by_run() - the tasks that a lens shows, those first that ran longest in its range
 * @cnt: how many there are
 *
 * Return: indices into model.tasks, to be freed; equal ones in order of birth.
 */
size_t *lens_by_run(const struct render_lens *lens, const struct model *m, size_t *cnt);

/* Put indices in order of birth. */
void lens_sort(size_t *idx, size_t cnt);

#endif /* LAB_RENDER_LENS_H */
