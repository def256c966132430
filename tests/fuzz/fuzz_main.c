/* SPDX-License-Identifier: GPL-2.0-only */

#include "fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SEEDS_MAX 16
#define INPUT_MAX (4u << 20)

struct input {
	uint8_t *buf;
	size_t len;
};

/* Present when built with a sanitizer: its reports go here, not where the log goes. */
extern void __sanitizer_set_report_fd(void *fd) __attribute__((weak));

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1d;
}

static int read_input(int fd, struct input *in)
{
	struct stat st;
	ssize_t got;

	if (fd < 0 || fstat(fd, &st) || st.st_size < 0 || st.st_size > INPUT_MAX)
		return -1;
	in->buf = malloc((size_t)st.st_size + 1);
	if (!in->buf)
		return -1;
	got = pread(fd, in->buf, (size_t)st.st_size, 0);
	in->len = got > 0 ? (size_t)got : 0;
	return 0;
}

/* One change somewhere in @in, which has room for INPUT_MAX bytes. */
static void mutate_once(struct input *in, const struct input *other, uint64_t *random)
{
	static const uint64_t odd[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff,
					0xffffffff, UINT64_MAX };
	size_t at = in->len ? next_random(random) % in->len : 0;
	size_t left = in->len - at, len = 1 + next_random(random) % 64;
	uint64_t value = next_random(random);
	size_t width = (size_t)1 << next_random(random) % 4;

	switch (next_random(random) % 8) {
	case 0:
	case 1:
		if (left)
			in->buf[at] ^= (uint8_t)(1u << value % 8);
		break;
	case 2:
		if (left)
			in->buf[at] = (uint8_t)value;
		break;
	case 3:
		value = odd[value % (sizeof(odd) / sizeof(odd[0]))];
		memcpy(in->buf + at, &value, width < left ? width : left);
		break;
	case 4:
		if (value % 16 == 0)
			in->len = at;
		break;
	case 5:
		len = len < left ? len : left;
		memmove(in->buf + at, in->buf + at + len, left - len);
		in->len -= len;
		break;
	case 6:
		if (in->len + len > INPUT_MAX)
			break;
		memmove(in->buf + at + len, in->buf + at, left);
		memset(in->buf + at, (int)value, len);
		in->len += len;
		break;
	default:
		len = len < left ? len : left;
		if (other->len > len)
			memcpy(in->buf + at, other->buf + value % (other->len - len), len);
	}
}

static unsigned long run_for(double seconds, uint64_t random, const struct input *seeds,
			     size_t seed_cnt)
{
	struct input in = { .buf = malloc(INPUT_MAX) };
	struct timespec start, now;
	unsigned long runs = 0;

	if (!in.buf)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		const struct input *from = &seeds[next_random(&random) % seed_cnt];
		const struct input *other = &seeds[next_random(&random) % seed_cnt];
		unsigned int changes = 1 + (unsigned int)(next_random(&random) % 6);

		memcpy(in.buf, from->buf, from->len);
		in.len = from->len;
		while (changes--)
			mutate_once(&in, other, &random);
		LLVMFuzzerTestOneInput(in.buf, in.len);
		runs++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((double)(now.tv_sec - start.tv_sec) +
		 (double)(now.tv_nsec - start.tv_nsec) / 1e9 < seconds);
	free(in.buf);
	return runs;
}

static int run_files(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct input in = { 0 };
		int fd = open(argv[i], O_RDONLY | O_CLOEXEC);

		if (read_input(fd, &in)) {
			fprintf(stderr, "%s: cannot read %s\n", fuzz_name, argv[i]);
			return 2;
		}
		LLVMFuzzerTestOneInput(in.buf, in.len);
		free(in.buf);
		close(fd);
	}
	return 0;
}

static void report_crash(int sig)
{
	static const char text[] = "not ok 1 the reader crashed or gave a wrong result\n";

	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		_exit(2);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* What the code under test logs about bad input is of no interest. */
static void silence_log(void)
{
	int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (__sanitizer_set_report_fd && saved >= 0)
		__sanitizer_set_report_fd((void *)(intptr_t)saved);
	if (null >= 0)
		dup2(null, STDERR_FILENO);
}

int main(int argc, char **argv)
{
	struct input seeds[SEEDS_MAX] = { { 0 } };
	size_t seed_cnt = 0;
	double seconds = 3;
	uint64_t random = 1;
	unsigned long runs;
	char *end;

	if (argc > 1) {
		seconds = strtod(argv[1], &end);
		if (*end)
			return run_files(argc, argv);
	}
	if (argc > 2)
		random = strtoull(argv[2], NULL, 10);
	while (seed_cnt < SEEDS_MAX) {
		int fd = fuzz_seed((unsigned int)seed_cnt);

		if (read_input(fd, &seeds[seed_cnt]))
			break;
		close(fd);
		seed_cnt++;
	}
	if (!seed_cnt)
		return 2;

	printf("1..1\n");
	fflush(stdout);
	if (!__sanitizer_set_report_fd)
		signal(SIGSEGV, report_crash);
	signal(SIGABRT, report_crash);
	silence_log();
	random = random * 0x9e3779b97f4a7c15 | 1;
	runs = run_for(seconds, random, seeds, seed_cnt);
	printf("ok 1 %s_%lu_inputs\n", fuzz_name, runs);
	for (size_t i = 0; i < seed_cnt; i++)
		free(seeds[i].buf);
	return 0;
}
