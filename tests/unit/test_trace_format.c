/* SPDX-License-Identifier: GPL-2.0-only */

/* docs/trace-format.md against the code: its tables of fields, and its example byte by byte. */

#include "trace_fixture.h"

#include <ctype.h>

#include "trace/scan.h"
#include "trace/schema.h"

#define DOC_PATH "docs/trace-format.md"
#define DOC_MAX (256u << 10)

static char *read_doc(void)
{
	char *text = calloc(1, DOC_MAX);
	ssize_t len;

	REQUIRE(text);
	len = io_read_text(DOC_PATH, text, DOC_MAX);
	if (len < 0)
		SKIP("not run from the top of the source tree");
	return text;
}

static const char *type_name(const struct schema_field *field, char *buf, size_t size)
{
	static const char *const letters[] = { "u", "s", "text" };

	snprintf(buf, size, "%s%d", letters[field->type],
		 field->type == SCHEMA_TEXT ? field->bytes : 8 * field->bytes);
	return buf;
}

static const char *ref_name(const struct schema *schema, const struct schema_group *group,
			    uint16_t ref)
{
	uint32_t row_cnt = schema->groups[0].field_cnt;

	return ref <= row_cnt ? schema->groups[0].fields[ref - 1].name :
				group->fields[ref - row_cnt - 1].name;
}

/* The row of the tables which says how a field is coded, up to what it means. */
static void field_row(const struct schema *schema, const struct schema_group *group, uint32_t i,
		      char *row, size_t size)
{
	const struct schema_field *field = &group->fields[i];
	char type[16], pred[64] = "-", base[64] = "-";

	if (field->pred == SCHEMA_PRED_ROW)
		snprintf(pred, sizeof(pred), "row");
	else if (field->pred == SCHEMA_PRED_KEY)
		snprintf(pred, sizeof(pred), "key `%s`", ref_name(schema, group, field->key));
	if (field->base)
		snprintf(base, sizeof(base), "`%s`", ref_name(schema, group, field->base));
	snprintf(row, size, "\n| %u | `%s` | %s | %s | %s | %s | ", i + 1, field->name,
		 type_name(field, type, sizeof(type)),
		 field->form == SCHEMA_ZIGZAG ? "zigzag" : "plain", pred, base);
}

TEST(trace_format_tables)
{
	char *doc = read_doc();
	struct schema schema;

	schema_init_own(&schema);
	for (size_t g = 0; g < schema.group_cnt; g++) {
		const struct schema_group *group = &schema.groups[g];
		char heading[64], row[256];
		const char *at;

		/* What its table stands under; 8 shares that of 7, and 14's repeats are one row. */
		if (group->id == LAB_EV_TASK_SEED)
			continue;
		snprintf(heading, sizeof(heading), "\n### %u `%s`", group->id, group->name);
		at = strstr(doc, heading);
		if (!at)
			unit_failed(__FILE__, __LINE__, "no heading%s", heading);
		for (uint32_t i = 0; at && i < group->field_cnt; i++) {
			if (group->id == LAB_EV_EPOLL_READY && i >= 4)
				break;
			field_row(&schema, group, i, row, sizeof(row));
			if (!strstr(at, row))
				unit_failed(__FILE__, __LINE__, "%s lacks%s", group->name, row);
		}
	}
	schema_release(&schema);
	free(doc);
}

/* The hexadecimal bytes of the example's indented lines; a '|' ends those of a line. */
static size_t doc_bytes(const char *doc, uint8_t *buf, size_t size)
{
	const char *line = strstr(doc, ". Example\n");
	size_t len = 0;

	REQUIRE(line);
	for (line = strchr(line + 1, '\n'); line; line = strchr(line + 1, '\n')) {
		const char *p = line + 1;

		if (strncmp(p, "    ", 4))
			continue;
		for (p += 4; isxdigit(p[0]) && isxdigit(p[1]) && len < size;
		     p += p[2] == ' ' ? 3 : 2)
			buf[len++] = (uint8_t)strtoul((char[]){ p[0], p[1], 0 }, NULL, 16);
	}
	return len;
}

static void write_example(const struct fixture_file *file)
{
	struct lab_ev_exec exec = {
		.head = { .ts_ns = 1000, .task = 1, .kind = LAB_EV_EXEC },
		.tid = 100, .old_tid = 100, .comm = "demo",
	};
	struct lab_ev_migrate away = {
		.head = { .ts_ns = 1500, .seq = 1, .task = 1, .kind = LAB_EV_MIGRATE },
		.orig_cpu = 0, .dest_cpu = 1, .migrations = 5,
	};
	struct lab_ev_migrate back = {
		.head = { .ts_ns = 1800, .seq = 2, .task = 1, .kind = LAB_EV_MIGRATE },
		.orig_cpu = 1, .dest_cpu = 0, .migrations = 6,
	};
	struct lab_ev_exit exit_event = {
		.head = { .ts_ns = 2100, .task = 1, .cpu = 1, .kind = LAB_EV_EXIT },
		.exit_code = 256,
	};
	struct trace_meta meta = { .name = "demo" };
	struct trace_writer *w = NULL;

	REQUIRE(trace_writer_open(&w, file->fd, &meta) == 0);
	CHECK_EQ(trace_writer_add(w, (union lab_event *)&exec), 0);
	CHECK_EQ(trace_writer_add(w, (union lab_event *)&away), 0);
	CHECK_EQ(trace_writer_add(w, (union lab_event *)&back), 0);
	CHECK_EQ(trace_writer_add(w, (union lab_event *)&exit_event), 0);
	CHECK_EQ(trace_writer_flush(w), 0);
	trace_writer_free(w);
}

/* The example's bytes: the file's header, META's header, and the inflated events. */
TEST(trace_format_example)
{
	struct fixture_file file = fixture_open();
	const size_t fixed = TRACE_FILE_HEADER_LEN + TRACE_CHUNK_HEADER_LEN;
	uint8_t want[1024], got[1024];
	uint8_t *raw = NULL;
	char *doc = read_doc();
	struct scan scan;
	size_t want_len, got_len;

	want_len = doc_bytes(doc, want, sizeof(want));
	write_example(&file);
	REQUIRE(io_pread_all(file.fd, got, fixed, 0) == 0);
	REQUIRE(scan_file(&scan, file.fd, (uint64_t)lseek(file.fd, 0, SEEK_END)) == 0);
	REQUIRE(scan.chunk_cnt == 3);
	REQUIRE(scan.chunks[2].head.type == TRACE_CHUNK_EVENTS);
	REQUIRE(trace_chunk_load(&(struct trace_source){ .fd = file.fd }, scan.chunks[2].off,
				 &scan.chunks[2].head,
				 sizeof(got) - fixed, &raw) == 0);
	memcpy(got + fixed, raw, scan.chunks[2].head.raw_len);
	got_len = fixed + scan.chunks[2].head.raw_len;

	CHECK_EQ(want_len, got_len);
	for (size_t i = 0; i < got_len && i < want_len; i++)
		if (want[i] != got[i])
			unit_failed(__FILE__, __LINE__, "byte %zu of the example is %02x, not %02x",
				    i, got[i], want[i]);
	free(raw);
	free(scan.chunks);
	free(doc);
	close(file.fd);
}
