/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_SVG_H
#define LAB_RENDER_SVG_H

/* svg - the timeline of a stretch of the run as a picture: text as text, no script. */

#include "render/render.h"

struct svg_view {
	struct render_lens lens;	/* borrowed */
	uint32_t width;			/* of the picture; 0: 1000; at least 320 are taken */
	uint32_t columns;		/* stretches of time told apart; 0: one per unit of width */
	uint32_t cpus_max, tasks_max;	/* lanes; of the tasks that ran longest in the stretch */
	const char *headword;		/* for its title: report_headword() */
	bool standalone;		/* a file of its own, not a part of an HTML page */
};

/*
 * In each column of a lane the states are stacked, as high as their share of its time: what is
 * painted is the time.
 */
void svg_draw(FILE *out, const struct model *m, const struct svg_view *view);

#endif /* LAB_RENDER_SVG_H */
