/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/html_assets.h"

/* The bytes of a file that the Makefile has made, between NAME and NAME_end. */
#define EMBED(name, path) \
	__asm__(".section .rodata\n" #name ":\n.incbin \"" path "\"\n" \
		#name "_end:\n.previous\n"); \
	extern const char name[], name##_end[]

EMBED(page_script, LAB_ASSETS "/page.js");
EMBED(page_style, LAB_ASSETS "/page.css");
EMBED(page_policy, LAB_ASSETS "/page.csp");

void html_put_script(FILE *out)
{
	fwrite(page_script, 1, (size_t)(page_script_end - page_script), out);
}

void html_put_style(FILE *out)
{
	fwrite(page_style, 1, (size_t)(page_style_end - page_style), out);
}

void html_put_policy(FILE *out)
{
	fwrite(page_policy, 1, (size_t)(page_policy_end - page_policy), out);
}
