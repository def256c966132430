/* SPDX-License-Identifier: GPL-2.0-only */
/* term_advice - command lines to copy: what to do next. */
#include <stdlib.h>
#include <string.h>

#include "analyze/unseen.h"
#include "render/term.h"
#include "util/text.h"

#define LINE_MAX_BYTES 400	/* an argument that would lead beyond it is not written out */

/*
 * A word to copy into a shell. Return: false if what would be printed is not the word, or
 * has a quote in it: then it must not be offered.
 */
static bool shell_word(const struct term *t, const char *word, struct phrase *p)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._/+=:,@%-";
	struct safe_text safe = term_safe_str(t, word, sizeof(safe.s) - 1);

	if (strcmp(safe.s, word) || strchr(word, '\''))
		return false;
	if (word[0] && word[strspn(word, plain)] == '\0')
		phrase_add(p, "%s", word);
	else
		phrase_add(p, "'%s'", word);
	return true;
}

/* A path must not be taken for an option. */
static bool shell_path(const struct term *t, const char *path, struct phrase *p)
{
	if (path[0] == '-')
		phrase_add(p, "./");
	return shell_word(t, path, p);
}

/* lab itself, or (with @tracing) with what it needs in front. Return: as shell_word(). */
static bool lab_command(const struct term *t, bool tracing, struct phrase *p)
{
	phrase_add(p, "%s", tracing && t->opts->sudo ? "sudo " : "");
	return shell_path(t, t->opts->command ? t->opts->command : "lab", p);
}

bool term_hook_line(const struct term *t, struct phrase *p)
{
	const struct trace_meta *meta = &t->m->meta;
	struct phrase line = { 0 };

	if (!t->opts->hook || !meta->is_command || !meta->argc || !unseen_loop(t->m))
		return false;
	if (!lab_command(t, true, &line)) {
		free(line.s);
		return false;
	}
	phrase_add(&line, " run --%s --", t->opts->hook);
	for (uint32_t i = 0; i < meta->argc; i++) {
		size_t len = line.len;

		phrase_add(&line, " ");
		if (line.len + strlen(meta->argv[i]) <= LINE_MAX_BYTES &&
		    shell_word(t, meta->argv[i], &line))
			continue;
		line.s[line.len = len] = '\0';
		phrase_add(&line, " ...");
		break;
	}
	phrase_add(p, "%s", line.s);
	free(line.s);
	return true;
}

const char *term_or_until_quiet(const struct term *t)
{
	return t->m->meta.attempts_max || t->m->meta.attach_tgid ? "" :
								   ", or with --until-quiet 10";
}

/* One line that can be offered, as it stands in a shell; what it is for, if there is room. */
static void next_line(const struct term *t, const char **label, const char *line,
		      const char *purpose)
{
	struct phrase p = { 0 };

	phrase_add(&p, "%s   # %s", line, purpose);
	term_line(t, *label, TERM_INDENT + text_columns(p.s) <= t->width ? p.s : line);
	free(p.s);
	*label = "";
}

void term_next(const struct term *t)
{
	struct phrase hook = { 0 }, look = { 0 }, more = { 0 }, run = { 0 };
	const char *label = "next", *path = t->opts->trace_path;

	if (!path)
		return;
	if (term_hook_line(t, &hook))
		next_line(t, &label, hook.s, "its operations");
	if (!lab_command(t, false, &look) || !lab_command(t, false, &more) ||
	    !lab_command(t, true, &run))
		goto out;
	phrase_add(&run, " run --cpus %u ", t->m->cpu_cnt ? t->m->cpus[0].cpu : 0);
	if (t->r->verdict.class == CLASS_PARALLEL && !t->m->meta.is_command &&
	    !t->m->meta.attach_tgid && t->m->meta.name && shell_word(t, t->m->meta.name, &run))
		next_line(t, &label, run.s, "predict first: what changes with one CPU?");
	phrase_add(&look, " view ");
	if (shell_path(t, path, &look))
		next_line(t, &label, look.s, "walk through the timeline");
	phrase_add(&more, " report -v ");
	if (!t->opts->verbose && shell_path(t, path, &more))
		next_line(t, &label, more.s, "waits, critical path, locks, limits");
out:
	free(hook.s);
	free(look.s);
	free(more.s);
	free(run.s);
}
