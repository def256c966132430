/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_RENDER_JSON_PARTS_H
#define LAB_RENDER_JSON_PARTS_H

/*
 * json_parts - the parts of schema lab-report/1 that are rows. Internal to
 * json*.c. Each writes members of the top-level object.
 */

#include <stdint.h>

#include "render/json_writer.h"
#include "render/render.h"

/* @at_ns relative to the window's start; 0 if before it. */
uint64_t json_rel(const struct model *m, uint64_t at_ns);

/* The pair {id, tid} as members of the object that is open. */
void json_task_ids(struct json *j, const struct model *m, uint32_t id);

/* symbol, object and offset, each null if it is not known. */
void json_symbol(struct json *j, const struct model_symbol *symbol);

void json_tasks(struct json *j, const struct model *m, const struct report *r);
void json_operations(struct json *j, const struct model *m);
void json_waits(struct json *j, const struct model *m, const struct report *r);
void json_migrations(struct json *j, const struct model *m, const struct report *r);
void json_locks(struct json *j, const struct model *m, const struct report *r);
void json_loops(struct json *j, const struct model *m, const struct report *r);
void json_capacity(struct json *j, const struct model *m, const struct report *r);
void json_serializer(struct json *j, const struct model *m, const struct report *r);
void json_deadlock(struct json *j, const struct model *m, const struct report *r);
void json_stuck(struct json *j, const struct model *m, const struct report *r);
void json_findings(struct json *j, const struct model *m, const struct report *r);
void json_path(struct json *j, const struct model *m, const struct report *r, bool segments);
void json_noise(struct json *j, const struct model *m, const struct report *r);
void json_cpus(struct json *j, const struct model *m, const struct report *r);

#endif /* LAB_RENDER_JSON_PARTS_H */
