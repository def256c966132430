/* SPDX-License-Identifier: GPL-2.0-only */
#include "analyze/cpusets.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

/* One of model.cpusets, cut to the usable CPUs. */
struct cut {
	uint64_t words[LAB_MASK_WORDS];
	uint32_t from;
};

static int cut_cmp(const void *a, const void *b)
{
	const struct cut *x = a, *y = b;

	for (int i = LAB_MASK_WORDS; i-- > 0;)
		if (x->words[i] != y->words[i])
			return x->words[i] < y->words[i] ? -1 : 1;
	return 0;
}

static bool all_known(const struct model *m)
{
	for (size_t i = 0; i < m->task_cnt; i++) {
		const struct model_task *t = &m->tasks[i];
		const struct model_span *s = t->spans, *end = s + t->span_cnt;

		while (s < end && s->state != SPAN_READY)
			s++;
		if (s < end &&
		    (!t->allowed_cnt || m->allowed[t->allowed_first].from_ns > s->start_ns))
			return false;
	}
	return true;
}

static void cut_make(struct cut *cut, const struct model *m, uint32_t from)
{
	*cut = (struct cut){ .from = from };
	for (size_t i = 0; i < m->cpu_cnt; i++) {
		uint16_t cpu = m->cpus[i].cpu;

		cut->words[i / 64] |= (m->cpusets[from].words[cpu / 64] >> cpu % 64 & 1) << i % 64;
	}
}

static bool is_every(const struct cut *cut, size_t cpu_cnt)
{
	size_t cnt = 0;

	for (int i = 0; i < LAB_MASK_WORDS; i++)
		cnt += (size_t)__builtin_popcountll(cut->words[i]);
	return cnt == cpu_cnt;
}

static bool number_sets(struct cpusets *s, const struct cut *cuts, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		bool again = i && !cut_cmp(&cuts[i - 1], &cuts[i]);

		if (again) {
			s->of[cuts[i].from] = s->of[cuts[i - 1].from];
			continue;
		}
		if (is_every(&cuts[i], s->cpu_cnt)) {
			s->of[cuts[i].from] = MATCHING_EVERY;
			continue;
		}
		if (s->cnt == CPUSETS_MAX)
			return false;
		memcpy(&s->bits[(size_t)s->cnt * s->words], cuts[i].words,
		       s->words * sizeof(*s->bits));
		s->of[cuts[i].from] = s->cnt++;
	}
	return true;
}

bool cpusets_init(struct cpusets *s, const struct model *m)
{
	struct cut *cuts;
	bool known = all_known(m);

	*s = (struct cpusets){ .cpu_cnt = (uint32_t)m->cpu_cnt };
	s->words = (s->cpu_cnt + 63) / 64;
	if (!known)
		return false;
	cuts = xcalloc(m->cpuset_cnt, sizeof(*cuts));
	for (size_t i = 0; i < m->cpuset_cnt; i++)
		cut_make(&cuts[i], m, (uint32_t)i);
	if (m->cpuset_cnt)
		qsort(cuts, m->cpuset_cnt, sizeof(*cuts), cut_cmp);
	s->of = xcalloc(m->cpuset_cnt, sizeof(*s->of));
	s->bits = xcalloc(CPUSETS_MAX * (size_t)s->words, sizeof(*s->bits));
	known = number_sets(s, cuts, m->cpuset_cnt);
	free(cuts);
	if (!known)
		cpusets_release(s);
	return known;
}

void cpusets_release(struct cpusets *s)
{
	free(s->bits);
	free(s->of);
	*s = (struct cpusets){ .cpu_cnt = s->cpu_cnt, .words = s->words };
}
