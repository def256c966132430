/* SPDX-License-Identifier: GPL-2.0-only */
#include "record/record.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lab.skel.h"
#include "lab_event.h"
#include "record/features.h"
#include "record/kernel_btf.h"
#include "record/names.h"
#include "util/alloc.h"
#include "util/io.h"
#include "util/log.h"
#include "util/minmax.h"

#define RING_MIB_DEFAULT 16
#define RINGS_MIB_MAX 256
#define SETTLE_TRIES 200	/* of 5 ms: how long a reserved record may take to be submitted */
#define LOAD_FDS 32	/* more than it takes to load the probes */

enum probe_when { ALWAYS, OPS, QUOTA, SWITCH4, SWITCH3, SEED };
enum probe_skipped { EVIDENCE, REPAIRED, NAMES, READIES, PROBE_SKIPPED_CNT };

static const struct {
	const char *name;
	enum probe_when when;
	enum probe_skipped skipped;
} probes[] = {
#define PROBE(name, when, skipped) { #name, when, skipped },
#include "record/probe.def"
#undef PROBE
};

struct record {
	struct lab_bpf *skel;
	struct ring_buffer *rings;
	int *ring_fds;			/* cpu_cnt, -1 where there is none */
	uint32_t cpu_cnt;		/* possible CPUs */
	uint32_t ring_bytes;
	struct lab_cpu_slot *cpu_slots;	/* mapped, cpu_cnt */
	struct lab_task_slot *task_slots; /* mapped, LAB_TASK_SLOTS */
	uint64_t *received;		/* records drained, per CPU */
	struct trace_writer *writer;	/* of the drain under way */
	int writer_err;
	int stats_fd;
	struct names *names;		/* NULL: none are looked up */
	enum lab_throttling throttling;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* libbpf's words, the verifier's log among them, are for who debugs the probes. */
static int print_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char *text = NULL, *rest, *line;

	if (level == LIBBPF_DEBUG || log_get_level() < LOG_DEBUG || vasprintf(&text, fmt, args) < 0)
		return 0;
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line)
			log_debug("%s", line);
	free(text);
	return 0;
}

static uint32_t ring_bytes_for(uint32_t cpu_cnt, uint32_t wanted_mib)
{
	uint32_t mib = wanted_mib ? wanted_mib : RING_MIB_DEFAULT;

	while (!wanted_mib && mib > 1 && mib * cpu_cnt > RINGS_MIB_MAX)
		mib /= 2;
	while (mib & (mib - 1))
		mib &= mib - 1;
	return mib << 20;
}

static int choose_probes(struct record *r, const struct record_opts *opts,
			 const struct kernel_facts *facts)
{
	if (!facts->switch_args) {
		log_err("this kernel's sched_switch tracepoint has arguments in an order that lab "
			"does not know: it needs 5.15 or later");
		return -ENOTSUP;
	}
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		struct bpf_program *prog =
			bpf_object__find_program_by_name(r->skel->obj, probes[i].name);
		enum probe_when when = probes[i].when;
		bool load = when == ALWAYS || when == SEED || (when == OPS && opts->ops) ||
			    (when == QUOTA && r->throttling) ||
			    (when == SWITCH4 && facts->switch_args == 4) ||
			    (when == SWITCH3 && facts->switch_args == 3);

		bpf_program__set_autoload(prog, load);
		bpf_program__set_autoattach(prog, load && when != SEED);
	}
	return 0;
}

