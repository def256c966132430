#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# lab run, on the kernel at hand: verdicts and exact identities, never times.

load helpers

setup() {
	requires tracing
	cd "$BATS_TEST_TMPDIR" || return 1
}

@test "procs are parallel" {
	requires cpus=2
	trace_parallel procs --seconds 0.5
	[ "$status" -eq 0 ]
	output_has PARALLEL
	class_is parallel
	exact
	json_holds run.json 'len(r["verdict"]["witness"]) >= 2'
	json_holds run.json 'len({w["cpu"] for w in r["verdict"]["witness"]}) == len(r["verdict"]["witness"])'
	json_holds run.json 'r["verdict"]["claim_holds"] is True'
}

@test "threads are parallel" {
	requires cpus=2
	trace_parallel threads --seconds 0.5 --tasks 3
	[ "$status" -eq 0 ]
	class_is parallel
	exact
	json_holds run.json 'len({t["tgid"] for t in r["tasks"]}) == 1 and len(r["tasks"]) == 4'
}

@test "threads that mostly sleep are concurrent" {
	trace threads --seconds 0.5 --work io
	[ "$status" -eq 0 ]
	class_is concurrent
	exact
}

@test "async: one thread, as many operations in flight as asked" {
	trace async --seconds 0.5 --tasks 99
	[ "$status" -eq 0 ]
	class_is concurrent
	exact
	json_holds run.json 'r["parallelism"]["max"] == 1'
	json_holds run.json 'r["concurrency"]["max_operations"] == 99'
	json_holds run.json 'len(r["operations"]) == 99'
}

@test "procs on one CPU are concurrent, and their claim is undecided" {
	trace --cpus 0 procs --seconds 0.5
	[ "$status" -eq 4 ]
	class_is concurrent
	exact
	json_holds run.json 'r["parallelism"]["max"] == 1'
	json_holds run.json 'r["verdict"]["claim_holds"] is None'
	json_holds run.json 'r["host"]["cpus_usable"] == [0]'
}

@test "one program after the other is sequential" {
	head -c 8000000 /dev/urandom >noise
	trace -- sh -c 'gzip -c noise >/dev/null; gzip -c noise >/dev/null'
	[ "$status" -eq 0 ]
	class_is sequential
	exact
}

# Each call works for long against the moment in which a fork has two tasks that both want a CPU.
@test "a shell that reads \$(...) again and again is sequential" {
	head -c 40000000 /dev/zero >zeros
	trace -- sh -c 'i=0; while [ $i -lt 8 ]; do x=$(md5sum zeros); i=$((i + 1)); done'
	[ "$status" -eq 0 ]
	class_is sequential
	exact
	json_holds run.json 'len(r["tasks"]) >= 9'
}

@test "CPython: threads under its lock are concurrent, processes are parallel" {
	requires command=/usr/bin/python3 cpus=2
	cat >work.py <<-'CODE'
	import sys, threading, multiprocessing, time

	def work():
	    end = time.monotonic() + 0.5
	    n = 0
	    while time.monotonic() < end:
	        n += sum(range(1000))

	kind = {"thread": threading.Thread, "process": multiprocessing.Process}[sys.argv[1]]
	workers = [kind(target=work) for _ in range(2)]
	for w in workers: w.start()
	for w in workers: w.join()
	CODE
	trace -- /usr/bin/python3 work.py thread
	[ "$status" -eq 0 ]
	class_is concurrent
	exact
	json_holds run.json 'any(l["kind"] == "lock" and l["waiters"] >= 2 for l in r["locks"])'
	trace_parallel --expect parallel -- /usr/bin/python3 work.py process
	[ "$status" -eq 0 ]
	class_is parallel
	exact
}

@test "a pool of threads that sleep is concurrent" {
	requires command=/usr/bin/python3
	trace -- /usr/bin/python3 -c '
import time
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(4) as pool:
    list(pool.map(time.sleep, [0.2] * 8))'
	[ "$status" -eq 0 ]
	class_is concurrent
	exact
}

@test "an event loop whose operations were not observed is inconclusive, and with --ops it is not" {
	requires command=/usr/bin/python3
	cat >loop.py <<-'CODE'
	import os, select, threading, time
	loop = select.epoll()
	pipes = [os.pipe() for _ in range(5)]
	for r, w in pipes:
	    loop.register(r, select.EPOLLIN)
	for _ in range(3):
	    loop.poll(0.05, 1)
	    for r, w in pipes:
	        os.write(w, b"x")
	    for fd, _ in loop.poll(1):
	        os.read(fd, 1)
	CODE
	trace -- /usr/bin/python3 loop.py
	[ "$status" -eq 0 ]
	class_is inconclusive
	output_has "--ops"
	trace --ops -- /usr/bin/python3 loop.py
	class_is concurrent
	json_holds run.json 'r["concurrency"]["max_operations"] == 5'
	exact
}

