/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Programs that never end. "circle": two threads each hold one lock and want the other's, a
 * deadlock. "signal": a thread waits for a condition that was signalled before it began to
 * wait. "fork": a child wants a lock that a thread of its parent held at the fork. lab must say
 * so first, and expect no class of them.
 */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
#include "work.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t said = PTHREAD_COND_INITIALIZER;

static void both(pthread_mutex_t *first, pthread_mutex_t *second)
{
	pthread_mutex_lock(first);
	burn(40);
	rest(10);
	pthread_mutex_lock(second);
}

static void *other(void *arg)
{
	switch (*(char *)arg) {
	case 'c':
		both(&b, &a);
		break;
	case 's':
		burn(40);
		pthread_mutex_lock(&a);
		pthread_cond_wait(&said, &a);
		break;
	default:
		pthread_mutex_lock(&a);
		burn(200);
		pthread_mutex_unlock(&a);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char *kind = argc > 1 ? argv[1] : "circle";

	if (*kind == 's')
		pthread_cond_signal(&said);
	pthread_create(&thread, NULL, other, kind);
	if (*kind == 'c')
		both(&a, &b);
	if (*kind == 'f') {
		rest(20);
		if (fork() == 0) {
			pthread_mutex_lock(&a);
			_exit(0);
		}
		wait(NULL);
	}
	pthread_join(thread, NULL);
}
