/* SPDX-License-Identifier: GPL-2.0-only */

#include "trace_fixture.h"

#include "trace/keymap.h"
#include "trace/schema.h"

/* Write @cnt random events whose times go by steps of up to @step back and forth, and read them. */
static void round_trip(size_t cnt, uint64_t step, size_t flush_every, uint64_t seed)
{
	struct fixture_file file = fixture_open();
	struct trace_writer *w = fixture_writer(&file);
	union lab_event *events = calloc(cnt, sizeof(*events));
	struct trace_end end = { .reason = TRACE_END_EXIT, .end_ns = 77, .wait_status = -3 };
	struct trace_reader *r;
	uint64_t ts = 1000;

	REQUIRE(events);
	for (size_t i = 0; i < cnt; i++) {
		fixture_event(&events[i], 1 + (unsigned int)(fixture_random(&seed) %
							     (LAB_EV_KIND_MAX - 1)), &seed);
		ts += fixture_random(&seed) % (step + 1);
		events[i].head.ts_ns = ts - fixture_random(&seed) % (4 * step + 1) % ts;
		CHECK_EQ(trace_writer_add(w, &events[i]), 0);
		if (flush_every && fixture_random(&seed) % flush_every == 0)
			CHECK_EQ(trace_writer_flush(w), 0);
	}
	CHECK_EQ(trace_writer_events(w), cnt);
	CHECK_EQ(trace_writer_finish(w, &end), 0);

	REQUIRE(trace_reader_open(&r, file.path) == 0);
	CHECK_EQ(trace_reader_bytes(r), trace_writer_bytes(w));
	fixture_sort(events, cnt);
	CHECK(fixture_gives(r, events, cnt));
	CHECK(trace_reader_complete(r));
	CHECK_STR(trace_reader_damage(r), "");
	CHECK_EQ(trace_reader_unknown(r), 0);
	REQUIRE(trace_reader_end(r));
	CHECK_EQ(trace_reader_end(r)->end_ns, 77);
	CHECK_EQ(trace_reader_end(r)->wait_status, -3);
	trace_reader_free(r);
	trace_writer_free(w);
	free(events);
	close(file.fd);
}

TEST(trace_round_trip_of_nothing)
{
	round_trip(0, 1, 0, 1);
}

TEST(trace_round_trip_of_full_chunks)
{
	round_trip(2 * TRACE_EVENTS_PER_CHUNK + 100, 1000, 0, 2);
}

TEST(trace_round_trip_of_one_full_chunk)
{
	round_trip(TRACE_EVENTS_PER_CHUNK, 10, 0, 3);
}

TEST(trace_round_trip_of_many_overlapping_chunks)
{
	for (uint64_t seed = 10; seed < 30; seed++)
		round_trip(2000, 50, 1 + seed * 3, seed);
}

TEST(trace_round_trip_of_equal_times)
{
	round_trip(3000, 1, 20, 4);
	round_trip(3000, 0, 20, 5);
}

TEST(trace_round_trip_of_backward_time)
{
	round_trip(3000, 1 << 20, 7, 6);
}

TEST(trace_round_trip_of_each_kind)
{
	for (unsigned int kind = 1; kind < LAB_EV_KIND_MAX; kind++) {
		struct fixture_file file = fixture_open();
		struct trace_writer *w = fixture_writer(&file);
		union lab_event events[300];
		struct trace_end end = { 0 };
		struct trace_reader *r;
		uint64_t seed = kind;

		CHECK(trace_event_size(kind) >= sizeof(struct lab_ev_head));
		for (size_t i = 0; i < 300; i++) {
			fixture_event(&events[i], kind, &seed);
			events[i].head.ts_ns = i < 2 ? 0 : UINT64_MAX - 300 + i;
			CHECK_EQ(trace_writer_add(w, &events[i]), 0);
		}
		CHECK_EQ(trace_writer_finish(w, &end), 0);
		trace_writer_free(w);
		fixture_sort(events, 300);
		REQUIRE(trace_reader_open(&r, file.path) == 0);
		CHECK(fixture_gives(r, events, 300));
		CHECK(trace_reader_complete(r));
		trace_reader_free(r);
		close(file.fd);
	}
	CHECK_EQ(trace_event_size(LAB_EV_NONE), 0);
	CHECK_EQ(trace_event_size(LAB_EV_KIND_MAX), 0);
	CHECK_EQ(trace_event_size(1000), 0);
}

