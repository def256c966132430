/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/lock_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/alloc.h"

/* "+0x1a8", or nothing for 0. */
static const char *distance(char *buf, size_t size, uint64_t off)
{
	buf[0] = '\0';
	if (off)
		snprintf(buf, size, "+0x%" PRIx64, off);
	return buf;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

char *lock_name(const struct model_symbol *symbol)
{
	char off[24];

	if (!symbol)
		return NULL;
	if (symbol->symbol)
		return xasprintf("%s%s (%s)", symbol->symbol,
				 distance(off, sizeof(off), symbol->symbol_off),
				 base_name(symbol->object));
	return xasprintf("%s%s", base_name(symbol->object),
			 distance(off, sizeof(off), symbol->offset));
}
