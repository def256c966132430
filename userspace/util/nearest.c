/* SPDX-License-Identifier: GPL-2.0-only */
#include "util/nearest.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

size_t nearest_distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b), distance;
	size_t *row = xcalloc(b_len + 1, sizeof(*row));

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	distance = row[b_len];
	free(row);
	return distance;
}

const char *nearest_of(const char *word, const char *const *names, size_t name_cnt)
{
	size_t word_len = strlen(word), best = SIZE_MAX;
	size_t limit = word_len / 3 > 2 ? word_len / 3 : 2;
	const char *nearest = NULL;

	for (size_t i = 0; i < name_cnt; i++) {
		size_t distance = nearest_distance(word, names[i]);

		/* Every short word is within two edits of every other one. */
		if (distance > limit || distance >= best || distance >= strlen(names[i]) ||
		    distance >= word_len)
			continue;
		best = distance;
		nearest = names[i];
	}
	return nearest;
}

struct nearest_text nearest_or(const char *nearest, const char *otherwise)
{
	struct nearest_text text;

	if (nearest)
		snprintf(text.s, sizeof(text.s), "; did you mean '%s'?", nearest);
	else
		snprintf(text.s, sizeof(text.s), "%s", otherwise);
	return text;
}
