/* SPDX-License-Identifier: GPL-2.0-only */

#include "trace/meta.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "util/minmax.h"

enum value_kind {
	VALUE_BOOL,
	VALUE_U32,
	VALUE_U64,
	VALUE_I32,
	VALUE_TEXT,	/* an owned string */
};

/* A key that stands at most once and fills one field. */
struct key_def {
	const char *key;
	enum value_kind kind;
	size_t off;
};

#define META_KEY(k, member, kind) { k, kind, offsetof(struct trace_meta, member) }
#define END_KEY(member, kind) { #member, kind, offsetof(struct trace_end, member) }

static const struct key_def meta_keys[] = {
	META_KEY("lab_version", lab_version, VALUE_TEXT),
	META_KEY("name", name, VALUE_TEXT),
	META_KEY("is_command", is_command, VALUE_BOOL),
	META_KEY("attach_tgid", attach_tgid, VALUE_U32),
	META_KEY("attempt", attempt, VALUE_U32),
	META_KEY("attempts_max", attempts_max, VALUE_U32),
	META_KEY("claim_at_least", claim.at_least, VALUE_BOOL),
	META_KEY("claim_serializer", claim.serializer, VALUE_BOOL),
	META_KEY("claim_deadlock", claim.deadlock, VALUE_BOOL),
	META_KEY("claim_stall_ns", claim.stall_ns, VALUE_U64),
	META_KEY("claim_min_parallelism_milli", claim.min_parallelism_milli, VALUE_U32),
	META_KEY("claim_min_operations", claim.min_operations, VALUE_U32),
	META_KEY("claim_needs_cpus", claim.needs_cpus, VALUE_U32),
	META_KEY("release", release, VALUE_TEXT),
	META_KEY("machine", machine, VALUE_TEXT),
	META_KEY("cpus_online", cpus_online, VALUE_U32),
	META_KEY("quota_milli_cpus", quota_milli_cpus, VALUE_U32),
	META_KEY("throttling", throttling, VALUE_U32),
	META_KEY("smt", smt, VALUE_BOOL),
	META_KEY("virtualized", virtualized, VALUE_TEXT),
	META_KEY("physical_round_ns", physical_round_ns, VALUE_U32),
	META_KEY("physical_age_ns", physical_age_ns, VALUE_U64),
	META_KEY("ops_hooked", ops_hooked, VALUE_BOOL),
	META_KEY("started_unix_ns", started_unix_ns, VALUE_U64),
	META_KEY("armed_ns", armed_ns, VALUE_U64),
};

static const struct key_def end_keys[] = {
	END_KEY(reason, VALUE_U32),
	END_KEY(end_ns, VALUE_U64),
	END_KEY(root_reaped, VALUE_BOOL),
	END_KEY(wait_status, VALUE_I32),
	END_KEY(left_known, VALUE_BOOL),
	END_KEY(left, VALUE_U32),
	END_KEY(births, VALUE_U64),
	END_KEY(storage_failures, VALUE_U64),
	END_KEY(recursion_misses, VALUE_U64),
	END_KEY(name_misses, VALUE_U64),
	END_KEY(misses_unread, VALUE_BOOL),
	END_KEY(ready_unseen, VALUE_U64),
	END_KEY(groups_unseen, VALUE_U64),
	END_KEY(bpf_ns, VALUE_U64),
	END_KEY(bpf_runs, VALUE_U64),
	END_KEY(reader_cpu_ns, VALUE_U64),
	END_KEY(steal_ns, VALUE_U64),
};

/* ---- writing ---- */

static void put_pair(struct bytes_out *out, const char *key, const char *value)
{
	bytes_put_text(out, key, strlen(key));
	bytes_put_text(out, value, strlen(value));
}

static void put_number(struct bytes_out *out, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	put_pair(out, key, text);
}

static void put_key(struct bytes_out *out, const struct key_def *def, const void *base)
{
	const void *field = (const char *)base + def->off;
	char text[16];
	const char *s;

	switch (def->kind) {
	case VALUE_BOOL:
		put_number(out, def->key, *(const bool *)field);
		break;
	case VALUE_U32:
		put_number(out, def->key, *(const uint32_t *)field);
		break;
	case VALUE_U64:
		put_number(out, def->key, *(const uint64_t *)field);
		break;
	case VALUE_I32:
		snprintf(text, sizeof(text), "%" PRId32, *(const int32_t *)field);
		put_pair(out, def->key, text);
		break;
	case VALUE_TEXT:
		s = *(char *const *)field;
		put_pair(out, def->key, s ? s : "");
		break;
	}
}

