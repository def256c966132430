#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Beside neighbours that take CPUs (tests/fixtures/burner.c): what they could have changed is undecided and
# nothing else is, and --until-quiet runs it again.

load helpers

setup_file() {
	"${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror -D_GNU_SOURCE \
		-o "$BATS_FILE_TMPDIR/burner" "$BATS_TEST_DIRNAME/../fixtures/burner.c"
}

setup() {
	requires tracing
	cd "$BATS_TEST_TMPDIR" || return 1
	burners=()
}

teardown() {
	quiet
}

# busy PERCENT SECONDS CPU...: a neighbour on each of these CPUs, for so long at most.
busy() {
	local cpu
	for cpu in "${@:3}"; do
		"$BATS_FILE_TMPDIR/burner" "$cpu" "$1" "$2" 3>&- &
		burners+=($!)
	done
}

# The neighbours end.
quiet() {
	[[ ${#burners[@]} -eq 0 ]] || kill "${burners[@]}" 2>/dev/null || true
	wait "${burners[@]}" 2>/dev/null || true
	burners=()
}

all_cpus() {
	python -c 'import os; print(*sorted(os.sched_getaffinity(0)))'
}

attempts_are() {
	json_holds run.json "r['workload']['attempts'] == {'made': $1, 'allowed': $2}"
}

# ---- --until-quiet ----

@test "until-quiet: a machine that stays busy is tried as often as allowed, and that is said" {
	requires cpus=2
	local cpus
	read -ra cpus < <(all_cpus)
	busy 100 20 "${cpus[@]}"
	trace --until-quiet 3 procs --seconds 0.2
	quiet
	status_is 4
	attempts_are 3 3
	exact
	output_has "run 1 of at most 3: other programs had CPUs"
	output_has "run 2 of at most 3: other programs had CPUs"
	output_has "after 3 runs the machine was still busy"
	output_has burner
	[[ $(ls out) == $'report.html\ntrace.lab' && $(grep -c '  tries ' <<<"$output") -eq 1 ]]
	run -0 lab verify out
	run lab report -q out
	output_has "after 3 runs the machine was still busy"
}

@test "until-quiet: what nobody could have changed takes one run" {
	trace --until-quiet 3 --expect sequential -- sh -c 'echo begun; sleep 0.1'
	status_is 0
	attempts_are 1 3
	exact
	[[ $(grep -cx begun <<<"$output") -eq 1 ]]
	output_has "it took 1 run (at most 3) until other programs could not have changed the verdict"
}

@test "until-quiet: runs end when the neighbours do, and the last one is kept" {
	requires cpus=2
	local cpus try
	read -ra cpus < <(all_cpus)
	busy 100 2 "${cpus[@]}"
	trace -q --until-quiet 30 threads --seconds 0.2
	quiet
	[[ $status -ne 4 ]] || skip "other programs keep these CPUs busy"
	status_is 0
	exact
	json_holds run.json 'r["verdict"]["claim_holds"] is True' \
		'1 < r["workload"]["attempts"]["made"] < 30' 'r["workload"]["attempts"]["allowed"] == 30'
}

@test "until-quiet: each run reads its standard input from the same place" {
	requires cpus=2
	local cpus
	read -ra cpus < <(all_cpus)
	printf 'first\nsecond\nthird\n' >lines
	busy 100 10 "${cpus[@]}"
	{
		read -r _
		run lab run -q -o out --until-quiet 2 --expect sequential -- sh -c '
			read -r line
			echo "read $line"
			timeout 0.1 sh -c "while :; do :; done" &
			timeout 0.1 sh -c "while :; do :; done"
			wait'
	} <lines
	quiet
	status_is 4
	[[ $(grep -cx 'read second' <<<"$output") -eq 2 ]]
}

@test "until-quiet: the status is that of the last run's command" {
	trace --until-quiet 2 -- sh -c 'exit 7'
	status_is 7
	attempts_are 1 2
	run -127 lab run --until-quiet 2 -- ./there-is-none
	[[ $(grep -c there-is-none <<<"$output") -eq 1 ]]
}

@test "until-quiet: Ctrl-C ends the runs, and the report still comes" {
	"$LAB_BIN" run -o out --until-quiet 50 -- sleep 20 >report 2>&1 3>&- &
	local pid=$!
	for _ in {1..100}; do
		[[ -s out/trace.lab ]] && break
		sleep 0.05
	done
	sleep 0.3
	kill -INT "$pid"
	wait "$pid" && status=0 || status=$?
	output=$(<report)
	[[ $status -eq 130 || $status -eq 143 ]]
	output_has "interrupted"
	[[ $(ls out) == $'report.html\ntrace.lab' ]]
	output_has "sleep 20: "
}
