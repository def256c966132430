/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/doctor_physical.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/finding.h"
#include "cli/physical.h"
#include "cli/privilege.h"
#include "record/handshake.h"
#include "util/alloc.h"
#include "util/format.h"
#include "util/log.h"
#include "util/minmax.h"

#define CPUS_MAX 256		/* of more, the first ones: 32,640 pairs */
#define PAIR_NS 1000000000	/* a pair is tried for so long, and all of them ... */
#define TOTAL_NS 30000000000
#define PAIR_LEAST_NS 5000000
#define LINES_MAX 10		/* of pairs, one by one */

enum kind { KIND_CORES, KIND_ONE_CORE, KIND_NOT_SHOWN, KIND_CNT };

/* Pairs with the same outcome. */
struct group {
	size_t cnt;
	uint64_t least_ns, most_ns; /* of their rounds */
};

struct shaking {
	const uint16_t *cpus;
	uint32_t cpu_cnt;
	size_t pair_cnt;
	bool color;
	struct group groups[KIND_CNT];
	struct physical shown;	/* the pairs that ran at once */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* ---- a pair ---- */

static void say_not_shown(const struct handshake *h, struct finding *f)
{
	if (!h->tried) {
		found(f, HEALTH_WARN, "not shown: no thread could be kept on each of them");
		remedy(f, "allow both in the cpuset, and raise the limit of threads (ulimit -u)");
		return;
	}
	if (h->round_cnt)
		found(f, HEALTH_WARN,
		      "not shown: %s rounds, %s each; one CPU that both share could "
		      "do that", fmt_count(min_u64(h->round_cnt, TRACE_HANDSHAKE_ROUNDS)).s,
		      fmt_ns(h->round_ns).s);
	else
		found(f, HEALTH_WARN, "not shown: no round was complete; one CPU that both share "
		      "could do that");
	if (h->disturbed)
		remedy(f, "other programs had them for part of the time: end those, and try again");
	else
		remedy(f, "if the host has more CPUs, ask for CPUs that are not shared");
}

static void print_pair(const struct shaking *s, const uint16_t pair[2], enum kind kind,
		       const struct handshake *h)
{
	struct finding f = { 0 };
	char subject[32];

	if (kind == KIND_NOT_SHOWN ? s->groups[kind].cnt > LINES_MAX : s->pair_cnt > LINES_MAX)
		return;
	snprintf(subject, sizeof(subject), "CPUs %" PRIu16 " and %" PRIu16, pair[0], pair[1]);
	if (kind == KIND_NOT_SHOWN)
		say_not_shown(h, &f);
	else
		found(&f, HEALTH_OK, "ran at once%s: %s rounds, %s each",
		      kind == KIND_ONE_CORE ? ", as two threads of one core" : "",
		      fmt_count(TRACE_HANDSHAKE_ROUNDS).s, fmt_ns(h->round_ns).s);
	print_finding(subject, &f, s->color);
	fflush(stdout);
}

static void take(struct shaking *s, const uint16_t pair[2], const struct handshake *h, size_t *cap)
{
	enum kind kind = !h->at_once			   ? KIND_NOT_SHOWN :
			 host_one_core(pair[0], pair[1]) ? KIND_ONE_CORE : KIND_CORES;
	struct group *group = &s->groups[kind];

	group->least_ns = group->cnt ? min_u64(group->least_ns, h->round_ns) : h->round_ns;
	group->most_ns = max_u64(group->most_ns, h->round_ns);
	group->cnt++;
	print_pair(s, pair, kind, h);
	if (h->at_once)
		*vec_push(s->shown.pairs, s->shown.pair_cnt, *cap) =
			(struct physical_pair){ pair[0], pair[1], (uint32_t)h->round_ns };
}

/* A pair that shows nothing may use up what is left of the time for it, not that of the others. */
static void shake_all(struct shaking *s)
{
	uint64_t deadline_ns = now_ns() + TOTAL_NS;
	size_t cap = 0, left = s->pair_cnt;

	for (uint32_t a = 0; a < s->cpu_cnt; a++) {
		for (uint32_t b = a + 1; b < s->cpu_cnt; b++, left--) {
			const uint16_t pair[2] = { s->cpus[a], s->cpus[b] };
			uint64_t now = now_ns(), limit_ns;
			struct handshake h;

			limit_ns = now < deadline_ns ? (deadline_ns - now) / left : 0;
			limit_ns = min_u64(max_u64(limit_ns, PAIR_LEAST_NS), PAIR_NS);
			handshake_measure(pair[0], pair[1], limit_ns, &h);
			take(s, pair, &h, &cap);
		}
	}
}

/* ---- all of them ---- */

static void print_groups(const struct shaking *s)
{
	static const char *const what[KIND_CNT] = {
		[KIND_CORES] = "ran at once",
		[KIND_ONE_CORE] = "ran at once, as two threads of one core",
		[KIND_NOT_SHOWN] = "not shown",
	};

	for (enum kind kind = 0; kind < KIND_CNT; kind++) {
		const struct group *g = &s->groups[kind];
		struct finding f = { 0 };
		char subject[48];

		if (!g->cnt || (kind == KIND_NOT_SHOWN ? g->cnt : s->pair_cnt) <= LINES_MAX)
			continue;
		snprintf(subject, sizeof(subject), "%s pairs", fmt_count(g->cnt).s);
		found(&f, kind == KIND_NOT_SHOWN ? HEALTH_WARN : HEALTH_OK,
		      "%s: %s to %s a round", what[kind], fmt_ns(g->least_ns).s,
		      fmt_ns(g->most_ns).s);
		print_finding(subject, &f, s->color);
	}
}

static void print_sum(const struct shaking *s, uint32_t allowed_cnt)
{
	size_t missing = s->groups[KIND_NOT_SHOWN].cnt;

	if (s->cpu_cnt < allowed_cnt)
		printf("\nOnly the first %" PRIu32 " CPUs were tried. Choose others with "
						   "taskset.\n",
		       s->cpu_cnt);
	if (missing)
		printf("\nNot shown for %s of %s pairs: they may share a CPU, or were disturbed.\n",
		       fmt_count(missing).s, fmt_count(s->pair_cnt).s);
	else
		printf("\nEach two of these CPUs ran at once.\n"
		       "Two that share one real CPU need 3,000 ns for a round, or more.\n");
	printf("This says nothing about three or more CPUs at once, and nothing about later.\n");
}

static enum lab_exit remember(const struct shaking *s)
{
	if (!privilege_root_called()) {
		printf("sudo lab doctor --physical keeps the answer for the reports of later "
		       "runs.\n");
		return LAB_EXIT_OK;
	}
	if (physical_remember(PHYSICAL_FOLDER, &s->shown))
		return LAB_EXIT_FILE;
	printf("%s keeps the answer until the next boot;\nthe reports of later runs say it.\n",
	       PHYSICAL_PATH);
	return LAB_EXIT_OK;
}

enum lab_exit doctor_physical(const struct host *host, bool color)
{
	struct shaking s = {
		.cpus = host->cpus_allowed,
		.cpu_cnt = min_u64(host->cpus_allowed_cnt, CPUS_MAX),
		.color = color,
	};
	enum lab_exit status;

	if (s.cpu_cnt < 2) {
		printf("One CPU may be used here, and nothing can run beside it: nothing to "
		       "show.\n");
		return LAB_EXIT_UNDECIDED;
	}
	if (physical_now(&s.shown)) {
		log_err("Cannot read /proc/sys/kernel/random/boot_id. Mount /proc.");
		return LAB_EXIT_FILE;
	}
	s.pair_cnt = (size_t)s.cpu_cnt * (s.cpu_cnt - 1) / 2;
	shake_all(&s);
	print_groups(&s);
	print_sum(&s, host->cpus_allowed_cnt);
	status = remember(&s);
	if (status == LAB_EXIT_OK && s.groups[KIND_NOT_SHOWN].cnt)
		status = LAB_EXIT_UNDECIDED;
	physical_release(&s.shown);
	return status;
}
