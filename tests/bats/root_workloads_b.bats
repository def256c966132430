#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The workloads that show a shape, or what a means costs: what they claim holds, as often as
# LAB_TEST_RUNS says (2), with a clean audit; on one CPU it does or is undecided; what is not so is
# contradicted.

load helpers

setup() {
	requires tracing
	cd "$BATS_TEST_TMPDIR" || return 1
}

often() {
	times "${LAB_TEST_RUNS:-2}" "$@"
}

@test "pinned: concurrent on one CPU of several" {
	often pinned --seconds 0.2
	class_is concurrent
	json_holds run.json 'len({c for t in r["tasks"][1:] for c in t["cpus"]} ) <= 2' \
		'len(r["host"]["cpus_usable"]) == r["capacity"]["cpus"]'
	holds_on_one_cpu pinned --seconds 0.2
	often pinned --seconds 0.2 --work io
	often pinned --seconds 0.2 --work mixed --tasks 3
}

@test "pinned is not parallel, though there are two CPUs" {
	requires cpus=2
	trace --expect parallel pinned --seconds 0.2
	class_is concurrent
	json_holds run.json 'r["verdict"]["claim_doubt"] == "busy_cpus"' 2>/dev/null || contradicted
}

@test "oversubscribed: parallel, and everybody waits" {
	requires cpus=2
	often oversubscribed --seconds 0.2
	json_holds run.json 'len(r["tasks"]) == 1 + 4 * len(r["host"]["cpus_usable"])' \
		'sum(t["ready_ns"] for t in r["tasks"]) > 2 * sum(t["run_ns"] for t in r["tasks"])'
	undecided_on_one_cpu oversubscribed --seconds 0.2
}

@test "unbalanced: parallel, in pieces of which each is larger" {
	requires cpus=2
	often unbalanced --seconds 0.15
	json_holds run.json '[t["comm"] for t in sorted(r["tasks"][1:], key=lambda t: t["cpu_ns"])] == ["piece/1", "piece/2", "piece/3", "piece/4"]'
	undecided_on_one_cpu unbalanced --seconds 0.1
}

@test "unbalanced whose CPUs are taken away is contradicted" {
	requires cpus=2 command=taskset
	local try pid child workload
	for try in 1 2 3 4 5; do
		rm -rf out run.json
		workload=''
		"$LAB_BIN" run -o out --json=run.json unbalanced --seconds 2 >report 2>err 3>&- &
		pid=$!
		for _ in {1..200}; do
			for child in $(workload_of "$pid"); do
				[[ $(ls "/proc/$child/task" 2>/dev/null | wc -l) -eq 5 ]] && workload=$child
			done
			[ -z "$workload" ] || break
			sleep 0.01
		done
		[ -n "$workload" ]
		taskset -a -p -c 0 "$workload" >/dev/null
		status=0
		wait $pid || status=$?
		json_holds run.json '(r["verdict"]["class"] != "concurrent" or
			r["verdict"]["claim_doubt"] == "busy_cpus")' 2>/dev/null || break
	done
	[ "$try" -lt 5 ] || skip "other programs keep these CPUs busy, or the change came too late"
	class_is concurrent
	contradicted
}

@test "pingpong: one has the ball, all play" {
	local over
	for over in pipe futex; do
		often pingpong --over $over --seconds 0.2
		class_is concurrent
		json_holds run.json 'r["concurrency"]["max_in_progress"] >= 2' \
			'{t["comm"] for t in r["tasks"][1:]} == {"player/1", "player/2"}'
		holds_on_one_cpu pingpong --over $over --seconds 0.2
	done
	often pingpong --tasks 7 --seconds 0.5
	trace --expect sequential pingpong --seconds 0.2
	contradicted
}

@test "amdahl: parallel in its wide part, and the serial task is the tall bottle" {
	requires cpus=2
	often amdahl --seconds 0.3
	json_holds run.json 'max(r["tasks"], key=lambda t: t["bottle_ns"])["comm"] == "serial"'
	often amdahl --seconds 0.2 --serial 0
	undecided_on_one_cpu amdahl --seconds 0.2
	often amdahl --seconds 0.2 --serial 100
	class_is sequential
	holds_on_one_cpu amdahl --seconds 0.2 --serial 100
}

@test "migrate: tasks are on the CPUs that they went to" {
	requires cpus=2
	often migrate --seconds 0.2
	json_holds run.json 'all(t["migrations"] >= 10 and len(t["cpus"]) == len(r["host"]["cpus_usable"]) for t in r["tasks"][1:])'
	undecided_on_one_cpu migrate --seconds 0.2
	often migrate --seconds 0.2 --tasks 1
	class_is sequential
	often migrate --seconds 0.2 --how natural
	undecided_on_one_cpu migrate --seconds 0.2 --how natural
}

@test "pool: nobody is without a piece" {
	requires cpus=2
	often pool --rounds 200
	json_holds run.json 'len(r["tasks"]) == 6' \
		'all(t["run_ns"] > 0 for t in r["tasks"] if t["comm"].startswith("worker/"))'
	undecided_on_one_cpu pool --rounds 100
}