TEST(trace_writer_refuses_what_no_reader_takes)
{
	struct fixture_file file = fixture_open();
	struct trace_writer *w = fixture_writer(&file);
	union lab_event ev = { .head = { .kind = LAB_EV_NONE } };
	struct trace_end end = { 0 };

	CHECK_EQ(trace_writer_add(w, &ev), -EINVAL);
	ev.head.kind = LAB_EV_KIND_MAX;
	CHECK_EQ(trace_writer_add(w, &ev), -EINVAL);
	ev.head.kind = LAB_EV_EXIT;
	ev.head.cpu = TRACE_CPUS_MAX;
	CHECK_EQ(trace_writer_add(w, &ev), -EINVAL);
	CHECK_EQ(trace_writer_events(w), 0);
	CHECK_EQ(trace_writer_finish(w, &end), 0);
	CHECK_EQ(trace_writer_finish(w, &end), -EINVAL);
	trace_writer_free(w);
	close(file.fd);
}

/* Whatever field of whatever kind has a number of a CPU: the schema knows. */
TEST(trace_writer_refuses_cpus_that_no_reader_takes)
{
	struct fixture_file file = fixture_open();
	struct trace_writer *w = fixture_writer(&file);
	struct schema schema;
	uint32_t tried = 0;

	schema_init_own(&schema);
	for (size_t g = 1; g < schema.group_cnt; g++) {
		const struct schema_group *group = &schema.groups[g];

		for (uint32_t i = 0; i < group->field_cnt; i++) {
			union lab_event ev = { .head = { .kind = (uint8_t)group->id } };

			if (!group->fields[i].is_cpu)
				continue;
			put_le((uint8_t *)&ev + group->fields[i].off, TRACE_CPUS_MAX,
			       group->fields[i].our_bytes);
			CHECK_EQ(trace_writer_add(w, &ev), -EINVAL);
			tried++;
		}
	}
	CHECK(tried >= 6);
	CHECK_EQ(trace_writer_events(w), 0);
	schema_release(&schema);
	trace_writer_free(w);
	close(file.fd);
}

/* Only the kind's own size of an event may be read: the rest is not the writer's. */
TEST(trace_writer_reads_no_more_than_the_record)
{
	struct fixture_file file = fixture_open();
	struct trace_writer *w = fixture_writer(&file);
	struct lab_ev_exit *small = calloc(1, sizeof(*small));

	REQUIRE(small);
	small->head.kind = LAB_EV_EXIT;
	CHECK_EQ(trace_writer_add(w, (const union lab_event *)small), 0);
	CHECK_EQ(trace_writer_flush(w), 0);
	free(small);
	trace_writer_free(w);
	close(file.fd);
}

TEST(trace_events_stay_small)
{
	struct fixture_file file = fixture_open();
	struct trace_writer *w = fixture_writer(&file);
	uint64_t seed = 9, ts = 5000000000000, start;

	start = trace_writer_bytes(w);
	for (uint32_t i = 0; i < 3 * TRACE_EVENTS_PER_CHUNK; i++) {
		union lab_event ev = { .switch_out = {
			.head = { .ts_ns = ts, .seq = i / 2, .task = 1 + i % 2, .cpu = i % 2,
				  .kind = LAB_EV_SWITCH_OUT },
			.prev_state = LAB_STATE_INTERRUPTIBLE, .nvcsw = i / 2,
			.sum_exec_ns = ts / 3, .clock_task_ns = ts - 12345,
			.exec_start_ns = ts - 12345, .args = { 0x7f0012345678, 128 },
			.syscall = 202, .next_class = LAB_CPU_IDLE,
		} };

		ts += fixture_random(&seed) % 20000;
		CHECK_EQ(trace_writer_add(w, &ev), 0);
	}
	CHECK(trace_writer_bytes(w) - start < 8 * trace_writer_events(w));
	trace_writer_free(w);
	close(file.fd);
}

