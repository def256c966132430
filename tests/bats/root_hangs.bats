#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Programs that never end: lab says so first, however the recording ends, and they keep no expectation.

load helpers

setup() {
	requires tracing command=cc
	PROGRAMS="$REPOSITORY/tests/foreign/programs"
	cd "$BATS_TEST_TMPDIR" || return 1
	cc -O1 -pthread -o stuck "$PROGRAMS/stuck.c"
}

# says_first WORD SECONDS COMMAND...: when the time is up, and on Ctrl-C; whatever was expected.
says_first() {
	local word=$1 seconds=$2 class
	shift 2
	run lab run -o out --json=run.json --for "${seconds}s" -- "$@"
	[[ ${lines[0]} == "$word"* ]]
	json_holds run.json "r['verdict']['stuck'] == '${word,,}'"
	run -0 lab verify out
	for class in sequential concurrent parallel; do
		run lab run -q -o "$class" --for "${seconds}s" --expect $class -- "$@"
		[[ $status -ne 0 && ${lines[0]} == "$word"* ]]
	done
	run timeout --signal=INT "$((seconds + 1))" "$LAB_BIN" run -q -o interrupted --expect sequential -- "$@"
	[ "$status" -ne 0 ]
	[[ $output == *"$word"* ]]
}

@test "hangs: a circle of locks" {
	says_first DEADLOCK 1 ./stuck circle
}

@test "hangs: a signal that came before the wait" {
	says_first STUCK 1 ./stuck signal
}

@test "hangs: a lock that was held at the fork" {
	says_first STUCK 1 ./stuck fork
}

@test "hangs: a process that is joined before its queue is read" {
	requires command=/usr/bin/python3
	says_first STUCK 4 /usr/bin/python3 "$PROGRAMS/kinds.py" full
}
