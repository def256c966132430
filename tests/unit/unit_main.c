/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs the unit tests and prints TAP: unit [-l | -v] [WORD...]
 * -l lists the tests, -v shows also what those print that pass; words choose those
 * whose name contains one of them.
 */

#include "unit.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_FAILED 1
#define EXIT_SKIPPED 77
#define SKIP_MARK "unit-skip: "

/* Constructors of other files may run before this file's, so plain zeroes. */
static struct unit_test *registered;
static unsigned int failure_cnt;
static bool verbose;

#ifdef __SANITIZE_ADDRESS__
/* Asking for too much memory must fail as it does without the sanitizer. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}
#endif

void unit_register(struct unit_test *test)
{
	struct unit_test **at = &registered;

	while (*at && strcmp((*at)->file, test->file) <= 0)
		at = &(*at)->next;
	test->next = *at;
	*at = test;
}

void unit_failed(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	failure_cnt++;
	printf("%s:%d: ", file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void unit_check_eq(const char *file, int line, const char *expr, long long a, long long b)
{
	if (a != b)
		unit_failed(file, line, "%s: %lld is not %lld", expr, a, b);
}

void unit_check_str(const char *file, int line, const char *expr, const char *a, const char *b)
{
	if (a == b || (a && b && !strcmp(a, b)))
		return;
	unit_failed(file, line, "%s: \"%s\" is not \"%s\"", expr, a ? a : "(null)",
		    b ? b : "(null)");
}

void unit_abandon(void)
{
	fflush(stdout);
	_exit(EXIT_FAILED);
}

void unit_skip(const char *reason)
{
	printf(SKIP_MARK "%s\n", reason);
	fflush(stdout);
	_exit(failure_cnt ? EXIT_FAILED : EXIT_SKIPPED);
}

static void run_in_child(const struct unit_test *test, FILE *output)
{
	if (dup2(fileno(output), STDOUT_FILENO) < 0 || dup2(fileno(output), STDERR_FILENO) < 0)
		_exit(EXIT_FAILED);
	alarm(UNIT_TIMEOUT_S);
	test->run();
	fflush(NULL);
	/* exit(), not _exit(): a leak checker does its work there. */
	exit(failure_cnt ? EXIT_FAILED : 0);
}

static void print_output(FILE *output, const char *prefix)
{
	char line[4096];

	rewind(output);
	while (fgets(line, sizeof(line), output)) {
		line[strcspn(line, "\n")] = '\0';
		printf("%s%s\n", prefix, line);
	}
}

static void print_skip(FILE *output, unsigned int number, const char *name)
{
	const char *reason = "";
	char line[4096];

	rewind(output);
	while (fgets(line, sizeof(line), output)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, SKIP_MARK, strlen(SKIP_MARK)))
			reason = line + strlen(SKIP_MARK);
	}
	printf("ok %u %s # skip %s\n", number, name, reason);
}

/* Return: true if the test passed or was skipped. */
static bool run_one(const struct unit_test *test, unsigned int number)
{
	FILE *output = tmpfile();
	int status = 0;
	pid_t pid;

	if (!output) {
		printf("not ok %u %s\n# no temporary file: %s\n", number, test->name,
		       strerror(errno));
		return false;
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		run_in_child(test, output);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		printf("ok %u %s\n", number, test->name);
		if (verbose)
			print_output(output, "# ");
	} else if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED) {
		print_skip(output, number, test->name);
	} else {
		printf("not ok %u %s\n", number, test->name);
		print_output(output, "# ");
		if (pid < 0)
			printf("# fork failed\n");
		else if (WIFSIGNALED(status))
			printf("# %s: %s: %s\n", test->file, test->name,
			       WTERMSIG(status) == SIGALRM ? "took too long" :
			       strsignal(WTERMSIG(status)));
		fclose(output);
		return false;
	}
	fclose(output);
	return true;
}

static bool wanted(const struct unit_test *test, int word_cnt, char **words)
{
	for (int i = 0; i < word_cnt; i++)
		if (strstr(test->name, words[i]))
			return true;
	return word_cnt == 0;
}

int main(int argc, char **argv)
{
	bool list = argc > 1 && !strcmp(argv[1], "-l");
	int skip;
	unsigned int total = 0, number = 0, failed = 0;

	setlocale(LC_ALL, "C.UTF-8");
	verbose = argc > 1 && !strcmp(argv[1], "-v");
	skip = list || verbose ? 2 : 1;
	for (struct unit_test *t = registered; t; t = t->next)
		total += wanted(t, argc - skip, argv + skip);
	if (!list)
		printf("1..%u\n", total);
	for (struct unit_test *t = registered; t; t = t->next) {
		if (!wanted(t, argc - skip, argv + skip))
			continue;
		if (list)
			printf("%s\n", t->name);
		else if (!run_one(t, ++number))
			failed++;
		fflush(stdout);
	}
	if (total == 0)
		fprintf(stderr, "unit: no such test\n");
	return failed || total == 0;
}
