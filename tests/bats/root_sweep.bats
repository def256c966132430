#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# lab sweep: a workload with more and more tasks or CPUs, on the kernel at hand. Never times.

load helpers

setup() {
	requires tracing
	cd "$BATS_TEST_TMPDIR" || return 1
}

sweep() {
	rm -f sweep.json
	run lab sweep --json=sweep.json "$@"
	# A run whose verdict was inconclusive shows as that, and is a sweep all the same.
	[ "$status" -eq 0 ] || { [ "$status" -eq 4 ] && grep -q '"inconclusive"' sweep.json; }
	if requires jsonschema; then SCHEMA=lab-sweep schema valid sweep.json; fi
}

@test "sweep: waiting scales with the tasks, and both laws are fitted" {
	sweep errands --as threads --work io --rounds 6 --tasks 1..6 --repeat 2
	output_has "root mean square of 12 runs"
	json_holds sweep.json '[p["n"] for p in r["points"]] == [1, 2, 3, 4, 5, 6]' \
		'r["over"] == "tasks"' 'all(p["doubt"] == "none" for p in r["points"])' \
		'r["amdahl"]["known"] and r["usl"]["known"]' 'r["amdahl"]["serial"] < 0.5' \
		'r["usl"]["rms"] <= r["amdahl"]["rms"] * 1.000001' \
		'all(p["class"] != "sequential" for p in r["points"][1:])' 'r["points"][0]["class"] == "sequential"'
}

@test "sweep: more tasks than CPUs that compute are in no fit, and there is none" {
	sweep errands --as threads --rounds 4 --tasks "1,$(($(nproc) + 2)),$(($(nproc) + 4))" --repeat 2
	output_has "no fit: it takes 3 different N that can be fitted, and there is 1"
	output_has "more tasks than CPUs"
	json_holds sweep.json 'not r["amdahl"]["known"]' '[p["doubt"] for p in r["points"]] == ["none", "few_cpus", "few_cpus"]'
}

@test "sweep: over CPUs, with as many as there are" {
	requires cpus=2
	sweep amdahl --seconds 0.05 --tasks 8 --cpus 1..N --repeat 2
	json_holds sweep.json "r['cpus'] == $(nproc) == len(r['points'])" 'r["over"] == "cpus"' \
		'r["points"][0]["average"]["high"] <= 1.0'
	# Two points leave no error to be seen.
	[ "$(nproc)" -gt 2 ] || output_has "no fit: it takes 3 different N that can be fitted, and there are 2"
}

@test "sweep: as a picture, which is whole and well-formed" {
	run -0 lab sweep pool --rounds 20 --tasks 1,2 --repeat 1 -f svg -o sweep.svg
	[ -z "$output" ]
	python -c 'import sys, xml.dom.minidom as x; d = x.parse("sweep.svg"); sys.exit(len(d.getElementsByTagName("circle")) != 2)'
	! grep -q '<script' sweep.svg
}

@test "sweep: interrupted, it leaves no process, no folder and no file" {
	local pid
	mkdir tmp
	TMPDIR=$PWD/tmp setsid "$LAB_BIN" sweep errands --work io -f svg -o sweep.svg >out 2>&1 &
	pid=$!
	sleep 2
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	grep -q "lab: interrupted" out
	[ -z "$(ls tmp)" ]
	[ ! -e sweep.svg ]
	[ -z "$(ps -s "$pid" -o stat=,cmd= | grep -v '^Z')" ]
}
