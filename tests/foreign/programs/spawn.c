/* SPDX-License-Identifier: GPL-2.0-only */
/* Sequential: posix_spawn (vfork inside glibc) of a program, twice, each awaited. */
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	pid_t child;

	for (int i = 0; i < 2 && argc > 1; i++)
		if (posix_spawnp(&child, argv[1], NULL, NULL, argv + 1, environ) == 0)
			waitpid(child, NULL, 0);
}
