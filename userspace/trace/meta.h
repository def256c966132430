/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_TRACE_META_H
#define LAB_TRACE_META_H

/*
 * meta - what is known about a run, as the key/value texts of the META and
 * ENDM chunks. Logs nothing.
 */

#include "trace/bytes.h"
#include "trace/trace.h"

/* Return: 0, or -EINVAL (a CPU number of TRACE_CPUS_MAX or more). */
int meta_write(const struct trace_meta *meta, struct bytes_out *out);

/* @meta is to be released in either case. Return: 0 or -EBADMSG. */
int meta_parse(struct trace_meta *meta, const uint8_t *buf, size_t len);

void meta_end_write(const struct trace_end *end, struct bytes_out *out);

/* Return: 0 or -EBADMSG. */
int meta_end_parse(struct trace_end *end, const uint8_t *buf, size_t len);

#endif /* LAB_TRACE_META_H */
