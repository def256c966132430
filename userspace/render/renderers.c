/* SPDX-License-Identifier: GPL-2.0-only */
#include <langinfo.h>
#include <stddef.h>
#include <string.h>
#include <wchar.h>

#include "render/glyphs.h"
#include "render/render.h"

#define RENDERER(name) extern const struct renderer renderer_##name;
#include "render/renderer.def"
#undef RENDERER

const struct renderer *const renderers[] = {
#define RENDERER(name) &renderer_##name,
#include "render/renderer.def"
#undef RENDERER
	NULL,
};

const struct renderer *renderer_find(const char *name)
{
	for (size_t i = 0; renderers[i]; i++)
		if (!strcmp(renderers[i]->name, name))
			return renderers[i];
	return NULL;
}

/* In a CJK locale block and box characters may take two columns: lanes would not line up. */
static bool one_column(const char *glyph)
{
	mbstate_t state = { 0 };
	wchar_t wc;
	size_t len = mbrtowc(&wc, glyph, strlen(glyph), &state);

	return len == strlen(glyph) && wcwidth(wc) == 1;
}

bool render_utf8_ok(void)
{
	const struct glyphs *g = &glyphs_utf8;

	if (strcmp(nl_langinfo(CODESET), "UTF-8"))
		return false;
	for (size_t i = 0; i < CELL_CNT; i++)
		if (!one_column(g->cell[i]))
			return false;
	for (size_t i = 0; i < GLYPH_BAR_CNT; i++)
		if (!one_column(g->bar[i]))
			return false;
	return one_column(g->tick);
}
