/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Parallel: two ranks compute, and meet. With "ring" one computes while the other waits in
 * MPI_Recv: parallel all the same, for that wait polls, and a poll burns a CPU. Busy is not
 * progress.
 */
#include <mpi.h>
#include "work.h"

int main(int argc, char **argv)
{
	int rank, token = 0;

	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	if (argc == 1)
		burn(400);
	for (int i = 0; argc > 1 && i < 40; i++) {
		if (rank == i % 2) {
			burn(10);
			MPI_Send(&token, 1, MPI_INT, !rank, 0, MPI_COMM_WORLD);
		} else {
			MPI_Recv(&token, 1, MPI_INT, !rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
		}
	}
	MPI_Barrier(MPI_COMM_WORLD);
	MPI_Finalize();
}
