/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/physical.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "trace/trace.h"
#include "util/alloc.h"
#include "util/io.h"
#include "util/log.h"
#include "util/minmax.h"

#define HEAD_FORMAT "lab-physical 1 %s %" PRIu64 "\n"
#define PAIR_FORMAT "%" PRIu16 " %" PRIu16 " %" PRIu32 "\n"
#define LINE_MAX_BYTES 160
#define FILE_NEW PHYSICAL_FILE ".new"

void physical_release(struct physical *p)
{
	free(p->pairs);
	*p = (struct physical){ 0 };
}

int physical_now(struct physical *p)
{
	ssize_t len = io_read_text("/proc/sys/kernel/random/boot_id", p->boot_id,
				   sizeof(p->boot_id));
	struct timespec ts;

	if (len <= 0)
		return len ? (int)len : -ENODATA;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	p->measured_ns = (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	return 0;
}

/* ---- the text ---- */

int physical_write(const struct physical *p, FILE *f)
{
	fprintf(f, HEAD_FORMAT, p->boot_id, p->measured_ns);
	for (size_t i = 0; i < p->pair_cnt; i++)
		fprintf(f, PAIR_FORMAT, p->pairs[i].cpu_a, p->pairs[i].cpu_b, p->pairs[i].round_ns);
	return fflush(f) || ferror(f) ? -EIO : 0;
}

static bool pair_is_sound(const struct physical_pair *pair, const struct physical_pair *before)
{
	if (pair->cpu_a >= pair->cpu_b || pair->cpu_b >= TRACE_CPUS_MAX || !pair->round_ns ||
	    pair->round_ns >= TRACE_HANDSHAKE_ROUND_NS)
		return false;
	return !before || pair->cpu_a > before->cpu_a ||
	       (pair->cpu_a == before->cpu_a && pair->cpu_b > before->cpu_b);
}

/* A line is right if writing what was read of it gives the same line. */
static int read_pair(const char *line, struct physical *p, size_t *cap)
{
	struct physical_pair pair = { 0 };
	char again[LINE_MAX_BYTES];

	if (sscanf(line, "%" SCNu16 " %" SCNu16 " %" SCNu32, &pair.cpu_a, &pair.cpu_b,
		   &pair.round_ns) != 3)
		return -EBADMSG;
	snprintf(again, sizeof(again), PAIR_FORMAT, pair.cpu_a, pair.cpu_b, pair.round_ns);
	if (strcmp(line, again) ||
	    !pair_is_sound(&pair, p->pair_cnt ? &p->pairs[p->pair_cnt - 1] : NULL))
		return -EBADMSG;
	*vec_push(p->pairs, p->pair_cnt, *cap) = pair;
	return 0;
}

int physical_read(struct physical *p, FILE *f)
{
	char line[LINE_MAX_BYTES], again[LINE_MAX_BYTES];
	size_t cap = 0;

	*p = (struct physical){ 0 };
	if (!fgets(line, sizeof(line), f) ||
	    sscanf(line, "lab-physical 1 %63s %" SCNu64, p->boot_id, &p->measured_ns) != 2)
		return -EBADMSG;
	snprintf(again, sizeof(again), HEAD_FORMAT, p->boot_id, p->measured_ns);
	if (strcmp(line, again))
		return -EBADMSG;
	while (fgets(line, sizeof(line), f))
		if (read_pair(line, p, &cap))
			return -EBADMSG;
	return ferror(f) ? -EBADMSG : 0;
}

struct physical_fact physical_fact(const struct physical *p, const struct physical *now,
				   const uint16_t *cpus, uint32_t cpu_cnt)
{
	bool asked[TRACE_CPUS_MAX] = { false };
	struct physical_fact fact = { 0 };
	uint64_t found = 0;

	if (strcmp(p->boot_id, now->boot_id) || p->measured_ns > now->measured_ns)
		return fact;
	for (uint32_t i = 0; i < cpu_cnt; i++)
		asked[cpus[i]] = true;
	for (size_t i = 0; i < p->pair_cnt; i++) {
		if (!asked[p->pairs[i].cpu_a] || !asked[p->pairs[i].cpu_b])
			continue;
		found++;
		fact.round_ns = max_u64(fact.round_ns, p->pairs[i].round_ns);
	}
	/* No pair is there twice. */
	if (!found || found != (uint64_t)cpu_cnt * (cpu_cnt - 1) / 2)
		return (struct physical_fact){ 0 };
	fact.age_ns = now->measured_ns - p->measured_ns;
	return fact;
}

/* ---- the file ---- */

/* Whether root alone can change what @fd is open on, and it is of @type. */
static bool is_roots_alone(int fd, mode_t type)
{
	struct stat st;

	return !fstat(fd, &st) && (st.st_mode & S_IFMT) == type && st.st_uid == 0 &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* Return: a descriptor, or -errno; -EPERM: others than root can change the folder. */
static int open_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (is_roots_alone(fd, S_IFDIR))
		return fd;
	close(fd);
	return -EPERM;
}

static int write_at(int folder_fd, const struct physical *p)
{
	FILE *f = NULL;
	int fd, err;

	/* Of a lab that did not come to its end. */
	unlinkat(folder_fd, FILE_NEW, 0);
	fd = io_create_at(folder_fd, FILE_NEW);
	if (fd < 0)
		return fd;
	f = fdopen(fd, "w");
	if (!f) {
		err = -errno;
		close(fd);
		return err;
	}
	err = physical_write(p, f);
	if (fclose(f) && !err)
		err = -EIO;
	if (!err && renameat(folder_fd, FILE_NEW, folder_fd, PHYSICAL_FILE))
		err = -errno;
	return err;
}

int physical_remember(const char *folder, const struct physical *p)
{
	int fd, err;

	if (mkdir(folder, 0755) && errno != EEXIST)
		fd = -errno;
	else
		fd = open_folder(folder);
	err = fd;
	if (fd >= 0) {
		err = write_at(fd, p);
		close(fd);
	}
	if (err == -EPERM || err == -ENOTDIR || err == -ELOOP)
		log_err("%s is not a folder that only root can change: nothing is written there. "
			"Remove it, and run lab doctor --physical again.", folder);
	else if (err)
		log_err("Cannot write %s/%s: %s.", folder, PHYSICAL_FILE, io_reason(-err));
	return err;
}

/* Return: 0, or -errno; -ENOENT: there is none; -EPERM: others than root can change it. */
static int read_at(int folder_fd, struct physical *p)
{
	/* O_NONBLOCK: an open of a FIFO does not wait. */
	int fd = openat(folder_fd, PHYSICAL_FILE,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), err;
	FILE *f;

	if (fd < 0)
		return -errno;
	f = is_roots_alone(fd, S_IFREG) ? fdopen(fd, "r") : NULL;
	if (!f) {
		close(fd);
		return -EPERM;
	}
	err = physical_read(p, f);
	fclose(f);
	return err;
}

static const char *why_unused(int err)
{
	switch (err) {
	case -EBADMSG:
		return "it is damaged";
	case -EPERM:
		return "others than root can change it";
	case -ELOOP:
	case -ENOTDIR:
		return "it is a symbolic link";
	default:
		return strerror(-err);
	}
}

struct physical_fact physical_recall(const char *folder, const uint16_t *cpus, uint32_t cpu_cnt)
{
	struct physical p = { 0 }, now = { 0 };
	struct physical_fact fact = { 0 };
	int fd = open_folder(folder), err = fd;

	if (fd >= 0) {
		err = read_at(fd, &p);
		close(fd);
	}
	if (!err && !physical_now(&now))
		fact = physical_fact(&p, &now, cpus, cpu_cnt);
	if (err && err != -ENOENT)
		log_warn("%s/%s is not used: %s. Remove it, and run sudo lab doctor --physical.",
			 folder, PHYSICAL_FILE, why_unused(err));
	physical_release(&p);
	return fact;
}