/* Whether libbpf had them: without one it takes a feature for missing, and gives any error. */
static bool had_descriptors(void)
{
	int fds[LOAD_FDS], cnt = 0;

	while (cnt < LOAD_FDS && (fds[cnt] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0)
		cnt++;
	for (int i = 0; i < cnt; i++)
		close(fds[i]);
	return cnt == LOAD_FDS;
}

static void explain_load_failure(int err)
{
	struct record_feature rows[RECORD_FEATURES_MAX];
	const struct record_feature *missing;
	struct btf *btf = NULL;

	if (err == -EPERM) {
		log_err("the kernel refused to load the probes (%s): lab needs root; in a "
			"container or under lockdown it may be forbidden all the same: lab doctor",
			strerror(-err));
		return;
	}
	/* libbpf reads the kernel's type information again, and says ESRCH if it cannot. */
	if (err == -ESRCH && kernel_btf_load(&btf) == -ENOMEM)
		err = -ENOMEM;
	btf__free(btf);
	if (err == -ENOMEM) {
		log_err("there is no memory for the probes: %s", io_reason(-err));
		return;
	}
	if (!had_descriptors()) {
		log_err("there are no descriptors for the probes: %s", io_reason(EMFILE));
		return;
	}
	missing = record_feature_missing(rows, record_features(rows, ARRAY_SIZE(rows)));
	if (missing)
		log_err("this kernel lacks '%s', which lab needs for %s: it is there since "
			"Linux %s",
			missing->name, missing->use, missing->since);
	else
		log_err("the kernel did not take the probes (%s), though it has all that they "
			"need: "
			"lab run --debug shows what its verifier says", strerror(-err));
}

static int load(struct record *r, const struct record_opts *opts)
{
	struct kernel_facts facts;
	int err = kernel_facts_read(&facts);

	if (err)
		return err;
	r->skel = lab_bpf__open();
	if (!r->skel) {
		err = -errno;
		log_err("cannot open the probes: %s", io_reason(-err));
		return err;
	}
	r->throttling = facts.throttling;
	err = choose_probes(r, opts, &facts);
	if (err)
		return err;
	r->skel->rodata->lab_throttling = r->throttling;
	r->skel->rodata->lab_queues_percpu = facts.queues_percpu;
	r->skel->rodata->lab_mask_words = (r->cpu_cnt + 63) / 64;
	r->skel->rodata->lab_percpu_known = facts.percpu_known;
	r->skel->rodata->lab_runqueues_off = facts.runqueues_off;
	r->skel->rodata->lab_preempt_count_off = facts.preempt_count_off;
	bpf_map__set_max_entries(r->skel->maps.rings, r->cpu_cnt);
	bpf_map__set_max_entries(r->skel->maps.cpu_slots, r->cpu_cnt);
	err = lab_bpf__load(r->skel);
	if (err)
		explain_load_failure(err);
	return err;
}

static int on_record(void *ctx, void *data, size_t size)
{
	struct record *r = ctx;
	const union lab_event *ev = data;

	(void)size;
	r->received[ev->head.cpu]++;
	if (r->names)
		names_see(r->names, ev);
	if (!r->writer_err)
		r->writer_err = trace_writer_add(r->writer, ev);
	return 0;
}

static void log_ring(const struct record *r, uint32_t cpu, int err)
{
	log_err("cannot set up CPU %u's ring of %u MiB: %s%s", cpu, r->ring_bytes >> 20,
		io_reason(-err),
		err == -ENOMEM ? "; --buffer 1 needs less" : "");
}

static int add_ring(struct record *r, uint32_t cpu)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "lab_ring", 0, 0, r->ring_bytes, NULL);
	int err;

	if (fd < 0) {
		err = -errno;
		log_ring(r, cpu, err);
		return err;
	}
	r->ring_fds[cpu] = fd;
	if (bpf_map_update_elem(bpf_map__fd(r->skel->maps.rings), &cpu, &fd, BPF_ANY))
		err = -errno;
	else if (!r->rings)
		err = (r->rings = ring_buffer__new(fd, on_record, r, NULL)) ? 0 : -errno;
	else
		err = ring_buffer__add(r->rings, fd, on_record, r);
	if (err)
		log_ring(r, cpu, err);
	return err;
}

