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

@test "a recorder that is killed leaves no folder of hooks once the workload has ended" {
	requires command=/usr/bin/python3
	local hooks='print(os.environ["PYTHONPATH"].split(":")[0], os.path.isdir(os.environ["PYTHONPATH"].split(":")[0]))'
	# shellcheck disable=SC2031
	run lab run -o out --python -- sh -c "kill -KILL $RECORDER; sleep 0.5
		/usr/bin/python3 -c 'import os; $hooks' >told" 3>&-
	status_is 137
	for _ in {1..100}; do
		[[ ! -s told ]] || break
		sleep 0.05
	done
	[[ $(<told) == "/tmp/lab-hook-"*" True" ]]
	nothing_is_left
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

# in_a_terminal HANGUP UNTIL WORDS...: the words, the first process of a terminal that goes away once the shell says
# that UNTIL is so. HANGUP: "heard", or "ignored" as under nohup. $status is theirs, $cpu_ms what they used.
in_a_terminal() {
	local said
	said=$(python - "$@" <<-'CODE'
	import fcntl, os, pty, select, signal, subprocess, sys, termios, time

	hangup, until, words = sys.argv[1], sys.argv[2], sys.argv[3:]
	ours, theirs = pty.openpty()
	pid = os.fork()
	if not pid:
	    os.setsid()
	    fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
	    signal.signal(signal.SIGHUP, signal.SIG_IGN if hangup == "ignored" else signal.SIG_DFL)
	    for fd in 0, 1, 2:
	        os.dup2(theirs, fd)
	    os.closerange(3, 100)
	    os.execvpe(words[0], words, {**os.environ, "TERM": "xterm"})
	os.close(theirs)
	for _ in range(600):
	    if subprocess.run(["sh", "-c", until], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode == 0:
	        break
	    if select.select([ours], [], [], 0.05)[0]:
	        with open("said", "ab") as file:
	            file.write(os.read(ours, 65536))
	os.close(ours)
	for _ in range(600):
	    ended, status, used = os.wait4(pid, os.WNOHANG)
	    if ended:
	        print(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status),
	              round(1000 * (used.ru_utime + used.ru_stime)))
	        break
	    time.sleep(0.05)
	else:
	    os.kill(pid, signal.SIGKILL)
	    print("it did not end")
	CODE
	)
	read -r status cpu_ms <<<"$said"
	echo "$*: $said"
	[[ $cpu_ms -lt 8000 ]]
}

@test "the terminal goes away: the run ends, its trace is whole, and nothing is left" {
	local began='[ -s out/trace.lab ]' status cpu_ms used_ms=0
	# Without lab it would be the first of its session, and be told.
	in_a_terminal heard "$began" "$LAB_BIN" run -o out -- sleep 100
	[[ $status -eq 129 ]]
	used_ms=$((used_ms + cpu_ms))
	run -0 lab verify out
	run -0 lab report -q out
	output_has SEQUENTIAL
	output_has "killed by SIGHUP"
	rm -r out
	in_a_terminal ignored "$began" "$LAB_BIN" run -o out -- sh -c 'sleep 2; exit 3'
	[[ $status -eq 3 ]]
	used_ms=$((used_ms + cpu_ms))
	run -0 lab verify out
	rm -r out
	# What it would print has nowhere to go.
	in_a_terminal heard "$began" "$LAB_BIN" run -o out sleepers --unit 1s
	[[ $status -eq 5 ]]
	used_ms=$((used_ms + cpu_ms))
	run -0 lab verify out
	# Of two runs the first has been told, and there is no second one.
	in_a_terminal heard 'sleep 2' "$LAB_BIN" compare --repeat 1
	[[ $status -ne 0 ]]
	used_ms=$((used_ms + cpu_ms))
	nothing_is_left
	echo "# 4 runs used $used_ms ms of CPU time" >&3
}

@test "the terminal of a reader goes away: it ends" {
	local status cpu_ms
	run -0 lab run -q -o out sleepers --unit 200ms
	for hangup in heard ignored; do
		rm -f said
		in_a_terminal $hangup '[ -s said ]' "$LAB_BIN" view out
		rm -f said
		in_a_terminal $hangup true "$LAB_BIN" report out -f html
		[[ $status -ne 0 ]]
	done
	nothing_is_left
}
