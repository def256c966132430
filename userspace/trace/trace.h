/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TRACE_TRACE_H
#define LAB_TRACE_TRACE_H

/*
 * trace - the file between recording and everything after it.
 * docs/trace-format.md is its specification.
 *
 * Append-only chunks, each with its own length and CRC-32; events as
 * delta-coded columns, deflated. The header says INCOMPLETE until
 * trace_writer_finish(). A file that was cut anywhere gives every chunk that
 * was wholly written.
 *
 * The reader treats each byte as hostile, never allocates from an unchecked
 * count, and gives the events of all chunks in order of (ts_ns, cpu, seq),
 * holding in memory only the chunks whose times overlap.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "claim.h"
#include "lab_event.h"

#define TRACE_CPUS_MAX 1024		/* CPU numbers are below this */

/* Two CPUs run at once if so many rounds in a row of a handshake take less than this on average. */
#define TRACE_HANDSHAKE_ROUNDS 1000
#define TRACE_HANDSHAKE_ROUND_NS 1000
/* a file of any size may have these, and one more per byte */
#define TRACE_EVENTS_ALWAYS 262144
#define TRACE_EVENTS_PER_CHUNK 16384	/* the writer's; a reader takes up to 4 times as many */

/* The bound on clock disagreement between two CPUs that was measured at the start. */
struct trace_clock_pair {
	uint16_t cpu_a, cpu_b;
	uint32_t eps_ns;
};

/* How a run was ended. */
enum trace_end_reason {
	TRACE_END_UNKNOWN = 0,	/* the file is incomplete */
	TRACE_END_EXIT = 1,	/* the last task ended */
	TRACE_END_FOR = 2,	/* --for */
	TRACE_END_INTERRUPT = 3,/* Ctrl-C */
	/* the root and its children ended; what was left outlived the grace time */
	TRACE_END_DAEMON = 4,
	TRACE_END_DETACH = 5,	/* --pid: the process was left running */
	TRACE_END_WRITE_ERROR = 6, /* the disk was full, or failed: recorded up to there */
};

/* What is known when recording starts. Strings and arrays are owned. */
struct trace_meta {
	char *lab_version;
	char *name;			/* of the workload, or the command's base name */
	char **argv;			/* argc strings, then NULL */
	uint32_t argc;
	bool is_command;		/* a command, not a built-in workload */
	uint32_t attach_tgid;		/* --pid; 0: lab started the root */
	/* --until-quiet: which one this is, of how many at most; else 0 */
	uint32_t attempt, attempts_max;
	struct claim claim;		/* or the --expect; class CLASS_NONE: none */
	char *release;			/* uname */
	char *machine;
	uint32_t cpus_online;
	/* allowed to the root and online at its release; ascending */
	uint16_t *cpus_usable;
	uint32_t cpus_usable_cnt;
	uint32_t quota_milli_cpus;	/* cgroup quota x 1000; 0: none */
	uint32_t throttling;		/* enum lab_throttling */
	bool smt;
	char *virtualized;		/* "kvm", "container", ...; "": none seen */
	uint32_t physical_round_ns;	/* slowest of each two usable CPUs; 0: not shown of all */
	uint64_t physical_age_ns;	/* time from the first of these handshakes to the start */
	bool ops_hooked;		/* the system-call hooks were on */
	uint64_t started_unix_ns;	/* CLOCK_REALTIME of the start, for people */
	uint64_t armed_ns;		/* CLOCK_MONOTONIC: probes began to record */
	struct trace_clock_pair *clock_pairs;
	uint32_t clock_pair_cnt;
};

