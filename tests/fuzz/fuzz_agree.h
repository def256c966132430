/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TESTS_FUZZ_AGREE_H
#define LAB_TESTS_FUZZ_AGREE_H

/*
 * fuzz_agree - the report and the checker hold each other. A real trace is taken apart, records of it are
 * dropped, doubled, exchanged, stamped anew, numbered anew, refused or rewritten, and it is put together again with
 * right checksums. Whatever verdict lab then stores, the checker must prove; of an inconclusive
 * one it must say that there is nothing to prove.
 */

#include <stdint.h>

/* One such trace, always the same for one seed. Prints both judgements and aborts if they differ. */
void fuzz_agree(uint64_t seed);

#endif /* LAB_TESTS_FUZZ_AGREE_H */
