/* SPDX-License-Identifier: GPL-2.0-only */
/* term_advice - command lines to copy: what to do next. */
#include <stdlib.h>
#include <string.h>

#include "analyze/unseen.h"
#include "render/term.h"

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

static const char *lab_command(const struct term *t)
{
	return t->opts->command ? t->opts->command : "lab";
}

bool term_hook_line(const struct term *t, struct phrase *p)
{
	const struct trace_meta *meta = &t->m->meta;
	struct phrase line = { 0 };

	if (!t->opts->hook || !meta->is_command || !meta->argc || !unseen_loop(t->m))
		return false;
	if (!shell_path(t, lab_command(t), &line)) {
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

/* Each line that can be offered, as it stands in a shell. */
void term_next(const struct term *t)
{
	struct phrase hook = { 0 }, look = { 0 }, more = { 0 }, run = { 0 };
	const char *label = "next";

	if (!t->opts->trace_path)
		return;
	if (term_hook_line(t, &hook)) {
		term_line(t, label, hook.s);
		label = "";
	}
	if (!shell_path(t, lab_command(t), &look) || !shell_path(t, lab_command(t), &more) ||
	    !shell_path(t, lab_command(t), &run))
		goto out;
	phrase_add(&look, " view ");
	if (shell_path(t, t->opts->trace_path, &look)) {
		term_line(t, label, look.s);
		label = "";
	}
	phrase_add(&more, " report -v ");
	if (!t->opts->verbose && shell_path(t, t->opts->trace_path, &more)) {
		term_line(t, label, more.s);
		label = "";
	}
	phrase_add(&run, " run --cpus %u ", t->m->cpu_cnt ? t->m->cpus[0].cpu : 0);
	if (t->r->verdict.class == CLASS_PARALLEL && !t->m->meta.is_command &&
	    !t->m->meta.attach_tgid && t->m->meta.name && shell_word(t, t->m->meta.name, &run))
		term_line(t, label, run.s);
out:
	free(hook.s);
	free(look.s);
	free(more.s);
	free(run.s);
}
