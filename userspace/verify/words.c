/* SPDX-License-Identifier: GPL-2.0-only */
#include "verify/reader.h"

#include <string.h>

bool words_are(struct words w, const char *text)
{
	return w.len == strlen(text) && !memcmp(w.p, text, w.len);
}

bool words_number(struct words *w, uint64_t max, uint64_t *value)
{
	size_t i = 0;

	*value = 0;
	for (; i < w->len && w->p[i] >= '0' && w->p[i] <= '9'; i++) {
		uint64_t digit = (uint64_t)(w->p[i] - '0');

		if (digit > max || *value > (max - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	if (!i)
		return false;
	if (i + 1 < w->len && w->p[i] == ' ')
		i++;
	w->p += i;
	w->len -= i;
	return true;
}
