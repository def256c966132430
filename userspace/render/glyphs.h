/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_GLYPHS_H
#define LAB_RENDER_GLYPHS_H

/*
 * glyphs - the symbols of the terminal timeline. Each is one column wide.
 * Colour repeats what the symbols say and adds nothing.
 */

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

/* What one cell of a lane can show. The first CELL_TASK_CNT are states of a task. */
enum cell {
	CELL_ABSENT = 0,	/* not born yet, or dead */
	CELL_RUN,		/* drawn as the CPU's digit; in a CPU lane as the task's letter */
	CELL_READY,
	CELL_LOCK,		/* lock, filelock, semaphore */
	CELL_COND,
	CELL_EPOLL,		/* epoll, poll, eventfd */
	CELL_IO,		/* pipe, socket, uring, disk, pagefault */
	CELL_SLEEP,		/* in a CPU lane: idle */
	CELL_CHILD,		/* child, join: the end of a process or of a thread */
	CELL_OTHER,		/* kernel, stopped, signal, other */
	CELL_UNKNOWN,		/* missing records; in a CPU lane also: who had it is not known */
	CELL_TASK_CNT,
	CELL_SEVERAL = CELL_TASK_CNT, /* CPU lanes: no task has half of the busy time */
	CELL_NO_LANE,		/* CPU lanes: tasks that have no lane of their own */
	CELL_FOREIGN,
	CELL_CNT,
};

#define GLYPH_BAR_CNT 9		/* heights 0 to 8 of a strip's cell */

struct glyphs {
	const char *cell[CELL_CNT]; /* [CELL_RUN] is a placeholder */
	const char *bar[GLYPH_BAR_CNT];
	const char *tick;
};

extern const struct glyphs glyphs_utf8;
extern const struct glyphs glyphs_ascii;
extern const struct glyphs glyphs_ascii_letters; /* where small letters stand for CPUs */

/* Those that are right for the CPUs of this run. */
const struct glyphs *glyphs_for(const struct model *m, bool utf8);

/* The cell that shows this state; @reason counts only for SPAN_BLOCKED. */
enum cell cell_of_state(enum span_state state, enum reason reason);

/* SGR parameters for this cell ("2"), or "" for the terminal's own colour. */
const char *cell_sgr(enum cell cell);

/* What a legend says of it; NULL for CELL_ABSENT and CELL_RUN. */
const char *cell_meaning(enum cell cell);

#define CPU_CHAR_UPPER_MAX 35	/* the highest CPU that needs no small letter */

/* A CPU in a task's lane: 0-9, A-Z (10 to 35), a-z (36 to 61), '+' for all above. */
char cpu_char(uint16_t cpu);

#endif /* LAB_RENDER_GLYPHS_H */
