/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz_main - the targets without any tool: what lies in the corpus, and the same changes of it
 * each time.
 *
 *	fuzz [SECONDS [SEED]]		all targets, as TAP (default 10 1); an input that fails is
 *					kept where the program is
 *	fuzz --list			their names and kinds
 *	fuzz --seeds TARGET FOLDER	write the inputs that are made from the tree's traces
 *	fuzz --files TARGET FILE...	each file once
 *	fuzz --runs TARGET CNT SEED FOLDER
 *					so many changed inputs, or until SIGINT; one that fails is
 *					kept in FOLDER
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/io.h"

#define CORPUS "tests/fuzz/corpus"
#define CHANGES_MAX 6
/* a target of kind TRACE gets so many times the time of another one */
#define TRACE_SHARE 5
#define HANG_SECONDS 60
#define NEVER UINT64_MAX

struct input {
	uint8_t *buf;
	size_t len;
};

struct corpus {
	struct input *v;
	size_t cnt, cap;
};

/* Present when built with a sanitizer. */
extern void __sanitizer_set_death_callback(void (*call)(void)) __attribute__((weak));

static struct input now;		/* what runs */
static const char *keep_in;		/* a folder; NULL: nothing is kept */
static const char *target_name;
static volatile sig_atomic_t stopped;

/* ---- inputs ---- */

static void add_input(void *ctx, const uint8_t *data, size_t size)
{
	struct corpus *c = ctx;

	*vec_push(c->v, c->cnt, c->cap) = (struct input){ (uint8_t *)fuzz_text(data, size), size };
}

static int add_file(struct corpus *c, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *buf;
	int err = fd < 0 || fstat(fd, &st) ? -errno : 0;

	if (!err && S_ISREG(st.st_mode)) {
		buf = xmalloc((size_t)st.st_size + 1);
		err = io_pread_all(fd, buf, (size_t)st.st_size, 0);
		if (!err)
			add_input(c, buf, (size_t)st.st_size);
		free(buf);
	}
	if (fd >= 0)
		close(fd);
	return err;
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The files of a target's folder, in order of their names. There may be none. */
static void add_folder(struct corpus *c, const char *target)
{
	struct dirent **entries;
	char *folder = xasprintf(CORPUS "/%s", target);
	int cnt = scandir(folder, &entries, not_hidden, alphasort);

	for (int i = 0; i < cnt; i++) {
		char *path = xasprintf("%s/%s", folder, entries[i]->d_name);

		NEED(!add_file(c, path));
		free(path);
		free(entries[i]);
	}
	if (cnt >= 0)
		free(entries);
	free(folder);
}

static void corpus_release(struct corpus *c)
{
	for (size_t i = 0; i < c->cnt; i++)
		free(c->v[i].buf);
	free(c->v);
	*c = (struct corpus){ 0 };
}

/* ---- a run that fails ---- */

static void keep(void)
{
	char path[4096];
	int fd;

	if (!keep_in || !now.buf)
		return;
	snprintf(path, sizeof(path), "%s/%s-finding-%d", keep_in, target_name, (int)getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || io_write_all(fd, now.buf, now.len))
		return;
	close(fd);
	keep_in = NULL;
	dprintf(STDOUT_FILENO, "# the input is %s\n", path);
}

static void on_crash(int sig)
{
	keep();
	signal(sig, SIG_DFL);
	raise(sig);
}

static void on_stop(int sig)
{
	stopped = sig;
}

static void watch_crashes(void)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM };

	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(keep);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		signal(crashes[i], on_crash);
}

/* ---- runs ---- */

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void run_one(const struct fuzz_target *target, const uint8_t *data, size_t size)
{
	now = (struct input){ (uint8_t *)(uintptr_t)data, size };
	alarm(HANG_SECONDS);
	fuzz_run(target, data, size);
}

/* All of the corpus, then changed ones. Return: how many inputs ran. */
static uint64_t run_target(const struct fuzz_target *target, uint64_t cnt, uint64_t until_ns,
			   uint64_t seed)
{
	uint64_t random = seed * 0x9e3779b97f4a7c15 | 1, runs = 0;
	uint8_t *buf = xmalloc(target->size_max);
	struct corpus corpus = { 0 };

	add_folder(&corpus, target->name);
	for (; runs < corpus.cnt; runs++)
		run_one(target, corpus.v[runs].buf, corpus.v[runs].len);
	fuzz_seeds(target, add_input, &corpus);
	if (!corpus.cnt)
		add_input(&corpus, (const uint8_t *)"", 0);
	while (runs < cnt && !stopped && (runs % 16 || clock_ns() < until_ns)) {
		const struct input *from = &corpus.v[fuzz_below(&random, corpus.cnt)];
		uint64_t changes = 1 + fuzz_below(&random, CHANGES_MAX);
		size_t len = from->len < target->size_max ? from->len : target->size_max;

		memcpy(buf, from->buf, len);
		while (changes--)
			len = target->mutate(buf, len, target->size_max, &random);
		run_one(target, buf, len);
		runs++;
	}
	alarm(0);
	now = (struct input){ 0 };
	corpus_release(&corpus);
	free(buf);
	return runs;
}