/* ---- what is known about the run ---- */

TEST(trace_meta_round_trip)
{
	char *argv[] = { "sh", "", "-c", "exit \xff\n", NULL };
	uint16_t cpus[] = { 0, 3, TRACE_CPUS_MAX - 1 };
	struct trace_clock_pair pairs[] = { { 0, 3, 250 }, { 3, 1023, UINT32_MAX } };
	struct trace_meta meta = {
		.lab_version = "0.1.0", .name = "procs", .argv = argv, .argc = 4,
		.is_command = true, .attach_tgid = 4711, .attempt = 3, .attempts_max = 5,
		.claim = {
			.class = CLASS_PARALLEL, .at_least = true, .serializer = true,
			.deadlock = true, .stall = STALL_BLOCKED, .stall_ns = 1ULL << 40,
			.min_parallelism_milli = 1800, .min_operations = 3, .needs_cpus = 2,
			.why = "processes use every CPU",
		},
		.release = "6.1.0", .machine = "x86_64", .cpus_online = 4,
		.cpus_usable = cpus, .cpus_usable_cnt = 3, .quota_milli_cpus = 1500,
		.smt = true, .virtualized = "kvm", .ops_hooked = true,
		.physical_round_ns = 999, .physical_age_ns = 1ULL << 41,
		.started_unix_ns = 1700000000123456789, .armed_ns = UINT64_MAX,
		.clock_pairs = pairs, .clock_pair_cnt = 2,
	};
	struct fixture_file file = fixture_open();
	const struct trace_meta *got;
	struct trace_writer *w;
	struct trace_reader *r;

	REQUIRE(trace_writer_open(&w, file.fd, &meta) == 0);
	trace_writer_free(w);
	REQUIRE(trace_reader_open(&r, file.path) == 0);
	got = trace_reader_meta(r);
	CHECK_STR(got->lab_version, "0.1.0");
	CHECK_STR(got->name, "procs");
	REQUIRE(got->argc == 4);
	for (size_t i = 0; i < 4; i++)
		CHECK_STR(got->argv[i], argv[i]);
	CHECK(!got->argv[4]);
	CHECK(got->is_command && got->smt && got->ops_hooked);
	CHECK_EQ(got->attach_tgid, 4711);
	CHECK_EQ(got->attempt, 3);
	CHECK_EQ(got->attempts_max, 5);
	CHECK_EQ(got->claim.class, CLASS_PARALLEL);
	CHECK(got->claim.at_least && got->claim.serializer && got->claim.deadlock);
	CHECK_EQ(got->claim.stall, STALL_BLOCKED);
	CHECK_EQ(got->claim.stall_ns, 1ULL << 40);
	CHECK_EQ(got->claim.min_parallelism_milli, 1800);
	CHECK_EQ(got->claim.min_operations, 3);
	CHECK_EQ(got->claim.needs_cpus, 2);
	CHECK_STR(got->claim.why, "processes use every CPU");
	CHECK_STR(got->release, "6.1.0");
	CHECK_STR(got->machine, "x86_64");
	CHECK_STR(got->virtualized, "kvm");
	CHECK_EQ(got->physical_round_ns, 999);
	CHECK_EQ(got->physical_age_ns, 1ULL << 41);
	CHECK_EQ(got->cpus_online, 4);
	REQUIRE(got->cpus_usable_cnt == 3);
	CHECK(!memcmp(got->cpus_usable, cpus, sizeof(cpus)));
	CHECK_EQ(got->quota_milli_cpus, 1500);
	CHECK(got->started_unix_ns == 1700000000123456789 && got->armed_ns == UINT64_MAX);
	REQUIRE(got->clock_pair_cnt == 2);
	CHECK(!memcmp(got->clock_pairs, pairs, sizeof(pairs)));
	trace_reader_free(r);
	close(file.fd);
}

