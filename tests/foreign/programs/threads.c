/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Parallel: N threads compute and share nothing. Sequential with "turn": each is joined before
 * the next begins.
 */
#include <pthread.h>
#include "work.h"

static void *work(void *arg)
{
	burn(150);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t threads[16];
	int n = number(argc, argv, 2);

	for (int i = 0; i < n; i++) {
		pthread_create(&threads[i], NULL, work, NULL);
		if (argc > 2)
			pthread_join(threads[i], NULL);
	}
	for (int i = 0; i < n && argc == 2; i++)
		pthread_join(threads[i], NULL);
}
