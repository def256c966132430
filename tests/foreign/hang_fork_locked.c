/* SPDX-License-Identifier: GPL-2.0-only */
/* hang_fork_locked - a child is forked while another thread holds a lock, and then wants that lock. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t shared_list = PTHREAD_MUTEX_INITIALIZER;

static void *holder(void *unused)
{
	pthread_mutex_lock(&shared_list);
	usleep(100000);
	pthread_mutex_unlock(&shared_list);
	return unused;
}

int main(void)
{
	pthread_t thread;
	pid_t child;

	pthread_create(&thread, NULL, holder, NULL);
	usleep(30000);
	child = fork();
	if (!child) {
		pthread_mutex_lock(&shared_list);
		_exit(0);
	}
	pthread_join(thread, NULL);
	return waitpid(child, NULL, 0) != child;
}