TEST(trace_empty_meta_reads_as_empty_strings)
{
	struct fixture_file file = fixture_open();
	struct trace_reader *r;

	trace_writer_free(fixture_writer(&file));
	REQUIRE(trace_reader_open(&r, file.path) == 0);
	CHECK_STR(trace_reader_meta(r)->name, "");
	CHECK_STR(trace_reader_meta(r)->virtualized, "");
	CHECK_EQ(trace_reader_meta(r)->argc, 0);
	CHECK(trace_reader_meta(r)->argv && !trace_reader_meta(r)->argv[0]);
	CHECK_EQ(trace_reader_meta(r)->claim.class, CLASS_NONE);
	CHECK(!trace_reader_complete(r) && !trace_reader_end(r));
	trace_reader_free(r);
	close(file.fd);
}

TEST(trace_end_round_trip)
{
	struct trace_end end = {
		.reason = TRACE_END_DAEMON, .end_ns = UINT64_MAX, .root_reaped = true,
		.wait_status = INT32_MIN, .births = 1, .storage_failures = 2,
		.recursion_misses = 3, .misses_unread = true, .ready_unseen = 4, .bpf_ns = 5,
		.bpf_runs = 6, .name_misses = 9, .left_known = true, .left = UINT32_MAX,
		.reader_cpu_ns = 7, .steal_ns = 8,
	};
	struct fixture_file file = fixture_open();
	struct trace_writer *w = fixture_writer(&file);
	const struct trace_end *got;
	struct trace_reader *r;

	CHECK_EQ(trace_writer_finish(w, &end), 0);
	trace_writer_free(w);
	REQUIRE(trace_reader_open(&r, file.path) == 0);
	got = trace_reader_end(r);
	REQUIRE(got);
	CHECK_EQ(got->reason, TRACE_END_DAEMON);
	CHECK(got->end_ns == UINT64_MAX && got->root_reaped && got->wait_status == INT32_MIN);
	CHECK_EQ(got->births, 1);
	CHECK_EQ(got->storage_failures, 2);
	CHECK_EQ(got->recursion_misses, 3);
	CHECK(got->misses_unread);
	CHECK_EQ(got->name_misses, 9);
	CHECK(got->left_known && got->left == UINT32_MAX);
	CHECK_EQ(got->ready_unseen, 4);
	CHECK_EQ(got->bpf_ns, 5);
	CHECK_EQ(got->bpf_runs, 6);
	CHECK_EQ(got->reader_cpu_ns, 7);
	CHECK_EQ(got->steal_ns, 8);
	trace_reader_free(r);
	close(file.fd);
}

TEST(trace_keymap_keeps_what_it_was_given)
{
	struct keymap map;
	uint64_t seed = 3;
	bool fresh;

	keymap_init(&map, 2, 12345);
	for (int round = 0; round < 2; round++) {
		for (uint64_t i = 0; i < 5000; i++) {
			uint64_t *row = keymap_row(&map, i << 32, &fresh);

			CHECK(fresh);
			row[0] = i;
			row[1] = ~i;
		}
		for (int i = 0; i < 5000; i++) {
			uint64_t key = fixture_random(&seed) % 5000;
			uint64_t *row = keymap_row(&map, key << 32, &fresh);

			CHECK(!fresh && row[0] == key && row[1] == ~key);
		}
		keymap_reset(&map);
	}
	keymap_release(&map);
	keymap_release(&map);
}
