/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_WORKLOAD_CHANNEL_H
#define LAB_WORKLOAD_CHANNEL_H

/*
 * channel - messages of one size from one side to the other, over whatever the
 * kernel offers for it. Opened before the workers are born; each of them uses one
 * side of it.
 */

#include <stdint.h>

enum channel_kind {
	CHANNEL_PIPE = 0,
	CHANNEL_SOCKETPAIR = 1,
	CHANNEL_SHM = 2,	/* a ring in shared memory, a futex when it is empty or full */
	CHANNEL_MQUEUE = 3,	/* a POSIX message queue */
	CHANNEL_THREAD = 4,	/* a ring under a mutex with two conditions: threads only */
	CHANNEL_KIND_CNT,
};

#define CHANNEL_MESSAGE_WORDS 7

/* 64 bytes: a pipe takes it whole or not at all. */
struct channel_message {
	uint64_t number;
	uint64_t value[CHANNEL_MESSAGE_WORDS];
};

#define CHANNEL_DEPTH 8	/* messages that fit: of shm, mqueue and thread; into the others, more */

struct channel_ring;
struct channel_queue;

struct channel {
	enum channel_kind kind;
	int read_fd, write_fd;		/* pipe, socketpair; mqueue: one and the same */
	struct channel_ring *ring;	/* shm; mapped */
	struct channel_queue *queue;	/* thread; on the heap */
};

/* The words for --over, ended by NULL: "pipe", "socketpair", "shm", "mqueue", "thread". */
extern const char *const channel_names[];

/* "a pipe", "a message queue", ... */
const char *channel_phrase(enum channel_kind kind);

/* Return: 0, or -errno, not logged; channel_close() is not to be called then. */
int channel_open(struct channel *channel, enum channel_kind kind);

/* To be called once by nobody's side in particular, when all is over. */
void channel_close(struct channel *channel);

/*
 * Both wait as long as it takes. shm has one sender and one receiver, the others as many
 * as there are. Return: 0, or -errno, not logged; -EPIPE if the other side is gone.
 */
int channel_send(struct channel *channel, const struct channel_message *message);
int channel_receive(struct channel *channel, struct channel_message *message);

#endif /* LAB_WORKLOAD_CHANNEL_H */
