#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The workloads in which tasks wait for a lock, for each other, or for one of them that takes too
# long: what they claim holds, with a clean audit; on one CPU it does or is undecided; what is not so
# is contradicted.

load helpers

setup() {
	requires tracing
	cd "$BATS_TEST_TMPDIR" || return 1
}

fault_is() {
	json_holds run.json "r['verdict']['claim_fault'] == '$1'"
}

# The words turn out not to be parallel; while other programs have the CPUs, that is undecided.
not_parallel() {
	trace --expect parallel "$@"
	class_is concurrent
	json_holds run.json 'r["verdict"].get("claim_doubt") == "busy_cpus"' 2>/dev/null || contradicted
}

@test "sleepers: at the same time, and the shorter one ends first" {
	times 3 sleepers --unit 50ms
	class_is concurrent
	output_has "as they ended: 1, 2"
	json_holds run.json \
		'[t["comm"] for t in sorted(r["tasks"][1:], key=lambda t: t["end_ns"])] == ["sleeper/2", "sleeper/1"]' \
		'all(t["blocked_ns"]["sleep"] >= n * 50e6 for n, t in zip((2, 1), r["tasks"][1:]))' \
		'r["tasks"][2]["end_ns"] < r["tasks"][1]["end_ns"]'
	holds_on_one_cpu sleepers --unit 50ms --tasks 4
	output_has "as they ended: 1, 2, 3, 4"
	times 1 sleepers --unit 50ms --tasks 1
	class_is sequential
}

@test "sleepers are not in sequence: that is contradicted" {
	trace --expect sequential sleepers --unit 50ms
	contradicted
	fault_is class
}

@test "gather: 3 units and not 6, results in the order of the start" {
	times 3 gather --unit 50ms
	class_is concurrent
	output_has "as they ended: 1, 2, 3; their results are in the order of the start"
	json_holds run.json 'len(r["operations"]) == 3' 'r["concurrency"]["max_operations"] == 3' \
		'all(o["end_ns"] - o["start_ns"] >= n * 50e6 - 1e6 for n, o in zip((2, 1, 3), r["operations"]))' \
		'r["operations"][1]["end_ns"] < r["operations"][0]["end_ns"] < r["operations"][2]["end_ns"]' \
		'len(r["tasks"]) == 1'
	holds_on_one_cpu gather --unit 20ms --tasks 100
	trace --expect sequential gather --unit 50ms
	contradicted
	fault_is class
}

@test "sums: the same work by processes, after one another and together" {
	requires cpus=2
	times 3 sums --rounds 300
	class_is parallel
	output_has "2 processes took "
	json_holds run.json \
		'[t["comm"] for t in r["tasks"][1:]] == ["process/1", "process/2"] * 2' \
		'r["tasks"][1]["end_ns"] <= r["tasks"][2]["start_ns"]' \
		'r["tasks"][2]["end_ns"] <= r["tasks"][3]["start_ns"]' \
		'r["tasks"][4]["start_ns"] < r["tasks"][3]["end_ns"]'
	undecided_on_one_cpu sums --rounds 100
}

@test "gil: concurrent and not parallel, and the report names the lock" {
	requires cpus=2
	times 3 gil --seconds 0.4
	class_is concurrent
	output_has "not parallel"
	json_holds run.json 'r["serializer"]["present"] and r["serializer"]["waiters"] == 4' \
		'(r["serializer"]["addr"], "lock") in {(l["addr"], l["kind"]) for l in r["locks"]}' \
		'{t["id"] for t in r["serializer"]["tasks"]} == {t["id"] for t in r["tasks"][1:]}' \
		'all(t["blocked_ns"]["lock"] > t["run_ns"] for t in r["tasks"][1:])'
	undecided_on_one_cpu gil --seconds 0.2
	times 1 gil --seconds 0.2 --tasks 1
	class_is sequential
	not_parallel gil --seconds 0.3
}

@test "gil: who waits lets go of the lock, so waits overlap" {
	local work
	for work in io mixed; do
		times 2 gil --seconds 0.3 --work $work
		holds_on_one_cpu gil --seconds 0.3 --work $work
	done
	times 1 gil --seconds 0.3 --work io
	json_holds run.json 'not r["serializer"]["present"]' \
		'all(t["blocked_ns"]["sleep"] > 10 * t["blocked_ns"].get("lock", 0) for t in r["tasks"][1:])'
	trace --expect sequential gil --seconds 0.3 --work io
	contradicted
	fault_is class
}

