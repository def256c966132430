/* SPDX-License-Identifier: GPL-2.0-only */
#include "verify/certificate.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

const char *const number_keys[N_CNT] = {
	[N_WINDOW_START] = "window_start_ns", [N_WINDOW_END] = "window_end_ns",
	[N_EPS_MAX] = "eps_max_ns", [N_RUN] = "run_ns", [N_BUSY] = "busy_ns",
	[N_PARALLEL] = "parallel_ns", [N_PARALLEL_LOW] = "parallel_low_ns",
	[N_PARALLEL_HIGH] = "parallel_high_ns", [N_BUSY_LOW] = "busy_low_ns",
	[N_BUSY_HIGH] = "busy_high_ns",
	[N_ACTIVE] = "active_ns", [N_CONCURRENT] = "concurrent_ns",
	[N_MAX_TASKS] = "max_in_progress", [N_MAX_OPS] = "max_operations",
	[N_NEVER_TWO] = "never_two", [N_BIRTHS] = "births", [N_DEATHS] = "deaths",
	[N_ALIVE] = "alive", [N_OUTS] = "switch_outs", [N_COUNTED] = "switch_outs_counted",
	[N_HIDDEN] = "hidden_switch_ins", [N_AHEAD] = "clock_ahead_ns",
	[N_DIGEST] = "digest", [N_WITNESS_FROM] = "witness_from_ns",
	[N_WITNESS_UNTIL] = "witness_until_ns", [N_WITNESS_EPS] = "witness_eps_ns",
};

const char *const class_names[CLASS_CNT] = {
	[INCONCLUSIVE] = "inconclusive", [SEQUENTIAL] = "sequential",
	[CONCURRENT] = "concurrent", [PARALLEL] = "parallel",
};

static const char *const witness_names[WITNESS_CNT] = {
	[WITNESS_NONE] = "", [WITNESS_SLICE] = "slice", [WITNESS_TASK] = "task",
	[WITNESS_OPERATION] = "operation",
};

/* ---- reading ---- */

static bool take_word(struct words value, const char *const *names, int cnt, struct maybe *out)
{
	for (int i = 0; i < cnt; i++) {
		if (words_are(value, names[i])) {
			*out = (struct maybe){ (uint64_t)i, true };
			return true;
		}
	}
	return false;
}

/* A number, or "-", with one space behind it if more follows. */
static bool take_field(struct words *w, struct maybe *out)
{
	out->there = w->len && w->p[0] != '-';
	if (out->there)
		return words_number(w, UINT64_MAX, &out->v);
	if (!w->len || (w->len > 1 && (w->p[1] != ' ' || w->len == 2)))
		return false;
	w->p += min_u64(w->len, 2);
	w->len -= min_u64(w->len, 2);
	return true;
}

static bool take_part(struct certificate *c, struct words value)
{
	struct part *p;

	if (c->parts.cnt == CPU_NUMBERS)
		return false;
	p = PUSH(c->parts);
	p->other_ns = NEVER;
	for (int i = 0; i < P_CNT; i++)
		if (!take_field(&value, &p->f[i]))
			return false;
	return !value.len;
}

static bool take_pair(struct certificate *c, struct words key, struct words value)
{
	struct maybe word = { 0 };

	if (words_are(key, "class"))
		return take_word(value, class_names, CLASS_CNT, &c->class);
	if (words_are(key, "witness")) {
		bool known = take_word(value, witness_names, WITNESS_CNT, &word);

		c->witness = (enum witness)word.v;
		return known && word.v != WITNESS_NONE;
	}
	if (words_are(key, "cpu"))
		return words_cpu(value, c->cpus);
	if (words_are(key, "part"))
		return take_part(c, value);
	for (int i = 0; i < N_CNT; i++) {
		if (words_are(key, number_keys[i])) {
			c->numbers[i].there = true;
			return words_number(&value, UINT64_MAX, &c->numbers[i].v) && !value.len;
		}
	}
	return true;
}

bool certificate_read(const struct reader *r, struct certificate *c)
{
	struct words key, value;
	size_t pos = 0;
	int got;

	do
		got = reader_pair(r, &pos, &key, &value);
	while (got > 0 && take_pair(c, key, value));
	for (uint32_t i = 0; i < c->parts.cnt && c->witness == WITNESS_SLICE; i++) {
		struct maybe cpu = c->parts.v[i].f[P_CPU_IN];

		if (cpu.there && cpu.v < CPU_NUMBERS)
			c->part_on[cpu.v] = i + 1;
	}
	return !got && c->class.there;
}

/* ---- slices: the records themselves ---- */

void certificate_event(struct certificate *c, const struct event *ev)
{
	uint32_t on = c->part_on[ev->head.cpu];
	struct part *p = on ? &c->parts.v[on - 1] : NULL;
	uint64_t seq = ev->head.seq;
	bool out = ev->head.kind == KIND_OUT, in = ev->head.kind == KIND_IN;

	if (!p || ev->head.kind == KIND_TASK_TOTAL || ev->head.kind == KIND_CPU_TOTAL)
		return;
	if (seq == p->f[P_SEQ_IN].v) {
		p->opened = (in && ev->f[F_TASK] == p->f[P_TASK].v) ||
			    (out && ev->f[F_NEXT_ID] == p->f[P_TASK].v);
		p->opened_ns = ev->head.ts_ns;
	} else if (p->f[P_SEQ_OUT].there && seq == p->f[P_SEQ_OUT].v) {
		p->closed = out && ev->f[F_TASK] == p->f[P_TASK].v;
		p->closed_ns = ev->head.ts_ns;
	} else if (seq > p->f[P_SEQ_IN].v && (!p->f[P_SEQ_OUT].there || seq < p->f[P_SEQ_OUT].v)) {
		p->between++;
		if (p->opened && (out || in || ev->head.kind == KIND_CLASS))
			p->other_ns = min_u64(p->other_ns, ev->head.ts_ns);
	}
}

/* ---- what is wrong ---- */

void complain(struct complaints *to, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (to->cnt++ >= COMPLAINTS_MAX)
		return;
	for (const char *c = text; c == text || c[-1]; c++)
		ADD(to->text, *c);
}

void compare_number(const struct certificate *c, enum number i, uint64_t derived,
		    struct complaints *to)
{
	const struct maybe *stored = &c->numbers[i];

	if (!stored->there)
		complain(to, "%s: not stored, derived %" PRIu64, number_keys[i], derived);
	else if (stored->v != derived)
		complain(to, "%s: stored %" PRIu64 ", derived %" PRIu64, number_keys[i], stored->v,
			 derived);
}
