// SPDX-License-Identifier: GPL-2.0-only
// Parallel: a loop of TBB over all CPUs. Its idle workers wait for a futex with the value 2,
// which is no lock.
#include <tbb/parallel_for.h>
#include "work.h"

int main()
{
	for (int round = 0; round < 4; round++)
		tbb::parallel_for(0, 16, [](int) { burn(5); });
}
