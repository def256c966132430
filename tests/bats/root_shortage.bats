#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# What runs out around lab: descriptors, memory, the size of a file, a disk, room in a pipe. Each is said as what it
# is, what was recorded before is readable, and nothing is left.

load helpers
load remains

setup() {
	requires tracing
	remains_mark
	cd "$BATS_TEST_TMPDIR" || return 1
}

# limited KIB WORDS...: the words, in a shell that allows no larger files.
limited() {
	(
		ulimit -f "$1"
		exec "${@:2}"
	)
}

@test "a trace that grows to ulimit -f is cut there, the workload goes on, and lab says what stopped it" {
	run limited 8 "$LAB_BIN" run -o out -- \
		sh -c 'sleep 0.3; i=0; while [ $i -lt 600 ]; do /bin/true; i=$((i + 1)); done; sleep 1.2; exit 9'
	status_is 9
	output_has "the trace could not be written any further: the file would be larger than the limit of this shell (raise it: ulimit -f)"
	output_lacks "too large"
	run -0 --separate-stderr lab report out -f json -o run.json
	stderr_has "is incomplete: not finished"
	json_holds run.json 'r["tasks"]' 'not r["loss"]["complete"]'
	run limited 0 "$LAB_BIN" run -o out2 -- true
	status_is 5
	output_has "cannot write 'out2/trace.lab': the file would be larger than the limit of this shell"
}

@test "what a workload does at ulimit -f is its own" {
	local caller
	for caller in "" "trap '' XFSZ;"; do
		rm -rf alone traced out
		sh -c "$caller grep SigIgn /proc/self/status" >alone
		run sh -c "$caller exec $LAB_BIN run -q -o out -- grep SigIgn /proc/self/status" 3>&-
		output_has "$(cat alone)"
	done
	rm -rf out
	run limited 64 "$LAB_BIN" run -q -o out -- dd if=/dev/zero of=large bs=1k count=80
	status_is 153	# killed by SIGXFSZ
}

@test "too little memory is said as that, wherever it is missing" {
	local kib failed=0
	for kib in 20000 34300 40000 60000 90000 97300 98000; do
		rm -rf out
		run sh -c "ulimit -v $kib; exec '$LAB_BIN' run -q -o out procs --seconds 0.1"
		output_lacks "Value too large"
		output_lacks "CONFIG_DEBUG_INFO_BTF"
		output_lacks "this kernel lacks"
		[[ $status -ne 3 && $status -ne 5 ]] || {
			output_has "memory"
			output_has "ulimit -v"
			failed=$((failed + 1))
		}
	done
	((failed))
	run -3 sh -c "ulimit -v 12000; exec '$LAB_BIN' doctor"
	output_has "there is no memory to try it"
	output_has "Tracing is not possible"
}

@test "too few descriptors are said as that, whatever needs one more" {
	requires command=/usr/bin/python3
	local limit=3 failed=0
	while :; do
		rm -rf out
		run -0 --separate-stderr sh -c "ulimit -n $limit; '$LAB_BIN' run -q -o out --python -- /usr/bin/python3 -c pass
			echo \$?"
		[[ $output != 0 ]] || break
		# Before lab began.
		[[ $stderr == *"error while loading shared libraries"* ]] || {
			[[ $output == 3 || $output == 5 ]]
			output=''
			says_one_sentence
			stderr_has "Too many open files (raise the limit of this shell: ulimit -n)"
			[[ ! -e out/trace.lab ]]
			failed=$((failed + 1))
		}
		limit=$((limit + 1))
	done
	run -0 lab verify out
	nothing_is_left
	[[ $failed -gt 20 && $limit -lt 200 ]]
	echo "# $failed limits are too low, $limit is enough" >&3
}

# through_a_slow_pipe NAME WORDS...: what the words print, to NAME, through a pipe of 4 KiB that somebody made
# non-blocking, as node does with its own, and that is read late and by small pieces.
through_a_slow_pipe() {
	python - "$@" <<-'CODE'
	import fcntl, os, subprocess, sys, time

	there, way = os.pipe()
	os.set_blocking(way, False)
	fcntl.fcntl(way, 1031, 4096)	# F_SETPIPE_SZ
	lab = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=way, stderr=way)
	os.close(way)
	time.sleep(1.5)
	with open(sys.argv[1], "wb") as file:
	    while piece := os.read(there, 1000):
	        file.write(piece)
	        time.sleep(0.001)
	sys.exit(lab.wait())
	CODE
}

@test "a pipe that takes a part, or nothing for now, gets all of the report" {
	local format
	run -0 through_a_slow_pipe said "$LAB_BIN" run -o out -- sh -c 'sleep 0.1; head -c 3000 /dev/zero'
	grep -q "^  files  *out/report.html" said
	for format in term json html csv; do
		lab report out -f $format >whole
		run -0 through_a_slow_pipe said "$LAB_BIN" report out -f $format
		cmp whole said
	done
}
