/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/loop.h"

#include <curses.h>
#include <errno.h>
#include <string.h>

#include "util/log.h"
#include "util/minmax.h"
#include "view/screen.h"
#include "view/terminal.h"
#include "view/words.h"

#define ESCAPE 27
#define CONTROL(letter) ((letter) & 0x1f)
#define STEP_FAST 10		/* columns */

struct loop {
	struct view v;
	struct screen *screen;
	struct words legend;
	const char *message;	/* until the next key */
	bool over;
};

static void quit(struct loop *l)
{
	l->over = true;
}

static void left(struct loop *l)
{
	view_step(&l->v, -1);
}

static void right(struct loop *l)
{
	view_step(&l->v, 1);
}

static void far_left(struct loop *l)
{
	view_step(&l->v, -STEP_FAST);
}

static void far_right(struct loop *l)
{
	view_step(&l->v, STEP_FAST);
}

static void up(struct loop *l)
{
	view_choose(&l->v, -1);
}

static void down(struct loop *l)
{
	view_choose(&l->v, 1);
}

static void page_up(struct loop *l)
{
	view_choose(&l->v, -(int64_t)l->v.rows);
}

static void page_down(struct loop *l)
{
	view_choose(&l->v, l->v.rows);
}

static void to_start(struct loop *l)
{
	view_go(&l->v, 0);
}

static void to_end(struct loop *l)
{
	view_go(&l->v, l->v.window_ns);
}

static void pan_left(struct loop *l)
{
	view_pan(&l->v, -1);
}

static void pan_right(struct loop *l)
{
	view_pan(&l->v, 1);
}

static void zoom_in(struct loop *l)
{
	view_zoom(&l->v, true);
}

static void zoom_out(struct loop *l)
{
	view_zoom(&l->v, false);
}

static void whole(struct loop *l)
{
	view_show(&l->v, 0, l->v.window_ns);
}

static void select_range(struct loop *l)
{
	view_select(&l->v);
}

static void select_from(struct loop *l)
{
	view_select_from(&l->v);
}

static void select_until(struct loop *l)
{
	if (!view_select_until(&l->v))
		l->message = "no selection is begun: [ or space begins one";
}

static void zoom_to_selection(struct loop *l)
{
	uint64_t from_ns, until_ns;

	if (!view_selection(&l->v, &from_ns, &until_ns))
		l->message = "nothing is selected: space begins a selection, and ends it";
	else
		view_show(&l->v, from_ns, until_ns - from_ns);
}

static void forget(struct loop *l)
{
	l->v.mark = VIEW_MARK_NONE;
}

static void next_change(struct loop *l)
{
	if (!view_change(&l->v, true))
		l->message = "this lane does not change any more";
}

static void last_change(struct loop *l)
{
	if (!view_change(&l->v, false))
		l->message = "this lane did not change before";
}

static void evidence(struct loop *l)
{
	if (!view_witness(&l->v))
		l->message = "this verdict rests on no single instant";
}

static void find_again(struct loop *l, bool forward)
{
	if (!l->v.needle[0])
		l->message = "nothing to find: / asks for it";
	else if (!view_find(&l->v, forward))
		l->message = "no task's name has this in it, and no tid or CPU is it";
}

static void find_next(struct loop *l)
{
	find_again(l, true);
}

static void find_last(struct loop *l)
{
	find_again(l, false);
}

/* Return: whether the reader is done; with ESCAPE there is nothing in @typed. */
static bool type(char *typed, int key)
{
	size_t len = strlen(typed);

	if (key == ESCAPE)
		typed[0] = '\0';
	if (key == ESCAPE || key == ERR || key == KEY_ENTER || key == '\r' || key == '\n')
		return true;
	if ((key == KEY_BACKSPACE || key == 127 || key == '\b') && len) {
		while (--len && ((unsigned char)typed[len] & 0xc0) == 0x80)
			;		/* a character of several bytes */
		typed[len] = '\0';
	} else if (key >= ' ' && key < 256 && key != 127 && len + 1 < VIEW_NEEDLE_MAX) {
		typed[len] = (char)key, typed[len + 1] = '\0';
	}
	return false;
}

static void find(struct loop *l)
{
	char typed[VIEW_NEEDLE_MAX] = "";
	int key;

	do {
		screen_draw_prompt(l->screen, "find a task's name, a tid, or CPU n: ", typed);
		key = terminal_key();
		if (key == KEY_RESIZE)
			screen_fit(l->screen);
	} while (!type(typed, key));
	if (!typed[0])
		return;
	memcpy(l->v.needle, typed, sizeof(typed));
	find_again(l, true);
}

static void mouse(struct loop *l)
{
	MEVENT event;
	uint64_t at_ns;
	size_t lane;

	if (getmouse(&event) != OK || !screen_at(l->screen, event.y, event.x, &lane, &at_ns))
		return;
	view_go(&l->v, at_ns);
	if (event.bstate & BUTTON1_PRESSED)
		view_choose_lane(&l->v, lane);
	else
		view_zoom(&l->v, event.bstate & BUTTON4_PRESSED);
}