@test "gil: without the lock, parallel" {
	requires cpus=2
	times 3 gil --free --seconds 0.3
	class_is parallel
	json_holds run.json 'not r["serializer"]["present"]'
	undecided_on_one_cpu gil --free --seconds 0.2
}

# How often threads waited for a lock in all.
lock_waits() {
	python -c 'import json; print(sum(l["waits"] for l in json.load(open("run.json"))["locks"] if l["kind"] == "lock"))'
}

@test "gil: a shorter interval is more switches" {
	requires cpus=2
	local few many
	times 1 gil --seconds 0.4 --interval 100ms
	few=$(lock_waits)
	times 1 gil --seconds 0.4 --interval 2ms
	many=$(lock_waits)
	[ "$many" -gt $((2 * few)) ] || { echo "$few waits, then $many" >&2; return 1; }
}

@test "race: without a lock updates are lost, with any they are not" {
	requires cpus=2
	local how
	times 3 race --rounds 20000
	class_is parallel
	[[ $output =~ of\ 80000\ updates\ ([0-9]+)\ were\ counted:\ ([0-9]+)\ are\ lost ]]
	[ $((BASH_REMATCH[1] + BASH_REMATCH[2])) -eq 80000 ]
	[ "${BASH_REMATCH[2]}" -gt 0 ]
	for how in mutex atomic semaphore; do
		times 2 race --rounds 20000 --how $how
		output_has "of 80000 updates all were counted; they took "
		undecided_on_one_cpu race --rounds 10000 --how $how
		output_has "of 40000 updates all were counted; they took "
	done
	undecided_on_one_cpu race --rounds 20000
	trace --expect sequential race --rounds 20000
	contradicted
	fault_is class
}

@test "convoy: a lock that is held for long serializes, and a shorter hold does not" {
	requires cpus=2
	local long short
	times 3 convoy --seconds 0.4
	class_is concurrent
	json_holds run.json 'r["serializer"]["present"] and r["serializer"]["waiters"] == 4'
	[[ $output =~ convoy:\ ([0-9]+)\ pieces ]]
	long=${BASH_REMATCH[1]}
	undecided_on_one_cpu convoy --seconds 0.3
	times 2 convoy --seconds 0.4 --mend short
	class_is parallel
	[[ $output =~ convoy:\ ([0-9]+)\ pieces ]]
	short=${BASH_REMATCH[1]}
	[ "$short" -gt "$long" ]
	json_holds run.json 'not r["serializer"]["present"]'
	undecided_on_one_cpu convoy --seconds 0.3 --mend short
	times 1 convoy --seconds 0.3 --work io
	holds_on_one_cpu convoy --seconds 0.3 --work io --mend short
	trace --expect sequential convoy --seconds 0.3
	contradicted
	fault_is class
}

# Who waits for whom, as the report of the deadlock has it: "2>1 1>2" and the like.
circle_is() {
	json_holds run.json "' '.join('%d>%d' % (w['id'], w['owner_id']) for w in r['deadlock']['cycle']) == '$1'" \
		'r["deadlock"]["cycles"] == 1 and r["deadlock"]["behind"] == 0'
}

@test "deadlock: who waits for whom in a circle is named, and the process ends" {
	local how
	for how in mutex robust; do
		times 2 deadlock --how $how --seconds 0.3
		circle_is "2>3 3>2"
		[[ $output == *"DEADLOCK  "*" until +"*"guest/1 (tid "* ]]
		[[ $output == *" until then  "* && $output != *"would reduce it"* ]]
		output_has "nobody went on until the time was over"
		holds_on_one_cpu deadlock --how $how --seconds 0.3
		circle_is "2>3 3>2"
	done
	json_holds run.json '{w["evidence"] for w in r["deadlock"]["cycle"]} == {"value"}'
	times 1 deadlock --tasks 4 --seconds 0.3
	circle_is "2>3 3>4 4>5 5>2"
	json_holds run.json '{w["evidence"] for w in r["deadlock"]["cycle"]} == {"library"}'
	times 1 deadlock --tasks 1 --seconds 0.3
	json_holds run.json 'r["deadlock"] == {"present": False}'
}

@test "deadlock: locks in one order, and none is found" {
	times 3 deadlock --mend order
	json_holds run.json 'r["deadlock"] == {"present": False}'
	output_has "all went on to their end"
	output_lacks DEADLOCK
	holds_on_one_cpu deadlock --mend order --tasks 5
	json_holds run.json 'r["deadlock"] == {"present": False}'
}

