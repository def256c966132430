/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_TRACE_INPUT_H
#define LAB_CLI_TRACE_INPUT_H

/*
 * trace_input - a trace that is open, before a byte of it is read: it is opened with the rights of
 * whoever called lab, and read without them.
 */

#include <stdbool.h>
#include <stddef.h>

struct trace_seal;

#define TRACE_FILE_NAME "trace.lab"	/* in a run's folder */

/* All-zero is none. */
struct trace_input {
	int fd;
	char *path;			/* for the sentences; owned */
	const struct trace_seal *seal;	/* of a file that this process wrote itself; or NULL */
	bool by_sudo;			/* whoever opened it needs sudo to trace (self.h) */
	/* --force: also one that is dense (trace_reader_is_dense()) */
	bool force;
};

/* The row of an option table for --force, which is member @member of @type. */
#define TRACE_INPUT_FORCE_OPT(type, member) \
	{ .name = "force", .kind = OPT_FLAG, .off = offsetof(type, member), \
	  .help = "read a file that holds more records than recordings of its size do" }

/* Log that it is dense, and what to do. */
void trace_input_log_dense(const struct trace_input *in);

/**
 * trace_input_open() - open the trace that an operand names
 * @operand: the file, or a run's folder that has TRACE_FILE_NAME in it
 * @flags: O_RDONLY or O_RDWR
 *
 * Return: 0, or -errno after one logged sentence. trace_input_close() it in any case.
 */
int trace_input_open(struct trace_input *in, const char *operand, int flags);

/* Accepts an all-zero one. */
void trace_input_close(struct trace_input *in);

#endif /* LAB_CLI_TRACE_INPUT_H */
