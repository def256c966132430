/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TRACE_SYMBOLS_H
#define LAB_TRACE_SYMBOLS_H

/*
 * symbols - the SYMS chunk: names of the futexes that tasks were blocked at,
 * found by the recorder while their processes lived. Logs nothing.
 */

#include "trace/bytes.h"
#include "trace/trace.h"

#define SYMBOLS_RAW_MAX (8u << 20)

void symbols_write(const struct trace_symbols *symbols, struct bytes_out *out);

/* @symbols is to be released in either case; it is empty after an error. Return: 0 or -EBADMSG. */
int symbols_parse(struct trace_symbols *symbols, const uint8_t *buf, size_t len);

#endif /* LAB_TRACE_SYMBOLS_H */
