#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2030,SC2031
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

# class_of_what_was_written: what the trace in out is said to be, if every chunk of it that is whole is read: as
# many events as they say they hold.
class_of_what_was_written() {
	lab report out -f json 2>/dev/null >run.json
	python - out/trace.lab run.json <<-'CODE'
	import json, struct, sys, zlib

	with open(sys.argv[1], "rb") as file:
	    trace = file.read()
	with open(sys.argv[2], encoding="utf-8") as file:
	    report = json.load(file)
	at, events = 32, 0
	while len(trace) >= at + 56:
	    head = trace[at:at + 56]
	    kind, (stored, _, count, payload_crc) = head[4:8], struct.unpack_from("<4I", head, 16)
	    payload = trace[at + 56:at + 56 + stored]
	    if zlib.crc32(head[:52]) != struct.unpack_from("<I", head, 52)[0] or zlib.crc32(payload) != payload_crc:
	        break
	    events += count if kind == b"EVTS" else 0
	    at += 56 + stored
	if report["overhead"]["events"] != events:
	    sys.exit(f"{events} events were written, {report['overhead']['events']} are read")
	print(report["verdict"]["class"])
	CODE
}

# Whatever became of the run in out, whose program had one task: nothing that was written is lost, no verdict is
# false, and nothing is left. Counts: readable, verdicts.
holds_all_the_same() {
	# Before lab began.
	[[ $output != *"error while loading shared libraries"* ]] || return 0
	[[ $status -lt 124 ]] || return 1
	[[ $output != *PARALLEL* && $output != *REFUTED* ]] || return 1
	# But what says so, where it is that which failed.
	[[ $status -ne 3 && $status -ne 5 || $output == *"lab: "* || ${call:-} == write ]] || return 1
	if [[ -s out/trace.lab && $(stat -c %s out/trace.lab) -gt 32 ]]; then
		run lab verify out
		[[ $output != REFUTED* ]] || return 1
		run lab report -q out
		[[ $status -eq 0 || $status -eq 5 ]] || return 1
		if [[ $status -eq 0 ]]; then
			run class_of_what_was_written
			[[ $status -eq 0 && $output =~ ^(sequential|inconclusive)$ ]] || return 1
			readable=$((readable + 1))
			[[ $output != sequential ]] || verdicts=$((verdicts + 1))
		fi
	fi
	[[ -z $(find out -name '.lab-*' 2>/dev/null) ]] || return 1
	for _ in {1..100}; do
		[[ -n $(processes_here "$LAB_BIN run.*") ]] || return 0
		sleep 0.05
	done
	return 1
}

