/* SPDX-License-Identifier: GPL-2.0-only */
/* fuzz_targets - the table of targets, and what they share. */
#include "fuzz.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/io.h"
#include "util/minmax.h"

#define TARGET(name, ...) void fuzz_##name(const uint8_t *data, size_t size);
#include "target.def"
#undef TARGET

const struct fuzz_target fuzz_targets[] = {
#define TARGET(name, kind, size_max, mutate) { #name, kind, size_max, mutate, fuzz_##name },
#include "target.def"
#undef TARGET
};

const size_t fuzz_target_cnt = ARRAY_SIZE(fuzz_targets);

static int report_fd = STDERR_FILENO;

/* Present when built with a sanitizer: its reports go here, not where the log goes. */
extern void __sanitizer_set_report_fd(void *fd) __attribute__((weak));

/* Crashes are the sanitizer's to report, though the timeline would put its terminal right first. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "handle_segv=2:handle_sigbus=2:handle_abort=2:handle_sigfpe=2:handle_sigill=2:"
	       /* What costs most is not to keep freed memory for long, and to ask for it again. */
	       "quarantine_size_mb=8:malloc_context_size=4:allocator_release_to_os_interval_ms=-1";
}

const struct fuzz_target *fuzz_target_find(const char *name)
{
	for (size_t i = 0; i < fuzz_target_cnt; i++)
		if (!strcmp(fuzz_targets[i].name, name))
			return &fuzz_targets[i];
	return NULL;
}

/* Large blocks are used again: to give them to the kernel takes longer than most targets do. */
static void keep_memory(void)
{
	static bool done;

	if (done)
		return;
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	done = true;
}

void fuzz_run(const struct fuzz_target *target, const uint8_t *data, size_t size)
{
	uint8_t *own;

	keep_memory();
	size = min_u64(size, target->size_max);
	own = malloc(size ? size : 1);
	if (!own)
		abort();
	if (size)
		memcpy(own, data, size);
	target->run(own, size);
	free(own);
}

void fuzz_init(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	report_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (__sanitizer_set_report_fd && report_fd >= 0)
		__sanitizer_set_report_fd((void *)(intptr_t)report_fd);
	if (null >= 0)
		dup2(null, STDERR_FILENO);
}

void fuzz_failed(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	dprintf(report_fd, "# %s:%d: this does not hold: ", file, line);
	va_start(args, fmt);
	vdprintf(report_fd, fmt, args);
	va_end(args);
	dprintf(report_fd, "\n");
	abort();
}

const struct fuzz_file *fuzz_file(unsigned int which, const uint8_t *data, size_t size)
{
	static struct fuzz_file files[FUZZ_FILES];
	struct fuzz_file *file = &files[which];

	if (!file->path[0]) {
		file->fd = memfd_create("fuzz", MFD_CLOEXEC);
		snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->fd);
	}
	if (file->fd < 0 || ftruncate(file->fd, 0) || lseek(file->fd, 0, SEEK_SET) ||
	    io_pwrite_all(file->fd, data, size, 0))
		abort();
	return file;
}

static ssize_t take_all(void *cookie, const char *buf, size_t size)
{
	(void)cookie;
	(void)buf;
	return (ssize_t)size;
}

FILE *fuzz_null(void)
{
	static FILE *null;

	if (!null)
		null = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = take_all });
	if (!null)
		abort();
	return null;
}

char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = xmalloc(size + 1);

	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}
