/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/screen.h"

#include <ctype.h>
#include <curses.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "render/axis.h"
#include "render/bins.h"
#include "util/format.h"
#include "render/lens.h"
#include "util/alloc.h"
#include "util/minmax.h"
#include "util/text.h"
#include "view/terminal.h"
#include "view/words.h"

#define LABEL_COLS 20
#define LABEL_COLS_NARROW 14	/* of less than NARROW_BELOW */
#define LABEL_COLS_WIDE 27	/* from WIDE_FROM on: a letter, a whole comm and a long tid */
#define NARROW_BELOW 70
#define WIDE_FROM 132
#define COLORS_MANY 256		/* so many have all that glyphs.h names */
#define COLORS_FEW 8
#define SHARE_COLS 5		/* " 100%" */
#define LETTERS 26		/* tasks that a CPU's lane tells apart */
#define FOOT_WIDE_FROM 160	/* here a line each holds the cursor's and the selection's words */

enum { ROW_VERDICT, ROW_AXIS, ROW_RUNNING, ROW_READY, ROW_OPERATIONS, ROW_LANES };

struct screen {
	struct view *v;
	bool color, utf8;
	const struct glyphs *glyphs;
	struct words verdict;
	uint32_t label_cols;
	bool too_small;
	uint32_t letter_ids[LETTERS];	/* birth numbers, ascending: 'A' is [0] */
	size_t letter_cnt;

	/* What is in sight, as long as nothing of it changes. */
	uint64_t from_ns, len_ns;
	uint32_t cols, rows;
	size_t top;
	struct bins bins;
	struct load running, ready, open;
	struct load missing;		/* records of any CPU */
	struct lane_cell *cells;	/* [row * cols] */
	uint32_t *percents;		/* [row]: of the time in sight that it ran */
};

/* Of the words about the cursor, and of those about the selection. */
static uint32_t word_rows(void)
{
	return COLS < FOOT_WIDE_FROM ? 2 : 1;
}

static uint32_t foot_rows(void)
{
	return 2 * word_rows() + 1;
}

static uint32_t head_rows(const struct screen *s)
{
	return s->v->m->op_cnt ? ROW_LANES : ROW_OPERATIONS;
}

/* ---- what is in sight ---- */

static void forget_strips(struct screen *s)
{
	load_free(&s->running);
	load_free(&s->ready);
	load_free(&s->open);
	load_free(&s->missing);
}

static void forget_lanes(struct screen *s)
{
	free(s->cells);
	free(s->percents);
	s->cells = NULL;
	s->percents = NULL;
}

static uint64_t cpu_work_ns(const struct screen *s, const struct model_cpu *cpu)
{
	const struct model *m = s->v->m;
	uint64_t from_ns = m->start_ns + s->from_ns, until_ns = from_ns + s->len_ns, ns = 0;

	for (size_t i = model_seg_at(m, cpu, from_ns); i < cpu->seg_cnt; i++) {
		const struct model_cpu_seg *seg = &m->cpu_segs[cpu->seg_first + i];

		if (seg->start_ns >= until_ns)
			break;
		if (seg->class == LAB_CPU_OURS)
			ns += min_u64(seg->end_ns, until_ns) - max_u64(seg->start_ns, from_ns);
	}
	return ns;
}

static uint64_t task_run_ns(const struct screen *s, const struct model_task *task)
{
	uint64_t from_ns = s->v->m->start_ns + s->from_ns, until_ns = from_ns + s->len_ns, ns = 0;

	for (size_t i = model_span_at(task, from_ns); i < task->span_cnt; i++) {
		const struct model_span *span = &task->spans[i];

		if (span->start_ns >= until_ns)
			break;
		if (span->state == SPAN_RUNNING)
			ns += min_u64(span->end_ns, until_ns) - max_u64(span->start_ns, from_ns);
	}
	return ns;
}

static void look_at_lane(struct screen *s, uint32_t row)
{
	const struct model_task *task = view_task(s->v, s->top + row);
	const struct model_cpu *cpu = view_cpu(s->v, s->top + row);
	struct lane_cell *cells = &s->cells[row * s->cols];

	if (task) {
		lane_of_task(&s->bins, s->v->m, task, cells);
		s->percents[row] = fmt_percent(task_run_ns(s, task), s->len_ns);
	} else if (cpu) {
		lane_of_cpu(&s->bins, s->v->m, cpu, s->letter_ids, s->letter_cnt, cells);
		s->percents[row] = fmt_percent(cpu_work_ns(s, cpu), s->len_ns);
	}
}

