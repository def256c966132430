/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/check_missing.h"

#include <string.h>

#include "cli/check_path.h"
#include "util/minmax.h"

static const char *const keys[] = {
#define KEY(key) key,
#include "cli/check_missing.def"
#undef KEY
};

/* The rest of a path. */
struct rest {
	const char *at;
	size_t len;
};

/* The next step of it, without its dot. Return: its length, 0 at the end. */
static size_t take_step(struct rest *rest, const char **step)
{
	const char *dot = memchr(rest->at, '.', rest->len);
	size_t len = dot ? (size_t)(dot - rest->at) : rest->len;

	*step = rest->at;
	rest->at += len + !!dot;
	rest->len -= len + !!dot;
	return len;
}

static bool is_index(const char *step, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (step[i] < '0' || step[i] > '9')
			return false;
	return len > 0;
}

/* @name: @name_len bytes. With @shares a step may lack its _ns. */
static bool is_step(const char *name, size_t name_len, const char *step, size_t len, bool shares)
{
	if (len != name_len && !(shares && len + 3 == name_len && !memcmp(name + len, "_ns", 3)))
		return false;
	return !memcmp(name, step, len);
}

static bool is_key(const char *key, const char *path, size_t path_len)
{
	bool shares = check_path_in(path, path_len, "capacity");
	struct rest rest = { path, path_len };

	while (*key) {
		size_t name_len = strcspn(key, ".["), len;
		const char *step;

		len = take_step(&rest, &step);
		if (!is_step(key, name_len, step, len, shares))
			return false;
		key += name_len;
		if (*key == '[') {
			len = take_step(&rest, &step);
			if (!is_index(step, len))
				return false;
			key += strlen("[]");
		}
		key += *key == '.';
	}
	return !rest.len;
}

bool check_is_missing(const char *path, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (is_key(keys[i], path, len))
			return true;
	return false;
}
