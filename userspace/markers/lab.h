/* SPDX-License-Identifier: MIT */
#ifndef LAB_H
#define LAB_H

/*
 * lab.h - tell lab what a program is doing. Copy it beside your source; there is nothing to link.
 *
 *	lab_begin(7, "fetch");		operation 7 begins in this thread
 *	lab_suspend(7);			it waits, and the thread does something else
 *	lab_resume(7);			it goes on, in this thread
 *	lab_begin_part(7, 1, "parse");	a part of it, shown inside it
 *	lab_end_part(7, 1);
 *	lab_end(7);
 *
 * Numbers are those of your process; one may be used again when its operation has ended. Under
 * `lab run --ops` each call asks the kernel for a file that does not exist (access(2)), which lab
 * sees and which has no effect. Elsewhere a call reads one variable.
 *
 * Names longer than some 70 bytes are cut. Safe in any thread; errno is kept.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* 0: not asked yet, 1: lab does not listen, 2: it does. */
static inline int lab_listens(void)
{
	static int state;
	int now = __atomic_load_n(&state, __ATOMIC_RELAXED);

	if (!now) {
		now = getenv("LAB_MARKERS") ? 2 : 1;
		__atomic_store_n(&state, now, __ATOMIC_RELAXED);
	}
	return now == 2;
}

static inline void lab_say(const char *verb, unsigned long long id, long part, const char *name)
{
	char path[128], part_text[24] = "";
	int kept = errno;

	if (!lab_listens())
		return;
	if (part >= 0)
		snprintf(part_text, sizeof(part_text), ".%ld", part);
	snprintf(path, sizeof(path), "lab:%s:%llu%s%s%s", verb, id, part_text, name ? ":" : "",
		 name ? name : "");
	if (access(path, F_OK))
		errno = kept;
}

static inline void lab_begin(unsigned long long id, const char *name)
{
	lab_say("begin", id, -1, name);
}

static inline void lab_suspend(unsigned long long id)
{
	lab_say("suspend", id, -1, NULL);
}

static inline void lab_resume(unsigned long long id)
{
	lab_say("resume", id, -1, NULL);
}

static inline void lab_end(unsigned long long id)
{
	lab_say("end", id, -1, NULL);
}

static inline void lab_begin_part(unsigned long long id, unsigned int part, const char *name)
{
	lab_say("begin", id, part, name);
}

static inline void lab_end_part(unsigned long long id, unsigned int part)
{
	lab_say("end", id, part, NULL);
}

#endif /* LAB_H */
