/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TESTS_RENDER_FIXTURE_H
#define LAB_TESTS_RENDER_FIXTURE_H

/*
 * render_fixture - models and reports made by hand, so that what a renderer
 * prints of them is known.
 */

#include <stdbool.h>
#include <stdint.h>

#include "analyze/missing.h"
#include "analyze/report.h"
#include "model/model.h"
#include "render/render.h"

struct render_fixture {
	struct model model;
	struct report report;
};

/* 20 ms on 2 CPUs: a root and 2 workers, a lock, a sleep, a preemption by gzip. Parallel. */
void fixture_workers(struct render_fixture *f);

/* One thread, one epoll loop, 3 operations of which 2 overlap; 10 ms on 1 of 2 CPUs. Concurrent. */
void fixture_loop(struct render_fixture *f);

/*
 * @tasks tasks that take turns of @window_ns / 7 on @cpus CPUs (at most 256),
 * and @futexes futexes. Inconclusive.
 */
void fixture_crowd(struct render_fixture *f, uint32_t tasks, uint32_t cpus, uint32_t futexes,
		   uint64_t window_ns);

/* The first task takes a lock that it has already. */
void fixture_stuck_alone(struct report *r, uint64_t since_ns);

/* No task, no CPU, no time. */
void fixture_empty(struct render_fixture *f);

/* Records of this CPU are missing from 5 ms until 7 ms. */
void fixture_lose(struct render_fixture *f, uint16_t cpu);

/* Put bytes that want to do harm wherever text of other people stands. */
void fixture_make_hostile(struct render_fixture *f);

void fixture_release(struct render_fixture *f);

/* What the renderer prints; free() it. Fails the test if rendering fails. */
char *fixture_render(const struct render_fixture *f, const char *format,
		     const struct render_opts *opts);

#endif /* LAB_TESTS_RENDER_FIXTURE_H */
