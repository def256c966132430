/* SPDX-License-Identifier: GPL-2.0-only */
/* json_findings - the members spinning, rounds, pool and tail. */
#include <inttypes.h>
#include <stdio.h>

#include "render/json_parts.h"

/* A task that the finding names; only where there is one. */
static void put_task(struct json *j, const struct model *m, const char *key, uint32_t id)
{
	json_begin_if(j, id);
	json_open_object(j, key);
	json_task_ids(j, m, id);
	json_close_object(j);
	json_end_if(j);
}

static void put_spinning(struct json *j, const struct model *m, const struct report_spinning *s)
{
	json_open_object(j, "spinning");
	json_bool(j, "present", s->present);
	json_uint(j, "yields", s->yields);
	json_uint(j, "empty_polls", s->empty_polls);
	json_uint(j, "run_ns", s->run_ns);
	json_uint(j, "tasks", s->task_cnt);
	put_task(j, m, "most", s->task_id);
	json_close_object(j);
}

static void put_rounds(struct json *j, const struct model *m, const struct report_rounds *r)
{
	char addr[24];

	json_open_object(j, "rounds");
	json_bool(j, "present", r->present);
	json_begin_if(j, r->present);
	snprintf(addr, sizeof(addr), "0x%" PRIx64, r->addr);
	json_uint(j, "tgid", r->tgid);
	json_str(j, "addr", addr);
	json_symbol(j, r->symbol);
	json_uint(j, "count", r->rounds);
	json_uint(j, "wait_ns", r->wait_ns);
	json_uint(j, "tasks", r->task_cnt);
	put_task(j, m, "last", r->last_id);
	json_uint(j, "last_count", r->last_cnt);
	json_end_if(j);
	json_close_object(j);
}

static void put_pool(struct json *j, const struct model *m, const struct report_pool *pool)
{
	json_open_object(j, "pool");
	json_bool(j, "present", pool->present);
	json_begin_if(j, pool->present);
	json_uint(j, "threads", pool->task_cnt);
	put_task(j, m, "made_by", pool->parent_id);
	put_task(j, m, "most", pool->task_id);
	json_bool(j, "idles", pool->idles);
	json_uint(j, "at_once", pool->at_once);
	json_uint(j, "active_ns", pool->active_ns);
	json_uint(j, "beyond_ns", pool->beyond_ns);
	json_uint(j, "queued_ns", pool->queued_ns);
	json_uint(j, "operations", pool->op_cnt);
	json_end_if(j);
	json_close_object(j);
}

static void put_tail(struct json *j, const struct model *m, const struct report_tail *tail)
{
	json_open_object(j, "tail");
	json_bool(j, "present", tail->present);
	json_begin_if(j, tail->present);
	json_uint(j, "start_ns", json_rel(m, tail->start_ns));
	json_uint(j, "ns", tail->ns);
	json_uint(j, "run_ns", tail->run_ns);
	put_task(j, m, "task", tail->task_id);
	json_uint(j, "task_run_ns", tail->task_run_ns);
	json_end_if(j);
	json_close_object(j);
}

void json_findings(struct json *j, const struct model *m, const struct report *r)
{
	put_spinning(j, m, &r->spinning);
	put_rounds(j, m, &r->rounds);
	put_pool(j, m, &r->pool);
	put_tail(j, m, &r->tail);
}