int meta_write(const struct trace_meta *meta, struct bytes_out *out)
{
	char text[64];

	for (size_t i = 0; i < ARRAY_SIZE(meta_keys); i++)
		put_key(out, &meta_keys[i], meta);
	put_pair(out, "claim_class", verdict_class_name(meta->claim.class));
	put_pair(out, "claim_stall", claim_stall_name(meta->claim.stall));
	put_pair(out, "claim_why", meta->claim.why);
	for (uint32_t i = 0; i < meta->argc; i++)
		put_pair(out, "argv", meta->argv[i]);
	for (uint32_t i = 0; i < meta->cpus_usable_cnt; i++) {
		if (meta->cpus_usable[i] >= TRACE_CPUS_MAX)
			return -EINVAL;
		put_number(out, "cpu_usable", meta->cpus_usable[i]);
	}
	for (uint32_t i = 0; i < meta->clock_pair_cnt; i++) {
		const struct trace_clock_pair *pair = &meta->clock_pairs[i];

		if (pair->cpu_a >= TRACE_CPUS_MAX || pair->cpu_b >= TRACE_CPUS_MAX)
			return -EINVAL;
		snprintf(text, sizeof(text), "%u %u %" PRIu32, pair->cpu_a, pair->cpu_b,
			 pair->eps_ns);
		put_pair(out, "clock_pair", text);
	}
	return 0;
}

void meta_end_write(const struct trace_end *end, struct bytes_out *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(end_keys); i++)
		put_key(out, &end_keys[i], end);
}

/* ---- parsing ---- */

struct text {
	const char *p;		/* not terminated; holds no NUL */
	size_t len;
};

static bool text_is(const struct text *t, const char *s)
{
	return t->len == strlen(s) && !memcmp(t->p, s, t->len);
}

/* One decimal number at the front of @t, taken off together with one space after it. */
static int take_number(struct text *t, uint64_t max, uint64_t *value)
{
	size_t i;

	*value = 0;
	for (i = 0; i < t->len && t->p[i] >= '0' && t->p[i] <= '9'; i++) {
		uint64_t digit = (uint64_t)(t->p[i] - '0');

		if (digit > max || *value > (max - digit) / 10)
			return -EBADMSG;
		*value = *value * 10 + digit;
	}
	if (!i)
		return -EBADMSG;
	if (i + 1 < t->len && t->p[i] == ' ')
		i++;
	t->p += i;
	t->len -= i;
	return 0;
}

static int number_of(struct text t, uint64_t max, uint64_t *value)
{
	return take_number(&t, max, value) || t.len ? -EBADMSG : 0;
}

static int parse_i32(struct text t, int32_t *value)
{
	bool negative = t.len && t.p[0] == '-';
	uint64_t magnitude;

	if (negative) {
		t.p++;
		t.len--;
	}
	if (number_of(t, (uint64_t)INT32_MAX + negative, &magnitude))
		return -EBADMSG;
	*value = (int32_t)(negative ? -(int64_t)magnitude : (int64_t)magnitude);
	return 0;
}

static int parse_field(const struct key_def *def, void *base, struct text t)
{
	void *field = (char *)base + def->off;
	uint64_t number = 0;

	switch (def->kind) {
	case VALUE_TEXT:
		free(*(char **)field);
		*(char **)field = xstrndup(t.p, t.len);
		return 0;
	case VALUE_I32:
		return parse_i32(t, field);
	case VALUE_BOOL:
		if (number_of(t, 1, &number))
			return -EBADMSG;
		*(bool *)field = number;
		return 0;
	case VALUE_U32:
		if (number_of(t, UINT32_MAX, &number))
			return -EBADMSG;
		*(uint32_t *)field = (uint32_t)number;
		return 0;
	case VALUE_U64:
		return number_of(t, UINT64_MAX, field);
	}
	return 0;
}

/* The next pair. Return: 1, 0 at the end, -EBADMSG. */
static int next_pair(struct bytes_in *in, struct text *key, struct text *value)
{
	if (!bytes_left(in))
		return 0;
	key->len = bytes_get_bounded(in, bytes_left(in));
	key->p = (const char *)bytes_get(in, key->len);
	value->len = bytes_get_bounded(in, bytes_left(in));
	value->p = (const char *)bytes_get(in, value->len);
	if (in->bad || (value->len && memchr(value->p, 0, value->len)))
		return -EBADMSG;
	return 1;
}

/* Arrays that grow while the pairs are read. */
struct meta_vecs {
	size_t argc, argv_cap, cpu_cnt, cpu_cap, pair_cnt, pair_cap;
};

static int parse_class(struct claim *claim, const struct text *value)
{
	for (int i = CLASS_NONE; i < CLASS_INCONCLUSIVE; i++) {
		if (text_is(value, verdict_class_name(i))) {
			claim->class = i;
			return 0;
		}
	}
	return -EBADMSG;
}

