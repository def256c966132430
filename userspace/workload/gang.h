/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_WORKLOAD_GANG_H
#define LAB_WORKLOAD_GANG_H

/*
 * gang - N workers, made of processes or of threads, and the end of all of them.
 * The caller is blocked until then, in wait4() or joining.
 *
 * Processes begin as they are born, and die with their parent. When one of them fails, or
 * cannot be forked, the others are killed: a worker may wait for another without end.
 * Threads wait at a gate until all of them are born, so that none begins if one
 * cannot be created; but for a gang with call_off, whose threads begin as they are born.
 * A thread that fails must leave nobody waiting for it.
 */

#include <stdint.h>

#define GANG_CNT_MAX 100000

struct gang {
	const char *name;	/* the workload's, for messages */
	const char *label;	/* workers are "label/1", "label/2", ...; NULL: by themselves */
	uint32_t cnt;		/* up to GANG_CNT_MAX */
	void *ctx;
	/*
	 * Be worker @idx (from 0). Return: 0; -EIO if work_compute() was wrong, which the gang
	 * logs; or another -errno after one logged sentence.
	 */
	int (*work)(void *ctx, uint32_t idx);
	/* After each birth, in the caller; may be NULL. */
	void (*born)(void *ctx, uint32_t born_cnt);
	/* A thread cannot be created: make those that have begun end. NULL: see above. */
	void (*call_off)(void *ctx);
};

/* Return: 0, or -errno after one logged sentence for each worker that failed. */
int gang_of_processes(const struct gang *gang);

/* As gang_of_processes(). Memory that the workers use is the caller's own. */
int gang_of_threads(const struct gang *gang);

/* Name the calling thread "label/1" for @idx 0, and so on. */
void gang_set_name(const char *label, uint32_t idx);

#endif /* LAB_WORKLOAD_GANG_H */
