/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TESTS_SCENARIO_H
#define LAB_TESTS_SCENARIO_H

/*
 * scenario - bytes that are a whole run: some knobs, the payloads of META, ENDM and SYMS, keys that
 * a reader of the timeline presses, and records as they come out of the rings, one behind the
 * other. Any bytes are one; whatever is cut is left out.
 *
 *	knobs, then for each section: 2 bytes of length, and so many bytes; then records
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"
#include "trace/bytes.h"
#include "trace/trace.h"

#define SCENARIO_EVENTS_MAX 2000

enum { SECTION_META, SECTION_END, SECTION_SYMBOLS, SECTION_KEYS, SECTION_CNT };

struct section {
	const uint8_t *p;	/* borrowed */
	size_t len;
};

struct scenario {
	struct {
		uint8_t flags;		/* KNOB_* */
		uint8_t width;		/* 0: none is asked for; else columns above 79, to 200 */
		uint8_t from, until;	/* what a lens shows, in 256ths of the run */
	} knobs;
	struct section sections[SECTION_CNT];
	union lab_event *events;	/* owned */
	size_t cnt, cap;

	/* scenario_parse(): */
	struct trace_meta meta;
	struct trace_end end;
	struct trace_symbols symbols;
};

#define KNOB_UNFINISHED 0x01	/* the recorder was killed */
#define KNOB_CHUNKS 0x02	/* a chunk for each 64 records */
#define KNOB_UTF8 0x04
#define KNOB_COLOR 0x08
#define KNOB_BRIEF 0x10
#define KNOB_LENS 0x20

/* @data: borrowed. scenario_release() it. */
void scenario_split(struct scenario *s, const uint8_t *data, size_t size);

/* The sections' meaning. Return: false if META or ENDM have none. */
bool scenario_parse(struct scenario *s);

void scenario_release(struct scenario *s);

void scenario_write(const struct scenario *s, struct bytes_out *out);

/* The trace file. */
void scenario_record(const struct scenario *s, int fd);

/* From a trace file. @data: what scenario_write() gives. */
void scenario_of_trace(const char *path, struct bytes_out *data);

#endif /* LAB_TESTS_SCENARIO_H */
