#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The critical path and the lock that lets one task run at a time, on the kernel at hand.

load helpers

setup() {
	requires tracing
	cd "$BATS_TEST_TMPDIR" || return 1
}

path_is_exact() {
	json_holds run.json 'r["critical_path"]["length_ns"] == r["window"]["duration_ns"]'
	json_holds run.json '(lambda p: p["run_ns"] + p["ready_ns"] + sum(p["blocked_ns"].values()) + p["none_ns"] == p["length_ns"])(r["critical_path"])'
	json_holds run.json '(lambda s: s[0]["start_ns"] == 0 and s[-1]["end_ns"] == r["window"]["end_ns"] and all(a["end_ns"] == b["start_ns"] for a, b in zip(s, s[1:])))(r["critical_path"]["segments"])'
	json_holds run.json 'r["critical_path"]["none_ns"] == 0'
	json_holds run.json '(lambda lives: all(lives[s["id"]][0] <= s["start_ns"] < s["end_ns"] <= lives[s["id"]][1] for s in r["critical_path"]["segments"]))({t["id"]: (t["start_ns"], t["end_ns"]) for t in r["tasks"]})'
}

# Threads that compute in Python, for half a second.
python_threads() {
	cat >work.py <<-'CODE'
	import sys, threading, time

	def work():
	    end = time.monotonic() + 0.5
	    while time.monotonic() < end:
	        sum(range(1000))

	workers = [threading.Thread(target=work) for _ in range(int(sys.argv[1]))]
	for w in workers: w.start()
	for w in workers: w.join()
	CODE
}

@test "CPython: its interpreter lock lets one thread run at a time" {
	requires command=/usr/bin/python3 cpus=2
	python_threads
	local threads
	for threads in 2 4; do
		trace -- /usr/bin/python3 work.py "$threads"
		[ "$status" -eq 0 ]
		json_holds run.json 'r["serializer"]["present"] is True and r["serializer"]["index"] >= 0.9'
		json_holds run.json 'r["serializer"]["addr"] in {l["addr"] for l in r["locks"] if l["kind"] == "lock"}'
		json_holds run.json 'r["serializer"]["waiters"] >= 2'
		output_has "lets one task run at a time"
		path_is_exact
	done
}

@test "CPython on one CPU: no second CPU was to be had, and nothing is said" {
	requires command=/usr/bin/python3
	python_threads
	trace --cpus 0 -- /usr/bin/python3 work.py 2
	[ "$status" -eq 0 ]
	json_holds run.json 'r["serializer"] == {"present": False}'
	path_is_exact
}

@test "threads with no lock between them, short of CPUs or not" {
	local tasks
	for tasks in 2 6; do
		trace threads --seconds 0.4 --tasks "$tasks"
		json_holds run.json 'r["serializer"]["present"] is False'
		output_lacks "lets one task run at a time"
		path_is_exact
	done
}

@test "programs that sleep" {
	requires command=/usr/bin/python3
	trace threads --seconds 0.4 --work io
	json_holds run.json 'r["serializer"]["present"] is False'
	path_is_exact
	trace -- /usr/bin/python3 -c '
import threading, time
for _ in range(4): threading.Thread(target=time.sleep, args=(0.3,)).start()'
	json_holds run.json 'r["serializer"]["present"] is False'
	path_is_exact
}

@test "many locks that have nothing to do with each other" {
	requires command=cc cpus=2
	cat >locks.c <<-'CODE'
	#include <pthread.h>
	#include <time.h>
	static struct { pthread_mutex_t m; char pad[4096]; } locks[8];
	static double now(void)
	{
		struct timespec t;
		clock_gettime(CLOCK_MONOTONIC, &t);
		return t.tv_sec + t.tv_nsec / 1e9;
	}
	static void *work(void *lock)
	{
		double end = now() + 0.5;
		while (now() < end) {
			pthread_mutex_lock(lock);
			for (double until = now() + 0.001; now() < until;);
			pthread_mutex_unlock(lock);
		}
		return NULL;
	}
	int main(void)
	{
		pthread_t threads[16];
		for (int i = 0; i < 16; i++)
			pthread_create(&threads[i], NULL, work, &locks[i / 2].m);
		for (int i = 0; i < 16; i++)
			pthread_join(threads[i], NULL);
		return 0;
	}
	CODE
	cc -O1 -pthread -o locks locks.c
	trace -- ./locks
	[ "$status" -eq 0 ]
	json_holds run.json 'sum(l["kind"] == "lock" for l in r["locks"]) >= 2'
	json_holds run.json 'r["serializer"]["present"] is False'
	path_is_exact
}

@test "the path goes through who was waited for" {
	trace -- sh -c 'sleep 0.2; gzip -c /bin/bash >/dev/null; sleep 0.1'
	[ "$status" -eq 0 ]
	path_is_exact
	json_holds run.json 'r["critical_path"]["tasks"] == 4'
	json_holds run.json '3 * 10**8 <= r["critical_path"]["blocked_ns"]["sleep"] < r["window"]["duration_ns"]'
	json_holds run.json '10 * r["critical_path"]["blocked_ns"]["child"] < r["window"]["duration_ns"]'
}
