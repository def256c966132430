/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RECORD_RECORD_H
#define LAB_RECORD_RECORD_H

/*
 * record - the kernel side's counterpart: loads the probes, arms them, empties
 * their rings into a trace file. The only user of libbpf.
 *
 * Order of a run: record_open() and record_start() with privileges; then they
 * may be given up: everything after works on mapped memory. The
 * workload must be parked (or, for --pid, running) and must not go on before
 * record_start() has returned.
 *
 * The names of futexes are found by a second process (names.h), where record_names() started it.
 *
 * Memory: one ring per possible CPU that is online (record_ring_bytes each, 256 MiB for
 * all at most), 8 MiB of task slots, and the writer's one chunk; it does not grow with the run.
 */

#include <stdbool.h>
#include <stdint.h>

#include "trace/trace.h"

struct record;

struct record_opts {
	bool ops;		/* hook epoll's system calls */
	uint32_t ring_mib;	/* per CPU; 0: 16, or less if all need more than 256 MiB */
	bool measure_overhead;	/* switch the kernel's BPF statistics on while recording */
};

/**
 * record_open() - load and attach every probe, disarmed
 *
 * Return: 0 and a recorder in *@out, or, after one logged sentence that says
 * what this kernel or user lacks and since when it exists: -EPERM, -ENOTSUP, or what
 * the kernel answered.
 */
int record_open(struct record **out, const struct record_opts *opts);

/**
 * record_start() - begin to record, and make a process ours
 * @pidfd: of the parked workload, or of the process to attach to
 * @cpus: watch who has these CPUs (the usable ones)
 * @armed_ns: CLOCK_MONOTONIC of the arming
 *
 * Return: 0, or -errno after a logged sentence (-ESRCH: the process is gone).
 */
int record_start(struct record *r, int pidfd, const uint16_t *cpus, uint32_t cpu_cnt,
		 uint64_t *armed_ns);

/* How this recording tells which tasks a quota holds back. */
enum lab_throttling record_throttling(const struct record *r);

/*
 * Visit each CPU once, so that a first record says who has it. Needs no
 * privilege; CPUs that this process may not use are left out.
 */
void record_visit_cpus(const uint16_t *cpus, uint32_t cpu_cnt);

/**
 * record_drain() - move what is in the rings to the file
 *
 * Return: how many records, or -errno of the writer.
 */
int64_t record_drain(struct record *r, struct trace_writer *w);

/**
 * record_names() - from the next drain on, look up what futexes are called
 * @confine, @confine_more: see struct names_opts
 *
 * Call it while there is one thread, after record_start() and before the first drain. Where it
 * is not possible there are no names.
 */
void record_names(struct record *r, int (*confine)(void), int (*confine_more)(void));

/**
 * record_names_finish() - the names that were found
 * @out: overwritten; empty if there are none
 *
 * After record_finish(). Waits some seconds at most.
 *
 * Return: the CPU time that it took while recording, in ns.
 */
uint64_t record_names_finish(struct record *r, struct trace_symbols *out);

/* Disarm, and wait until no probe is running any more. Idempotent. */
void record_stop(struct record *r);

/**
 * record_finish() - stop, drain, and add the totals kept outside the rings
 * @end: births, storage_failures, recursion_misses, *_unseen, bpf_* are filled in
 *
 * Return: 0 or -errno of the writer.
 */
int record_finish(struct record *r, struct trace_writer *w, struct trace_end *end);

/* As the probes see it now. */
uint64_t record_live_cnt(const struct record *r);	/* tasks born or seeded, not dead */
uint64_t record_birth_cnt(const struct record *r);
uint64_t record_refused_cnt(const struct record *r);	/* records refused by a full ring */
uint32_t record_ring_bytes(const struct record *r);	/* of one CPU's ring */

/* Accepts NULL. Detaches everything. */
void record_free(struct record *r);

#endif /* LAB_RECORD_RECORD_H */
