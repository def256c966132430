/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>

#include "render/json_writer.h"
#include "render/sweep.h"

#define SCHEMA "lab-sweep/1"

static void put_spread(struct json *j, const char *key, const struct spread *s)
{
	json_open_row(j, key);
	json_uint(j, "median", s->median);
	json_uint(j, "low", s->low);
	json_uint(j, "high", s->high);
	json_close_object(j);
}

static void put_ratios(struct json *j, const char *key, const struct spread *s)
{
	json_open_row(j, key);
	json_ratio(j, "median", s->median, 1000);
	json_ratio(j, "low", s->low, 1000);
	json_ratio(j, "high", s->high, 1000);
	json_close_object(j);
}

static void put_fit(struct json *j, const struct scaling *s, enum scaling_law law)
{
	const struct scaling_fit *fit = &s->fits[law];

	json_open_object(j, law == LAW_USL ? "usl" : "amdahl");
	json_bool(j, "known", fit->known);
	json_uint(j, "different_n", fit->distinct_cnt);
	json_uint(j, "needed_n", fit->needed_cnt);
	if (fit->known) {
		json_uint(j, "runs", fit->sample_cnt);
		json_double(j, "speed", fit->speed);
		json_double(j, law == LAW_USL ? "contention" : "serial", fit->serial);
		if (law == LAW_USL)
			json_double(j, "coherency", fit->coherency);
		if (fit->errors_known)
			json_double(j, law == LAW_USL ? "contention_error" : "serial_error",
				    fit->serial_error);
		if (fit->errors_known && law == LAW_USL)
			json_double(j, "coherency_error", fit->coherency_error);
		if (fit->peak_n > 0)
			json_double(j, "peak_n", fit->peak_n);
		json_double(j, "rms", fit->rms);
		json_double(j, "worst", fit->worst);
	}
	json_close_object(j);
}

static const char *doubt_name(enum scaling_doubt doubt)
{
	switch (doubt) {
	case SCALING_FEW_CPUS: return "few_cpus";
	case SCALING_FEW_TASKS: return "few_tasks";
	case SCALING_GOOD: break;
	}
	return "none";
}

static void put_point(struct json *j, const struct scaling *s, const struct scaling_point *p)
{
	const struct comparison_row *runs = &p->runs;

	json_open_object(j, NULL);
	json_uint(j, "n", p->n);
	put_spread(j, "wall_ns", &runs->wall_ns);
	put_ratios(j, "speedup", &runs->speedup_milli);
	put_ratios(j, "average", &runs->average_milli);
	json_str(j, "class",
		 runs->class == CLASS_NONE ? "varies" : verdict_class_name(runs->class));
	if (runs->reason[0])
		json_str(j, "reason", runs->reason);
	json_bool(j, "disturbed", runs->disturbed);
	json_str(j, "doubt", doubt_name(p->doubt));
	if (s->fits[LAW_AMDAHL].known)
		json_double(j, "amdahl", p->predicted[LAW_AMDAHL]);
	if (s->fits[LAW_USL].known)
		json_double(j, "usl", p->predicted[LAW_USL]);
	json_close_object(j);
}

int sweep_json(const void *scaling, const struct render_opts *opts, FILE *out)
{
	const struct scaling *s = scaling;
	struct json j = { .out = out };

	(void)opts;
	json_open_object(&j, NULL);
	json_str(&j, "schema", SCHEMA);
	json_str(&j, "workload", s->workload);
	json_str(&j, "over", s->over_cpus ? "cpus" : "tasks");
	json_uint(&j, "repeats", s->repeats);
	json_uint(&j, "cpus", s->cpus);
	json_open_array(&j, "points");
	for (size_t i = 0; i < s->point_cnt; i++)
		put_point(&j, s, &s->points[i]);
	json_close_array(&j);
	put_fit(&j, s, LAW_AMDAHL);
	put_fit(&j, s, LAW_USL);
	json_close_object(&j);
	fputc('\n', out);
	return ferror(out) ? -EIO : 0;
}
