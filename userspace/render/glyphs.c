/* SPDX-License-Identifier: GPL-2.0-only */
#include <stddef.h>

#include "render/glyphs.h"

#define ASCII_BARS { "0", "1", "2", "3", "4", "5", "6", "7", "8" }

#define ASCII_CELLS(lock, cond, epoll) {					\
	[CELL_ABSENT] = " ", [CELL_RUN] = "0", [CELL_READY] = "!",		\
	[CELL_LOCK] = lock, [CELL_COND] = cond, [CELL_EPOLL] = epoll,		\
	[CELL_IO] = "~", [CELL_SLEEP] = ".", [CELL_CHILD] = "^", [CELL_OTHER] = "-",	\
	[CELL_SEVERAL] = "*", [CELL_NO_LANE] = "+", [CELL_FOREIGN] = "#",	\
	[CELL_UNKNOWN] = "?",							\
}

const struct glyphs glyphs_utf8 = {
	.cell = {
		[CELL_ABSENT] = " ", [CELL_RUN] = "0", [CELL_READY] = "▒",
		[CELL_LOCK] = "╳", [CELL_COND] = "◊", [CELL_EPOLL] = "◦", [CELL_IO] = "~",
		[CELL_SLEEP] = "·", [CELL_CHILD] = "^", [CELL_OTHER] = "-",
		[CELL_SEVERAL] = "*", [CELL_NO_LANE] = "+", [CELL_FOREIGN] = "#",
		[CELL_UNKNOWN] = "?",
	},
	.bar = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" },
	.tick = "╵",
};

const struct glyphs glyphs_ascii = {
	.cell = ASCII_CELLS("x", "c", "e"),
	.bar = ASCII_BARS,
	.tick = "|",
};

const struct glyphs glyphs_ascii_letters = {
	.cell = ASCII_CELLS("&", "%", "@"),
	.bar = ASCII_BARS,
	.tick = "|",
};

const struct glyphs *glyphs_for(const struct model *m, bool utf8)
{
	if (utf8)
		return &glyphs_utf8;
	if (m->cpu_cnt && m->cpus[m->cpu_cnt - 1].cpu > CPU_CHAR_UPPER_MAX)
		return &glyphs_ascii_letters;
	return &glyphs_ascii;
}

static enum cell cell_of_reason(enum reason reason)
{
	switch (reason) {
	case REASON_LOCK:
	case REASON_FILELOCK:
	case REASON_SEMAPHORE:
		return CELL_LOCK;
	case REASON_COND:
		return CELL_COND;
	case REASON_EPOLL:
	case REASON_POLL:
	case REASON_EVENTFD:
		return CELL_EPOLL;
	case REASON_PIPE:
	case REASON_QUEUE:
	case REASON_SOCKET:
	case REASON_URING:
	case REASON_DISK:
	case REASON_PAGEFAULT:
		return CELL_IO;
	case REASON_SLEEP:
		return CELL_SLEEP;
	case REASON_CHILD:
	case REASON_JOIN:
		return CELL_CHILD;
	default:
		return CELL_OTHER;
	}
}

enum cell cell_of_state(enum span_state state, enum reason reason)
{
	switch (state) {
	case SPAN_RUNNING:
		return CELL_RUN;
	case SPAN_READY:
		return CELL_READY;
	case SPAN_UNKNOWN:
		return CELL_UNKNOWN;
	default:
		return cell_of_reason(reason);
	}
}

const char *cell_sgr(enum cell cell)
{
	switch (cell) {
	case CELL_RUN:
	case CELL_SEVERAL:
	case CELL_NO_LANE:
		return "38;5;16;48;5;36";
	case CELL_READY:
	case CELL_FOREIGN:
		return "38;5;202";
	case CELL_LOCK:
	case CELL_COND:
		return "38;5;175";
	case CELL_EPOLL:
		return "38;5;32";
	case CELL_IO:
		return "38;5;214";
	case CELL_SLEEP:
	case CELL_CHILD:
	case CELL_OTHER:
		return "2";
	default:
		return "";
	}
}

const char *cell_meaning(enum cell cell)
{
	switch (cell) {
	case CELL_READY: return "waits for a CPU";
	case CELL_LOCK: return "lock";
	case CELL_COND: return "condition";
	case CELL_EPOLL: return "epoll, poll";
	case CELL_IO: return "I/O";
	case CELL_SLEEP: return "sleeps";
	case CELL_CHILD: return "end of a child or thread";
	case CELL_OTHER: return "blocked otherwise";
	case CELL_SEVERAL: return "several tasks";
	case CELL_NO_LANE: return "tasks without a lane";
	case CELL_FOREIGN: return "other programs";
	case CELL_UNKNOWN: return "not known";
	default: return NULL;
	}
}

char cpu_char(uint16_t cpu)
{
	if (cpu < 10)
		return (char)('0' + cpu);
	if (cpu <= CPU_CHAR_UPPER_MAX)
		return (char)('A' + cpu - 10);
	if (cpu < 62)
		return (char)('a' + cpu - CPU_CHAR_UPPER_MAX - 1);
	return '+';
}
