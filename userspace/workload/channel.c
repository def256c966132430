/* SPDX-License-Identifier: GPL-2.0-only */
#include "workload/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/io.h"
#include "util/minmax.h"
#include "workload/futex_call.h"

/*
 * One sender, one receiver. The words count messages and wrap around. Before a side sleeps
 * it says so and looks again; the other publishes before it looks whether anybody sleeps. So
 * at least one of the two sees the other, as all four are sequentially consistent.
 */
struct channel_ring {
	_Atomic uint32_t sent;
	_Atomic uint32_t received;
	_Atomic uint32_t receiver_sleeps;
	_Atomic uint32_t sender_sleeps;
	struct channel_message slots[CHANNEL_DEPTH];
};

struct channel_queue {
	pthread_mutex_t mutex;
	pthread_cond_t not_empty, not_full;
	uint32_t first, cnt;
	struct channel_message slots[CHANNEL_DEPTH];
};

struct channel_ops {
	int (*open)(struct channel *channel);
	int (*send)(struct channel *channel, const struct channel_message *message);
	int (*receive)(struct channel *channel, struct channel_message *message);
	void (*close)(struct channel *channel);
};

/* ---- descriptors: pipe and socketpair ---- */

static int pipe_open(struct channel *channel)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	channel->read_fd = fds[0];
	channel->write_fd = fds[1];
	return 0;
}

static int socketpair_open(struct channel *channel)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return -errno;
	channel->read_fd = fds[0];
	channel->write_fd = fds[1];
	return 0;
}

static int fd_send(struct channel *channel, const struct channel_message *message)
{
	return io_write_all(channel->write_fd, message, sizeof(*message));
}

static int fd_receive(struct channel *channel, struct channel_message *message)
{
	char *to = (char *)message;

	for (size_t got = 0; got < sizeof(*message);) {
		ssize_t n = read(channel->read_fd, to + got, sizeof(*message) - got);

		if (!n)
			return -EPIPE;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			got += (size_t)n;
	}
	return 0;
}

static void fd_close(struct channel *channel)
{
	close(channel->read_fd);
	close(channel->write_fd);
}

/* ---- a ring in shared memory ---- */

static int shm_open_ring(struct channel *channel)
{
	void *ring = mmap(NULL, sizeof(*channel->ring), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (ring == MAP_FAILED)
		return -errno;
	channel->ring = ring;
	return 0;
}

/* Sleep until *@word is no longer @seen; @sleeps tells the other side. */
static void ring_wait(_Atomic uint32_t *word, uint32_t seen, _Atomic uint32_t *sleeps)
{
	while (atomic_load(word) == seen) {
		atomic_store(sleeps, 1);
		if (atomic_load(word) == seen)
			futex_call_wait(word, seen);
		atomic_store(sleeps, 0);
	}
}

static void ring_publish(_Atomic uint32_t *word, uint32_t value, _Atomic uint32_t *sleeps)
{
	atomic_store(word, value);
	if (atomic_load(sleeps))
		futex_call_wake(word, 1);
}

static int shm_send(struct channel *channel, const struct channel_message *message)
{
	struct channel_ring *ring = channel->ring;
	uint32_t sent = atomic_load(&ring->sent);

	ring_wait(&ring->received, sent - CHANNEL_DEPTH, &ring->sender_sleeps);
	ring->slots[sent % CHANNEL_DEPTH] = *message;
	ring_publish(&ring->sent, sent + 1, &ring->receiver_sleeps);
	return 0;
}

static int shm_receive(struct channel *channel, struct channel_message *message)
{
	struct channel_ring *ring = channel->ring;
	uint32_t received = atomic_load(&ring->received);

	ring_wait(&ring->sent, received, &ring->receiver_sleeps);
	*message = ring->slots[received % CHANNEL_DEPTH];
	ring_publish(&ring->received, received + 1, &ring->sender_sleeps);
	return 0;
}

static void shm_close(struct channel *channel)
{
	munmap(channel->ring, sizeof(*channel->ring));
}

/* ---- a message queue of the kernel ---- */

static int mqueue_open(struct channel *channel)
{
	struct mq_attr attr = {
		.mq_maxmsg = CHANNEL_DEPTH,
		.mq_msgsize = sizeof(struct channel_message),
	};
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "/messages-%d", (int)getpid());
	fd = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attr);
	if (fd < 0)
		return -errno;
	mq_unlink(name);	/* it lives as long as it is open, and the name is free again */
	channel->read_fd = channel->write_fd = fd;
	return 0;
}

