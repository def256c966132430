/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RECORD_NAMES_H
#define LAB_RECORD_NAMES_H

/*
 * names - what the futexes are called that tasks are blocked at, for whoever reads the trace
 * later or elsewhere: the recorder's side of name_finder.h.
 *
 * The recorder looks at the records that it drains. For a wait at an address that this process
 * has not waited at before it sends a request, and goes on; the socket never blocks it. A
 * process that ends before the finder has looked (within some 25 ms of its first wait) leaves
 * no name, nor does one that the finder may not look into: another user's, one that is
 * set-user-ID or not dumpable. That is no error.
 *
 * A wrong name would be worse than none. An answer is kept only if the waiter was alive when
 * its maps had been read, if its process has not begun another program between the wait and a
 * second after that reading (an exec is recorded at its end, and its new memory is there
 * before), and if no record was refused by a full ring meanwhile, for an exec may have been
 * among those. Not noticed is a library that was unloaded and another that came to lie in its
 * place: an address is looked up once.
 *
 * Memory: 48 B for each of NAMES_MAX addresses, and 64 KiB; addresses beyond have no name. In
 * the file: 8 MiB at most (trace_symbols_add()). Time: one look-up in a hash table for each
 * record of a task that falls asleep in a futex; for an exec one step per address that its
 * process waited at.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab_event.h"
#include "trace/trace.h"

#define NAMES_MAX 16384

struct names;

struct names_opts {
	const struct lab_task_slot *slots;	/* LAB_TASK_SLOTS, shared with the probes */
	/*
	 * What the finder gives up when it begins, and the rest of its privileges before it
	 * reads a file that is not the kernel's. Return: 0, or it ends.
	 */
	int (*confine)(void);
	int (*confine_more)(void);
};

/* Starts the finder: call it while there is one thread. Return: NULL if that cannot be done. */
struct names *names_start(const struct names_opts *opts);

/* A record was drained. */
void names_see(struct names *n, const union lab_event *ev);

/**
 * names_finish() - all names that were found
 * @lost_from_ns, @lost_until_ns: records were refused between these; NEVER, 0: none
 * @cpu_ns: set to what the finder used of CPU time while recording
 *
 * Waits for the finder for some seconds at most.
 */
void names_finish(struct names *n, uint64_t lost_from_ns, uint64_t lost_until_ns,
		  struct trace_symbols *out, uint64_t *cpu_ns);

/* Ends the finder. Accepts NULL. */
void names_free(struct names *n);

/* ---- for names_finish() and its test ---- */

/* One address that a process waited at. */
struct names_asked {
	uint64_t addr;
	uint64_t wait_ns;
	uint64_t exec_ns;	/* the process's first exec since; UINT64_MAX: none */
	uint32_t task, tgid;
	uint32_t next_addr, next_tgid; /* in their chains; UINT32_MAX: the last */
	bool is_shared;
	bool answered;
};

/* True if what was read by @read_ns is the memory in which the wait was. */
bool names_hold(const struct names_asked *asked, uint64_t read_ns, uint64_t lost_from_ns,
		uint64_t lost_until_ns);

#endif /* LAB_RECORD_NAMES_H */