/* What is known when it ends. Owns nothing. */
struct trace_end {
	uint32_t reason;		/* enum trace_end_reason */
	/* CLOCK_MONOTONIC of the cut; for TRACE_END_EXIT of the drain's end */
	uint64_t end_ns;
	bool root_reaped;
	/* of the root, as waitpid(2) gives it; valid if root_reaped */
	int32_t wait_status;
	bool left_known;
	/* processes of the tree that lived on when lab left; valid if left_known */
	uint32_t left;
	uint64_t births;		/* birth numbers given out, the root included */
	uint64_t storage_failures;	/* tasks that could not be marked: not followed */
	/* program runs the kernel skipped, and nothing makes up for */
	uint64_t recursion_misses;
	/* skipped runs that cost a name, an exec or an exit status */
	uint64_t name_misses;
	/* this kernel did not tell them to a recorder without privileges */
	bool misses_unread;
	/* epoll events beyond what the records hold, and calls not seen */
	uint64_t ready_unseen;
	/* times that a task entered a group beyond LAB_GROUPS_MAX */
	uint64_t groups_unseen;
	uint64_t bpf_ns, bpf_runs;	/* the kernel's statistics; 0, 0: not measured */
	uint64_t reader_cpu_ns;		/* CPU time of the recorder's own process while recording */
	uint64_t steal_ns;		/* of the usable CPUs in the window, from /proc/stat */
};

/*
 * Whether the root failed: it was killed, or its status is not 0. What lab itself sent when --for
 * was over is no failure.
 */
bool trace_end_failed(const struct trace_end *end);

/* An all-zero meta is empty. */
void trace_meta_release(struct trace_meta *meta);

#define TRACE_SYMBOL_TEXT_MAX 4096	/* bytes of a path or a symbol */
#define TRACE_NO_TEXT UINT32_MAX

/* What a futex's address is in its process. Texts are raw, as the traced machine has them. */
struct trace_symbol {
	uint32_t task;		/* that waited there, by its birth number */
	bool is_shared;		/* waited at as a futex that processes share */
	/* when a wait of it began: addr is of the memory that it had then */
	uint64_t wait_ns;
	uint64_t addr;
	/* text: path of the mapped file, or "[heap]", "[stack]", "[anon]", ... */
	uint32_t object;
	uint32_t symbol;	/* text, or TRACE_NO_TEXT */
	/*
	 * of an object file: its address there (as nm shows it); else in the file, or from the
	 * start of the mapping
	 */
	uint64_t offset;
	uint64_t symbol_off;	/* from the symbol's start */
};

struct trace_symbols {
	struct trace_symbol *rows;
	size_t row_cnt, row_cap;
	char **texts;
	size_t text_cnt, text_cap;
	size_t bytes;		/* while collecting: bound on what it takes in the file */
};

/*
 * A text to refer to. Return: its number; TRACE_NO_TEXT if it is empty, too long or one too many.
 */
uint32_t trace_symbols_text(struct trace_symbols *s, const char *text);

/*
 * One more row; nothing where its object is TRACE_NO_TEXT or there is no room. Texts take 4 MiB at
 * most, and all together 8 MiB.
 */
void trace_symbols_add(struct trace_symbols *s, const struct trace_symbol *row);

void trace_symbols_release(struct trace_symbols *s);

/* ---- writing ---- */

struct trace_writer;

/**
 * trace_writer_open() - begin a file
 * @fd: an empty regular file open for writing; stays the caller's to close after finish
 * @meta: borrowed for this call
 *
 * Return: 0 and a writer in *@out, or -errno.
 */
int trace_writer_open(struct trace_writer **out, int fd, const struct trace_meta *meta);

/**
 * trace_writer_add() - one more event, in any order of time
 * @ev: only the first trace_event_size(ev->head.kind) bytes are read
 *
 * Flushes a chunk when it is full. After an error every later call returns
 * the same error and the file stays readable up to the last whole chunk.
 *
 * Return: 0 or -errno (-EINVAL: unknown kind).
 */
int trace_writer_add(struct trace_writer *w, const union lab_event *ev);

/* Write what is buffered as a chunk; nothing if nothing is. Return: 0 or -errno. */
int trace_writer_flush(struct trace_writer *w);

/* Bytes in the file, and events added, so far. */
uint64_t trace_writer_bytes(const struct trace_writer *w);
uint64_t trace_writer_events(const struct trace_writer *w);

/* What is buffered, and then the names of futexes, unless there are none. Return: 0 or -errno. */
int trace_writer_symbols(struct trace_writer *w, const struct trace_symbols *symbols);

/* Flush, write the end, the index and the footer, clear INCOMPLETE. Return: 0 or -errno. */
int trace_writer_finish(struct trace_writer *w, const struct trace_end *end);

