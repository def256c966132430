#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Files that hold far more than their size: refused, or read with --force at an ordinary cost.

load helpers

DENSE="$BATS_TEST_DIRNAME/../fixtures/wrong/dense.lab"

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	ulimit -t 20 # seconds of CPU time; it takes less than one
}

@test "bombs: a dense file is refused in a sentence, with 5, whatever is asked of it" {
	for format in term html svg json perfetto chrome speedscope folded csv certificate; do
		run -5 --separate-stderr lab report -f "$format" -o out "$DENSE"
		[[ $stderr == "lab: $DENSE holds more records than any recording of its size"*"add --force" ]]
		[ ! -e out ]
	done
	run -5 --separate-stderr lab check "$DENSE" audit.clean
	[[ $stderr == *"add --force" && -z $output ]]
	run -5 --separate-stderr lab verify "$DENSE"
	[[ $stderr == *"add --force" && -z $output ]]
}

@test "bombs: --force reads it all the same" {
	for format in term html svg json perfetto chrome speedscope folded csv certificate; do
		run -0 --separate-stderr lab report --force -f "$format" -o out "$DENSE"
		[ -e out ]
		rm out
	done
	run -4 lab check --force "$DENSE" audit.clean
	run -4 lab verify --force "$DENSE"
}

@test "bombs: what is recorded is far from dense" {
	for trace in "$REPOSITORY"/docs/samples/*.lab "$BATS_TEST_DIRNAME"/../fixtures/*.lab; do
		run -0 lab report -q "$trace"
	done
}
