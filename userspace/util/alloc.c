/* SPDX-License-Identifier: GPL-2.0-only */
#include "util/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/log.h"

#define EXIT_NO_MEMORY 5
#define VEC_CAP_FIRST 16

void alloc_failed(size_t cnt, size_t size)
{
	log_err("out of memory: %zu times %zu bytes were asked for; end other programs, or raise "
		"the limit "
		"of this shell (ulimit -v) or of its control group (memory.max)", cnt, size);
	_exit(EXIT_NO_MEMORY);
}

void *xmalloc(size_t size)
{
	void *ptr = malloc(size ? size : 1);

	if (!ptr)
		alloc_failed(1, size);
	return ptr;
}

void *xcalloc(size_t cnt, size_t size)
{
	void *ptr = cnt && size ? calloc(cnt, size) : calloc(1, 1);

	if (!ptr)
		alloc_failed(cnt, size);
	return ptr;
}

void *xreallocarray(void *ptr, size_t cnt, size_t size)
{
	/* A size of zero would free @ptr and return NULL. */
	void *moved = cnt && size ? reallocarray(ptr, cnt, size) : realloc(ptr, 1);

	if (!moved)
		alloc_failed(cnt, size);
	return moved;
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t len)
{
	size_t used = strnlen(s, len);
	char *copy = xmalloc(used + 1);

	memcpy(copy, s, used);
	copy[used] = '\0';
	return copy;
}

char *xasprintf(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0 || !text)
		alloc_failed(1, 0);
	return text;
}

void *vec_grow(void *ptr, size_t cnt, size_t *cap, size_t size)
{
	if (cnt > SIZE_MAX / 2)
		alloc_failed(cnt, size);
	*cap = cnt ? 2 * cnt : VEC_CAP_FIRST;
	return xreallocarray(ptr, *cap, size);
}

void *vec_room(void *ptr, size_t cnt, size_t *cap, size_t size)
{
	if (cnt >= *cap)
		ptr = vec_grow(ptr, cnt, cap, size);
	memset((char *)ptr + cnt * size, 0, size);
	return ptr;
}
