/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/markers.h"

#include <string.h>

#include "util/minmax.h"

static const struct {
	const char *word;
	enum marker_verb verb;
} verbs[] = {
	{ "begin", MARKER_BEGIN },
	{ "suspend", MARKER_SUSPEND },
	{ "resume", MARKER_RESUME },
	{ "end", MARKER_END },
};

/* The part before the next colon, or all; @text and @len go behind it. */
static size_t take_part(const char **text, size_t *len, const char **part)
{
	const char *colon = memchr(*text, ':', *len);
	size_t part_len = colon ? (size_t)(colon - *text) : *len;
	size_t used = part_len + (colon != NULL);

	*part = *text;
	*text += used;
	*len -= used;
	return part_len;
}

bool marker_parse(const char *text, size_t len, struct marker *out)
{
	const char *word, *point;
	size_t word_len;

	len = strnlen(text, len);
	word_len = take_part(&text, &len, &word);
	*out = (struct marker){ .name = "" };
	out->id_len = take_part(&text, &len, &out->id);
	if (!out->id_len)
		return false;
	point = memrchr(out->id, '.', out->id_len);
	out->parent_len = point ? (size_t)(point - out->id) : 0;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strlen(verbs[i].word) != word_len || memcmp(verbs[i].word, word, word_len))
			continue;
		out->verb = verbs[i].verb;
		if (out->verb == MARKER_BEGIN) {
			out->name = text;
			out->name_len = len;
		}
		return true;
	}
	return false;
}
