#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What kept CPUs idle beside tasks that were ready: affinity, quotas, the wake-up under way; and why
# tasks are moved.

load helpers

setup() {
	requires tracing
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
	[ -z "${group:-}" ] || rmdir "$group"
}

# Programs that compute for half a second, $1 of them at once, each begun by the command $2.
busy() {
	cat >busy.sh <<-SCRIPT
	for i in $(seq -s ' ' "$1"); do
		$2 timeout 0.5 sh -c 'while :; do :; done' &
	done
	wait
	SCRIPT
}

# A group of the cpu controller (either version) that may use half a CPU, and has it before other programs.
group_with_quota() {
	local root
	if root=$(findmnt -rno TARGET -t cgroup -O cpu | head -n 1) && [ -n "$root" ]; then
		group=$root/lab-test-$$
		mkdir "$group" 2>/dev/null || skip "cannot make a group in $root"
		echo 100000 >"$group/cpu.cfs_period_us"
		echo 50000 >"$group/cpu.cfs_quota_us" || skip "cannot set a quota in $root"
		echo 262144 >"$group/cpu.shares"
		return
	fi
	root=$(findmnt -rno TARGET -t cgroup2 | head -n 1)
	[ -n "$root" ] && grep -qw cpu "$root/cgroup.subtree_control" ||
		skip "no cpu controller is to be had in /sys/fs/cgroup"
	group=$root/lab-test-$$
	mkdir "$group" 2>/dev/null || skip "cannot make a group in $root"
	echo "50000 100000" >"$group/cpu.max" || skip "cannot set a quota in $root"
	echo 10000 >"$group/cpu.weight"
}

nothing_is_left_over() {
	json_holds run.json 'r["capacity"]["unplaced"]["undivided_ns"] == 0' \
		'sum(r["capacity"]["unplaced"].values()) == r["capacity"]["unplaced_ns"]'
	exact
}

@test "tasks that may use one CPU wait beside another that is idle: affinity" {
	requires cpus=2
	local cpu
	cpu=$(python -c 'import os; print(min(os.sched_getaffinity(0)))')
	busy 3 "taskset -c $cpu"
	trace -- sh busy.sh
	[ "$status" -eq 0 ]
	nothing_is_left_over
	json_holds run.json 'r["capacity"]["largest_loss"] == "unplaced.affinity"' \
		'r["capacity"]["unplaced"]["throttled_ns"] == 0' \
		'r["capacity"]["loss"]["affinity_ns"] > r["capacity"]["loss"]["latency_ns"]' \
		'r["migrations"]["causes"]["affinity"] <= r["migrations"]["count"]'
	# Others may have had that CPU all the time.
	if json_holds run.json 'r["capacity"]["other_ns"] > 0.4 * r["capacity"]["total_ns"]' 2>/dev/null; then
		output_has "CPUs that they may not use"
	else
		json_holds run.json "r['capacity']['pinned']['cpus'] == [$cpu]"
		output_has "tasks that may use only CPU $cpu waited while CPU"
	fi
}

@test "the same tasks, allowed everywhere: no affinity" {
	busy 3 ""
	trace -- sh busy.sh
	[ "$status" -eq 0 ]
	nothing_is_left_over
	json_holds run.json 'r["capacity"]["unplaced"]["affinity_ns"] == 0' \
		'r["capacity"]["pinned"] is None' 'r["migrations"]["causes"]["affinity"] == 0'
}

@test "a quota: what it holds back is known from the wake-up under way" {
	group_with_quota
	busy 4 ""
	run sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$group" \
		"$LAB_BIN" run -o out --json=run.json -- sh busy.sh
	[ "$status" -eq 0 ]
	nothing_is_left_over
	json_holds run.json 'r["host"]["quota_cpus"] == 0.5' \
		'r["capacity"]["largest_loss"] == "unplaced.throttled"' \
		'r["run_queue_wait"]["held_wall_ns"] > 0'
	output_has "the quota of 0.50 CPUs held tasks back for"
	output_has "allows 0.50 CPUs"
}

@test "a quota that tasks come under during the run holds them back, and is named" {
	group_with_quota
	busy 4 ""
	trace -- sh -c 'echo 0 >"$0/cgroup.procs" && exec sh busy.sh' "$group"
	[ "$status" -eq 0 ]
	nothing_is_left_over
	json_holds run.json 'r["host"]["quota_cpus"] is None' 'r["capacity"]["quota_cpus"] == 0.5' \
		'r["capacity"]["loss"]["throttled_ns"] > 0' 'r["run_queue_wait"]["held_wall_ns"] > 0'
	output=$(tr -s ' \n' ' ' <<<"$output")
	output_has "a quota that tasks came under during the run allows 0.50 CPUs"
	run -0 lab verify out
}

@test "a quota that a group gets while tasks are in it is named when it holds them back" {
	group_with_quota
	local limit=$group/cpu.max none="max 100000" half="50000 100000"
	if [ -e "$group/cpu.cfs_quota_us" ]; then
		limit=$group/cpu.cfs_quota_us none=-1 half=50000
	fi
	echo "$none" >"$limit"
	busy 4 ""
	trace -- sh -c 'echo 0 >"$0/cgroup.procs"; (sleep 0.15; echo "$1" >"$2") & exec sh busy.sh' \
		"$group" "$half" "$limit"
	[ "$status" -eq 0 ]
	json_holds run.json 'r["capacity"]["quota_cpus"] == 0.5' \
		'r["capacity"]["loss"]["throttled_ns"] > 0'
	exact
}

@test "moves have causes: a waking, and a CPU that is forbidden" {
	requires cpus=2
	trace migrate --seconds 0.3
	[ "$status" -eq 0 ] || [ "$status" -eq 4 ]
	exact
	json_holds run.json 'r["migrations"]["causes"]["affinity"] > 0' \
		'sum(r["migrations"]["causes"].values()) == r["migrations"]["count"]'
}

# One that computes, and may do so for a quarter of its time: it may not fork.
@test "the budget of a deadline task is what holds it back, and no wake-up" {
	local deadline=(chrt -d -T 5000000 -P 20000000 -D 20000000 0)
	requires command=chrt
	"${deadline[@]}" true 2>err || skip "no task may be of the deadline class here: $(<err)"
	trace -- "${deadline[@]}" sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done'
	status_is 0
	output_has "deadline budgets"
	json_holds run.json 'r["run_queue_wait"]["held_ns"] * 10 > r["run_queue_wait"]["total_ns"] * 9' \
		'r["run_queue_wait"]["longest"]["held_ns"] == r["run_queue_wait"]["longest"]["ns"]'
	exact
}