static int make_rings(struct record *r)
{
	for (uint32_t cpu = 0; cpu < r->cpu_cnt; cpu++) {
		char path[64];
		int err;

		/* CPU 0 often has no such folder entry: it cannot be unplugged. */
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u", cpu);
		if (cpu && access(path, F_OK))
			continue;
		err = add_ring(r, cpu);
		if (err)
			return err;
	}
	return 0;
}

static void *map_array(const struct bpf_map *map, size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return mem == MAP_FAILED ? NULL : mem;
}

static int map_slots(struct record *r)
{
	r->cpu_slots = map_array(r->skel->maps.cpu_slots, r->cpu_cnt * sizeof(*r->cpu_slots));
	r->task_slots = map_array(r->skel->maps.task_slots,
				  LAB_TASK_SLOTS * sizeof(*r->task_slots));
	if (r->cpu_slots && r->task_slots)
		return 0;
	log_err("cannot map the probes' counters: %s", io_reason(errno));
	return -errno;
}

int record_open(struct record **out, const struct record_opts *opts)
{
	struct record *r = xcalloc(1, sizeof(*r));
	int err;

	libbpf_set_print(print_libbpf);
	r->stats_fd = -1;
	r->cpu_cnt = min_u64(libbpf_num_possible_cpus(), TRACE_CPUS_MAX);
	r->ring_bytes = ring_bytes_for(r->cpu_cnt, opts->ring_mib);
	r->ring_fds = xcalloc(r->cpu_cnt, sizeof(*r->ring_fds));
	r->received = xcalloc(r->cpu_cnt, sizeof(*r->received));
	memset(r->ring_fds, -1, r->cpu_cnt * sizeof(*r->ring_fds));

	err = load(r, opts);
	if (!err)
		err = make_rings(r);
	if (!err)
		err = map_slots(r);
	if (!err && opts->measure_overhead)
		r->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (!err) {
		err = lab_bpf__attach(r->skel);
		if (err)
			log_err("cannot attach the probes: %s", io_reason(-err));
	}
	if (err) {
		record_free(r);
		return err;
	}
	*out = r;
	return 0;
}

/* One pass over all tasks; those of the marked process become ours. Return: 0 or -errno. */
static int seed_pass(struct record *r)
{
	struct bpf_link *link = bpf_program__attach_iter(r->skel->progs.task_on_seed, NULL);
	char unused[64];
	int fd, err = 0;
	ssize_t n;

	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		err = -errno;
	while (!err && (n = read(fd, unused, sizeof(unused))) != 0)
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			err = -errno;
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return err;
}

int record_start(struct record *r, int pidfd, const uint16_t *cpus, uint32_t cpu_cnt,
		 uint64_t *armed_ns)
{
	struct lab_task_mark mark = { 0 };
	uint64_t before;
	int err;

	for (uint32_t i = 0; i < cpu_cnt; i++)
		if (cpus[i] < r->cpu_cnt)
			r->cpu_slots[cpus[i]].watched = 1;
	if (bpf_map_update_elem(bpf_map__fd(r->skel->maps.task_marks), &pidfd, &mark,
				BPF_NOEXIST)) {
		err = -errno;
		log_err("cannot mark the process: %s", io_reason(-err));
		return err;
	}
	*armed_ns = now_ns();
	r->skel->bss->lab_armed = 1;
	/* A thread may be born behind the iterator: again, until a pass finds none. */
	do {
		before = record_birth_cnt(r);
		err = seed_pass(r);
	} while (!err && record_birth_cnt(r) != before);
	if (err)
		log_err("cannot look through the kernel's tasks: %s", io_reason(-err));
	else if (!record_birth_cnt(r))
		err = -ESRCH;
	return err;
}

enum lab_throttling record_throttling(const struct record *r)
{
	return r->throttling;
}

