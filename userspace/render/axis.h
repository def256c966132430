/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_AXIS_H
#define LAB_RENDER_AXIS_H

/* axis - a line of ticks and round numbers above the columns of bins.h. */

#include "render/bins.h"

#define AXIS_TICK '|'

/**
 * axis_make() - the line
 * @axis: caller's @b->cnt characters: spaces, digits and AXIS_TICK; no NUL
 *
 * Return: the unit of the numbers, "ms"
 */
const char *axis_make(const struct bins *b, char *axis);

#endif /* LAB_RENDER_AXIS_H */