static void look_at_strips(struct screen *s)
{
	const struct view *v = s->v;

	forget_strips(s);
	s->running = load_new(&s->bins);
	s->ready = load_new(&s->bins);
	s->open = load_new(&s->bins);
	s->missing = load_missing(&s->bins, v->m, BINS_ANY_CPU);
	load_states(&s->bins, v->m, &s->running, &s->ready);
	load_operations(&s->bins, v->m, &s->open);
	load_finish(&s->bins, &s->running);
	load_finish(&s->bins, &s->ready);
	load_finish(&s->bins, &s->open);
}

static void look_at_lanes(struct screen *s)
{
	forget_lanes(s);
	s->cells = xcalloc((size_t)s->rows * s->cols, sizeof(*s->cells));
	s->percents = xcalloc(s->rows, sizeof(*s->percents));
	for (uint32_t row = 0; row < s->rows; row++)
		look_at_lane(s, row);
}

static void look(struct screen *s)
{
	const struct view *v = s->v;
	bool same_time = s->cells && s->from_ns == v->from_ns && s->len_ns == v->len_ns &&
			 s->cols == v->cols;

	if (same_time && s->rows == v->rows && s->top == v->top)
		return;
	s->from_ns = v->from_ns;
	s->len_ns = v->len_ns;
	s->cols = v->cols;
	s->rows = v->rows;
	s->top = v->top;
	s->bins = bins_make(s->from_ns, s->len_ns, s->cols);
	if (!same_time)
		look_at_strips(s);
	look_at_lanes(s);
}

/* ---- begin and end ---- */

/* Those that ran longest get a letter. */
static void choose_letters(struct screen *s)
{
	struct render_lens whole = { 0 };
	size_t *by_run;

	range_whole(s->v->m, s->v->r, &whole.range);
	by_run = lens_by_run(&whole, s->v->m, &s->letter_cnt);
	s->letter_cnt = min_u64(s->letter_cnt, LETTERS);
	lens_sort(by_run, s->letter_cnt);
	for (size_t i = 0; i < s->letter_cnt; i++)
		s->letter_ids[i] = s->v->m->tasks[by_run[i]].id;
	free(by_run);
	range_release(&whole.range);
}

static char letter_of(const struct screen *s, uint32_t id)
{
	for (size_t i = 0; i < s->letter_cnt; i++)
		if (s->letter_ids[i] == id)
			return (char)('A' + i);
	return ' ';
}

/* The nearest of eight colours, where a terminal has no more, to one that cell_sgr() takes. */
static short color_of(short color)
{
	static const struct { short many, few; } nearest[] = {
		{ 16, COLOR_BLACK }, { 36, COLOR_GREEN }, { 202, COLOR_RED },
		{ 175, COLOR_MAGENTA }, { 32, COLOR_CYAN }, { 214, COLOR_YELLOW },
	};

	for (size_t i = 0; COLORS < COLORS_MANY && i < ARRAY_SIZE(nearest); i++)
		if (nearest[i].many == color)
			return nearest[i].few;
	return COLORS < COLORS_MANY ? -1 : color;
}

/* The colours of a cell are those of its SGR parameters. */
static void begin_colors(struct screen *s)
{
	s->color = s->color && has_colors() && start_color() == OK && COLORS >= COLORS_FEW &&
		   COLOR_PAIRS > CELL_CNT;
	if (!s->color)
		return;
	use_default_colors();
	for (short cell = 0; cell < CELL_CNT; cell++) {
		short text = -1, ground = -1;

		if (sscanf(cell_sgr(cell), "38;5;%hd;48;5;%hd", &text, &ground) >= 1)
			init_pair((short)(cell + 1), color_of(text), color_of(ground));
	}
}

static attr_t attr_of(const struct screen *s, enum cell cell)
{
	const char *sgr = cell_sgr(cell);

	if (s->color && !strncmp(sgr, "38", 2))
		return (attr_t)COLOR_PAIR(cell + 1);
	return !strcmp(sgr, "2") ? A_DIM : A_NORMAL;
}

struct screen *screen_open(struct view *v, bool color, bool utf8)
{
	struct screen *s;

	if (terminal_open())
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->v = v;
	s->color = color;
	s->utf8 = utf8;
	s->glyphs = glyphs_for(v->m, utf8);
	s->verdict = words_verdict(v, utf8);
	choose_letters(s);
	begin_colors(s);
	screen_fit(s);
	return s;
}

void screen_close(struct screen *s)
{
	terminal_close();
	if (s) {
		forget_strips(s);
		forget_lanes(s);
	}
	free(s);
}

void screen_fit(struct screen *s)
{
	uint32_t cols = (uint32_t)COLS, rows = (uint32_t)LINES;

	s->too_small = cols < SCREEN_COLS_MIN || rows < SCREEN_ROWS_MIN;
	if (s->too_small)
		return;
	s->label_cols = cols < NARROW_BELOW ? LABEL_COLS_NARROW :
			cols < WIDE_FROM ? LABEL_COLS : LABEL_COLS_WIDE;
	view_resize(s->v, cols - s->label_cols - SHARE_COLS, rows - head_rows(s) - foot_rows());
}

