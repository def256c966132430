/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_PHYSICAL_H
#define LAB_CLI_PHYSICAL_H

/*
 * physical - what `lab doctor --physical` showed, remembered until the next boot.
 *
 * Root keeps it in a file of a folder that only root can change. The file is text: a line
 * "lab-physical 1 BOOT_ID MEASURED", and then a line "A B NS" for each pair of CPUs that ran at
 * once. MEASURED is the time in ns of CLOCK_BOOTTIME, A is less than B, and NS is a round of the
 * handshake. The pairs ascend.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define PHYSICAL_FOLDER "/run/lab"
#define PHYSICAL_FILE "physical"
#define PHYSICAL_PATH PHYSICAL_FOLDER "/" PHYSICAL_FILE
#define PHYSICAL_BOOT_ID_MAX 64

struct physical_pair {
	uint16_t cpu_a, cpu_b;
	uint32_t round_ns;	/* 1 .. TRACE_HANDSHAKE_ROUND_NS - 1 */
};

struct physical {
	char boot_id[PHYSICAL_BOOT_ID_MAX]; /* of the kernel, one word */
	uint64_t measured_ns;	/* CLOCK_BOOTTIME */
	struct physical_pair *pairs; /* owned; ascending */
	size_t pair_cnt;
};

/* What a run needs of it. */
struct physical_fact {
	/* of the slowest pair; 0: not every pair was shown to run at once */
	uint32_t round_ns;
	uint64_t age_ns;	/* time since the measurement */
};

/* An all-zero one is empty. */
void physical_release(struct physical *p);

/* The boot that is now, and the time: all but the pairs. Return: 0, or -errno. Logs nothing. */
int physical_now(struct physical *p);

/* Return: 0, or -EIO. Logs nothing. */
int physical_write(const struct physical *p, FILE *f);

/*
 * Return: 0, or -EBADMSG if a byte is not as physical_write() writes it. @p is to be released in
 * either case. Logs nothing.
 */
int physical_read(struct physical *p, FILE *f);

/*
 * What @p says of @cpus (each once, below TRACE_CPUS_MAX) at @now's boot and time: nothing if it is
 * of another boot, or lacks a pair of them.
 */
struct physical_fact physical_fact(const struct physical *p, const struct physical *now,
				   const uint16_t *cpus, uint32_t cpu_cnt);

/*
 * Replace the file of @folder (PHYSICAL_FOLDER), which is made if it is not there. Return: 0, or
 * -errno after one logged sentence: -EPERM if others than root can change the folder.
 */
int physical_remember(const char *folder, const struct physical *p);

/*
 * What the file of @folder (PHYSICAL_FOLDER) says of @cpus now. A file that others than root can
 * change, that is a link or no regular file, or that is damaged, counts as none, after one logged
 * sentence.
 */
struct physical_fact physical_recall(const char *folder, const uint16_t *cpus, uint32_t cpu_cnt);

#endif /* LAB_CLI_PHYSICAL_H */
