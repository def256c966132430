/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs the unit tests and prints TAP: unit [-l] [-v] [-j N] [WORD...]
 * -l lists the tests; -v shows the CPU time of each test and the output of those that pass; -j runs
 * N at once (as many as there are CPUs); words choose the tests whose name contains one of them,
 * or, where the word is =NAME, is that name.
 */

#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_FAILED 1
#define EXIT_SKIPPED 77
#define SKIP_MARK "unit-skip: "
#define JOBS_UNREPORTED 256

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

static void limit(time_t cpu_s, unsigned int wall_s)
{
	setitimer(ITIMER_PROF, &(struct itimerval){ .it_value.tv_sec = cpu_s }, NULL);
	alarm(wall_s);
}

void unit_unlimited(void)
{
	limit(0, 0);
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
	/* The outputs of the tests before it: how many there are is nothing to a test. */
	close_range(STDERR_FILENO + 1, UINT_MAX, 0);
	limit(UNIT_CPU_LIMIT_S, UNIT_WALL_LIMIT_S);
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

/* A test and what became of it. */
struct job {
	const struct unit_test *test;
	FILE *output;		/* NULL: there was no room for it */
	pid_t pid;
	int err;		/* why it could not be started */
	int status;
	struct rusage usage;	/* with what its own children used */
	bool ended;
};

static void start(struct job *job)
{
	job->output = tmpfile();
	fflush(NULL);
	job->pid = job->output ? fork() : -1;
	if (!job->pid)
		run_in_child(job->test, job->output);
	job->err = errno;
	job->ended = job->pid < 0;
}

static void await_one(struct job *jobs, unsigned int cnt)
{
	struct rusage usage;
	int status;
	pid_t pid;

	do
		pid = wait4(-1, &status, 0, &usage);
	while (pid < 0 && errno == EINTR);
	for (unsigned int i = 0; i < cnt; i++) {
		if (jobs[i].ended || jobs[i].pid != pid)
			continue;
		jobs[i].ended = true;
		jobs[i].status = status;
		jobs[i].usage = usage;
	}
}

static double cpu_s(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

static const char *death(int signal_number)
{
	if (signal_number == SIGPROF)
		return "used too much CPU time";
	return signal_number == SIGALRM ? "took too long" : strsignal(signal_number);
}

/* Return: true if the test passed or was skipped. */
static bool report(struct job *job, unsigned int number)
{
	const struct unit_test *test = job->test;
	bool exited = job->pid > 0 && WIFEXITED(job->status);
	int status = exited ? WEXITSTATUS(job->status) : EXIT_FAILED;

	if (status == EXIT_SKIPPED)
		print_skip(job->output, number, test->name);
	else
		printf("%sok %u %s\n", status ? "not " : "", number, test->name);
	if (job->output && (verbose || (status && status != EXIT_SKIPPED)))
		print_output(job->output, "# ");
	if (job->pid < 0)
		printf("# cannot start it: %s\n", strerror(job->err));
	else if (!exited)
		printf("# %s: %s: %s\n", test->file, test->name, death(WTERMSIG(job->status)));
	if (verbose)
		printf("# CPU time %.2f s\n", cpu_s(&job->usage));
	if (job->output)
		fclose(job->output);
	return !status || status == EXIT_SKIPPED;
}

/*
 * In their order, @at_once at a time. Who has ended keeps its output until those before it have:
 * at most JOBS_UNREPORTED, for descriptors. Return: how many failed.
 */
static unsigned int run_all(struct job *jobs, unsigned int cnt, unsigned int at_once)
{
	unsigned int started = 0, reported = 0, failed = 0;

	while (reported < cnt) {
		unsigned int running = 0;

		for (unsigned int i = reported; i < started; i++)
			running += !jobs[i].ended;
		if (started < cnt && running < at_once && started - reported < JOBS_UNREPORTED)
			start(&jobs[started++]);
		else if (running)
			await_one(jobs, started);
		for (; reported < started && jobs[reported].ended; reported++)
			failed += !report(&jobs[reported], reported + 1);
		fflush(stdout);
	}
	return failed;
}

static bool wanted(const struct unit_test *test, int word_cnt, char **words)
{
	for (int i = 0; i < word_cnt; i++)
		if (words[i][0] == '=' ? !strcmp(test->name, words[i] + 1) :
					 !!strstr(test->name, words[i]))
			return true;
	return word_cnt == 0;
}

int main(int argc, char **argv)
{
	unsigned int at_once = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN), total = 0, failed = 0;
	struct job *jobs;
	bool list = false;
	int option;

	setlocale(LC_ALL, "C.UTF-8");
	while ((option = getopt(argc, argv, "lvj:")) != -1) {
		if (option == '?')
			return EXIT_FAILED;
		list |= option == 'l';
		verbose |= option == 'v';
		if (option == 'j')
			at_once = (unsigned int)strtoul(optarg, NULL, 10);
	}
	for (struct unit_test *t = registered; t; t = t->next)
		total += wanted(t, argc - optind, argv + optind);
	jobs = calloc(total + 1, sizeof(*jobs));
	if (!jobs)
		return EXIT_FAILED;
	total = 0;
	for (struct unit_test *t = registered; t; t = t->next)
		if (wanted(t, argc - optind, argv + optind))
			jobs[total++].test = t;
	for (unsigned int i = 0; list && i < total; i++)
		printf("%s\n", jobs[i].test->name);
	if (!list) {
		printf("1..%u\n", total);
		failed = run_all(jobs, total, at_once ? at_once : 1);
	}
	if (total == 0)
		fprintf(stderr, "unit: no such test\n");
	free(jobs);
	return failed || total == 0;
}
