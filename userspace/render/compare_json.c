/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>

#include "render/compare.h"
#include "render/json_writer.h"

#define SCHEMA "lab-compare/1"

static void put_spread(struct json *j, const char *key, const struct spread *s)
{
	if (!s->cnt) {
		json_null(j, key);
		return;
	}
	json_open_row(j, key);
	json_uint(j, "median", s->median);
	json_uint(j, "low", s->low);
	json_uint(j, "high", s->high);
	json_close_object(j);
}

static void put_ratios(struct json *j, const char *key, const struct spread *s)
{
	if (!s->cnt) {
		json_null(j, key);
		return;
	}
	json_open_row(j, key);
	json_ratio(j, "median", s->median, 1000);
	json_ratio(j, "low", s->low, 1000);
	json_ratio(j, "high", s->high, 1000);
	json_close_object(j);
}

static const char *gain_name(enum gain gain)
{
	switch (gain) {
	case GAIN_YES: return "yes";
	case GAIN_NO: return "no";
	case GAIN_UNCLEAR: break;
	}
	return "unclear";
}

static void put_classes(struct json *j, const struct comparison_row *row)
{
	json_str(j, "class", row->class == CLASS_NONE ? "varies" : verdict_class_name(row->class));
	json_open_row(j, "classes");
	for (int class = CLASS_SEQUENTIAL; class <= CLASS_INCONCLUSIVE; class++)
		json_uint(j, verdict_class_name((enum verdict_class)class), row->class_cnt[class]);
	json_close_object(j);
	if (row->reason[0])
		json_str(j, "reason", row->reason);
}

static void put_capacity(struct json *j, const struct report_capacity *c)
{
	if (!c->known) {
		json_null(j, "capacity");
		return;
	}
	json_open_object(j, "capacity");
	json_uint(j, "total_ns", c->total_ns);
	json_uint(j, "work_ns", c->work_ns);
	json_uint(j, "unplaced_ns", c->unplaced_ns);
	json_uint(j, "interference_ns", c->interference_ns);
	json_uint(j, "other_ns", c->other_ns);
	json_uint(j, "unknown_ns", c->unknown_ns);
	json_open_row(j, "blocked_ns");
	for (int k = REASON_NONE + 1; k < REASON_CNT; k++)
		json_uint(j, reason_name((enum reason)k), c->blocked_ns[k]);
	json_close_object(j);
	json_uint(j, "no_thread_ns", c->no_thread_ns);
	json_close_object(j);
}

static void put_row(struct json *j, const struct comparison_row *row)
{
	json_open_object(j, NULL);
	json_str(j, "way", row->way);
	json_uint(j, "runs", row->run_cnt);
	put_classes(j, row);
	put_spread(j, "wall_ns", &row->wall_ns);
	put_ratios(j, "speedup", &row->speedup_milli);
	json_str(j, "gain", gain_name(row->gain));
	json_bool(j, "fastest", row->fastest);
	put_spread(j, "first_ns", &row->first_ns);
	put_spread(j, "slowest_ns", &row->slowest_ns);
	put_ratios(j, "average", &row->average_milli);
	put_ratios(j, "average_busy", &row->busy_milli);
	put_spread(j, "memory_bytes", &row->memory_bytes);
	put_spread(j, "switches", &row->switches);
	put_capacity(j, &row->capacity);
	json_str(j, "limited_by", compare_loss_name(row->limit));
	if (row->limit == LOSS_BLOCKED)
		json_str(j, "limited_by_reason", reason_name(row->limit_reason));
	json_uint(j, "limited_by_ns", row->limit_ns);
	json_bool(j, "disturbed", row->disturbed);
	json_close_object(j);
}

static void put_way(struct json *j, const char *key, const struct comparison_work *work, size_t row)
{
	json_str_or_null(j, key, row < work->row_cnt ? work->rows[row].way : NULL);
}

int compare_json(const void *comparison, const struct render_opts *opts, FILE *out)
{
	const struct comparison *c = comparison;
	struct json j = { .out = out };

	(void)opts;
	json_open_object(&j, NULL);
	json_str(&j, "schema", SCHEMA);
	json_uint(&j, "tasks", c->tasks);
	json_uint(&j, "rounds", c->rounds);
	json_uint(&j, "seed", c->seed);
	json_uint(&j, "repeats", c->repeats);
	json_uint(&j, "cpus", c->cpus);
	json_open_array(&j, "works");
	for (size_t k = 0; k < c->work_cnt; k++) {
		const struct comparison_work *work = &c->works[k];

		json_open_object(&j, NULL);
		json_str(&j, "work", work->name);
		json_open_array(&j, "ways");
		for (size_t w = 0; w < work->row_cnt; w++)
			put_row(&j, &work->rows[w]);
		json_close_array(&j);
		put_way(&j, "least_memory", work, work->least_memory);
		put_way(&j, "least_switches", work, work->least_switches);
		json_close_object(&j);
	}
	json_close_array(&j);
	json_close_object(&j);
	fputc('\n', out);
	return ferror(out) ? -EIO : 0;
}
