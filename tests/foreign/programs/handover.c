/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Two siblings pass one token back and forth, and each computes only while it has it:
 * concurrent (both are under way all the time), never parallel. What carries the token is the
 * serializer: "pipe" (two processes), "cond", "futex" (two threads).
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "work.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int turn;
static int pipes[2][2];
static char kind;

static void await_turn(int me)
{
	char token;
	int now;

	if (kind == 'p') {
		while (read(pipes[me][0], &token, 1) != 1)
			;
	} else if (kind == 'c') {
		pthread_mutex_lock(&mutex);
		while (turn != me)
			pthread_cond_wait(&turned, &mutex);
		pthread_mutex_unlock(&mutex);
	} else {
		while ((now = __atomic_load_n(&turn, __ATOMIC_SEQ_CST)) != me)
			syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, now, NULL, NULL, 0);
	}
}

static void give_turn(int other)
{
	if (kind == 'p') {
		while (write(pipes[other][1], "t", 1) != 1)
			;
	} else if (kind == 'c') {
		pthread_mutex_lock(&mutex);
		turn = other;
		pthread_cond_signal(&turned);
		pthread_mutex_unlock(&mutex);
	} else {
		__atomic_store_n(&turn, other, __ATOMIC_SEQ_CST);
		syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
}

static void *play(void *arg)
{
	int me = arg != NULL;

	for (int i = 0; i < 80; i++) {
		await_turn(me);
		burn(2);
		give_turn(!me);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[2];

	kind = argc > 1 ? *argv[1] : 'p';
	if (kind == 'p') {
		if (pipe(pipes[0]) < 0 || pipe(pipes[1]) < 0)
			return 1;
		give_turn(0);
	}
	for (int i = 0; i < 2; i++) {
		if (kind != 'p')
			pthread_create(&threads[i], NULL, play, i ? &turn : NULL);
		else if (fork() == 0)
			_exit(play(i ? &turn : NULL) != NULL);
	}
	for (int i = 0; i < 2 && kind != 'p'; i++)
		pthread_join(threads[i], NULL);
	while (wait(NULL) > 0)
		;
}
