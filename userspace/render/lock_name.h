/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_LOCK_NAME_H
#define LAB_RENDER_LOCK_NAME_H

/* lock_name - what a futex is called, in one line, for every renderer. */

#include "model/model.h"

/**
 * lock_name() - "_PyRuntime+0x1a8 (python3.11)", "libfoo.so+0x1234", "[heap]+0x2a0"
 * @symbol: NULL: not known
 *
 * Return: text of the traced machine, still to be made safe, to be freed; NULL for NULL.
 */
char *lock_name(const struct model_symbol *symbol);

#endif /* LAB_RENDER_LOCK_NAME_H */
