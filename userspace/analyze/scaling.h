/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_SCALING_H
#define LAB_ANALYZE_SCALING_H

/*
 * scaling - how throughput grows with N, of tasks or of CPUs, and the two laws that it is held
 * against. Pure; logs nothing.
 *
 * Amdahl:   X(N) = l N / (1 + s (N - 1))               s: the serial fraction
 * USL:      X(N) = l N / (1 + s (N - 1) + k N (N - 1)) s: contention, k: coherency (Gunther)
 *
 * N / X is linear in 1/l, s/l and k/l, so the fit is a linear one of least squares. Each sample is
 * weighted so that the fit makes relative errors of the work's time small. l, the speed at N = 1,
 * is fitted too: otherwise errors in the runs at 1 would bend everything. s stays within [0, 1] and
 * k at or above 0. Of the values that these limits allow, the best is taken.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyze/comparison.h"
#include "analyze/trial.h"

#define SCALING_POINTS_MAX 64

/* Where tasks spent so much of their lives waiting for a CPU, N beyond the CPUs measures these. */
#define SCALING_STARVED_PERCENT 5

enum scaling_law { LAW_AMDAHL = 0, LAW_USL = 1, LAW_CNT };

struct scaling_sample {
	double n, x;		/* both above 0 */
};

struct scaling_fit {
	bool known;
	uint32_t distinct_cnt, needed_cnt; /* different N there are, and there must be */
	uint32_t sample_cnt;
	double speed;		/* l */
	double serial;		/* s */
	double coherency;	/* k; 0 for Amdahl */
	bool errors_known;	/* no coefficient is at its bound */
	double serial_error, coherency_error; /* one standard error each */
	double rms, worst;	/* relative errors of the time: root mean square, and the largest */
	double peak_n;		/* where X is largest, by USL; 0: it grows on */
};

/**
 * scaling_fit() - fit a law
 * @samples: cnt of them, in any order; several of an N are welcome
 *
 * Fewer than 3 different N (Amdahl) or 4 (USL) leave no visible error: !known, and the rest is 0.
 */
void scaling_fit(enum scaling_law law, const struct scaling_sample *samples, size_t cnt,
		 struct scaling_fit *out);

/* X at @n by a fit that is known. */
double scaling_at(const struct scaling_fit *fit, double n);

/* Why a point is in no fit. */
enum scaling_doubt {
	SCALING_GOOD = 0,
	SCALING_FEW_CPUS = 1,	/* more tasks than CPUs, and they waited for these */
	SCALING_FEW_TASKS = 2,	/* more CPUs than tasks */
};

struct scaling_point {
	uint32_t n;
	/* speedups are throughput over the first point's in the same round */
	struct comparison_row runs;
	enum scaling_doubt doubt;
	double predicted[LAW_CNT];	/* speedups, by fits that are known */
};

struct scaling {
	const char *workload;
	bool over_cpus;			/* N are CPUs, else tasks */
	uint32_t repeats;
	uint64_t cpus;			/* usable */
	struct scaling_point points[SCALING_POINTS_MAX]; /* by N, ascending */
	size_t point_cnt;
	struct scaling_fit fits[LAW_CNT]; /* of speedups */
};

/**
 * scaling_compute() - the points and both fits
 * @trials: of point p in round r at [r * point_cnt + p]
 * @amounts: [p]: how much work a run at that point was
 * @tasks: how many tasks there were at each point, if over_cpus; else not used
 * @s: workload, over_cpus, repeats, cpus and the points' n are filled in
 */
void scaling_compute(const struct trial *trials, const uint64_t *amounts, uint32_t tasks,
		     struct scaling *s);

#endif /* LAB_ANALYZE_SCALING_H */
