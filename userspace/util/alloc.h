/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_UTIL_ALLOC_H
#define LAB_UTIL_ALLOC_H

/*
 * alloc - memory that is either there or the end of the program.
 *
 * The x functions never return NULL: when memory is out, or when a
 * multiplication overflows, they log and exit with status 5 after flushing
 * nothing. Sizes that come from a file must be checked by the caller first.
 */

#include <stddef.h>

/* End the program as the x functions do: for a library that says that memory is out. */
void alloc_failed(size_t cnt, size_t size) __attribute__((noreturn));

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t cnt, size_t size) __attribute__((returns_nonnull));
void *xreallocarray(void *ptr, size_t cnt, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t len) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...)
	__attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

/*
 * vec_push() - one more element at the end of a growing array
 *
 * @ptr, @cnt and @cap are three lvalues: a pointer to the element type and
 * two size_t counters, all zero for an empty vector. Evaluates to a pointer
 * to the new, zeroed element. free(@ptr) releases it.
 */
#define vec_push(ptr, cnt, cap) \
	((ptr) = vec_room((ptr), (cnt), &(cap), sizeof(*(ptr))), &(ptr)[(cnt)++])

/* The same for an element that is given whole, such as a compound literal; for long loops. */
#define vec_add(ptr, cnt, cap, ...) \
	((void)((cnt) < (cap) || ((ptr) = vec_grow((ptr), (cnt), &(cap), sizeof(*(ptr))))), \
	 (void)((ptr)[(cnt)++] = (__VA_ARGS__)))

/* Make room for one more element of @size bytes, zeroed. Only for vec_push() and vec_add(). */
void *vec_room(void *ptr, size_t cnt, size_t *cap, size_t size) __attribute__((returns_nonnull));
void *vec_grow(void *ptr, size_t cnt, size_t *cap, size_t size) __attribute__((returns_nonnull));

#endif /* LAB_UTIL_ALLOC_H */
