/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/lens.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/format.h"
#include "util/alloc.h"
#include "util/log.h"
#include "util/minmax.h"

#define CPUS_MAX 65536

bool lens_is_asked(const struct lens_ask *ask)
{
	return ask->from_ns || ask->to_ns != LENS_TO_END || ask->tasks || ask->cpus;
}

static int find_range(const struct model *m, const struct lens_ask *ask, struct range *out)
{
	uint64_t window_ns = m->end_ns > m->start_ns ? m->end_ns - m->start_ns : 0;
	uint64_t to_ns = min_u64(ask->to_ns, window_ns);

	if (ask->from_ns >= window_ns) {
		log_err("--from: the run ended %s after its start, before %s", fmt_ns(window_ns).s,
			fmt_ns(ask->from_ns).s);
		return -EINVAL;
	}
	if (ask->from_ns >= to_ns) {
		log_err("--to: %s is not after %s, where the part is to begin", fmt_ns(to_ns).s,
			fmt_ns(ask->from_ns).s);
		return -EINVAL;
	}
	range_compute(m, ask->from_ns, to_ns, out);
	return 0;
}

/* @word: not ended by a NUL */
static bool task_is(const struct model_task *task, const char *word, size_t len)
{
	char tid[16];
	int tid_len = snprintf(tid, sizeof(tid), "%" PRIu32, task->tid);

	if (len == (size_t)tid_len && !memcmp(tid, word, len))
		return true;
	if (word[len - 1] == '*')
		return !strncmp(task->comm, word, len - 1);
	return strlen(task->comm) == len && !memcmp(task->comm, word, len);
}

/* Return: whether a task is meant by this word of the list. */
static bool find_word(const struct model *m, const char *word, size_t len, bool *in)
{
	bool found = false;

	for (size_t i = 0; len && i < m->task_cnt; i++) {
		if (!task_is(&m->tasks[i], word, len))
			continue;
		in[i] = true;
		found = true;
	}
	return found;
}

static int find_tasks(const struct model *m, const char *list, bool *in)
{
	for (const char *word = list;; word++) {
		size_t len = strcspn(word, ",");

		if (!find_word(m, word, len, in)) {
			log_err("--task: no task of this run is \"%.*s\"; take a name, the "
				"beginning of "
				"one with a * behind it, or a tid, of the table of lab "
				"report", (int)len,
				word);
			return -EINVAL;
		}
		word += len;
		if (!*word)
			return 0;
	}
}

static int find_cpus(const struct model *m, const char *list, bool *in)
{
	uint16_t *wanted = xcalloc(CPUS_MAX, sizeof(*wanted));
	int cnt = opts_parse_cpulist(list, wanted, CPUS_MAX), err = cnt < 0 ? -EINVAL : 0;

	for (int i = 0; i < cnt && !err; i++) {
		bool found = false;

		for (size_t k = 0; k < m->cpu_cnt && !found; k++) {
			found = m->cpus[k].cpu == wanted[i];
			in[k] |= found;
		}
		if (!found) {
			log_err("--cpu: this run had no CPU %u", wanted[i]);
			err = -EINVAL;
		}
	}
	free(wanted);
	return err;
}

int lens_make(const struct model *m, const struct lens_ask *ask, struct lens *out)
{
	int err;

	*out = (struct lens){ 0 };
	err = find_range(m, ask, &out->lens.range);
	if (!err && ask->tasks) {
		out->lens.task_in = out->task_in = xcalloc(m->task_cnt + 1, sizeof(*out->task_in));
		err = find_tasks(m, ask->tasks, out->task_in);
	}
	if (!err && ask->cpus) {
		out->lens.cpu_in = out->cpu_in = xcalloc(m->cpu_cnt + 1, sizeof(*out->cpu_in));
		err = find_cpus(m, ask->cpus, out->cpu_in);
	}
	return err;
}

void lens_release(struct lens *lens)
{
	range_release(&lens->lens.range);
	free(lens->task_in);
	free(lens->cpu_in);
	*lens = (struct lens){ 0 };
}
