/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_MODEL_BUILDER_H
#define LAB_MODEL_BUILDER_H

/*
 * builder - the way from events to a model, one event at a time. Used by
 * model_build(), and by tests that make events up.
 */

#include "model/model.h"

struct model_builder;

/* @meta is copied. Never fails (dies when out of memory). */
struct model_builder *model_builder_new(const struct trace_meta *meta);

/* Events must come in order of (ts_ns, cpu, seq), as trace_reader_next() gives them. */
void model_builder_feed(struct model_builder *b, const union lab_event *ev);

/* Names of futexes, to be worked in at the end; borrowed until then. */
void model_builder_symbols(struct model_builder *b, const struct trace_symbols *symbols);

/**
 * model_builder_finish() - close what is open and hand the model over
 * @end: NULL for an incomplete file
 * @damage: "" or what is wrong with the file
 *
 * Return: 0, or -EBADMSG (logged). @out is to be released in either case.
 */
int model_builder_finish(struct model_builder *b, const struct trace_end *end, const char *damage,
			 struct model *out);

/* Accepts NULL. */
void model_builder_free(struct model_builder *b);

#endif /* LAB_MODEL_BUILDER_H */