static int parse_stall(struct claim *claim, const struct text *value)
{
	for (uint32_t i = 0; i < CLAIM_STALL_CNT; i++) {
		if (text_is(value, claim_stall_name(i))) {
			claim->stall = i;
			return 0;
		}
	}
	return -EBADMSG;
}

static int parse_clock_pair(struct trace_clock_pair *pair, struct text value)
{
	uint64_t a, b, eps;

	if (take_number(&value, TRACE_CPUS_MAX - 1, &a) ||
	    take_number(&value, TRACE_CPUS_MAX - 1, &b) || number_of(value, UINT32_MAX, &eps))
		return -EBADMSG;
	*pair = (struct trace_clock_pair){ (uint16_t)a, (uint16_t)b, (uint32_t)eps };
	return 0;
}

static int parse_usable_cpu(struct trace_meta *meta, struct meta_vecs *vecs, struct text value)
{
	uint64_t cpu;

	if (number_of(value, TRACE_CPUS_MAX - 1, &cpu) ||
	    (vecs->cpu_cnt && cpu <= meta->cpus_usable[vecs->cpu_cnt - 1]))
		return -EBADMSG;
	*vec_push(meta->cpus_usable, vecs->cpu_cnt, vecs->cpu_cap) = (uint16_t)cpu;
	return 0;
}

static int meta_take(struct trace_meta *meta, struct meta_vecs *vecs, const struct text *key,
		     const struct text *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(meta_keys); i++)
		if (text_is(key, meta_keys[i].key))
			return parse_field(&meta_keys[i], meta, *value);

	if (text_is(key, "claim_class"))
		return parse_class(&meta->claim, value);
	if (text_is(key, "claim_stall"))
		return parse_stall(&meta->claim, value);
	if (text_is(key, "claim_why")) {
		if (value->len >= CLAIM_WHY_MAX)
			return -EBADMSG;
		memcpy(meta->claim.why, value->p, value->len);
		meta->claim.why[value->len] = '\0';
	} else if (text_is(key, "argv")) {
		*vec_push(meta->argv, vecs->argc, vecs->argv_cap) =
			xstrndup(value->p, value->len);
	} else if (text_is(key, "cpu_usable")) {
		return parse_usable_cpu(meta, vecs, *value);
	} else if (text_is(key, "clock_pair")) {
		return parse_clock_pair(vec_push(meta->clock_pairs, vecs->pair_cnt,
						 vecs->pair_cap), *value);
	}
	return 0;
}

int meta_parse(struct trace_meta *meta, const uint8_t *buf, size_t len)
{
	struct bytes_in in = { .p = buf, .end = buf + len };
	struct meta_vecs vecs = { 0 };
	struct text key, value;
	int ret, err = 0;

	*meta = (struct trace_meta){ 0 };
	while (!err && (ret = next_pair(&in, &key, &value)) != 0)
		err = ret < 0 ? ret : meta_take(meta, &vecs, &key, &value);

	meta->argc = (uint32_t)vecs.argc;
	*vec_push(meta->argv, vecs.argc, vecs.argv_cap) = NULL;
	meta->cpus_usable_cnt = (uint32_t)vecs.cpu_cnt;
	meta->clock_pair_cnt = (uint32_t)vecs.pair_cnt;
	for (size_t i = 0; i < ARRAY_SIZE(meta_keys); i++) {
		char **field = (char **)((char *)meta + meta_keys[i].off);

		if (meta_keys[i].kind == VALUE_TEXT && !*field)
			*field = xstrdup("");
	}
	return err;
}

int meta_end_parse(struct trace_end *end, const uint8_t *buf, size_t len)
{
	struct bytes_in in = { .p = buf, .end = buf + len };
	struct text key, value;
	int ret;

	*end = (struct trace_end){ 0 };
	while ((ret = next_pair(&in, &key, &value)) > 0)
		for (size_t i = 0; i < ARRAY_SIZE(end_keys); i++)
			if (text_is(&key, end_keys[i].key) &&
			    parse_field(&end_keys[i], end, value))
				return -EBADMSG;
	return ret;
}

bool trace_end_failed(const struct trace_end *end)
{
	int sig = WIFSIGNALED(end->wait_status) ? WTERMSIG(end->wait_status) : 0;

	if (end->reason == TRACE_END_FOR && (sig == SIGTERM || sig == SIGKILL))
		return false;
	return end->root_reaped && end->wait_status;
}

void trace_meta_release(struct trace_meta *meta)
{
	for (uint32_t i = 0; i < meta->argc; i++)
		free(meta->argv[i]);
	free(meta->argv);
	free(meta->lab_version);
	free(meta->name);
	free(meta->release);
	free(meta->machine);
	free(meta->cpus_usable);
	free(meta->virtualized);
	free(meta->clock_pairs);
	*meta = (struct trace_meta){ 0 };
}
