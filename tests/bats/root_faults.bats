#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# What goes wrong around lab: it is killed or stopped, a call fails, the terminal goes away. Nothing that was written
# is lost, no verdict is false, and nothing is left. What runs out is in root_shortage.bats.

load helpers
load remains

setup() {
	requires tracing
	remains_mark
	cd "$BATS_TEST_TMPDIR" || return 1
}

# killed_after SECONDS: the command kills its recorder, goes on and ends.
killed_after() {
	rm -rf out
	run lab run -o out -- sh -c "sleep $1; kill -KILL $RECORDER; sleep 0.1"
	status_is 137
	run -0 --separate-stderr lab report out -f json -o run.json
	stderr_has "is incomplete: not finished"
	class_is inconclusive
}

@test "a recorder that is killed early leaves what can be reported" {
	killed_after 0.3
	json_holds run.json 'r["tasks"]' 'r["window"]["duration_ns"] > 10**7'
	run -0 lab report out
	output_has "INCONCLUSIVE"
	# Before anything was written of what it saw.
	killed_after 0
	run -0 lab report out
	output_has "INCONCLUSIVE"
}

# Whatever became of the run in out, whose program had one task: nothing that was written is lost, no verdict is
# false, and nothing is left.
holds_all_the_same() {
	# Before lab began.
	[[ $output != *"error while loading shared libraries"* ]] || return 0
	[[ $status -lt 124 ]] || return 1
	[[ $output != *PARALLEL* && $output != *REFUTED* ]] || return 1
	# But what says so, where it is that which failed.
	[[ $status -ne 3 && $status -ne 5 || $output == *"lab: "* || ${call:-} == write ]] || return 1
	if [[ -s out/trace.lab && $(stat -c %s out/trace.lab) -gt 32 ]]; then
		run lab report -q out
		[[ $status -eq 0 || $status -eq 5 ]] || return 1
		[[ $output != PARALLEL* && $output != CONCURRENT* ]] || return 1
		run lab verify out
		[[ $output != REFUTED* ]] || return 1
	fi
	[[ -z $(find out -name '.lab-*' 2>/dev/null) && -z $(ls -d /tmp/lab-hook-* 2>/dev/null) ]] || return 1
	for _ in {1..100}; do
		[[ -n $(processes_here "$LAB_BIN run.*") ]] || return 0
		sleep 0.05
	done
	return 1
}

# fails_in_turn CALL ERROR: each call of that kind, of any process of the run, the first N of each process.
fails_in_turn() {
	local n
	for ((n = 1; n <= ${LAB_TEST_RUNS:-2}; n++)); do
		rm -rf out
		status=0
		SUDO_UID=65534 SUDO_GID=65534 timeout -k 5 60 strace -f -qq -o calls -e trace="$1" \
			-e inject="$1:error=$2:when=$n" "$LAB_BIN" run -o out -- true >said 2>&1 3>&- || status=$?
		output=$(<said)
		grep -q INJECTED calls || break
		holds_all_the_same || {
			echo "call $n of $1, $2: status $status"
			echo "$output"
			return 1
		}
		faults=$((faults + 1))
	done
}

@test "any call of the system may fail" {
	requires command=strace
	local call faults=0
	mkdir -m 777 mine
	cd mine
	for call in openat read pread64 pwrite64 write fsync ftruncate fstat newfstatat mkdir mkdirat renameat unlinkat \
		fchown fchmod clone pipe2 socketpair sendmsg recvmsg recvfrom sendto poll \
		signalfd4 pidfd_open pidfd_send_signal bpf perf_event_open epoll_create1 epoll_ctl \
		epoll_wait setresuid setresgid setgroups prctl capget capset close_range dup2 sched_setaffinity \
		sched_getaffinity membarrier setpriority getrandom; do
		fails_in_turn "$call" EIO
	done
	fails_in_turn pwrite64 ENOSPC
	fails_in_turn openat EMFILE
	fails_in_turn pwrite64 EINTR
	fails_in_turn read EINTR
	fails_in_turn write EINTR
	[[ $faults -gt 40 ]]
	echo "# $faults calls failed" >&3
}

@test "a recorder may be killed at any time" {
	local i pid
	for ((i = 0; i < ${LAB_TEST_RUNS:-20}; i++)); do
		rm -rf out
		"$LAB_BIN" run -o out procs --tasks 1 --seconds 2 >said 2>&1 3>&- &
		pid=$!
		sleep "0.$((RANDOM % 10))$((RANDOM % 10))"
		kill -KILL "$pid"
		wait "$pid" || true
		status=0 output="lab: killed"
		holds_all_the_same || {
			echo "kill $i: $output"
			return 1
		}
	done
}

@test "lab runs under lab" {
	mkdir inner
	run -0 lab run -q -o out -- "$LAB_BIN" run -q -o inner/out -- true
	[[ $output == *SEQUENTIAL* ]]
	run -0 lab report -q inner/out
	[[ $output == SEQUENTIAL* ]]
	run -0 lab verify inner/out
}
