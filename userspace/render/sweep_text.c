/* SPDX-License-Identifier: GPL-2.0-only */
/* sweep_text - what the fits of a sweep say, for every format that says it. */
#include <stdarg.h>
#include <string.h>

#include "render/sweep.h"

const char *sweep_law_name(enum scaling_law law)
{
	return law == LAW_USL ? "USL" : "Amdahl";
}

double sweep_top(const struct scaling *s)
{
	uint64_t top_milli = 1000;

	for (size_t p = 0; p < s->point_cnt; p++)
		if (s->points[p].runs.speedup_milli.high > top_milli)
			top_milli = s->points[p].runs.speedup_milli.high;
	return (double)top_milli / 1000;
}

static void add(struct sweep_text *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct sweep_text *text, const char *fmt, ...)
{
	size_t len = strlen(text->s);
	va_list args;

	va_start(args, fmt);
	vsnprintf(text->s + len, sizeof(text->s) - len, fmt, args);
	va_end(args);
}

static void add_usl(struct sweep_text *text, const struct scaling_fit *fit)
{
	add(text, "contention %.2f %%", 100 * fit->serial);
	if (fit->errors_known)
		add(text, " (+- %.2f)", 100 * fit->serial_error);
	add(text, ", coherency %.4f %%", 100 * fit->coherency);
	if (fit->errors_known)
		add(text, " (+- %.4f)", 100 * fit->coherency_error);
	if (fit->peak_n >= 1)
		add(text, ", so most at N = %.1f", fit->peak_n);
	else if (fit->coherency <= 0)
		add(text, ", so it grows on");
}

static void add_amdahl(struct sweep_text *text, const struct scaling_fit *fit)
{
	add(text, "%.2f %% is serial", 100 * fit->serial);
	if (fit->errors_known)
		add(text, " (+- %.2f)", 100 * fit->serial_error);
	if (fit->serial > 1e-6)
		add(text, ", so at most %.4g times as fast", 1 / fit->serial);
}

struct sweep_text sweep_fit(const struct scaling *s, enum scaling_law law)
{
	const struct scaling_fit *fit = &s->fits[law];
	struct sweep_text text = { "" };

	if (!fit->known) {
		add(&text, "no fit: it takes %u different N that can be fitted, and there %s %u",
		    fit->needed_cnt, fit->distinct_cnt == 1 ? "is" : "are", fit->distinct_cnt);
		return text;
	}
	if (law == LAW_USL)
		add_usl(&text, fit);
	else
		add_amdahl(&text, fit);
	if (!fit->errors_known)
		add(&text, "; at the edge of what the law allows");
	add(&text, "; the fit is off by %.2f %% (root mean square of %u runs), %.2f %% at most",
	    100 * fit->rms, fit->sample_cnt, 100 * fit->worst);
	return text;
}

static void add_doubtful(struct sweep_text *text, const struct scaling *s, enum scaling_doubt doubt,
			 const char *why)
{
	size_t cnt = 0;

	for (size_t p = 0; p < s->point_cnt; p++)
		if (s->points[p].doubt == doubt)
			add(text, "%s%u", cnt++ ? ", " : text->s[0] ? "; N = " : "N = ",
			    s->points[p].n);
	if (cnt)
		add(text, ": %s", why);
}

struct sweep_text sweep_left_out(const struct scaling *s)
{
	struct sweep_text text = { "" };

	add_doubtful(&text, s, SCALING_FEW_CPUS,
		     "more tasks than CPUs, and they waited for these: "
		     "that says how many CPUs there are");
	add_doubtful(&text, s, SCALING_FEW_TASKS,
		     "more CPUs than tasks: that says how many tasks there are");
	return text;
}
