/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RECORD_NAME_FINDER_H
#define LAB_RECORD_NAME_FINDER_H

/*
 * name_finder - a process of its own that finds out what the addresses of futexes are, so that
 * nothing a traced program does can hold the recorder up: reading /proc/PID/maps waits for a
 * lock of that program's memory, opening its files for whoever serves their file system, and
 * libelf reads bytes that the program wrote.
 *
 * While recording it reads maps, as requests come, and keeps the object files open, so that
 * what is deleted or replaced meanwhile does no harm: a file is taken only if the kernel shows
 * it, mapped here, as the same device and inode. It spends at most 100 ms and 1 % of the time
 * that passes, and leaves requests waiting beyond that; one reading is 8 MiB at most. When
 * recording is over, it gives up what privilege it had left, reads the object files, answers,
 * and ends.
 *
 * Memory: 4 KiB for each of FINDER_OBJECTS_MAX files, 80 B a request; 1 GiB more while it
 * reads object files.
 */

#include <stdint.h>

#include "lab_event.h"

#define FINDER_OBJECTS_MAX 1024	/* files and other mappings told apart */

/* To the finder, one message each; the other end shut down: recording is over. */
struct finder_request {
	uint64_t addr;
	uint32_t idx;		/* comes back with the answer */
	uint32_t task;		/* that waits there; nothing is answered if it has died */
	uint32_t tgid;		/* of its process, in this PID namespace */
	uint32_t pad;
};

enum finder_kind {
	FINDER_OBJECT = 1,	/* object: its number; text: its path */
	FINDER_NAME = 2,	/* all but cpu_ns; text: the symbol, or empty */
	FINDER_END = 3,		/* cpu_ns, and nothing follows */
};

/* From the finder, one message each; the text fills the rest of the message, without a NUL. */
struct finder_answer {
	uint32_t kind;		/* enum finder_kind */
	uint32_t idx;
	uint32_t object;
	uint32_t pad;
	uint64_t read_ns;	/* CLOCK_MONOTONIC: the maps were read by then */
	uint64_t offset;
	uint64_t symbol_off;
	uint64_t cpu_ns;	/* of this process while recording */
};

struct finder {
	int fd;				/* to the recorder: a SOCK_SEQPACKET */
	const struct lab_task_slot *slots; /* shared with the probes */
	int (*confine)(void);		/* see struct names_opts */
	int (*confine_more)(void);
};

/* What the process does. Takes over every open file; ends with the process. */
void finder_main(const struct finder *finder) __attribute__((noreturn));

#endif /* LAB_RECORD_NAME_FINDER_H */