static int mqueue_send(struct channel *channel, const struct channel_message *message)
{
	while (mq_send(channel->write_fd, (const char *)message, sizeof(*message), 0))
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int mqueue_receive(struct channel *channel, struct channel_message *message)
{
	ssize_t n;

	do
		n = mq_receive(channel->read_fd, (char *)message, sizeof(*message), NULL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == (ssize_t)sizeof(*message) ? 0 : -EMSGSIZE;
}

static void mqueue_close(struct channel *channel)
{
	mq_close(channel->read_fd);
}

/* ---- within one process ---- */

static int queue_open(struct channel *channel)
{
	struct channel_queue *queue = xcalloc(1, sizeof(*queue));

	pthread_mutex_init(&queue->mutex, NULL);
	pthread_cond_init(&queue->not_empty, NULL);
	pthread_cond_init(&queue->not_full, NULL);
	channel->queue = queue;
	return 0;
}

static int queue_send(struct channel *channel, const struct channel_message *message)
{
	struct channel_queue *queue = channel->queue;

	pthread_mutex_lock(&queue->mutex);
	while (queue->cnt == CHANNEL_DEPTH)
		pthread_cond_wait(&queue->not_full, &queue->mutex);
	queue->slots[(queue->first + queue->cnt++) % CHANNEL_DEPTH] = *message;
	pthread_mutex_unlock(&queue->mutex);
	/* Before the unlocking it would wake one that must wait again, for the mutex. */
	pthread_cond_signal(&queue->not_empty);
	return 0;
}

static int queue_receive(struct channel *channel, struct channel_message *message)
{
	struct channel_queue *queue = channel->queue;

	pthread_mutex_lock(&queue->mutex);
	while (!queue->cnt)
		pthread_cond_wait(&queue->not_empty, &queue->mutex);
	*message = queue->slots[queue->first];
	queue->first = (queue->first + 1) % CHANNEL_DEPTH;
	queue->cnt--;
	pthread_mutex_unlock(&queue->mutex);
	pthread_cond_signal(&queue->not_full);
	return 0;
}

static void queue_close(struct channel *channel)
{
	pthread_cond_destroy(&channel->queue->not_full);
	pthread_cond_destroy(&channel->queue->not_empty);
	pthread_mutex_destroy(&channel->queue->mutex);
	free(channel->queue);
}

/* ---- all of them ---- */

const char *const channel_names[] = {
	[CHANNEL_PIPE] = "pipe",
	[CHANNEL_SOCKETPAIR] = "socketpair",
	[CHANNEL_SHM] = "shm",
	[CHANNEL_MQUEUE] = "mqueue",
	[CHANNEL_THREAD] = "thread",
	NULL,
};

static const struct channel_ops channel_ops[] = {
	[CHANNEL_PIPE] = { pipe_open, fd_send, fd_receive, fd_close },
	[CHANNEL_SOCKETPAIR] = { socketpair_open, fd_send, fd_receive, fd_close },
	[CHANNEL_SHM] = { shm_open_ring, shm_send, shm_receive, shm_close },
	[CHANNEL_MQUEUE] = { mqueue_open, mqueue_send, mqueue_receive, mqueue_close },
	[CHANNEL_THREAD] = { queue_open, queue_send, queue_receive, queue_close },
};

const char *channel_phrase(enum channel_kind kind)
{
	switch (kind) {
	case CHANNEL_PIPE: return "a pipe";
	case CHANNEL_SOCKETPAIR: return "a pair of sockets";
	case CHANNEL_SHM: return "shared memory";
	case CHANNEL_MQUEUE: return "a message queue";
	case CHANNEL_THREAD: return "the memory of one process";
	case CHANNEL_KIND_CNT: break;
	}
	return "nothing";
}

int channel_open(struct channel *channel, enum channel_kind kind)
{
	*channel = (struct channel){ .kind = kind, .read_fd = -1, .write_fd = -1 };
	return channel_ops[kind].open(channel);
}

void channel_close(struct channel *channel)
{
	channel_ops[channel->kind].close(channel);
}

int channel_send(struct channel *channel, const struct channel_message *message)
{
	return channel_ops[channel->kind].send(channel, message);
}

int channel_receive(struct channel *channel, struct channel_message *message)
{
	return channel_ops[channel->kind].receive(channel, message);
}