bool screen_at(const struct screen *s, int row, int col, size_t *lane, uint64_t *at_ns)
{
	int first_row = (int)head_rows(s), first_col = (int)s->label_cols;
	struct bins bins = bins_make(s->v->from_ns, s->v->len_ns, s->v->cols);

	if (s->too_small || row < first_row || row >= first_row + (int)s->v->rows ||
	    col < first_col || col >= first_col + (int)s->v->cols)
		return false;
	*lane = s->v->top + (size_t)(row - first_row);
	*at_ns = bins_start(&bins, (uint32_t)(col - first_col));
	return *lane < view_lane_cnt(s->v);
}

/* ---- drawing ---- */

/*
 * One line, cut at the edge. @text is safe and has no wide characters beyond what text_columns()
 * says.
 */
static void put_line(int row, attr_t attr, const char *text)
{
	size_t bytes = strlen(text);
	char cut[WORDS_MAX];

	move(row, 0);
	clrtoeol();
	snprintf(cut, sizeof(cut), "%s", text);
	while (text_columns(cut) > (size_t)COLS && bytes) {
		while (--bytes && ((unsigned char)cut[bytes] & 0xc0) == 0x80)
			;
		cut[bytes] = '\0';
	}
	attrset(attr);
	addstr(cut);
	attrset(A_NORMAL);
}

/* How many bytes of @text are its first line: up to a space, except one before a number's unit. */
static size_t line_len(const char *text)
{
	size_t len = strlen(text), end = len;
	char line[WORDS_MAX];

	if (text_columns(text) <= (size_t)COLS)
		return len;
	do {
		while (end && (text[--end] != ' ' ||
			       (end && isdigit((unsigned char)text[end - 1]))))
			;
		snprintf(line, sizeof(line), "%.*s", (int)end, text);
	} while (end && text_columns(line) > (size_t)COLS);
	return end ? end : len;
}

/* How many lines it takes. */
static uint32_t line_cnt(const char *text)
{
	uint32_t cnt = 1;

	for (size_t len = line_len(text); text[len]; len = line_len(text)) {
		text += len + 1;
		cnt++;
	}
	return cnt;
}

/* Text in at most @rows lines. */
static void put_lines(int row, uint32_t rows, attr_t attr, const char *text)
{
	char line[WORDS_MAX];

	for (size_t len = line_len(text); rows > 1 && text[len]; len = line_len(text)) {
		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		put_line(row++, attr, line);
		text += len + 1;
		rows--;
	}
	put_line(row, attr, text);
}

static bool selected(const struct screen *s, uint32_t col)
{
	uint64_t from_ns, until_ns;

	if (!view_selection(s->v, &from_ns, &until_ns))
		return false;
	return bins_start(&s->bins, col) < until_ns && bins_start(&s->bins, col + 1) > from_ns;
}

static void draw_axis(const struct screen *s)
{
	char *axis = xmalloc(s->cols);
	uint32_t cursor = view_col(s->v, s->v->cursor_ns);

	move(ROW_AXIS, 0);
	clrtoeol();
	printw("%*s", (int)s->label_cols - 1, axis_make(&s->bins, axis));
	move(ROW_AXIS, (int)s->label_cols);
	for (uint32_t i = 0; i < s->cols; i++) {
		attrset(i == cursor || selected(s, i) ? A_REVERSE : A_NORMAL);
		if (axis[i] == AXIS_TICK)
			addstr(s->glyphs->tick);
		else
			addch((chtype)axis[i]);
	}
	attrset(A_NORMAL);
	free(axis);
}

static void draw_strip(const struct screen *s, int row, const char *name, const struct load *load,
		       uint64_t scale)
{
	char label[LABEL_COLS_WIDE + 1];

	snprintf(label, sizeof(label), "%s", name);
	mvprintw(row, 0, "%-*.*s", (int)s->label_cols, (int)s->label_cols - 1, label);
	for (uint32_t i = 0; i < s->cols; i++) {
		uint64_t eighths = load_level(&s->bins, load, i, scale, 8);

		if (!eighths && load->ns[i] > bins_len(&s->bins, i) / 2)
			eighths = 1;	/* one of many is not nobody */
		addstr(load_is_missing(&s->bins, &s->missing, i) ? s->glyphs->cell[CELL_UNKNOWN] :
								  s->glyphs->bar[eighths]);
	}
	clrtoeol();
}

