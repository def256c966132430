/* SPDX-License-Identifier: GPL-2.0-only */
/* scaling_fit - linear least squares of at most three columns, within bounds. */
#include <math.h>
#include <string.h>

#include "analyze/scaling.h"
#include "util/minmax.h"

#define COLUMNS_MAX 3

/* What multiplies a coefficient. SERIAL_ONE is s = 1: both coefficients are one. */
enum column { ONE, SERIAL, COHERENCY, SERIAL_ONE };

/* One way to stay within the bounds: these columns, and all other coefficients at a bound. */
struct shape {
	enum column columns[COLUMNS_MAX];
	int cnt;
	bool full;		/* nothing is at a bound */
};

static const struct shape shapes[LAW_CNT][6] = {
	[LAW_AMDAHL] = {
		{ { ONE, SERIAL }, 2, true },
		{ { ONE }, 1, false },
		{ { SERIAL_ONE }, 1, false },
	},
	[LAW_USL] = {
		{ { ONE, SERIAL, COHERENCY }, 3, true },
		{ { ONE, SERIAL }, 2, false },
		{ { ONE, COHERENCY }, 2, false },
		{ { ONE }, 1, false },
		{ { SERIAL_ONE, COHERENCY }, 2, false },
		{ { SERIAL_ONE }, 1, false },
	},
};

struct solution {
	double c[COLUMNS_MAX];			/* the coefficients of the shape's columns */
	double inverse[COLUMNS_MAX][COLUMNS_MAX]; /* of the normal equations' matrix */
	double squares;				/* sum of the squared residuals */
};

static double column_at(enum column column, double n)
{
	switch (column) {
	case ONE: return 1;
	case SERIAL: return n - 1;
	case COHERENCY: return n * (n - 1);
	case SERIAL_ONE: return n;
	}
	return 0;
}

/* @a becomes its inverse, by Gauss and Jordan with pivots. Return: false if it has none. */
static bool invert(double a[COLUMNS_MAX][COLUMNS_MAX], int cnt)
{
	double inverse[COLUMNS_MAX][COLUMNS_MAX] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } };

	for (int i = 0; i < cnt; i++) {
		int pivot = i;

		for (int r = i + 1; r < cnt; r++)
			if (fabs(a[r][i]) > fabs(a[pivot][i]))
				pivot = r;
		if (fabs(a[pivot][i]) < 1e-12)
			return false;
		for (int k = 0; k < cnt; k++) {
			double t = a[i][k], u = inverse[i][k];

			a[i][k] = a[pivot][k];
			a[pivot][k] = t;
			inverse[i][k] = inverse[pivot][k];
			inverse[pivot][k] = u;
		}
		for (int r = 0; r < cnt; r++) {
			double factor = r == i ? 1 - 1 / a[i][i] : a[r][i] / a[i][i];

			for (int k = 0; k < cnt; k++) {
				double t = a[i][k], u = inverse[i][k];

				a[r][k] -= factor * t;
				inverse[r][k] -= factor * u;
			}
		}
	}
	memcpy(a, inverse, sizeof(inverse));
	return true;
}

/* Residuals are 1 - sum of c[k] * row[k]: the time by the law over the measured time, less one. */
static void row_of(const struct shape *shape, const struct scaling_sample *s, const double *scale,
		   double *row)
{
	for (int k = 0; k < shape->cnt; k++)
		row[k] = column_at(shape->columns[k], s->n) * (s->x / s->n) / scale[k];
}

/* Columns are scaled to length 1 first: N (N - 1) may be a million times the others. */
static bool solve(const struct shape *shape, const struct scaling_sample *samples, size_t cnt,
		  struct solution *out)
{
	double scale[COLUMNS_MAX] = { 1, 1, 1 }, length[COLUMNS_MAX] = { 0 },
	       right[COLUMNS_MAX] = { 0 };
	double row[COLUMNS_MAX];

