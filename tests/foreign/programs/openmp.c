/* SPDX-License-Identifier: GPL-2.0-only
 *
 * "loop": a parallel loop: parallel. "critical": all its work under one critical section:
 * concurrent, if threads that wait sleep (OMP_WAIT_POLICY=passive) and do not spin. "tasks":
 * tasks of a fixed size: parallel. "single": one thread computes while the others wait, asleep,
 * at the barrier: sequential.
 */
#include <omp.h>
#include "work.h"

int main(int argc, char **argv)
{
	char kind = argc > 1 ? argv[1][0] : 'l';

	omp_set_num_threads(2);
	if (kind == 'l') {
#pragma omp parallel for
		for (int i = 0; i < 20; i++)
			burn(15);
	} else if (kind == 'c') {
#pragma omp parallel for
		for (int i = 0; i < 80; i++) {
#pragma omp critical
			burn(2);
			rest(0.1);
		}
	} else if (kind == 't') {
#pragma omp parallel
#pragma omp single
		for (int i = 0; i < 20; i++)
#pragma omp task
			burn(15);
	} else {
#pragma omp parallel
#pragma omp single
		burn(250);
	}
}