static void resize(struct loop *l)
{
	screen_fit(l->screen);
}

static void repaint(struct loop *l)
{
	screen_repaint(l->screen);
}

static void help(struct loop *l);

#define KEYS_MAX 3

static const struct key {
	int keys[KEYS_MAX];
	void (*act)(struct loop *l);
	const char *help;	/* a line of help(); NULL: the line before says it */
} keys[] = {
	{ { KEY_LEFT, 'h' }, left, "left right, h l     the cursor, a column" },
	{ { KEY_RIGHT, 'l' }, right, NULL },
	{ { 'H', KEY_SLEFT }, far_left, "H L                 ten columns" },
	{ { 'L', KEY_SRIGHT }, far_right, NULL },
	{ { KEY_UP, 'k' }, up, "up down, k j        another lane; Page Up, Page Down" },
	{ { KEY_DOWN, 'j' }, down, NULL },
	{ { KEY_PPAGE }, page_up, NULL },
	{ { KEY_NPAGE }, page_down, NULL },
	{ { KEY_HOME, 'g' }, to_start, "Home End, g G       the start, the end of the run" },
	{ { KEY_END, 'G' }, to_end, NULL },
	{ { 'w', '+', '=' }, zoom_in, "w s, + -, wheel     zoom in and out around the cursor" },
	{ { 's', '-' }, zoom_out, NULL },
	{ { 'a' }, pan_left, "a d                 earlier, later" },
	{ { 'd' }, pan_right, NULL },
	{ { '0' }, whole, "0                   the whole run" },
	{ { ' ' }, select_range,
	  "space, [ ]          begin a selection, end it: its numbers; Escape forgets it" },
	{ { '[' }, select_from, NULL },
	{ { ']' }, select_until, NULL },
	{ { ESCAPE }, forget, NULL },
	{ { 'z', '\r', KEY_ENTER }, zoom_to_selection,
	  "z                   zoom to the selection" },
	{ { 'f', '\t' }, next_change,
	  "f b                 the next, the last change of this lane" },
	{ { 'b', KEY_BTAB }, last_change, NULL },
	{ { 'e' }, evidence, "e                   the evidence of the verdict" },
	{ { '/' }, find, "/ n N               find a task or a CPU; the next, the last" },
	{ { 'n' }, find_next, NULL },
	{ { 'N' }, find_last, NULL },
	{ { '?', KEY_F(1) }, help, "?                   this" },
	{ { 'q', 'Q' }, quit, "q                   quit" },
	{ { CONTROL('L') }, repaint, NULL },
	{ { KEY_MOUSE }, mouse, NULL },
	{ { KEY_RESIZE }, resize, NULL },
};

static void help(struct loop *l)
{
	static const char *const legend[] = {
		"",
		"A CPU's lane: the letter of the task that it ran, + one without a letter, "
		"* several, # another program. "
		"The numbers on the right: for how much of the time in sight it ran.",
		"A task's lane: 0-9 A-Z a-z running on that CPU, A is 10, else why not; "
		"the line below the lanes says it in words:",
		NULL,
	};
	const char *lines[ARRAY_SIZE(keys) + ARRAY_SIZE(legend) + 2] = { "lab view" };
	size_t cnt = 1, from = 0;
	int key;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].help)
			lines[cnt++] = keys[i].help;
	memcpy(&lines[cnt], legend, sizeof(legend));
	lines[cnt + ARRAY_SIZE(legend) - 1] = l->legend.s;
	while (lines[from]) {
		size_t more = screen_draw_help(l->screen, &lines[from]);

		key = terminal_key();
		if (key == KEY_RESIZE)
			screen_fit(l->screen);
		else if (key == ERR || key == ESCAPE || key == 'q')
			return;
		else
			from += more;
	}
}

static void act(struct loop *l, int key)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		for (size_t k = 0; k < KEYS_MAX; k++) {
			if (keys[i].keys[k] && keys[i].keys[k] == key) {
				keys[i].act(l);
				return;
			}
		}
	}
	l->message = "no such key: ? lists them";
}

int loop_run(const struct model *m, const struct report *r, const char *hook, bool color,
	     bool utf8)
{
	struct loop l = {
		.message = r->lossless ? NULL :
			   "records are missing from this trace: lab report says what is known",
	};

	if (m->end_ns <= m->start_ns || !(m->cpu_cnt + m->task_cnt)) {
		log_err("this run has no time in it: lab report says what is there");
		return -ENODATA;
	}
	view_init(&l.v, m, r);
	l.v.hook = hook;
	l.legend = words_legend(&l.v, utf8);
	l.screen = screen_open(&l.v, color, utf8);
	if (!l.screen)
		return -ENOTTY;
	while (!l.over && !terminal_signal()) {
		int key;

		screen_draw(l.screen, l.message);
		key = terminal_key();
		l.message = NULL;
		if (key != ERR)
			act(&l, key);
	}
	screen_close(l.screen);
	return l.over ? 0 : terminal_signal();
}
