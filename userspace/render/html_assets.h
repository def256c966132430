/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_HTML_ASSETS_H
#define LAB_RENDER_HTML_ASSETS_H

/*
 * html_assets - the joined files of assets/, and the policy that lets them run
 * (scripts/embed-assets).
 */

#include <stdio.h>

void html_put_script(FILE *out);
void html_put_style(FILE *out);
void html_put_policy(FILE *out);	/* the value of a Content-Security-Policy */

#endif /* LAB_RENDER_HTML_ASSETS_H */