@test "pipeline: the stages work at once" {
	requires cpus=2
	often pipeline --rounds 100
	json_holds run.json '{t["comm"] for t in r["tasks"][1:]} == {"stage/1", "stage/2", "stage/3"}'
	undecided_on_one_cpu pipeline --rounds 50
	trace --cpus 0 --expect sequential pipeline --rounds 50
	contradicted
}

@test "spawn: one child after the other, however it is made" {
	local how
	for how in fork vfork thread; do
		often spawn --how $how --rounds 8 --seconds 0.24
		class_is sequential
		json_holds run.json 'len(r["tasks"]) == 9'
		holds_on_one_cpu spawn --how $how --rounds 8 --seconds 0.24
	done
	often spawn --how spawn --rounds 2 --seconds 0.4
	class_is sequential
	json_holds run.json '[t["comm"] for t in r["tasks"][1:]] == ["sh", "sh"]'
	holds_on_one_cpu spawn --how spawn --rounds 2 --seconds 0.4
	trace --expect concurrent spawn --rounds 8 --seconds 0.24
	contradicted
}

@test "spawn: children that are made together run at once, but for vfork" {
	requires cpus=2
	local how
	for how in fork spawn thread; do
		often spawn --how $how --rounds 4 --seconds 0.1 --tasks 3
		class_is parallel
		undecided_on_one_cpu spawn --how $how --rounds 4 --seconds 0.1 --tasks 3
	done
	often spawn --how vfork --rounds 4 --seconds 0.1 --tasks 3
	class_is sequential
}

@test "ipc: the same messages, two switches each" {
	local over
	for over in pipe socketpair shm mqueue thread; do
		trace ipc --over $over --rounds 10
		[ "$status" -ne 2 ] || continue
		often ipc --over $over --rounds 10000
		class_is concurrent
		json_holds run.json '19000 <= sum(t["switches"] for t in r["tasks"]) <= 26000' \
			'{t["comm"] for t in r["tasks"][1:]} == {"asker", "answerer"}'
		holds_on_one_cpu ipc --over $over --rounds 10000 --batch 8
		output_has "10000 questions of 64 bytes over "
	done
	trace --expect sequential ipc --rounds 2000
	contradicted
}

@test "ipc between two CPUs claims nothing, and is audited" {
	requires cpus=2
	trace ipc --where apart --rounds 2000
	status_is 0
	exact
	json_holds run.json 'len({c for t in r["tasks"][1:] for c in t["cpus"]}) == 2'
}

@test "memory: threads share it, processes get copies" {
	requires cpus=2
	often memory --seconds 0.2 --touch 4
	output_has "all saw the writes of all; 0 page faults"
	often memory --seconds 0.2 --touch 4 --how procs
	output_has "each saw its own writes, and the parent none"
	[[ $output =~ none\;\ ([0-9]+)\ page\ faults ]]
	[ "${BASH_REMATCH[1]}" -ge 2048 ]
	undecided_on_one_cpu memory --seconds 0.2 --touch 4 --how procs
}

@test "uring: requests that the kernel's workers wait for are concurrent" {
	trace uring --seconds 0.2
	[ "$status" -ne 2 ] || skip "${lines[0]}"
	often uring --seconds 0.2
	class_is concurrent
	json_holds run.json 'sum(t["comm"].startswith("iou-wrk") for t in r["tasks"]) >= 2'
	holds_on_one_cpu uring --seconds 0.2
	trace --expect parallel uring --seconds 0.2
	class_is concurrent
	[ "$status" -ne 0 ]
}

@test "uring without workers: what is in flight is not seen, and that is said" {
	trace uring --seconds 0.2 --how poll
	[ "$status" -ne 2 ] || skip "${lines[0]}"
	status_is 4
	exact
	class_is inconclusive
	output_has "operations not visible"
	json_holds run.json 'r["verdict"]["claim_holds"] is None' 'r["workload"]["exit_status"] == 0'
}

# A filter that answers io_uring_setup(2) with $1, as containers have, then lab.
without_uring() {
	python - "$@" <<-'CODE'
	import ctypes, os, struct, sys

	libc = ctypes.CDLL(None, use_errno=True)
	steps = [(0x20, 0, 0, 0), (0x15, 0, 1, 425), (0x06, 0, 0, 0x50000 | int(sys.argv[1])),
	         (0x06, 0, 0, 0x7fff0000)]
	code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
	program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
	if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):
	    sys.exit("no seccomp")
	os.execv(sys.argv[2], sys.argv[2:])
	CODE
}

@test "uring where it is forbidden is refused with the reason" {
	run without_uring 1 "$LAB_BIN" run uring
	[[ $output != "no seccomp" ]] || skip "$output"
	[ "$status" -eq 2 ]
	output_has "uring: io_uring cannot be used here: "
	output_has "seccomp"
	run without_uring 38 "$LAB_BIN" run uring
	[ "$status" -eq 2 ]
	output_has "this kernel has none"
	[ ! -e runs ]
}

@test "more memory than there is is refused" {
	run bash -c 'ulimit -v 800000 && exec "$0" run memory --touch 1024 --tasks 32 --how procs' "$LAB_BIN"
	[ "$status" -eq 2 ]
	output_has "give a smaller --touch"
	[ ! -e runs ]
}