void record_visit_cpus(const uint16_t *cpus, uint32_t cpu_cnt)
{
	cpu_set_t old, one;

	_Static_assert(CPU_SETSIZE >= TRACE_CPUS_MAX, "cpu_set_t");
	if (sched_getaffinity(0, sizeof(old), &old))
		return;
	for (uint32_t i = 0; i < cpu_cnt; i++) {
		CPU_ZERO(&one);
		CPU_SET(cpus[i], &one);
		if (!sched_setaffinity(0, sizeof(one), &one))
			usleep(1);
	}
	sched_setaffinity(0, sizeof(old), &old);
}

int64_t record_drain(struct record *r, struct trace_writer *w)
{
	int n;

	r->writer = w;
	n = ring_buffer__consume(r->rings);
	if (r->writer_err)
		return r->writer_err;
	return n;
}

void record_stop(struct record *r)
{
	if (!r->skel->bss->lab_armed)
		return;
	r->skel->bss->lab_armed = 0;
	/* A probe runs in an RCU read section; this waits for all that began (membarrier(2)). */
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(20000);
}

/* True when every record that was given a number has been drained or refused. */
static bool settled(const struct record *r)
{
	for (uint32_t cpu = 0; cpu < r->cpu_cnt; cpu++)
		if (r->cpu_slots[cpu].seq != r->received[cpu] + r->cpu_slots[cpu].refused)
			return false;
	return true;
}

/* A CPU that cannot be unplugged has no such file. */
static bool is_offline(uint32_t cpu)
{
	char path[64], text[8];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
	return io_read_text(path, text, sizeof(text)) > 0 && !strcmp(text, "0");
}

static int add_cpu_totals(struct record *r, struct trace_writer *w, uint64_t now)
{
	for (uint32_t cpu = 0; cpu < r->cpu_cnt; cpu++) {
		const struct lab_cpu_slot *slot = &r->cpu_slots[cpu];
		union lab_event ev = { 0 };
		int err;

		if (!slot->seq)
			continue;
		ev.head = (struct lab_ev_head){
			.ts_ns = now, .cpu = cpu, .kind = LAB_EV_CPU_TOTAL
		};
		ev.head.flags = is_offline(cpu) ? LAB_F_OFFLINE : 0;
		ev.cpu_total.seq_end = slot->seq;
		ev.cpu_total.refused = slot->refused;
		ev.cpu_total.refused_first_ns = slot->refused_first_ns;
		ev.cpu_total.refused_last_ns = slot->refused_last_ns;
		err = trace_writer_add(w, &ev);
		if (err)
			return err;
	}
	return 0;
}

/* Totals are stamped after every event of the run: a reader meets them last. */
static int add_task_totals(struct record *r, struct trace_writer *w, uint64_t now)
{
	uint64_t births = record_birth_cnt(r);
	uint64_t first = births > LAB_TASK_SLOTS ? births - LAB_TASK_SLOTS + 1 : 1;

	for (uint64_t id = first; id <= births; id++) {
		const struct lab_task_slot *slot = &r->task_slots[id % LAB_TASK_SLOTS];
		union lab_event ev = { 0 };
		int err;

		if (slot->id != id)
			continue;
		ev.head = (struct lab_ev_head){ .ts_ns = now, .task = id,
						.kind = LAB_EV_TASK_TOTAL };
		ev.task_total.last_ns = slot->last_ns;
		ev.task_total.switch_outs = slot->switch_outs;
		ev.task_total.nvcsw = slot->nvcsw;
		ev.task_total.nivcsw = slot->nivcsw;
		ev.task_total.sum_exec_ns = slot->sum_exec_ns;
		ev.task_total.migrates = slot->migrates;
		ev.task_total.migrations = slot->migrations;
		ev.task_total.dead = slot->dead;
		err = trace_writer_add(w, &ev);
		if (err)
			return err;
	}
	return 0;
}

