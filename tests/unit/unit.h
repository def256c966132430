/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TESTS_UNIT_H
#define LAB_TESTS_UNIT_H

/*
 * unit - the harness of the unit tests.
 *
 *	#include "unit.h"
 *
 *	TEST(text_cuts_long_names)
 *	{
 *		CHECK_EQ(text_columns("abc"), 3);
 *	}
 *
 * A test registers itself before main() and runs in a process of its own, with stdout and stderr
 * kept and shown only if it fails, a limit of CPU time (other programs do not use it up) and a
 * distant one of time, and the locale C.UTF-8. Names are unique over all files. A failed CHECK is
 * reported and the test goes on, so that one run shows all that is wrong; REQUIRE ends the test at
 * once where going on would crash.
 */

#include <stdbool.h>

#define UNIT_CPU_LIMIT_S 120
#define UNIT_WALL_LIMIT_S 900

struct unit_test {
	const char *name;
	const char *file;
	void (*run)(void);
	struct unit_test *next;
};

/* For TEST() only. */
void unit_register(struct unit_test *test);

/* For the CHECK macros only: count a failure and print where and what. */
void unit_failed(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void unit_check_eq(const char *file, int line, const char *expr, long long a, long long b);
void unit_check_str(const char *file, int line, const char *expr, const char *a, const char *b);

/* Lift both limits of the running test, which was asked for more than usual. */
void unit_unlimited(void);

/* End the running test: after a failed REQUIRE, and as skipped. */
void unit_abandon(void) __attribute__((noreturn));
void unit_skip(const char *reason) __attribute__((noreturn));

#define TEST(test_name) \
	static void test_##test_name(void); \
	static struct unit_test unit_##test_name = { \
		.name = #test_name, .file = __FILE__, .run = test_##test_name \
	}; \
	__attribute__((constructor)) static void unit_register_##test_name(void) \
	{ \
		unit_register(&unit_##test_name); \
	} \
	static void test_##test_name(void)

/* True is right. */
#define CHECK(cond) \
	do { \
		if (!(cond)) \
			unit_failed(__FILE__, __LINE__, "%s is false", #cond); \
	} while (0)

/* Both are integers; compared and printed as long long. */
#define CHECK_EQ(a, b) \
	unit_check_eq(__FILE__, __LINE__, #a " == " #b, (long long)(a), (long long)(b))

/* Both are strings; NULL equals only NULL. */
#define CHECK_STR(a, b) \
	unit_check_str(__FILE__, __LINE__, #a " == " #b, (a), (b))

#define REQUIRE(cond) \
	do { \
		if (!(cond)) { \
			unit_failed(__FILE__, __LINE__, "%s is false", #cond); \
			unit_abandon(); \
		} \
	} while (0)

#define SKIP(reason) unit_skip(reason)

#endif /* LAB_TESTS_UNIT_H */
