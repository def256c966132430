/* SPDX-License-Identifier: GPL-2.0-only */
#include <signal.h>

#include "cli/command.h"

static void on_file_limit(int sig)
{
	(void)sig;
}

/*
 * A write beyond `ulimit -f` fails then with EFBIG, instead of ending lab. An ignored signal would
 * stay ignored in the commands that lab executes; a handler does not.
 */
static void survive_file_limit(void)
{
	struct sigaction action;

	if (sigaction(SIGXFSZ, NULL, &action) || action.sa_handler == SIG_IGN)
		return;
	action.sa_handler = on_file_limit;
	action.sa_flags = SA_RESTART;
	sigaction(SIGXFSZ, &action, NULL);
}

int main(int argc, char **argv)
{
	survive_file_limit();
	return command_dispatch(argc, argv);
}
