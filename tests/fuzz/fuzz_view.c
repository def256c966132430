/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz_view - the full-screen timeline on a terminal that nobody sees: a pseudo-terminal gives it the
 * input's keys, and what it draws goes nowhere. Behind the keys come those that end it, from wherever it is.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "analyze/missing.h"
#include "analyze/report.h"
#include "model/builder.h"
#include "scenario.h"
#include "util/io.h"
#include "util/minmax.h"
#include "view/loop.h"

#define KEYS_MAX 512		/* fewer than a terminal holds */
#define KEYS_LAST "\r\033\033\033q\033qqqq"

void fuzz_view(const uint8_t *data, size_t size);

/* Standard input becomes the terminal. Return: the other end. */
static int open_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
	struct termios raw;

	NEED(master >= 0 && !grantpt(master) && !unlockpt(master));
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	NEED(slave >= 0 && dup2(slave, STDIN_FILENO) == STDIN_FILENO);
	close(slave);
	NEED(!tcgetattr(STDIN_FILENO, &raw));
	cfmakeraw(&raw);	/* keys come before the timeline has set it so */
	NEED(!tcsetattr(STDIN_FILENO, TCSANOW, &raw));
	stdout = fopen("/dev/null", "w");
	NEED(stdout && !setenv("TERM", "xterm-256color", 1) && setlocale(LC_CTYPE, "C.UTF-8"));
	return master;
}

static void press(const struct scenario *s)
{
	static int master = -1;
	struct winsize size = {
		.ws_col = (unsigned short)(20 + s->knobs.width), .ws_row = 5 + s->knobs.until % 64,
	};

	if (master < 0)
		master = open_terminal();
	NEED(!tcflush(STDIN_FILENO, TCIFLUSH) && !ioctl(master, TIOCSWINSZ, &size));
	NEED(!io_write_all(master, s->sections[SECTION_KEYS].p,
			   min_u64(s->sections[SECTION_KEYS].len, KEYS_MAX)));
	NEED(!io_write_all(master, KEYS_LAST, sizeof(KEYS_LAST) - 1));
}

static int build(const struct scenario *s, struct model *m)
{
	struct model_builder *b = model_builder_new(&s->meta);
	int err;

	for (size_t i = 0; i < s->cnt; i++)
		model_builder_feed(b, &s->events[i]);
	model_builder_symbols(b, &s->symbols);
	err = model_builder_finish(b, s->knobs.flags & KNOB_UNFINISHED ? NULL : &s->end, "", m);
	model_builder_free(b);
	return err;
}

static int by_order(const void *a, const void *b)
{
	const struct lab_ev_head *x = a, *y = b;

	if (x->ts_ns != y->ts_ns)
		return x->ts_ns < y->ts_ns ? -1 : 1;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

void fuzz_view(const uint8_t *data, size_t size)
{
	struct scenario s;
	struct report r;
	struct model m = { 0 };

	scenario_split(&s, data, size);
	if (s.cnt)
		qsort(s.events, s.cnt, sizeof(*s.events), by_order);
	if (scenario_parse(&s) && !build(&s, &m)) {
		report_compute(&m, &r);
		report_hide_missing(&m, &r);
		press(&s);
		loop_run(&m, &r, NULL, s.knobs.flags & KNOB_COLOR, s.knobs.flags & KNOB_UTF8);
		report_release(&r);
	}
	model_release(&m);
	scenario_release(&s);
}
