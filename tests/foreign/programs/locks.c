/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Concurrent, never parallel: two threads, or two processes, compute only while they hold one
 * lock, which the first argument chooses. That lock is the serializer. Parallel for "spin" (who
 * waits for a spin lock burns a CPU, which is not progress) and "read" (readers share a lock).
 * After each turn a task sleeps for 0.1 ms, so that the other gets the lock; with a second argument
 * it does not, and takes the lock again before the other has woken up.
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <unistd.h>
#include "work.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static sem_t semaphore;
static sem_t *shared;
static int sysv;
static const char *path;
static double pause_ms = 0.1;

static int file(void)
{
	static __thread int fd;

	return fd ? fd : (fd = open(path, O_RDWR | O_CREAT, 0600));
}

static void range(int type, int command)
{
	struct flock all = { .l_type = type, .l_whence = SEEK_SET };

	fcntl(file(), command, &all);
}

static void step(int by)
{
	struct sembuf operation = { 0, by, 0 };

	semop(sysv, &operation, 1);
}

static const struct kind {
	const char *name;
	int processes;
	void (*lock)(void), (*unlock)(void);
} kinds[];

#define DO(name, call) static void name(void) { call; }
DO(lock_mutex, pthread_mutex_lock(&mutex))
DO(unlock_mutex, pthread_mutex_unlock(&mutex))
DO(lock_write, pthread_rwlock_wrlock(&rwlock))
DO(lock_read, pthread_rwlock_rdlock(&rwlock))
DO(unlock_rw, pthread_rwlock_unlock(&rwlock))
DO(lock_spin, pthread_spin_lock(&spin))
DO(unlock_spin, pthread_spin_unlock(&spin))
DO(lock_sem, sem_wait(&semaphore))
DO(unlock_sem, sem_post(&semaphore))
DO(lock_shared, sem_wait(shared))
DO(unlock_shared, sem_post(shared))
DO(lock_flock, flock(file(), LOCK_EX))
DO(unlock_flock, flock(file(), LOCK_UN))
DO(lock_fcntl, range(F_WRLCK, F_SETLKW))
DO(unlock_fcntl, range(F_UNLCK, F_SETLK))
DO(lock_ofd, range(F_WRLCK, F_OFD_SETLKW))
DO(unlock_ofd, range(F_UNLCK, F_OFD_SETLK))
DO(lock_sysv, step(-1))
DO(unlock_sysv, step(1))

static const struct kind kinds[] = {
	{ "mutex", 0, lock_mutex, unlock_mutex },
	{ "write", 0, lock_write, unlock_rw },
	{ "read", 0, lock_read, unlock_rw },
	{ "spin", 0, lock_spin, unlock_spin },
	{ "sem", 0, lock_sem, unlock_sem },
	{ "shared", 1, lock_shared, unlock_shared },
	{ "flock", 1, lock_flock, unlock_flock },
	{ "fcntl", 1, lock_fcntl, unlock_fcntl },
	{ "ofd", 1, lock_ofd, unlock_ofd },
	{ "sysv", 1, lock_sysv, unlock_sysv },
	{ NULL, 0, NULL, NULL },
};

static void *work(void *arg)
{
	const struct kind *kind = arg;

	for (int i = 0; i < 60; i++) {
		kind->lock();
		burn(2);
		kind->unlock();
		if (pause_ms > 0)
			rest(pause_ms);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const struct kind *kind = kinds;
	pthread_t threads[2];

	while (kind->name && argc > 1 && strcmp(kind->name, argv[1]) != 0)
		kind++;
	path = "locks.tmp";
	if (argc > 2)
		pause_ms = 0;
	pthread_spin_init(&spin, 0);
	sem_init(&semaphore, 0, 1);
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sem_init(shared, 1, 1);
	sysv = semget(IPC_PRIVATE, 1, 0600);
	step(1);
	for (int i = 0; i < 2; i++) {
		if (!kind->processes)
			pthread_create(&threads[i], NULL, work, (void *)kind);
		else if (fork() == 0)
			_exit(work((void *)kind) != NULL);
	}
	for (int i = 0; i < 2 && !kind->processes; i++)
		pthread_join(threads[i], NULL);
	while (wait(NULL) > 0)
		;
	semctl(sysv, 0, IPC_RMID);
	unlink(path);
}