# fails_in_turn CALL ERROR RUNS [STEP]: each call of that kind, of any process of the run, the first RUNS of each
# process; every STEPth one only, if LAB_TEST_RUNS does not say how many.
fails_in_turn() {
	local n step=${4:-1}
	[[ -z ${LAB_TEST_RUNS:-} ]] || step=1
	for ((n = 1 + RANDOM % step; n <= ${LAB_TEST_RUNS:-$3}; n += step)); do
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

# fail_in_turn RUNS ERROR CALL[:STEP]...: each of these calls, and what came of it.
fail_in_turn() {
	local call runs=$1 error=$2 faults=0 readable=0 verdicts=0
	mkdir -m 777 mine
	cd mine || return 1
	for call in "${@:3}"; do
		fails_in_turn "${call%:*}" "$error" "$runs" "$([[ $call != *:* ]] || echo "${call#*:}")"
	done
	nothing_is_left
	echo "# $faults calls failed: $readable traces could be read, $verdicts had a verdict, 0 REFUTED, nothing left" >&3
	[[ $faults -ge $(($# - 2)) ]]
}

@test "every write, fsync, rename, mkdir and open fails in turn" {
	requires command=strace
	fail_in_turn 1000 EIO pwrite64 write fsync ftruncate linkat renameat mkdirat openat:6
}

@test "a write to a full disk, and an open without descriptors, fail in turn" {
	requires command=strace
	fail_in_turn 20 ENOSPC pwrite64 fsync mkdirat renameat
	cd .. && rm -r mine || return 1
	fail_in_turn 2 EMFILE openat
}

@test "a call that a signal interrupts is made again" {
	requires command=strace
	fail_in_turn 2 EINTR read write pwrite64
}

@test "any other call of the system may fail" {
	requires command=strace
	fail_in_turn 1 EIO read pread64 newfstatat \
		fchown fchmod clone pipe2 socketpair sendmsg recvmsg recvfrom sendto poll \
		signalfd4 pidfd_open bpf epoll_create1 epoll_ctl \
		setresuid setresgid setgroups prctl capget capset close_range dup2 sched_setaffinity \
		sched_getaffinity membarrier setpriority getrandom
}

# A run takes so many milliseconds, here and now.
measure() {
	local begin
	begin=$(date +%s%N)
	rm -rf out
	lab run -q -o out procs --tasks 1 --seconds 0.5 >said 2>&1 3>&-
	echo $((($(date +%s%N) - begin) / 1000000))
}

@test "a recorder may be killed at any time" {
	local turn pid at_ms length_ms readable=0 verdicts=0 kills=0
	length_ms=$(measure)
	for ((turn = 0; turn < ${LAB_TEST_RUNS:-20}; turn++)); do
		rm -rf out
		"$LAB_BIN" run -o out procs --tasks 1 --seconds 0.5 >said 2>&1 3>&- &
		pid=$!
		at_ms=$((RANDOM % length_ms))
		# Of every second one, not before it records.
		while ((turn % 2)) && [[ ! -e out/trace.lab ]]; do
			sleep 0.01
		done
		((turn % 2 == 0)) || at_ms=$((RANDOM % 900))
		sleep "$(printf %d.%03d $((at_ms / 1000)) $((at_ms % 1000)))"
		! kill -KILL "$pid" 2>/dev/null || kills=$((kills + 1))
		wait "$pid" || true
		status=0 output="lab: killed"
		holds_all_the_same || {
			echo "kill $turn, after $at_ms ms: $output"
			return 1
		}
	done
	nothing_is_left
	echo "# $kills kills within $length_ms ms: $readable traces could be read, $verdicts had a verdict," \
		"0 REFUTED, nothing left" >&3
	[[ $kills -gt $((turn / 2)) ]]
}

@test "a report that is killed leaves no part of a file" {
	local turn at_ms length_ms begin kills=0
	run -0 lab run -q -o out -- sh -c 'i=0; while [ $i -lt 500 ]; do (:); i=$((i + 1)); done'
	begin=$(date +%s%N)
	lab report out -f html -o page.html
	length_ms=$((($(date +%s%N) - begin) / 1000000))
	rm page.html
	for ((turn = 0; turn < ${LAB_TEST_RUNS:-20}; turn++)); do
		"$LAB_BIN" report out -f html -o page.html >said 2>&1 3>&- &
		at_ms=$((RANDOM % length_ms))
		sleep "$(printf %d.%03d $((at_ms / 1000)) $((at_ms % 1000)))"
		! kill -KILL $! 2>/dev/null || kills=$((kills + 1))
		wait $! || true
		[[ ! -e page.html ]] || grep -q "</html>" page.html
		rm -f page.html
	done
	nothing_is_left
	echo "# $kills kills within $length_ms ms" >&3
	((kills))
}

@test "what is left of a run is seen while it is there" {
	local held
	"$LAB_BIN" run -q -o out -- sleep 100 >said 2>&1 3>&- &
	for _ in {1..200}; do
		[[ ! -s out/trace.lab ]] || break
		sleep 0.05
	done
	held=$(remains held)
	[[ $held =~ ^([0-9]+)" processes, "([0-9]+)" programs, "([0-9]+)" maps, "([0-9]+)" links"$ ]]
	echo "# a run has $held" >&3
	[[ ${BASH_REMATCH[1]} -ge 3 && ${BASH_REMATCH[2]} -ge 8 && ${BASH_REMATCH[3]} -ge 7 && ${BASH_REMATCH[4]} -ge 7 ]]
	run ! remains left 0
	kill -KILL $!
	pkill -KILL -P "$(workload_of $! 2>/dev/null || echo 0)" 2>/dev/null || true
	run remains left 2
	# Its workload goes on.
	[[ $output == "left: process "*": sleep 100 "*([[:space:]]) ]]
	kill "$(sed 's/left: process \([0-9]*\): .*/\1/' <<<"$output")"
	nothing_is_left
}

@test "lab runs under lab, and each takes away what is its own" {
	mkdir inner
	run -0 lab run -q -o out -- "$LAB_BIN" run -q -o inner/out -- true
	[[ $output == *SEQUENTIAL* ]]
	run -0 lab report -q inner/out
	[[ $output == SEQUENTIAL* ]]
	run lab verify out
	[[ $output != REFUTED* ]]
	run -0 lab verify inner/out
	# The outer one is killed, and the inner one, too.
	rm -r inner/out
	run lab run -q -o outer -- sh -c "kill -KILL $RECORDER; exec '$LAB_BIN' run -q -o inner/out -- sh -c 'sleep 0.3'"
	status_is 137
	for _ in {1..100}; do
		[[ -z $(processes_here "$LAB_BIN run.*") ]] || sleep 0.1
	done
	run -0 lab verify inner/out
	nothing_is_left
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

# A workload, rounds.py: two processes that pass a byte to and fro 12,000 times, on one
# CPU, once there is a file go.
write_rounds() {
	cat >rounds.py <<-'CODE'
	import os, time

	there, back = os.pipe(), os.pipe()
	open("began", "w").close()
	while not os.path.exists("go"):
	    time.sleep(0.01)
	child = os.fork()
	for _ in range(12000):
	    if child:
	        os.write(there[1], b"x")
	        os.read(back[0], 1)
	    else:
	        os.read(there[0], 1)
	        os.write(back[1], b"x")
	if child:
	    os.wait()
	    open("done", "w").close()
	CODE
}

# await FILE: for a minute at most
await() {
	local _
	for _ in {1..1200}; do
		[[ ! -e $1 ]] || return 0
		sleep 0.05
	done
	return 1
}

@test "a recorder that is stopped until its rings are full: the loss is counted, and bounds the verdict" {
	requires command=/usr/bin/python3
	local pid lost
	write_rounds
	"$LAB_BIN" run -o out --buffer 1 --cpus 0 -- /usr/bin/python3 rounds.py >said 2>&1 3>&- &
	pid=$!
	await began
	kill -STOP "$pid"
	: >go
	await done
	kill -CONT "$pid"
	wait "$pid"
	lab report out -f json -o run.json
	# 12,000 times there and back are 48,000 records at least, of 24 bytes at least: the ring has 1 MiB.
	json_holds run.json 'r["loss"]["dropped"] > 4000 and r["loss"]["gaps"] > 0' 'not r["audit"]["clean"]' \
		'r["audit"]["unexplained"] == 0' 'r["verdict"]["class"] in ("inconclusive", "concurrent")'
	grep -q "events lost" said
	grep -q "records were refused on CPU 0" said
	run lab verify out
	[[ $output != REFUTED* ]]
	lost=$(json loss.dropped run.json)
	# And one that never goes on.
	rm -rf out began go done
	"$LAB_BIN" run -o out --buffer 1 --cpus 0 -- /usr/bin/python3 rounds.py >said 2>&1 3>&- &
	pid=$!
	await began
	kill -STOP "$pid"
	: >go
	await done
	kill -KILL "$pid"
	wait "$pid" || true
	[[ $(class_of_what_was_written) == inconclusive ]]
	nothing_is_left
	echo "# $lost records were refused, and counted" >&3
}

@test "tids that are used again are other tasks: each is told apart, and counted" {
	requires command=/usr/bin/python3
	cat >again.py <<-'CODE'
	import os, sys, time

	# The next process gets the number of the last one, unless another program of this machine is faster.
	def bear(last, naps):
	    with open("/proc/sys/kernel/ns_last_pid", "w") as file:
	        file.write(str(last - 1))
	    pid = os.fork()
	    if not pid:
	        for _ in range(naps):
	            time.sleep(0.001)
	        os._exit(0)
	    _, _, used = os.wait4(pid, 0)
	    print(pid, used.ru_nvcsw, used.ru_nivcsw)
	    return pid

	last = os.getpid() + 1
	for turn in range(int(sys.argv[1])):
	    last = bear(last, turn % 7)
	CODE
	# shellcheck disable=SC2016
	/usr/bin/python3 again.py 1 >/dev/null || skip "no number can be asked for: /proc/sys/kernel/ns_last_pid"
	lab run -q -o out --json=run.json -- /usr/bin/python3 again.py "${LAB_TEST_RUNS:-200}" >expected
	exact
	run -0 lab verify out
	[[ $output == "PROVEN  "* ]]
	run -0 python - <<-'CODE'
	import json

	with open("run.json", encoding="utf-8") as file:
	    tasks = json.load(file)["tasks"][1:]
	with open("expected", encoding="utf-8") as file:
	    expected = [tuple(map(int, line.split())) for line in file]
	assert [task["tid"] for task in tasks] == [tid for tid, _, _ in expected], "other tids"
	for task, (tid, voluntary, involuntary) in zip(tasks, expected):
	    # Its parent may have asked before it left its CPU for the last time.
	    there = task["voluntary"] + task["involuntary"]
	    assert voluntary + involuntary <= there <= voluntary + involuntary + 1, (task, voluntary, involuntary)
	again = len(tasks) - len({task["tid"] for task in tasks})
	assert again, "no tid was used again"
	print(f"# {len(tasks)} tasks, {again} of them with the tid of another: each as the kernel counts it")
	CODE
	echo "$output" >&3
	nothing_is_left
}