	*out = (struct solution){ .squares = 0 };
	for (size_t i = 0; i < cnt; i++) {
		row_of(shape, &samples[i], scale, row);
		for (int k = 0; k < shape->cnt; k++)
			length[k] += row[k] * row[k];
	}
	for (int k = 0; k < shape->cnt; k++) {
		if (!(length[k] > 0))
			return false;
		scale[k] = sqrt(length[k]);
	}
	for (size_t i = 0; i < cnt; i++) {
		row_of(shape, &samples[i], scale, row);
		for (int k = 0; k < shape->cnt; k++) {
			right[k] += row[k];
			for (int l = 0; l < shape->cnt; l++)
				out->inverse[k][l] += row[k] * row[l];
		}
	}
	if (!invert(out->inverse, shape->cnt))
		return false;
	for (int k = 0; k < shape->cnt; k++)
		for (int l = 0; l < shape->cnt; l++)
			out->c[k] += out->inverse[k][l] * right[l];
	for (size_t i = 0; i < cnt; i++) {
		double left = 1;

		row_of(shape, &samples[i], scale, row);
		for (int k = 0; k < shape->cnt; k++)
			left -= out->c[k] * row[k];
		out->squares += left * left;
	}
	for (int k = 0; k < shape->cnt; k++) {
		out->c[k] /= scale[k];
		for (int l = 0; l < shape->cnt; l++)
			out->inverse[k][l] /= scale[k] * scale[l];
	}
	return true;
}

/* The three coefficients 1/l, s/l and k/l, within their bounds? */
static bool coefficients(const struct shape *shape, const struct solution *solution, double *abc)
{
	abc[0] = abc[1] = abc[2] = 0;
	for (int k = 0; k < shape->cnt; k++) {
		double c = solution->c[k];

		switch (shape->columns[k]) {
		case ONE: abc[0] = c; break;
		case SERIAL: abc[1] = c; break;
		case COHERENCY: abc[2] = c; break;
		case SERIAL_ONE: abc[0] = abc[1] = c; break;
		}
	}
	return abc[0] > 0 && abc[1] >= 0 && abc[1] <= abc[0] && abc[2] >= 0;
}

/* The standard error of coefficient @k over coefficient 0, to the first order. */
static double ratio_error(const struct solution *s, int k, double variance)
{
	double ratio = s->c[k] / s->c[0];
	double v = s->inverse[k][k] - 2 * ratio * s->inverse[0][k] +
		   ratio * ratio * s->inverse[0][0];

	return sqrt(v > 0 ? v * variance : 0) / s->c[0];
}

static void fill(struct scaling_fit *out, const double *abc)
{
	out->known = true;
	out->speed = 1 / abc[0];
	out->serial = abc[1] / abc[0];
	out->coherency = abc[2] / abc[0];
	out->peak_n = out->coherency > 0 ? sqrt((1 - out->serial) / out->coherency) : 0;
}

static void errors(struct scaling_fit *out, const struct shape *shape, const struct solution *s)
{
	double free_cnt = (double)out->sample_cnt - shape->cnt;

	out->errors_known = shape->full;
	out->serial_error = out->coherency_error = 0;
	if (!shape->full)
		return;
	out->serial_error = ratio_error(s, 1, s->squares / free_cnt);
	if (shape->cnt == 3)
		out->coherency_error = ratio_error(s, 2, s->squares / free_cnt);
}

static uint32_t distinct(const struct scaling_sample *samples, size_t cnt)
{
	uint32_t found = 0;

	for (size_t i = 0; i < cnt; i++) {
		size_t j = 0;

		while (j < i && fabs(samples[j].n - samples[i].n) > 0)
			j++;
		found += j == i;
	}
	return found;
}

void scaling_fit(enum scaling_law law, const struct scaling_sample *samples, size_t cnt,
		 struct scaling_fit *out)
{
	double least = INFINITY;

	*out = (struct scaling_fit){
		.distinct_cnt = distinct(samples, cnt), .needed_cnt = law == LAW_USL ? 4 : 3,
		.sample_cnt = (uint32_t)cnt,
	};
	if (out->distinct_cnt < out->needed_cnt)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(shapes[law]) && shapes[law][i].cnt; i++) {
		const struct shape *shape = &shapes[law][i];
		struct solution solution;
		double abc[3];

		if (!solve(shape, samples, cnt, &solution) ||
		    !coefficients(shape, &solution, abc) ||
		    solution.squares >= least)
			continue;
		least = solution.squares;
		fill(out, abc);
		errors(out, shape, &solution);
	}
	if (!out->known)
		return;
	out->rms = sqrt(least / (double)cnt);
	for (size_t i = 0; i < cnt; i++)
		out->worst = fmax(out->worst,
				  fabs(samples[i].x / scaling_at(out, samples[i].n) - 1));
}

double scaling_at(const struct scaling_fit *fit, double n)
{
	return fit->speed * n / (1 + fit->serial * (n - 1) + fit->coherency * n * (n - 1));
}
