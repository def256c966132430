#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# lab compare: the same errands in several ways, on the kernel at hand. Classes and identities, never times.

load helpers

setup() {
	requires tracing
	cd "$BATS_TEST_TMPDIR" || return 1
}

# Where other programs had the CPUs a run may come out inconclusive: then it says so, and is made again.
compare() {
	local try
	for try in 1 2 3; do
		rm -f compare.json
		run lab compare --json=compare.json "$@"
		[ "$status" -eq 4 ] || return 0
	done
	skip "the CPUs were disturbed in each of 3 comparisons"
}

# What a comparison must say of itself.
consistent() {
	json_holds compare.json \
		'all(sum(w["classes"].values()) == w["runs"] == r["repeats"] for k in r["works"] for w in k["ways"])' \
		'all(w["first_ns"]["high"] <= w["slowest_ns"]["high"] <= w["wall_ns"]["high"] for k in r["works"] for w in k["ways"])' \
		'all(c["total_ns"] == sum(v for v in c.values() if isinstance(v, int)) - c["total_ns"] + sum(c["blocked_ns"].values()) for k in r["works"] for c in [w["capacity"] for w in k["ways"]])' \
		'all(k["ways"][0]["way"] == "sequential" and k["ways"][0]["speedup"]["low"] == 1 for k in r["works"])'
	if requires jsonschema; then SCHEMA=lab-compare schema valid compare.json; fi
}

# classes WORK WAY CLASS...: each of its runs had one of these.
classes() {
	local work=$1 way=$2
	shift 2
	json_holds compare.json \
		"all(n == 0 or c in '$*'.split() for k in r['works'] if k['work'] == '$work' for w in k['ways'] if w['way'] == '$way' for c, n in w['classes'].items())"
}

ways_are() {
	json_holds compare.json "all([w['way'] for w in k['ways']] == '$*'.split() for k in r['works'])"
}

@test "compare: all kinds of work in all ways, as each way is" {
	local work
	compare --rounds 8 --repeat 2
	[ "$status" -eq 0 ]
	output_has "which one when"
	output_has "threads under one lock, as Python's threading"
	consistent
	ways_are sequential threads procs async gil
	[ "$(json repeats compare.json)" -eq 2 ]
	for work in cpu io mixed; do
		classes $work sequential sequential
		classes $work async concurrent
		# Short runs beside other programs: what CPUs there were decides, but they are never sequential.
		classes $work threads concurrent parallel
		classes $work procs concurrent parallel
	done
}

@test "compare: on one CPU nothing is parallel, and computing gains nothing" {
	compare --cpus 0 --work cpu --rounds 8 --repeat 2
	[ "$status" -eq 0 ]
	output_has "nothing can gain there"
	consistent
	classes cpu sequential sequential
	classes cpu threads concurrent
	classes cpu procs concurrent
	classes cpu async concurrent
	json_holds compare.json 'r["cpus"] == 1' 'all(w["gain"] != "yes" for w in r["works"][0]["ways"])'
}

@test "compare: waiting overlaps in every way but one" {
	compare --work io --rounds 8 --repeat 2 --cpus 0
	[ "$status" -eq 0 ]
	consistent
	json_holds compare.json 'all(w["gain"] == "yes" or r["works"][0]["ways"][0]["disturbed"] or w["disturbed"] for w in r["works"][0]["ways"][1:])' \
		'r["works"][0]["ways"][0]["gain"] == "no" or r["works"][0]["ways"][0]["disturbed"]'
}

@test "compare: under one lock computing takes turns, and waiting overlaps" {
	compare --rounds 8 --repeat 2 --cpus 0
	[ "$status" -eq 0 ]
	classes cpu gil concurrent
	classes io gil concurrent parallel
	json_holds compare.json 'len(r["works"]) == 3' 'all(k["ways"][-1]["way"] == "gil" for k in r["works"])'
}

@test "compare: errands do what they claim in every way" {
	local way
	for way in sequential async; do
		trace errands --as "$way" --rounds 8
		[ "$status" -eq 0 ]
		exact
		json_holds run.json 'len(r["operations"]) == 4'
	done
	for way in threads procs; do
		trace_parallel errands --as "$way" --rounds 100
		[ "$status" -eq 0 ] || [ "$status" -eq 4 ]
		exact
		json_holds run.json 'len(r["operations"]) == 4'
	done
}

# Interrupted in the middle by a terminal, which signals the whole group, or by kill.
@test "compare: interrupted, it leaves no process, no folder and no file" {
	local pid
	mkdir tmp
	TMPDIR=$PWD/tmp setsid "$LAB_BIN" compare --work io --json=compare.json >out 2>&1 &
	pid=$!
	sleep 2
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	grep -q "lab: interrupted" out
	[ -z "$(ls tmp)" ]
	[ ! -e compare.json ]
	# Who has ended and waits for its parent counts as gone.
	[ -z "$(ps -s "$pid" -o stat=,cmd= | grep -v '^Z')" ]
}
