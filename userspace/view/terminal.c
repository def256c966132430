/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/terminal.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "util/log.h"
#include "util/minmax.h"

#define ESCAPE_MS 25		/* how long the rest of a key's sequence may take */
#define RESTORE_MAX 512
/* Where the terminal's description has a mouse, but not how to end it. */
#define MOUSE_OFF "\033[?1000l"

/* All that end a program unless it catches them; but for those of crashes, and SIGKILL. */
static const int ends[] = {
	SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGALRM, SIGVTALRM, SIGPROF, SIGUSR1, SIGUSR2,
	SIGXCPU, SIGXFSZ, SIGPOLL, SIGPWR, SIGSTKFLT,
};
static const int crashes[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGSYS, SIGTRAP };

static SCREEN *screen;
static struct termios before;
static char restore[RESTORE_MAX];	/* what puts the picture back, for a crash */
static volatile sig_atomic_t caught;

static void on_end(int signal)
{
	caught = signal;
}

/* Only what may be called in a signal's handler. */
static void on_crash(int signal)
{
	if (write(STDOUT_FILENO, restore, strlen(restore)) < 0)
		caught = signal;	/* nothing more can be done */
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	raise(signal);
}

/* Return: NULL if this terminal has none. */
static char *capability(const char *name)
{
	char *text = tigetstr((char *)name);

	return text == (char *)-1 ? NULL : text;
}

static void add_restore(const char *text)
{
	size_t len = strlen(restore);

	if (text && len + strlen(text) < sizeof(restore))
		memcpy(restore + len, text, strlen(text) + 1);
}

static void prepare_restore(void)
{
	char *mouse = capability("XM");	/* with 1 it turns the mouse on, with 0 off */

	restore[0] = '\0';
	if (capability("kmous"))
		add_restore(mouse ? tiparm(mouse, 0) : MOUSE_OFF);
	add_restore(capability("cnorm"));
	add_restore(capability("sgr0"));
	add_restore(capability("rmkx"));
	add_restore(capability("rmcup") ? capability("rmcup") : capability("clear"));
}

static void catch_signals(void)
{
	struct sigaction end = { .sa_handler = on_end };
	struct sigaction crash = { .sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND };
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct sigaction was;

		if (!sigaction(ends[i], NULL, &was) && was.sa_handler == SIG_IGN)
			continue;	/* nohup, or a shell without job control */
		sigaddset(&blocked, ends[i]);
		sigaction(ends[i], &end, NULL);
	}
	sigprocmask(SIG_BLOCK, &blocked, NULL);	/* they come while terminal_key() waits */
	for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
		sigaction(crashes[i], &crash, NULL);
}

int terminal_open(void)
{
	const char *name = getenv("TERM");

	if (tcgetattr(STDIN_FILENO, &before))
		return -errno;
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		log_err("this terminal, TERM=%s, is not known here; "
			"install ncurses-term, or set TERM=xterm", name ? name : "");
		return -ENOTTY;
	}
	atexit(terminal_close);
	if (!capability("cup")) {
		endwin();
		terminal_close();
		log_err("this terminal, TERM=%s, cannot place text; lab report does without", name);
		return -ENOTTY;
	}
	prepare_restore();
	catch_signals();
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	if (!getenv("ESCDELAY"))
		set_escdelay(ESCAPE_MS);
	mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	mouseinterval(0);
	curs_set(0);
	return 0;
}

void terminal_close(void)
{
	if (!screen)
		return;
	if (!capability("rmcup") && !isendwin()) {	/* no page to go back to: leave none */
		erase();
		refresh();
	}
	endwin();
	delscreen(screen);
	screen = NULL;
}

int terminal_signal(void)
{
	return caught;
}

int terminal_key(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	sigset_t none;
	int key;

	sigemptyset(&none);
	for (;;) {
		key = getch();
		if (key != ERR)
			return key;
		if (ppoll(&input, 1, NULL, &none) < 0 && errno != EINTR)
			caught = SIGHUP;
		if (input.revents & (POLLHUP | POLLERR | POLLNVAL))
			caught = SIGHUP;
		if (caught)
			return ERR;
	}
}
