/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_HTML_DATA_H
#define LAB_RENDER_HTML_DATA_H

/*
 * html_data - what the timeline of report.html is drawn from: a head in JSON (the names, and how
 * many rows are whose), then tables (html_table.h). Times are ns since the window's start. Internal
 * to html*.c.
 *
 *	spans	of every task in the order of the head's tasks, which adjoin: kind and dur for each;
 *		cpu for each that runs; call and waker for each that is blocked
 *	others	of every CPU in the order of the head's cpus, what ran there and was not ours, or is
 *		not known: gap since the last, dur, class, tid, comm
 *	path	the critical path, which covers the window: dur, task, kind
 *	parts	of marked operations, when they were not suspended: op, task, start, dur
 *
 * kind is 0 running, 1 ready, 1 + reason blocked, HTML_KIND_UNKNOWN where records are missing, and
 * HTML_KIND_MARK if the switch-in is hidden (running), if it was preempted (ready), or if an
 * interrupt ended it (blocked); and HTML_KIND_PROGRESS while the task is in progress
 * (analyze/progress.h). cpu, call and comm are indices into the head's lists; waker is a birth
 * number, 0 if none of ours.
 */

#include <stdio.h>

#include "render/render.h"

#define HTML_KIND_UNKNOWN 0x1f
#define HTML_KIND_MARK 0x20
#define HTML_KIND_PROGRESS 0x40

/* The head, in one script element. */
void html_data_head(FILE *out, const struct model *m, const struct report *r,
		    const struct render_opts *opts);

void html_data_tables(FILE *out, const struct model *m, const struct report *r,
		      const struct render_opts *opts);

/* The instant from which spans are left out, to keep no more than allowed; UINT64_MAX: none is. */
uint64_t html_data_cut_ns(const struct model *m, const struct render_opts *opts);

#endif /* LAB_RENDER_HTML_DATA_H */