static void draw_strips(const struct screen *s)
{
	uint64_t cpu_cnt = max_u64(s->v->m->cpu_cnt, 1);
	uint64_t ready = load_peak(&s->bins, &s->ready), open = load_peak(&s->bins, &s->open);
	char name[40];

	snprintf(name, sizeof(name), "on CPU, 0-%" PRIu64, cpu_cnt);
	draw_strip(s, ROW_RUNNING, name, &s->running, cpu_cnt);
	snprintf(name, sizeof(name), "ready, 0-%" PRIu64, ready);
	draw_strip(s, ROW_READY, name, &s->ready, ready);
	if (!s->v->m->op_cnt)
		return;
	snprintf(name, sizeof(name), "operations, 0-%" PRIu64, open);
	draw_strip(s, ROW_OPERATIONS, name, &s->open, open);
}

static void put_cell(const struct screen *s, const struct lane_cell *c, bool of_task)
{
	if (c->cell != CELL_RUN)
		addstr(s->glyphs->cell[c->cell]);
	else
		addch((chtype)(of_task ? cpu_char(c->who) : 'A' + c->who));
}

static void draw_lane(const struct screen *s, uint32_t row)
{
	size_t lane = s->top + row;
	const struct model_task *task = view_task(s->v, lane);
	uint32_t cursor = view_col(s->v, s->v->cursor_ns);
	bool chosen = lane == s->v->lane;
	struct words label;

	move((int)(head_rows(s) + row), 0);
	clrtoeol();
	if (lane >= view_lane_cnt(s->v))
		return;
	label = words_lane(s->v, lane, s->label_cols - 3, s->utf8);
	attrset(chosen ? A_REVERSE : A_NORMAL);
	printw("%c %s", task ? letter_of(s, task->id) : ' ', label.s);
	for (size_t i = 2 + text_columns(label.s); i + 1 < s->label_cols; i++)
		addch(' ');
	attrset(A_NORMAL);
	addch(' ');
	for (uint32_t i = 0; i < s->cols; i++) {
		const struct lane_cell *c = &s->cells[row * s->cols + i];

		attrset(attr_of(s, c->cell) | (selected(s, i) ? A_UNDERLINE : 0) |
			(i == cursor ? (chosen ? A_REVERSE | A_BOLD : A_REVERSE) : 0));
		put_cell(s, c, task);
	}
	attrset(A_NORMAL);
	printw(" %3" PRIu32 "%%", s->percents[row]);
}

static void draw_foot(const struct screen *s, const char *message)
{
	static const char all[] = "arrows move  w s zoom  a d pan  space select  z to it  0 all  "
				  "/ find  e evidence  f b changes  ? help  q quit";
	static const char few[] = "? help  q quit  w s zoom  space select  / find  e evidence";
	const char *keys = COLS < (int)strlen(all) ? few : all;
	int row = LINES - (int)foot_rows();
	struct words selection = { "" };

	if (!message)
		selection = words_selection(s->v);
	put_lines(row, message || selection.s[0] ? word_rows() : 2 * word_rows(), A_NORMAL,
		  words_cursor(s->v, s->utf8).s);
	if (message || selection.s[0])
		put_lines(row + (int)word_rows(), word_rows(), message ? A_BOLD : A_NORMAL,
			  message ? message : selection.s);
	put_line(LINES - 1, A_DIM, keys);
}

static void draw_all(struct screen *s, const char *message)
{
	erase();
	look(s);
	put_line(ROW_VERDICT, A_BOLD, s->verdict.s);
	draw_axis(s);
	draw_strips(s);
	for (uint32_t row = 0; row < s->rows; row++)
		draw_lane(s, row);
	draw_foot(s, message);
}

void screen_draw(struct screen *s, const char *message)
{
	if (s->too_small) {
		erase();
		mvprintw(0, 0, "lab view needs %d columns", SCREEN_COLS_MIN);
		mvprintw(1, 0, "and %d rows", SCREEN_ROWS_MIN);
	} else {
		draw_all(s, message);
	}
	refresh();
}

void screen_draw_prompt(struct screen *s, const char *prompt, const char *typed)
{
	char safe[4 * VIEW_NEEDLE_MAX], line[WORDS_MAX];

	text_for_terminal(safe, sizeof(safe), typed, strlen(typed), VIEW_NEEDLE_MAX, s->utf8);
	snprintf(line, sizeof(line), "%s%s_", prompt, safe);
	screen_draw(s, line);
}

void screen_repaint(struct screen *s)
{
	(void)s;
	clearok(curscr, TRUE);
}

size_t screen_draw_help(struct screen *s, const char *const *lines)
{
	int row = 0;
	size_t cnt = 0;

	(void)s;
	erase();
	for (; lines[cnt] && (!cnt || row + (int)line_cnt(lines[cnt]) < LINES); cnt++) {
		put_lines(row, line_cnt(lines[cnt]), A_NORMAL, lines[cnt]);
		row += (int)line_cnt(lines[cnt]);
	}
	put_line(LINES - 1, A_DIM,
		 lines[cnt] ? "Any key for more; q goes back." : "Any key goes back.");
	refresh();
	return cnt;
}
