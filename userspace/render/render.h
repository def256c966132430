/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_RENDER_H
#define LAB_RENDER_RENDER_H

/*
 * render - a report for people or programs. One file per format, defining
 * `const struct renderer renderer_NAME`, and one line RENDERER(NAME) in
 * renderer.def. Renderers format numbers and compute none.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "analyze/report.h"
#include "model/model.h"
#include "render/lens.h"
#include "util/json_doc.h"

/* What the trace says of itself. */
enum certificate_state {
	CERTIFICATE_NONE = 0,	/* no verdict is stored in it, or nobody looked */
	CERTIFICATE_HOLDS,
	CERTIFICATE_REFUTED,	/* the verdict stored in it does not follow from its records */
};

struct render_opts {
	uint32_t width;		/* columns; 0: 100 */
	bool utf8;		/* the output takes UTF-8 (render_utf8_ok) */
	bool color;
	bool brief;		/* verdict only (--quiet) */
	bool verbose;		/* all sections of the report (--verbose) */
	const char *trace_path;	/* for the "files" and "next" lines; NULL: leave them out */
	const char *html_path;	/* NULL: none was written */
	enum certificate_state certificate;
	const char *command;	/* how lab is called here, for command lines; NULL: "lab" */
	bool sudo;		/* it must be called by sudo to trace */
	/* "python": the option of lab run that marks what this program waits for; or NULL */
	const char *hook;
	bool embedded;		/* json: no critical_path.segments, which are given otherwise */
	const struct render_lens *lens; /* of formats that take one; NULL: all of it */
	uint64_t html_spans_max;/* html: at most so many are embedded; 0: HTML_SPANS_MAX */
	void (*progress)(uint64_t done, uint64_t total); /* html: called now and then; or NULL */
};

#define HTML_SPANS_MAX 20000000	/* a browser holds some 20 bytes for each */

struct renderer {
	const char *name;	/* what -f takes */
	const char *help;	/* one line */
	bool binary;		/* not meant for a terminal */
	bool takes_lens;

	/* Return: 0 or -errno (write error). @out is borrowed; the caller flushes and closes it. */
	int (*render)(const struct model *m, const struct report *r, const struct render_opts *opts,
		      FILE *out);
};

/* All of renderer.def, in its order, ended by NULL. */
extern const struct renderer *const renderers[];

/* Return: the renderer, or NULL. */
const struct renderer *renderer_find(const char *name);

/* What the renderer "json" writes, as a tree, into @doc, which is all-zero. */
void json_report(const struct model *m, const struct report *r, const struct render_opts *opts,
		 struct json_doc *doc);

/* The locale's codeset is UTF-8 and every glyph of the timeline is one column wide. */
bool render_utf8_ok(void);

#endif /* LAB_RENDER_RENDER_H */
