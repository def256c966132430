/* SPDX-License-Identifier: GPL-2.0-only */

#include "trace/ahead.h"

#include <errno.h>
#include <pthread.h>

#include "trace/trace.h"
#include "util/threads.h"

#define COUNT_MAX (4u * TRACE_EVENTS_PER_CHUNK)
#define SLOT_CNT 2

/* A chunk that was decoded and is not taken yet. */
struct slot {
	struct event_rows rows;
	int err;
	bool full;
};

struct ahead {
	const struct trace_source *from;
	const struct scan_chunk *const *chunks;
	size_t chunk_cnt, next;		/* to be given */
	struct decoder *decoder;	/* the thread's, once it runs */
	int err;			/* of a read */

	bool asked, threaded;
	pthread_t thread;
	/* of what follows, but for the rows of a slot that is not full */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct slot slots[SLOT_CNT];	/* chunk i in slot i % SLOT_CNT */
	bool stop;
};

struct ahead *ahead_new(const struct trace_source *from, const struct scan_chunk *const *chunks,
			size_t chunk_cnt, const struct schema *schema)
{
	struct ahead *a = xcalloc(1, sizeof(*a));

	a->from = from;
	a->chunks = chunks;
	a->chunk_cnt = chunk_cnt;
	a->decoder = decoder_new(schema);
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	return a;
}

static int decode_whole(const struct ahead *a, size_t i, struct event_rows *rows)
{
	const struct scan_chunk *from = a->chunks[i];
	const struct trace_chunk *head = &from->head;
	uint8_t *raw;
	int err;

	rows->len = 0;
	if (!head->count || head->count > COUNT_MAX)
		return -EBADMSG;
	err = trace_chunk_load(a->from, from->off, head, decoder_raw_max(a->decoder, head->count),
			       &raw);
	if (err)
		return err;
	err = decoder_run(a->decoder, raw, head->raw_len, head->count, rows);
	free(raw);
	if (err)
		return err;
	if (rows->first_ns != head->first_ns || rows->last_ns != head->last_ns)
		return -EBADMSG;
	return 0;
}

static int decode(const struct ahead *a, size_t i, struct event_rows *rows)
{
	return trace_source_err(a->from, decode_whole(a, i, rows));
}

/* ---- the thread ---- */

/* Until the slot is free. False: no more are wanted. */
static bool wait_for_room(struct ahead *a, const struct slot *slot)
{
	bool stop;

	pthread_mutex_lock(&a->lock);
	while (slot->full && !a->stop)
		pthread_cond_wait(&a->changed, &a->lock);
	stop = a->stop;
	pthread_mutex_unlock(&a->lock);
	return !stop;
}

static void *decode_ahead(void *arg)
{
	struct ahead *a = arg;

	for (size_t i = 0; i < a->chunk_cnt; i++) {
		struct slot *slot = &a->slots[i % SLOT_CNT];
		int err;

		if (!wait_for_room(a, slot))
			break;
		err = decode(a, i, &slot->rows);
		pthread_mutex_lock(&a->lock);
		slot->err = err;
		slot->full = true;
		pthread_cond_signal(&a->changed);
		pthread_mutex_unlock(&a->lock);
	}
	return NULL;
}

/* Where no thread can be had it goes without. */
static void start(struct ahead *a)
{
	a->asked = true;
	if (a->chunk_cnt > 1 && threads_useful() > 1)
		a->threaded = threads_start(&a->thread, decode_ahead, a);
}

static int take(struct ahead *a, struct slot *slot, struct event_rows *rows)
{
	struct event_rows empty = *rows;
	int err;

	pthread_mutex_lock(&a->lock);
	while (!slot->full)
		pthread_cond_wait(&a->changed, &a->lock);
	*rows = slot->rows;
	err = slot->err;
	slot->rows = empty;
	slot->full = false;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
	return err;
}

/* ---- together ---- */

int ahead_next(struct ahead *a, struct event_rows *rows)
{
	size_t i = a->next;
	int err;

	if (a->err)
		return a->err;
	if (!a->asked)
		start(a);
	a->next++;
	err = a->threaded ? take(a, &a->slots[i % SLOT_CNT], rows) : decode(a, i, rows);
	if (err && err != -EBADMSG)
		a->err = err;
	return err;
}

void ahead_free(struct ahead *a)
{
	if (!a)
		return;
	if (a->threaded) {
		pthread_mutex_lock(&a->lock);
		a->stop = true;
		pthread_cond_signal(&a->changed);
		pthread_mutex_unlock(&a->lock);
		pthread_join(a->thread, NULL);
	}
	for (int i = 0; i < SLOT_CNT; i++)
		free(a->slots[i].rows.p);
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->changed);
	decoder_free(a->decoder);
	free(a);
}
