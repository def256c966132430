/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TESTS_FUZZ_VERIFY_H
#define LAB_TESTS_FUZZ_VERIFY_H

/* fuzz_verify - the independent checker on the same bytes as the trace reader. */

#include <stdbool.h>

/* @complete: the trace reader found nothing wrong with the file. Aborts if the two disagree. */
void fuzz_verify(const char *path, bool complete);

/* Real traces with their certificates, every chunk plain. Return: a descriptor, -1: there is no such seed. */
int fuzz_verify_seed(unsigned int n);

#endif /* LAB_TESTS_FUZZ_VERIFY_H */
