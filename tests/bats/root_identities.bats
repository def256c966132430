#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Every identity of the report (tests/reports/identities.py), exactly, with a clean audit, on
# the kernel at hand: on every built-in workload as often as LAB_TEST_RUNS says (1), and on programs of others.
# One report of each kind is also compared with the schema.

load helpers

setup() {
	requires tracing command=python3
	cd "$BATS_TEST_TMPDIR" || return 1
	kinds=0
}

# All reports of a test at once: to start what reads the schema takes longer than to read it.
teardown() {
	((${kinds:-0} == 0)) || schema_fits kind-*.json
}

# What the trace says later is what the run said.
same_again() {
	lab report out/trace.lab -f json -o again
	python - "$1" again <<-'CODE'
	import json, sys

	first, again = (json.load(open(name)) for name in sys.argv[1:])
	for report in first, again:
	    del report["overhead"]["bytes"]	# a certificate may have been added since
	if first != again:
	    sys.exit(f"not the same: {[k for k in first if first[k] != again[k]]}")
	CODE
}

# Where there is no such module, schema.bats says so.
schema_fits() {
	[ -z "$(python_with_jsonschema)" ] || schema valid "$@"
}

# times N STATUSES [OPTIONS] WORKLOAD, or -- COMMAND
times() {
	local i cnt=$1 statuses=$2 try
	shift 2
	rm -f ./[0-9]*.json
	for ((i = 1; i <= cnt; i++)); do
		for try in 1 2 3 4; do
			rm -rf out
			run lab run -q -o out --json="$i.json" "$@" </dev/null
			by_the_host "$i.json" || break
		done
		# shellcheck disable=SC2053	# a pattern
		[[ $status == $statuses ]]
	done
	identities --clean ./[0-9]*.json
	same_again "$cnt.json"
	cp 1.json "kind-$((++kinds)).json"
}

# Whether the claim holds on a machine that may be busy is for other tests.
often() {
	times "${LAB_TEST_RUNS:-1}" '[014]' "$@"
}

twice() {
	times 2 0 "$@"
}

crew() {
	often "$1" --seconds 0.2 --work "$2" --tasks 1
	often "$1" --seconds 0.2 --work "$2" --tasks 24
	often --cpus 0 "$1" --seconds 0.2 --work "$2"
}

@test "every built-in workload, as it is" {
	local name names options
	names=$(lab list | sed -n 's/^\([a-z][a-z0-9_-]*\) - .*/\1/p')
	[ "$(wc -w <<<"$names")" -ge 3 ]
	for name in $names; do
		options=()
		[[ $(lab list "$name") != *--seconds* ]] || options=(--seconds 0.2)
		often "$name" "${options[@]}"
	done
}

@test "procs that compute" {
	crew procs cpu
}

@test "procs that mostly sleep" {
	crew procs io
}

@test "procs, half of each" {
	crew procs mixed
}

@test "threads that compute" {
	crew threads cpu
}

@test "threads that mostly sleep" {
	crew threads io
}

@test "threads, half of each" {
	crew threads mixed
}

@test "async: one operation, on one CPU, and a thousand" {
	often async --seconds 0.2 --tasks 1
	often --cpus 0 async --seconds 0.2
	often async --seconds 0.2 --tasks 1000
	json_holds 1.json 'len(r["operations"]) == 1000 and r["concurrency"]["max_operations"] == 1000'
}

@test "CPython: threads, processes, a subprocess, an event loop" {
	requires command=/usr/bin/python3
	cat >work.py <<-'CODE'
	import asyncio, multiprocessing, subprocess, sys, threading, time

	def work():
	    end = time.monotonic() + 0.15
	    while time.monotonic() < end:
	        sum(range(1000))

	async def wait(i):
	    await asyncio.sleep(0.01 * (i % 5))
	    process = await asyncio.create_subprocess_exec("true") if i == 7 else None
	    if process:
	        await process.wait()

	async def loop():
	    await asyncio.gather(*(wait(i) for i in range(50)))

	if sys.argv[1] == "loop":
	    asyncio.run(loop())
	elif sys.argv[1] == "call":
	    subprocess.run(["sh", "-c", "sleep 0.05; true | cat"], check=True, timeout=5)
	else:
	    kind = {"thread": threading.Thread, "process": multiprocessing.Process}[sys.argv[1]]
	    workers = [kind(target=work) for _ in range(3)]
	    for w in workers: w.start()
	    for w in workers: w.join()
	CODE
	twice -- /usr/bin/python3 work.py thread
	twice -- /usr/bin/python3 work.py process
	twice -- /usr/bin/python3 work.py call
	twice --ops -- /usr/bin/python3 work.py loop
}

@test "compressors: threads, and a pipe" {
	requires command=gzip
	head -c 4000000 /dev/urandom >noise
	twice -- sh -c 'gzip -c noise | wc -c'
	requires command=xz
	twice -- xz -0 -T2 -k -c noise
}

@test "make -j2" {
	requires command=cc
	for i in 1 2 3 4; do
		echo "int f$i(int x) { return x * $i; }" >part$i.c
	done
	printf 'parts: part1.o part2.o part3.o part4.o\n%%.o: %%.c\n\tcc -O2 -c -o $@ $<\n' >Makefile
	twice -- make -B -j2 parts
}

@test "perf bench: a ping-pong, a crowd, futexes" {
	requires command=perf
	twice -- perf bench sched pipe -l 5000
	twice -- perf bench sched messaging -g 2 -l 20
	times 1 0 -- perf bench futex requeue
}

# Each ends after so many rounds, or after a time; how well it fared is its own affair.
@test "stress-ng: forks, signals, threads, exec, io_uring, migrations" {
	requires command=stress-ng
	stress() {
		times 1 "*" --ops -- stress-ng -q -t 5 --temp-path . "$@"
	}
	stress --fork 2 --fork-ops 100 --vfork 1 --vfork-ops 50 --exec 1 --exec-ops 10
	stress --pthread 2 --pthread-ops 50 --mutex 2 --mutex-ops 500 --futex 1 --futex-ops 500
	stress --switch 2 --switch-ops 2000 --yield 2 --yield-ops 2000 --cpu 2 --cpu-ops 10
	stress --affinity 2 --affinity-ops 300 --sigsegv 1 --sigsegv-ops 100
	stress --epoll 1 --epoll-ops 50 --poll 1 --poll-ops 100 --io-uring 1 --io-uring-ops 50
}

@test "what is cut: by --for, by the grace time, and attached to" {
	twice --for 150ms -- sh -c 'while :; do sleep 0.01; done & sleep 60 & sleep 61'
	times 2 3 --grace 100ms -- sh -c 'sleep 0.4 & exit 3'
	requires command=/usr/bin/python3
	/usr/bin/python3 -c '
import threading, time
def work():
    end = time.monotonic() + 60
    while time.monotonic() < end: sum(range(1000))
for _ in range(2): threading.Thread(target=work).start()' 3>&- &
	local pid=$!
	sleep 0.3
	times 4 0 --pid $pid --for 150ms
	kill $pid
}

@test "what is left where records were refused" {
	requires command=perf
	"$LAB_BIN" run -q -o out --buffer 1 -- sh -c 'perf bench sched pipe -l 60000 & perf bench sched pipe -l 60000; wait' >bench 2>err 3>&- &
	local pid=$!
	refuse_records $pid 1
	wait $pid || true
	lab report out/trace.lab -f json -o lossy.json
	json_holds lossy.json 'r["loss"]["stretches"] and r["audit"]["checks"]'
	identities lossy.json
	schema_fits lossy.json
}
