/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/self.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *self_command(void)
{
	const char *command = getenv("LAB_COMMAND");	/* set by the launcher of a checkout */

	return command && *command ? command : "lab";
}

bool self_needs_sudo(void)
{
	return getuid() || getenv("SUDO_UID");
}

const char *self_sudo(void)
{
	return self_needs_sudo() ? "sudo " : "";
}

/* Return: the bytes that @word takes in a shell; written to @to, of @size bytes, if it fits. */
static size_t quote(char *to, size_t size, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._/+=:,@%-";
	size_t len = 0;

	if (*word && !word[strspn(word, plain)])
		return (size_t)snprintf(to, size, " %s", word);
	len += (size_t)snprintf(to, size, " '");
	for (; *word; word++)
		len += (size_t)snprintf(to + (len < size ? len : 0), len < size ? size - len : 0,
					*word == '\'' ? "'\\''" : "%c", *word);
	return len + (size_t)snprintf(to + (len < size ? len : 0), len < size ? size - len : 0,
				      "'");
}

void self_words(char words[SELF_WORDS_MAX], int argc, char *const *argv)
{
	static const char more[] = " ...";
	size_t len = 0;

	words[0] = '\0';
	for (int i = 0; i < argc; i++) {
		size_t room = SELF_WORDS_MAX - sizeof(more) - len;
		size_t used = quote(words + len, room, argv[i]);

		if (used >= room) {
			memcpy(words + len, more, sizeof(more));
			return;
		}
		len += used;
	}
}
