/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Two children without exec. "together": parallel. "turn" (fork and wait, twice): sequential.
 * "poll": one child computes and its parent asks every 10 ms whether it has ended: sequential,
 * and the computing is what the end waited for. "crash": the second child ends by a signal, and
 * main by the same: no expectation makes this a success.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "work.h"

static void child(void)
{
	if (fork() == 0) {
		burn(150);
		_exit(0);
	}
}

int main(int argc, char **argv)
{
	char kind = argc > 1 ? *argv[1] : 't';

	child();
	if (kind == 'p') {
		while (waitpid(-1, NULL, WNOHANG) == 0)
			rest(10);
		return 0;
	}
	if (argc > 1 && argv[1][1] == 'u')
		wait(NULL);
	child();
	while (wait(NULL) > 0)
		;
	if (kind == 'c')
		raise(SIGSEGV);
	return 0;
}
