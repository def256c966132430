#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2030,SC2031
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
	run limited 16 "$LAB_BIN" run -o out -- \
		sh -c 'sleep 0.3; i=0; while [ $i -lt 1500 ]; do /bin/true; i=$((i + 1)); done; sleep 1.2; exit 9'
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
	local limit=3 failed=0 few
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
	for few in 20 $((limit - 1)); do
		run -3 sh -c "ulimit -n $few; exec '$LAB_BIN' doctor"
		output_has "Tracing is not possible"
	done
	run -0 sh -c "ulimit -n $((limit + 20)); exec '$LAB_BIN' doctor"
	output_has "loaded and attached, and taken away again"
}

# A write that finds room for a part of what it has writes that, and says so: what is there is whole all the same.
cut_short() {
	if [[ -s $1/trace.lab && $(stat -c %s "$1/trace.lab") -gt 32 ]]; then
		run lab verify "$1/trace.lab"
		[[ $output != REFUTED* ]]
		run --separate-stderr lab report -q "$1"
		# 5: it was cut before its first event.
		[[ $status -eq 5 || $output == SEQUENTIAL* || $output == INCONCLUSIVE* ]]
		[[ $status -eq 5 ]] || readable=$((readable + 1))
	fi
	[[ ! -e $1/report.html ]] || grep -q "</html>" "$1/report.html"
}

@test "a write that is cut short, wherever the limit of a file or the end of a disk is" {
	requires command=prlimit
	local bytes kib readable=0 cut=0
	for bytes in 33 100 700 1500 3000 6000 9000 20000 100000; do
		bytes=$((bytes + RANDOM % 32))
		rm -rf out
		run prlimit --fsize=$bytes "$LAB_BIN" run -o out -- sh -c 'exit 9' 3>&-
		[[ $status -eq 9 || $status -eq 5 ]]
		output_has "limit of this shell (raise it: ulimit -f)"
		cut_short out
		cut=$((cut + 1))
	done
	nothing_is_left
	mkdir small
	for kib in 4 8 12 16 40 80; do
		mount -t tmpfs -o size=${kib}k tmpfs small || skip "no tmpfs may be mounted here"
		run lab run -o small/out -- sh -c 'exit 9' 3>&-
		{ [[ $status -eq 9 || $status -eq 5 ]] && output_has "No space left" && cut_short small/out && nothing_is_left; } || {
			umount small
			return 1
		}
		umount small
		cut=$((cut + 1))
	done
	((readable > 5))
	echo "# $cut writes were cut short: $readable traces could be read, 0 REFUTED, nothing left" >&3
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

# ---- memory of a control group ----

# small_group: makes a control group in $group, or skips.
small_group() {
	local root=/sys/fs/cgroup
	if [[ -e $root/cgroup.controllers ]]; then
		grep -qw memory $root/cgroup.controllers || skip "this kernel has no control groups for memory"
		echo +memory >$root/cgroup.subtree_control 2>/dev/null || skip "no control group may be made here"
		limit_file=memory.max
	else
		root=$root/memory
		[[ -e $root/memory.limit_in_bytes ]] || skip "there are no control groups for memory"
		limit_file=memory.limit_in_bytes
	fi
	group=$root/lab-test-$$
	mkdir "$group" 2>/dev/null || skip "no control group may be made here"
	[[ ! -e $group/memory.swap.max ]] || echo 0 >"$group/memory.swap.max"
}

teardown() {
	[[ -n ${group:-} ]] || return 0
	while read -r pid; do
		kill -KILL "$pid"
	done <"$group/cgroup.procs"
	for _ in {1..50}; do
		rmdir "$group" 2>/dev/null && return 0
		sleep 0.1
	done
	return 1
}

# in_group MIB WORDS...: the words, with so much memory for them and all that they start.
in_group() {
	(
		echo $(($1 << 20)) >"$group/$limit_file"
		echo $BASHPID >"$group/cgroup.procs"
		exec "${@:2}"
	)
}

# What was written is readable, and claims nothing that is not so.
readable_and_true() {
	run lab verify out
	[[ $output != REFUTED* ]]
	run -0 --separate-stderr lab report -q out
	[[ $output == "$1"* ]]
}

@test "a control group with too little memory: lab says so, or is killed, and nothing is left" {
	local mib killed=0 said=0 worked=0
	small_group
	for mib in 4 8 12 16 20 24 28 32 40 48 64; do
		rm -rf out
		run in_group $mib "$LAB_BIN" run -q -o out --buffer 1 procs --tasks 1 --seconds 0.1 3>&-
		case $status in
		0|4) worked=$((worked + 1)) ;;
		137) killed=$((killed + 1)) ;;
		*)
			output_has memory
			said=$((said + 1))
			;;
		esac
		if [[ -s out/trace.lab ]]; then
			run lab verify out
			[[ $output != REFUTED* ]]
		fi
		nothing_is_left
		[[ -z $(<"$group/cgroup.procs") ]]
	done
	((worked && killed + said))
	echo "# of 11 sizes $worked were enough, $killed recorders were killed, $said said what was missing" >&3
}

@test "the kernel kills the recorder for memory: what was recorded is readable, the workload goes on" {
	requires command=/usr/bin/python3
	small_group
	run in_group 80 "$LAB_BIN" run -o out --buffer 1 --python -- sh -c "sleep 0.5; echo 1000 >/proc/$RECORDER/oom_score_adj
		/usr/bin/python3 -c 'bytearray(70 << 20)'; sleep 0.3; echo it went on >went_on" 3>&-
	status_is 137
	for _ in {1..100}; do
		[[ ! -e went_on ]] || break
		sleep 0.05
	done
	[[ -e went_on ]]
	# Whatever ps, which found the recorder, was.
	readable_and_true ""
	nothing_is_left
}

# To record takes the memory of the rings, to report that of what was recorded.
@test "the kernel kills lab for memory while it reports: the trace is whole, and nothing else is there" {
	requires command=perf
	small_group
	run in_group 56 "$LAB_BIN" run -o out --buffer 4 -- perf bench sched pipe -l 150000 3>&-
	status_is 137
	[[ $(ls -A out) == trace.lab ]]
	run -4 lab verify out
	run -0 --separate-stderr lab report out -f json -o run.json
	[[ -z $stderr ]]
	json_holds run.json 'r["loss"]["complete"]' 'r["window"]["ended_by"] == "exit"'
	[[ -z $(<"$group/cgroup.procs") ]]
	nothing_is_left
}

@test "the kernel kills the workload for memory: that is what lab says of it" {
	requires command=/usr/bin/python3
	small_group
	run in_group 80 "$LAB_BIN" run -q -o out --buffer 1 -- /usr/bin/python3 -c 'bytearray(200 << 20)' 3>&-
	status_is 137
	readable_and_true SEQUENTIAL
	output_has "killed by SIGKILL"
	nothing_is_left
}