@test "a claim that is contradicted ends with 1" {
	trace --cpus 0 --expect sequential procs --seconds 0.3
	[ "$status" -eq 1 ]
	class_is concurrent
	json_holds run.json 'r["verdict"]["claim_holds"] is False'
	trace --expect sequential -- true
	[ "$status" -eq 0 ]
}

@test "a command that failed never ends with 0, whatever it was expected to be" {
	trace --expect sequential -- sh -c 'exit 3'
	status_is 3
	output_has "exit    exit status 3"
	grep -q '<dt>exit</dt><dd>exit status 3' out/report.html
	trace --expect sequential -- sh -c 'kill -SEGV $$'
	status_is 139
	json_holds run.json 'r["verdict"]["claim_holds"] is True'
	run -139 lab run -q -o q --expect sequential -- sh -c 'kill -SEGV $$'
	output_has "exit    killed by SIGSEGV"
	run -1 lab check out workload.exit_status==0
	run -0 lab check out workload.signal==11 'workload.exit_status!=0'
	trace --expect parallel -- sh -c 'exit 3'
	[ "$status" -ne 0 ]
	trace --expect sequential -- true
	status_is 0
	output_lacks "  exit "
}

@test "a run that ended in a deadlock is not what it was expected to be" {
	trace --expect concurrent --for 1s deadlock
	contradicted
	trace --expect parallel --for 1s deadlock
	contradicted
	trace --for 1s deadlock
	status_is 0
}

@test "the command's input, output and exit status are its own" {
	head -c 100000 /dev/urandom >in
	lab run -o o1 -- gzip -c in >out.gz 2>err
	gzip -dc out.gz | cmp - in
	grep -q SEQUENTIAL err
	[ "$(printf abc | lab run -o o2 -- cat 2>/dev/null)" = abc ]
	run lab run -o o3 -- sh -c 'exit 7'
	[ "$status" -eq 7 ]
	run lab run -o o4 -- sh -c 'kill -9 $$'
	[ "$status" -eq 137 ]
	run -127 lab run -o o5 -- no-such-command-at-all
	output_has "no-such-command-at-all"
	[ ! -e o5 ]
	run -126 lab run -o o6 -- ./in
	[ ! -e o6 ]
}

@test "double fork, exec, exec by a thread, vfork: every task is followed" {
	requires command=/usr/bin/python3
	cat >tree.py <<-'CODE'
	import os, subprocess, sys, threading, time
	if len(sys.argv) > 1:
	    os._exit(0)
	subprocess.run(["true"])
	if os.fork() == 0:
	    os.setsid()
	    if os.fork() == 0:
	        time.sleep(0.1)
	        os._exit(0)
	    os._exit(0)
	os.wait()
	if os.fork() == 0:
	    threading.Thread(target=lambda: os.execv(sys.executable, [sys.executable, sys.argv[0], "x"])).start()
	    time.sleep(5)
	os.wait()
	time.sleep(0.2)
	CODE
	trace -- /usr/bin/python3 tree.py
	[ "$status" -eq 0 ]
	exact
	json_holds run.json 'len(r["tasks"]) == 6'
	json_holds run.json 'r["audit"]["tasks_checked"] == 6'
}

# The first to end leaves its children to another parent; one of them takes no notice of a SIGTERM.
@test "--pid attaches to a running process and leaves it running" {
	requires command=/usr/bin/python3
	/usr/bin/python3 -c '
import threading, time
def work():
    end = time.monotonic() + 60
    while time.monotonic() < end: sum(range(1000))
for _ in range(2): threading.Thread(target=work).start()' 3>&- &
	local pid=$!
	sleep 0.5
	trace --pid $pid --for 500ms
	[ "$status" -eq 0 ]
	kill -0 $pid
	kill $pid
	class_is concurrent
	json_holds run.json 'len(r["tasks"]) == 3'
	json_holds run.json 'any("before" in s for s in r["verdict"]["scope"])'
	exact
	run lab run --pid 4194303
	[ "$status" -eq 2 ]
}

# Who is leaving its CPU when it is looked at has none; who was recorded before is counted from there.
@test "--pid attaches to threads that switch all the time" {
	cat >players.c <<-'CODE'
	#include <pthread.h>
	#include <unistd.h>
	static int ends[16][2];
	static void *play(void *arg)
	{
		long i = (long)arg;
		char ball;
		while (read(ends[i][0], &ball, 1) == 1 && write(ends[i ^ 1][1], &ball, 1) == 1)
			;
		return NULL;
	}
	int main(void)
	{
		pthread_t t;
		for (long i = 0; i < 16; i++)
			if (pipe(ends[i]))
				return 1;
		for (long i = 0; i < 16; i++)
			pthread_create(&t, NULL, play, (void *)i);
		for (long i = 0; i < 16; i += 2)
			if (write(ends[i][1], "x", 1) != 1)
				return 1;
		sleep(120);
		return 0;
	}
	CODE
	cc -O1 -pthread -o players players.c
	./players 3>&- &
	local pid=$! i
	sleep 0.2
	for ((i = 0; i < 10; i++)); do
		trace --pid $pid --for 20ms
		kill -STOP $pid	# to check is faster without them
		json_holds run.json 'len(r["tasks"]) == 17'
		exact
		kill -CONT $pid
	done
	kill $pid
}

