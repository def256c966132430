/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_HOOK_KEEPER_H
#define LAB_CLI_HOOK_KEEPER_H

/*
 * hook_keeper - a process of the workload's user that removes the hooks' folder when the run is
 * over. That user can put anything in its place at any time, so neither root nor another user may
 * walk it.
 */

#include <stdbool.h>

#include "cli/hook.h"
#include "cli/privilege.h"
#include "cli/side_process.h"

/**
 * hook_keeper_start() - fork it, if a hook is wanted
 * @set: after hook_choose(); nothing of it has been made yet
 * @user: whose process it becomes
 *
 * As side_process_start(), as root.
 */
int hook_keeper_start(struct side_process *keeper, const struct hook_set *set,
		      const struct privilege_user *user);

/* Have the folder removed. @fd: of a started one's struct, or a duplicate. */
void hook_keeper_tell(int fd);

/*
 * End it, after it has removed the folder, or left it where it is. Accepts an all-zero one. A
 * recorder that is killed says neither: the workload may go on, and need the folder, until
 * run_sender has seen it end.
 */
void hook_keeper_end(struct side_process *keeper, bool remove);

#endif /* LAB_CLI_HOOK_KEEPER_H */