/*
 * What the file must be: the caller's, who frees it (trace/seal.h). Ask once, and when all is
 * written.
 */
struct trace_seal *trace_writer_seal(struct trace_writer *w);

/* Accepts NULL. Does not finish: a file freed unfinished stays INCOMPLETE. */
void trace_writer_free(struct trace_writer *w);

/* Size of a record of this kind, 0 if unknown. */
size_t trace_event_size(unsigned int kind);

/* ---- reading ---- */

struct trace_reader;
struct trace_source;

/**
 * trace_open() - open a file for a reader
 * @flags: O_RDONLY or O_RDWR
 *
 * Nothing but a regular file is opened: no device, and no FIFO.
 *
 * Return: a descriptor; or -errno after one logged sentence which names @path and what to do.
 */
int trace_open(const char *path, int flags);

/**
 * trace_reader_start() - check a file that is open
 * @from: borrowed for the reader's life; its position does not matter
 * @name: for the sentences
 *
 * Of a sealed file either all is as it was written, or nothing is read: -EKEYREJECTED, here or at
 * an event, after one logged sentence.
 *
 * Return: as trace_reader_open().
 */
int trace_reader_start(struct trace_reader **out, const struct trace_source *from,
		       const char *name);

/**
 * trace_reader_open() - open and check a file
 * @path: opened as trace_open() does
 *
 * Return: 0 and a reader in *@out; or, after one logged sentence which names @path and
 * what to do: -errno of open or read; -EBADMSG when it is no trace, is empty, or is damaged before
 * the first event; -EPROTONOSUPPORT when it is from a newer version. A file damaged or cut
 * later opens, with trace_reader_complete() false.
 */
int trace_reader_open(struct trace_reader **out, const char *path);

/* Borrowed from the reader. */
const struct trace_meta *trace_reader_meta(const struct trace_reader *r);

/* Borrowed; empty if the file has none, or they are damaged (which makes it no less complete). */
const struct trace_symbols *trace_reader_symbols(const struct trace_reader *r);

/* NULL if the file is incomplete. Borrowed. */
const struct trace_end *trace_reader_end(const struct trace_reader *r);

/* The end was written and every chunk was whole so far. Call again after the last event. */
bool trace_reader_complete(const struct trace_reader *r);

/*
 * What is wrong with an incomplete file, a sentence's tail such as "cut after 3 of its chunks"; ""
 * if nothing.
 */
const char *trace_reader_damage(const struct trace_reader *r);

/*
 * An incomplete file is damaged when bytes of it are wrong or were cut off after it had its end (a
 * chunk fails its check, or the header says complete and the end is not there); one whose recorder
 * was killed is merely incomplete. Call again after the last event.
 */
bool trace_reader_damaged(const struct trace_reader *r);

uint64_t trace_reader_bytes(const struct trace_reader *r);

/*
 * Events that the file says it has; and whether that is more than docs/trace-format.md bounds them
 * to by the file's size: no recorder writes such a file, and to read it may take any memory.
 */
uint64_t trace_reader_events(const struct trace_reader *r);
bool trace_reader_is_dense(const struct trace_reader *r);

/**
 * trace_reader_next() - the next event in order of (ts_ns, cpu, seq)
 * @ev: overwritten; bytes beyond the kind's size are zero
 *
 * A chunk that fails its check is left out, and makes the file incomplete.
 * Kinds this version does not know are skipped and counted as unknown.
 *
 * Return: 1, 0 at the end, -errno when the file cannot be read any more.
 */
int trace_reader_next(struct trace_reader *r, union lab_event *ev);

/*
 * The same without a copy: *@ev is borrowed until the next call. Bytes beyond the kind's size can
 * be read, and mean nothing.
 */
int trace_reader_borrow(struct trace_reader *r, const union lab_event **ev);

/* Events of kinds that this version does not know, so far. */
uint64_t trace_reader_unknown(const struct trace_reader *r);

/* Accepts NULL. */
void trace_reader_free(struct trace_reader *r);

#endif /* LAB_TRACE_TRACE_H */