@test "deadlock is not sequential: that is contradicted" {
	trace --expect sequential deadlock --seconds 0.3
	contradicted
	fault_is stuck
	circle_is "2>3 3>2"
}

@test "no other workload is taken for a deadlock" {
	local words
	for words in "gil --seconds 0.2" "convoy --seconds 0.2" "queue" "event" "pingpong --over futex --seconds 0.2"; do
		# shellcheck disable=SC2086
		trace $words
		exact
		json_holds run.json 'r["deadlock"] == {"present": False}'
	done
}

@test "event: all wait for one, and then go on" {
	times 3 event
	json_holds run.json \
		'[t["comm"] for t in r["tasks"][1:]] == ["setter/1"] + [f"waiter/{i}" for i in (1, 2, 3, 4)]' \
		'all(t["blocked_ns"]["cond"] > 0 for t in r["tasks"][1:])'
	holds_on_one_cpu event
	times 1 event --tasks 1
	trace --expect sequential event
	contradicted
	fault_is class
}

@test "queue: who finds it full or empty waits, and nothing is lost" {
	local slow
	for slow in nobody producers consumers; do
		times 2 queue --slow $slow
		holds_on_one_cpu queue --slow $slow --slots 1
	done
	times 1 queue --slow consumers
	json_holds run.json 'min(t["blocked_ns"]["cond"] for t in r["tasks"][1:] if t["comm"].startswith("producer")) > 0'
	trace --expect sequential queue
	contradicted
	fault_is class
}

# The longest stall of the loop of the root: $1 says in Python what it is, as s.
stall_is() {
	json_holds run.json "[s for s in r['event_loops'] if s['id'] == 1 and $1]"
}

@test "hog: one operation that computes stalls the loop, and that is said" {
	times 3 hog --seconds 0.6
	class_is concurrent
	stall_is 's["stall_state"] != "blocked" and s["longest_cpu_ns"] >= 110e6 > s["longest_blocked_ns"]'
	[[ $output =~ late\ by\ up\ to\ ([0-9]+)\. ]]
	[ "${BASH_REMATCH[1]}" -ge 100 ]
	holds_on_one_cpu hog --seconds 0.6
}

@test "hog: one operation that makes a blocking call stalls the loop, and the call is named" {
	times 2 hog --seconds 0.6 --how blocking
	stall_is 's["stall_call"] == "clock_nanosleep" and s["longest_blocked_ns"] >= 150e6'
	holds_on_one_cpu hog --seconds 0.6 --how blocking
	times 2 hog --seconds 0.6 --how blocking --call read
	stall_is 's["stall_call"] == "read" and s["stall_reason"] == "pipe"'
	holds_on_one_cpu hog --seconds 0.6 --how blocking --call read
	times 1 hog --seconds 0.6 --how blocking --call fsync
	stall_is 's["longest_stall_ns"] >= 150e6'
}

@test "hog: every mend keeps the loop going" {
	local mend
	for mend in yield threads procs; do
		times 1 hog --seconds 0.6 --mend $mend
		stall_is 's["longest_cpu_ns"] < 75e6 and s["longest_blocked_ns"] < 75e6'
		times 1 hog --seconds 0.6 --how blocking --mend $mend
		times 1 hog --seconds 0.6 --how blocking --call read --mend $mend
		holds_on_one_cpu hog --seconds 0.6 --mend $mend
	done
	for mend in threads procs; do
		times 1 hog --seconds 0.6 --how blocking --call fsync --mend $mend
	done
}

@test "hog: what no loop can wait for is refused" {
	trace hog --how blocking --call fsync --mend yield
	status_is 2
	output_has "no event loop can wait for a file"
}

@test "hog that is stopped for longer than it claims is contradicted" {
	local pid child workload=''
	"$LAB_BIN" run -o out --json=run.json hog --mend yield --seconds 1.2 >report 2>err 3>&- &
	pid=$!
	for _ in {1..200}; do
		for child in $(workload_of "$pid"); do
			[[ $(readlink /proc/"$child"/fd/*) != *timerfd* ]] || workload=$child
		done
		[ -z "$workload" ] || break
		sleep 0.01
	done
	[ -n "$workload" ]
	sleep 0.4
	kill -STOP "$workload"
	sleep 0.3
	kill -CONT "$workload"
	status=0
	wait $pid || status=$?
	output=$(cat report err)
	contradicted
	fault_is stall
	output_has "CONTRADICTED; claimed was an event"
}
