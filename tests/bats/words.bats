#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# What lab makes of words that it was not given, or does not know. Nothing here traces.

load helpers

SAMPLE=$REPOSITORY/docs/samples/procs.lab

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

@test "the newest run is taken where none is named" {
	run -0 lab runs
	output_has "no run in the folder runs here"
	run -2 lab report
	output_has "no run in the folder runs here"
	mkdir -p runs/old runs/new runs/none elsewhere
	cp "$SAMPLE" runs/new/trace.lab
	cp "$REPOSITORY/tests/fixtures/sequential.lab" runs/old/trace.lab
	cp "$REPOSITORY/tests/fixtures/async.lab" elsewhere/trace.lab
	touch -d 2026-01-02 runs/new/trace.lab
	touch -d 2026-01-01 runs/old/trace.lab
	ln -s ../elsewhere runs/link
	ln -s ../../elsewhere/trace.lab runs/none/trace.lab

	run -0 --separate-stderr lab runs
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[0]} == 2026-01-02*runs/new && ${lines[1]} == 2026-01-01*runs/old ]]
	run -0 --separate-stderr lab report
	[[ $stderr == "lab: the newest run: runs/new" ]]
	cmp <(echo "$output") <(lab report runs/new)
	run -0 lab verify
	output_has "PROVEN"

	mv runs moved
	ln -s moved runs
	if [[ $(id -u) -eq 0 ]]; then
		run -2 lab report
		output_has "it is a symbolic link, which root does not follow"
	else
		run -0 lab report
	fi
}

@test "what is no workload and no command is told what to type" {
	printf 'print(1)\n' >x.py
	printf 'int main(void) { return 0; }\n' >'a b.c'
	cp /bin/true prog
	export SUDO_UID=1 SUDO_GID=1 LAB_COMMAND=./lab
	run -2 lab procs
	[ "$output" = "lab: 'procs' is a workload: sudo ./lab run procs" ]
	run -2 lab run python3 x.py 'a b'
	output_has "sudo ./lab run -- python3 x.py 'a b'"
	run -2 lab run x.py
	output_has "sudo ./lab run -- python3 x.py"
	run -2 lab run prog -v
	output_has "sudo ./lab run -- ./prog -v"
	run -2 lab ./prog
	output_has "sudo ./lab run -- ./prog"
	run -2 lab run 'a b.c'
	output_has "cc -O2 -pthread -o prog 'a b.c'), then sudo ./lab run -- ./prog"
	run -2 lab run prcs
	output_has "did you mean 'procs'?"
	run -2 lab run
	output_has "sudo ./lab run procs"
	run -2 lab check "$SAMPLE" verdict==parallel
	output_has "such as 'verdict.class'"
}
