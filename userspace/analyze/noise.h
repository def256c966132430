/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_NOISE_H
#define LAB_ANALYZE_NOISE_H

/* noise - which classes the run could have had without other programs. Part of the verdict. */

#include "analyze/report.h"

/*
 * Fill noise.could_be, from everything else in noise and the class that was seen. The class that
 * was seen is possible. If that class is parallel, no other is: its overlaps happened. Otherwise
 * the run could be parallel if noise.parallel_ns is 5 % of noise.busy_ns. Time that others
 * lengthened (noise.stretched_ns) may have made a run look concurrent or sequential: each of the
 * two could be the other if the 5 % of the classes depend on that time.
 */
void noise_classes(struct report *r);

struct noise_range {
	uint64_t low, high;
};

/*
 * What capacity.work_ns, and another part of capacity (idle CPUs), could have been without others,
 * of the same total. The work was the same, in a run as short as it could be. CPUs that were idle
 * while others kept ready tasks from CPUs might not have been idle. CPUs that others had and ready
 * tasks could not have used might have been idle for any reason: the tasks would have waited again,
 * or a lock lets one of them run.
 */
struct noise_range noise_of_work(const struct report *r);
struct noise_range noise_of_idle(const struct report *r, uint64_t part_ns);

#endif /* LAB_ANALYZE_NOISE_H */
