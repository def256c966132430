/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_CLI_CHECK_MISSING_H
#define LAB_CLI_CHECK_MISSING_H

/* check_missing - keys of lab-report/1 that are known, and not in every report. */

#include <stdbool.h>
#include <stddef.h>

/* Whether a report need not have the key of that path (check_path.h; shares of capacity included). */
bool check_is_missing(const char *path, size_t len);

#endif /* LAB_CLI_CHECK_MISSING_H */
