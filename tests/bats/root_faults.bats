#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# What goes wrong around lab: it is killed, a file may not grow, a disk or the memory is full. Each is said
# as what it is, and what was recorded before is readable.

load helpers

setup() {
	requires tracing
	cd "$BATS_TEST_TMPDIR" || return 1
}

# killed_after SECONDS: the command kills its recorder, goes on and ends.
killed_after() {
	rm -rf out
	run lab run -o out -- sh -c "sleep $1; kill -KILL \$PPID; sleep 0.1"
	status_is 137
	run -0 --separate-stderr lab report out -f json -o run.json
	stderr_has "is incomplete: not finished"
	class_is inconclusive
}

@test "a recorder that is killed early leaves what can be reported" {
	killed_after 0.3
	json_holds run.json 'len(r["tasks"]) >= 2' 'r["window"]["duration_ns"] > 10**7'
	run -0 lab report out
	output_has "INCONCLUSIVE"
	# Before anything was written of what it saw.
	killed_after 0
	run -0 lab report out
	output_has "INCONCLUSIVE"
}
