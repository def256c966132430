/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/hook_keeper.h"

#include <sys/socket.h>
#include <unistd.h>

struct kept {
	const struct hook_set *set;
	const struct privilege_user *user;
};

static void keep(int fd, const void *arg)
{
	const struct kept *kept = arg;
	char byte;

	if (privilege_become(kept->user) || privilege_drop_capabilities())
		return;
	if (read(fd, &byte, 1) == 1)
		hook_remove(kept->set);
}

int hook_keeper_start(struct side_process *keeper, const struct hook_set *set,
		      const struct privilege_user *user)
{
	const struct kept kept = { set, user };

	if (!hook_first(set))
		return 0;
	return side_process_start(keeper, NULL, keep, &kept, 0,
				  "removes the folder of the start-up hooks");
}

void hook_keeper_tell(int fd)
{
	send(fd, "", 1, MSG_NOSIGNAL);
}

void hook_keeper_end(struct side_process *keeper, bool remove)
{
	/* If it was killed, the folder stays. */
	if (keeper->fd > 0 && remove)
		hook_keeper_tell(keeper->fd);
	side_process_stop(keeper);
}
