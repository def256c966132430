/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_FAKE_H
#define LAB_ANALYZE_FAKE_H

/*
 * fake - wake-ups that lead to nothing: a task runs for a moment, finds that
 * it has to wait on, and waits for the same thing again.
 */

/* What a task does between two waits for the same futex in this time is no progress. */
#define FAKE_RUN_NS 50000

#endif /* LAB_ANALYZE_FAKE_H */
