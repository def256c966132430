/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_UTIL_ELF_DEBUG_H
#define LAB_UTIL_ELF_DEBUG_H

/*
 * elf_debug - the separate file that distributions keep a stripped object's symbols in:
 * ROOT/.build-id/AB/CDEF.debug by its build-id; else the file that .gnu_debuglink names,
 * beside the object, in .debug beside it, or below ROOT. A file is taken only if its build-id
 * is the object's or, where one of them has none, its checksum is the one that the link
 * states. Logs nothing.
 */

#include "util/elf_symbols.h"

#define ELF_DEBUG_ROOT "/usr/lib/debug"

/**
 * elf_debug_open() - find and open it
 * @path: of the object, absolute
 * @root: ELF_DEBUG_ROOT, or another folder for a test
 *
 * Return: an fd, or -ENOENT.
 */
int elf_debug_open(const struct elf_symbols *object, const char *path, const char *root);

#endif /* LAB_UTIL_ELF_DEBUG_H */
