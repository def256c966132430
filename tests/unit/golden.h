/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TESTS_GOLDEN_H
#define LAB_TESTS_GOLDEN_H

/*
 * Compare with tests/golden/@name (under LAB_TEST_DIR, if set); with
 * UPDATE_GOLDEN in the environment, write it instead.
 */
#define golden_check(name, text) golden_check_at(__FILE__, __LINE__, name, text)
void golden_check_at(const char *file, int line, const char *name, const char *text);

#endif /* LAB_TESTS_GOLDEN_H */
