/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_TRUST_H
#define LAB_CLI_TRUST_H

/*
 * trust - what lab says, before a run, of how far its verdict can be relied on. Nothing here
 * refuses anything: docs/security.md says what follows from it.
 */

#include <limits.h>
#include <stdbool.h>

#include "cli/privilege.h"

/**
 * trust_changeable() - whether a user can put another program in this one's place
 * @path: absolute, of a program
 * @which: set to the first that the user may change: a folder on the way, or the program
 *
 * Who owns a file may change it, whatever its mode is; in a folder with the sticky bit others'
 * files stay theirs. Access control lists are not looked at.
 */
bool trust_changeable(const char *path, const struct privilege_user *user, char which[PATH_MAX]);

/*
 * Whether a person other than root called lab as root, by something else than sudo: su, doas,
 * pkexec.
 */
bool trust_caller_unknown(void);

#endif /* LAB_CLI_TRUST_H */
