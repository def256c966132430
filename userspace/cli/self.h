/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_SELF_H
#define LAB_CLI_SELF_H

/*
 * self - how lab is called here, for command lines that can be copied.
 */

#include <stdbool.h>

/* Return: "lab", or what the launcher of a checkout was called by, such as "./lab". */
const char *self_command(void);

/*
 * Whether whoever called lab needs sudo to trace: not root itself, or root by sudo. To be asked
 * before the process becomes another user.
 */
bool self_needs_sudo(void);

/* "sudo ", or nothing, as self_needs_sudo() says: what stands before self_command() then. */
const char *self_sudo(void);

#define SELF_WORDS_MAX 512

/*
 * The words as they stand in a shell, each with a blank before it; "..." for the rest from the
 * first word on that does not fit.
 */
void self_words(char words[SELF_WORDS_MAX], int argc, char *const *argv);

#endif /* LAB_CLI_SELF_H */