# timeout(1) sends its signal to lab, and then to lab's group.
# Who finds the names is stopped, so that the end of the trace takes seconds to write.
@test "while the trace is being finished one signal is ignored, and a second one leaves" {
	local pid names status=0
	"$LAB_BIN" run -q -o out -- sleep 1 >report 2>err 3>&- &
	pid=$!
	until names=$(pgrep -P "$pid" -x lab-names); do
		kill -0 "$pid"
		sleep 0.05
	done
	kill -STOP "$names"
	tail --pid="$(pgrep -f "^sleep 1\$" -P "$(pgrep -d, -P "$pid")")" -f /dev/null
	sleep 0.3
	kill -TERM "$pid"
	sleep 0.3
	kill -TERM "$pid"
	wait "$pid" || status=$?
	kill -KILL "$names" || true
	[[ $status -eq 143 && ! -s report ]]
	run -0 lab report -q out
	[[ $output == *incomplete* ]]
}

@test "refused records are counted, placed, and make a never inconclusive" {
	requires command=perf
	"$LAB_BIN" run -o out --buffer 1 --cpus 0 -- perf bench sched pipe -l 400000 >bench 2>err 3>&- &
	local pid=$!
	refuse_records $pid 2
	wait $pid || true
	lab report out/trace.lab -f json -o run.json
	json_holds run.json 'r["loss"]["dropped"] > 0 and r["loss"]["gaps"] > 0'
	json_holds run.json 'not r["audit"]["clean"]'
	class_is inconclusive
}

@test "a witness of parallelism survives refused records, with bounds" {
	requires command=perf cpus=2
	"$LAB_BIN" run -o out --buffer 1 -- sh -c 'perf bench sched pipe -l 100000 & perf bench sched pipe -l 100000; wait' >bench 2>err 3>&- &
	local pid=$!
	refuse_records $pid 1
	wait $pid || true
	lab report out/trace.lab -f json -o run.json
	json_holds run.json 'r["loss"]["dropped"] > 0 and not r["audit"]["clean"]'
	json_holds run.json 'r["audit"]["failures"] > 0 and r["audit"]["unexplained"] == 0'
	json_holds run.json 'r["parallelism"]["bounds"][0] < r["parallelism"]["bounds"][1]'
	json_holds run.json 'r["parallelism"]["average_busy_bounds"][0] < r["parallelism"]["average_busy_bounds"][1]'
	json_holds run.json 'r["verdict"]["class"] == "parallel" and len(r["verdict"]["witness"]) >= 2'
	run -0 lab report out/trace.lab
	output_has "missing records explain"
	output_has " to "
}

@test "hostile names stay data" {
	requires command=/usr/bin/python3
	trace -- /usr/bin/python3 -c '
import ctypes, time
libc = ctypes.CDLL(None)
libc.prctl(15, b"\x1b]52;c;eA==\x07\xff</s", 0, 0, 0)
time.sleep(0.05)' $'\x1b[31m'
	[ "$status" -eq 0 ]
	output_lacks $'\x1b]52'
	output_lacks $'\x1b[31m'
	output_has '?]52;c;eA==??</'
	exact
}

@test "runs in a row are clean" {
	local i
	for i in 1 2 3 4 5 6 7 8 9 10; do
		trace procs --seconds 0.1
		exact
	done
}

@test "a kernel without type information is refused, and doctor says so" {
	command -v unshare >/dev/null || skip "needs the command unshare"
	run unshare -m sh -c 'mount --bind /dev/null /sys/kernel/btf/vmlinux && exec "$0" run -- true' "$LAB_BIN"
	[ "$status" -eq 3 ]
	output_has "no type information"
	[ ! -e runs ]
	run unshare -m sh -c 'mount --bind /dev/null /sys/kernel/btf/vmlinux && exec "$0" doctor' "$LAB_BIN"
	[ "$status" -eq 3 ]
	output_has "CONFIG_DEBUG_INFO_BTF"
}

@test "more operations than descriptors is refused with what would fit" {
	run bash -c 'ulimit -n 1024 && exec "$0" run async --tasks 10000' "$LAB_BIN"
	[ "$status" -eq 2 ]
	output_has "the limit is 1024"
	[ ! -e runs ]
}

@test "a run of a signal that nobody handles, and of one that lab was told" {
	run lab run -q --expect parallel -- sh -c 'kill -TERM $$'
	[ "$status" -eq 1 ] || [ "$status" -eq 4 ]
	run lab run -q -- sh -c 'kill -TERM $$'
	[ "$status" -eq 143 ]
}
