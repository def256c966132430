/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Small patterns with a class that is plain.
 * "actor": two clients send to a mailbox (a pipe) of one actor, which alone computes, and await its
 * answers: concurrent, two requests are in flight. "ticks": two threads sleep in turns of 10 ms:
 * concurrent. "pause": a thread in pause() while main computes: sequential, it is parked.
 * "timed": a thread waits for a condition with a time limit of 300 ms, which ends it; main does
 * the same: concurrent, for these waits are sleeps. "detached": main computes while an idle thread
 * reads a pipe that nobody writes: sequential. "yield": two threads poll with sched_yield until
 * it is their turn: parallel, for polling keeps a CPU busy.
 */
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>
#include "work.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static int mailbox[2], answers[2][2];
static volatile int turn;

static void *ask(void *arg)
{
	char me = *(char *)arg;

	for (int i = 0; i < 30; i++)
		if (write(mailbox[1], &me, 1) != 1 || read(answers[me - '0'][0], &me, 1) != 1)
			break;
	return NULL;
}

static void *tick(void *arg)
{
	for (int i = 0; i < 30; i++)
		rest(10);
	return arg;
}

static void *halt(void *arg)
{
	pause();
	return arg;
}

static void *timed(void *arg)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_nsec += 300000000;
	end.tv_sec += end.tv_nsec / 1000000000;
	end.tv_nsec %= 1000000000;
	pthread_mutex_lock(&mutex);
	pthread_cond_timedwait(&never, &mutex, &end);
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void *idle(void *arg)
{
	char byte;

	return read(mailbox[0], &byte, 1) == 1 ? arg : NULL;
}

static void *polite(void *arg)
{
	for (int i = 0; i < 20; i++) {
		while (turn != *(char *)arg - '0')
			sched_yield();
		burn(5);
		turn = !turn;
	}
	return NULL;
}

static void both(void *(*work)(void *))
{
	pthread_t a, b;

	burn(20);
	pthread_create(&a, NULL, work, "0");
	pthread_create(&b, NULL, work, "1");
	pthread_join(a, NULL);
	pthread_join(b, NULL);
}

/* The actor: main. */
static void act(void)
{
	pthread_t client;
	char from;

	pthread_create(&client, NULL, ask, "0");
	pthread_create(&client, NULL, ask, "1");
	for (int i = 0; i < 60 && read(mailbox[0], &from, 1) == 1; i++) {
		burn(5);
		if (write(answers[from - '0'][1], &from, 1) != 1)
			return;
	}
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "actor";
	pthread_t thread;

	if (pipe(mailbox) < 0 || pipe(answers[0]) < 0 || pipe(answers[1]) < 0)
		return 1;
	if (strcmp(kind, "actor") == 0) {
		act();
	} else if (strcmp(kind, "ticks") == 0) {
		both(tick);
	} else if (strcmp(kind, "timed") == 0) {
		both(timed);
	} else if (strcmp(kind, "yield") == 0) {
		both(polite);
	} else {
		pthread_create(&thread, NULL, *kind == 'p' ? halt : idle, NULL);
		burn(300);
	}
	return 0;
}