/* They need no privilege since 5.19 (c8644cd0efe7). */
static void read_program_stats(struct record *r, struct trace_end *end)
{
	uint64_t skipped[PROBE_SKIPPED_CNT] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		struct bpf_program *prog =
			bpf_object__find_program_by_name(r->skel->obj, probes[i].name);
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);

		if (bpf_program__fd(prog) < 0)
			continue;
		if (bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len)) {
			end->misses_unread = true;
			continue;
		}
		skipped[probes[i].skipped] += info.recursion_misses;
		end->bpf_ns += info.run_time_ns;
		end->bpf_runs += info.run_cnt;
	}
	end->recursion_misses = skipped[EVIDENCE];
	end->ready_unseen += skipped[READIES];
	end->name_misses = skipped[NAMES];
}

int record_finish(struct record *r, struct trace_writer *w, struct trace_end *end)
{
	int64_t n;
	int err;

	record_stop(r);
	for (int i = 0; i < SETTLE_TRIES; i++) {
		n = record_drain(r, w);
		if (n < 0)
			return n;
		if (settled(r))
			break;
		usleep(5000);
	}
	end->births = r->skel->bss->lab_counts.births;
	end->storage_failures = r->skel->bss->lab_counts.storage_failures;
	end->ready_unseen = r->skel->bss->lab_counts.ready_unseen;
	end->groups_unseen = r->skel->bss->lab_counts.groups_unseen;
	read_program_stats(r, end);
	err = add_task_totals(r, w, now_ns());
	return err ? err : add_cpu_totals(r, w, now_ns());
}

void record_names(struct record *r, int (*confine)(void), int (*confine_more)(void))
{
	r->names = names_start(&(struct names_opts){ r->task_slots, confine, confine_more });
	if (!r->names)
		log_debug("no names of futexes: %s", strerror(errno));
}

uint64_t record_names_finish(struct record *r, struct trace_symbols *out)
{
	uint64_t lost_from_ns = UINT64_MAX, lost_until_ns = 0, cpu_ns = 0;

	*out = (struct trace_symbols){ 0 };
	for (uint32_t cpu = 0; cpu < r->cpu_cnt; cpu++) {
		const struct lab_cpu_slot *slot = &r->cpu_slots[cpu];

		if (!slot->refused)
			continue;
		lost_from_ns = min_u64(lost_from_ns, slot->refused_first_ns);
		lost_until_ns = max_u64(lost_until_ns, slot->refused_last_ns);
	}
	if (r->names)
		names_finish(r->names, lost_from_ns, lost_until_ns, out, &cpu_ns);
	return cpu_ns;
}

uint64_t record_live_cnt(const struct record *r)
{
	return *(volatile __u64 *)&r->skel->bss->lab_counts.live;
}

uint64_t record_birth_cnt(const struct record *r)
{
	return *(volatile __u64 *)&r->skel->bss->lab_counts.births;
}

uint64_t record_refused_cnt(const struct record *r)
{
	uint64_t sum = 0;

	for (uint32_t cpu = 0; cpu < r->cpu_cnt; cpu++)
		sum += *(volatile __u64 *)&r->cpu_slots[cpu].refused;
	return sum;
}

uint32_t record_ring_bytes(const struct record *r)
{
	return r->ring_bytes;
}

void record_free(struct record *r)
{
	if (!r)
		return;
	names_free(r->names);
	ring_buffer__free(r->rings);
	for (uint32_t cpu = 0; cpu < r->cpu_cnt; cpu++)
		if (r->ring_fds[cpu] >= 0)
			close(r->ring_fds[cpu]);
	if (r->cpu_slots)
		munmap(r->cpu_slots, r->cpu_cnt * sizeof(*r->cpu_slots));
	if (r->task_slots)
		munmap(r->task_slots, LAB_TASK_SLOTS * sizeof(*r->task_slots));
	if (r->stats_fd >= 0)
		close(r->stats_fd);
	lab_bpf__destroy(r->skel);
	free(r->ring_fds);
	free(r->received);
	free(r);
}
