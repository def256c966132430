/* SPDX-License-Identifier: GPL-2.0-only */
#include "unseen_terminal.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "util/io.h"
#include "util/minmax.h"

#define KEYS_LAST "\r\033\033\033q\033qqqq"

int unseen_terminal_open(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
	struct termios raw;

	if (master < 0 || grantpt(master) || unlockpt(master))
		return -1;
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || dup2(slave, STDIN_FILENO) != STDIN_FILENO)
		return -1;
	close(slave);
	if (tcgetattr(STDIN_FILENO, &raw))
		return -1;
	cfmakeraw(&raw);	/* keys come before the timeline has set it so */
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw))
		return -1;
	stdout = fopen("/dev/null", "w");
	if (!stdout || setenv("TERM", "xterm-256color", 1) || !setlocale(LC_CTYPE, "C.UTF-8"))
		return -1;
	return master;
}

int unseen_terminal_press(int master, unsigned int cols, unsigned int rows, const void *keys,
			  size_t len)
{
	struct winsize size = { .ws_col = (unsigned short)cols, .ws_row = (unsigned short)rows };

	if (tcflush(STDIN_FILENO, TCIFLUSH) || ioctl(master, TIOCSWINSZ, &size) ||
	    io_write_all(master, keys, min_u64(len, UNSEEN_KEYS_MAX)) ||
	    io_write_all(master, KEYS_LAST, sizeof(KEYS_LAST) - 1))
		return -1;
	return 0;
}
