/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_ANALYZE_LOSSLESS_H
#define LAB_ANALYZE_LOSSLESS_H

/* lossless - whether all that happened is in the model, as far as the recorder knows. */

#include "model/model.h"

static inline bool model_is_lossless(const struct model *m)
{
	return m->complete && !m->dropped && !m->gap_cnt && !m->end.storage_failures &&
	       !m->end.recursion_misses && m->end.reason != TRACE_END_WRITE_ERROR;
}

#endif /* LAB_ANALYZE_LOSSLESS_H */