/* ---- what is asked ---- */

/*
 * One target in a process of its own, as a test. @runs: shared with it. Return: whether it passed.
 */
static bool test_target(const struct fuzz_target *target, double seconds, uint64_t seed,
			uint64_t *runs)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	*runs = 0;
	pid = fork();
	if (!pid) {
		target_name = target->name;
		watch_crashes();
		fuzz_init();
		*runs = run_target(target, NEVER, clock_ns() + (uint64_t)(seconds * 1e9), seed);
		exit(0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && !status;
}

static int test_all(double seconds, uint64_t seed)
{
	uint64_t *runs = mmap(NULL, sizeof(*runs), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double shares = 0;
	int status = 0;

	if (runs == MAP_FAILED)
		return 2;
	for (size_t i = 0; i < fuzz_target_cnt; i++)
		shares += fuzz_targets[i].kind == TRACE ? TRACE_SHARE : 1;
	printf("1..%zu\n", fuzz_target_cnt);
	for (size_t i = 0; i < fuzz_target_cnt; i++) {
		const struct fuzz_target *t = &fuzz_targets[i];
		double share = (t->kind == TRACE ? TRACE_SHARE : 1) / shares;
		bool ok = test_target(t, seconds * share, seed, runs);

		printf("%s %zu %s_%" PRIu64 "_inputs\n", ok ? "ok" : "not ok", i + 1, t->name,
		       *runs);
		status |= !ok;
	}
	return status;
}

static int list_all(void)
{
	for (size_t i = 0; i < fuzz_target_cnt; i++)
		printf("%s %s %zu\n", fuzz_targets[i].name,
		       fuzz_targets[i].kind == PARSER ? "parser" : "trace",
		       fuzz_targets[i].size_max);
	return 0;
}

static int write_seeds(const struct fuzz_target *target, const char *folder)
{
	struct corpus c = { 0 };
	int status = 0;

	fuzz_seeds(target, add_input, &c);
	for (size_t i = 0; i < c.cnt; i++) {
		char *path = xasprintf("%s/seed-%zu", folder, i);
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

		if (fd < 0 || io_write_all(fd, c.v[i].buf, c.v[i].len)) {
			fprintf(stderr, "fuzz: cannot write %s: %s\n", path, strerror(errno));
			status = 2;
		}
		if (fd >= 0)
			close(fd);
		free(path);
	}
	corpus_release(&c);
	return status;
}

static int run_files(const struct fuzz_target *target, char *const *paths, int cnt)
{
	struct corpus c = { 0 };

	for (int i = 0; i < cnt; i++) {
		if (add_file(&c, paths[i])) {
			fprintf(stderr, "fuzz: cannot read %s\n", paths[i]);
			return 2;
		}
	}
	fuzz_init();
	for (size_t i = 0; i < c.cnt; i++)
		fuzz_run(target, c.v[i].buf, c.v[i].len);
	corpus_release(&c);
	return 0;
}

static int run_many(const struct fuzz_target *target, char *const *words)
{
	uint64_t start_ns = clock_ns(), runs;

	target_name = target->name;
	keep_in = words[2];
	watch_crashes();
	signal(SIGINT, on_stop);
	fuzz_init();
	runs = run_target(target, strtoull(words[0], NULL, 10), NEVER,
			  strtoull(words[1], NULL, 10));
	dprintf(STDOUT_FILENO, "runs %" PRIu64 " seconds %" PRIu64 "\n", runs,
		(clock_ns() - start_ns) / 1000000000);
	return 0;
}

int main(int argc, char **argv)
{
	const struct fuzz_target *target = argc > 2 ? fuzz_target_find(argv[2]) : NULL;

	if (argc == 2 && !strcmp(argv[1], "--list"))
		return list_all();
	if (target && argc == 4 && !strcmp(argv[1], "--seeds"))
		return write_seeds(target, argv[3]);
	if (target && argc > 3 && !strcmp(argv[1], "--files"))
		return run_files(target, argv + 3, argc - 3);
	if (target && argc == 6 && !strcmp(argv[1], "--runs"))
		return run_many(target, argv + 3);
	keep_in = dirname(argv[0]);
	if (argc > 3 || (argc > 1 && argv[1][0] == '-')) {
		fprintf(stderr,
			"fuzz: see the top of tests/fuzz/fuzz_main.c; --list names the targets\n");
		return 2;
	}
	return test_all(argc > 1 ? strtod(argv[1], NULL) : 10,
			argc > 2 ? strtoull(argv[2], NULL, 10) : 1);
}
