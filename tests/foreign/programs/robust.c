/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Concurrent: a process waits for a robust mutex that two others use in turn until they end
 * while they hold it. That wait is for a lock, and not for the end of a thread.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "work.h"

int main(void)
{
	pthread_mutex_t *mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t kind;

	pthread_mutexattr_init(&kind);
	pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(mutex, &kind);
	for (int i = 0; i < 4; i++) {
		if (fork() != 0)
			continue;
		if (pthread_mutex_lock(mutex) == EOWNERDEAD)
			pthread_mutex_consistent(mutex);
		burn(60);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
}
