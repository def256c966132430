#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Where a report cannot be written, lab says why. Nothing here traces.

load helpers

SAMPLE=$REPOSITORY/docs/samples/procs.lab

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# What it says goes through a pipe: a file of bats may not grow either.
without_room() {
	run bash -c "set -o pipefail; { ulimit -f 0; exec '$LAB_BIN' $1; } 2>&1 | cat"
	[[ ${#lines[@]} -eq 1 ]]
	output_has ": the file would be larger than the limit of this shell (raise it: ulimit -f)"
}

@test "a full disk and ulimit -f are said as what they are, in every format" {
	[[ -c /dev/full ]] || skip "no /dev/full"
	local format how
	for format in $(sed -n 's/^RENDERER(\(.*\))$/\1/p' "$REPOSITORY/userspace/render/renderer.def"); do
		for how in '>/dev/full' '-o /dev/full'; do
			run -5 --separate-stderr sh -c "exec '$LAB_BIN' report '$SAMPLE' -f $format $how"
			says_one_sentence
			stderr_has ": No space left on device (free some space"
		done
		for how in '>out' '-o out'; do
			rm -f out
			without_room "report '$SAMPLE' -f $format $how"
			status_is 5
			[[ ! -s out ]]
		done
	done
	for how in "verify '$SAMPLE'" "check '$SAMPLE' verdict.class==parallel" list doctor; do
		without_room "$how >out"
	done
}
