#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What is a lock and what is not, in real programs; and tasks that let one run at a time without one.

load helpers

setup() {
	requires tracing
	FOREIGN="$REPOSITORY/tests/foreign"
	cd "$BATS_TEST_TMPDIR" || return 1
}

proven() {
	trace -- "$@"
	[ "$status" -eq 0 ]
	run -0 lab verify out
	[[ ${lines[0]} == PROVEN* ]]
}

# No wait of a millisecond or more was for a lock, and nothing is said to let one run at a time.
no_lock() {
	json_holds run.json 'all(l["wait_ns"] < 1000000 for l in r["locks"] if l["kind"] == "lock")'
	json_holds run.json 'not r["serializer"]["present"]'
}

# On a busy machine it is not told; when CPUs were free it is.
takes_turns() {
	json_holds run.json "r['serializer']['present'] or r['capacity']['interference_ns'] > 0.02 * r['capacity']['total_ns']"
	json_holds run.json "not r['serializer']['present'] or ($1)"
}

@test "an atomic that threads wait on: 2 is no lock, as 5 is none" {
	requires command=g++ cpus=2
	g++ -std=c++20 -O1 -pthread -o wait_value "$FOREIGN/wait_value.cpp" || skip "g++ knows no C++20"
	local value
	for value in 2 5; do
		proven ./wait_value $value
		no_lock
	done
}

@test "a future is no lock" {
	requires command=g++
	g++ -O1 -pthread -o future "$FOREIGN/future.cpp"
	proven ./future
	no_lock
}

@test "a condition variable of musl is no lock" {
	requires command=musl-gcc
	musl-gcc -static -O1 -o musl_cond "$FOREIGN/musl_cond.c"
	proven ./musl_cond
	no_lock
}

@test "Rust: a parked thread, a channel and a scope are no locks; a Mutex is one" {
	requires command=rustc cpus=2
	rustc -O -o park "$FOREIGN/park.rs" 2>rustc.log || skip "rustc does not build here"
	rustc -O -o mutex "$FOREIGN/mutex.rs"
	local how
	for how in park channel scope; do
		proven ./park $how
		no_lock
	done
	proven ./mutex
	takes_turns '"addr" in r["serializer"]'
}

# A barrier lets all go at once, however the work goes round.
@test "a barrier is no lock" {
	requires command=cc cpus=2
	cat >barrier.c <<-'CODE'
	#include <pthread.h>
	#include <time.h>

	static pthread_barrier_t barrier;

	static void burn(double ms)
	{
		struct timespec now;
		double end = 0;

		do {
			clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
			if (!end)
				end = now.tv_sec * 1e3 + now.tv_nsec / 1e6 + ms;
		} while (now.tv_sec * 1e3 + now.tv_nsec / 1e6 < end);
	}

	static void *work(void *arg)
	{
		for (int i = 0; i < 60; i++) {
			burn(i % 3 == *(int *)arg ? 4 : 0.1);
			pthread_barrier_wait(&barrier);
		}
		return NULL;
	}

	int main(void)
	{
		static int ids[] = { 0, 1, 2 };
		pthread_t threads[3];

		pthread_barrier_init(&barrier, NULL, 3);
		for (int i = 0; i < 3; i++)
			pthread_create(&threads[i], NULL, work, &ids[i]);
		for (int i = 0; i < 3; i++)
			pthread_join(threads[i], NULL);
	}
	CODE
	cc -O1 -pthread -o barrier barrier.c
	proven ./barrier
	no_lock
}

@test "a robust mutex that its owner's death released is a lock" {
	requires command=cc
	cat >robust.c <<-'CODE'
	#include <pthread.h>
	#include <unistd.h>

	static pthread_mutex_t mutex;

	static void *take(void *arg)
	{
		pthread_mutex_lock(&mutex);
		usleep(300000);
		return arg;	/* with it */
	}

	int main(void)
	{
		pthread_mutexattr_t kind;
		pthread_t a, b;

		pthread_mutexattr_init(&kind);
		pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
		pthread_mutex_init(&mutex, &kind);
		pthread_create(&a, NULL, take, NULL);
		usleep(5000);
		pthread_create(&b, NULL, take, NULL);
		pthread_join(a, NULL);
		pthread_join(b, NULL);
	}
	CODE
	cc -O1 -pthread -o robust robust.c
	proven ./robust
	json_holds run.json 'any(l["kind"] == "lock" and l["wait_ns"] > 5000000 for l in r["locks"])'
}

@test "a token in a pipe: its players hand over to each other" {
	requires command=python3 cpus=2
	cat >token.py <<-'CODE'
	import os, time

	pipes = [os.pipe(), os.pipe()]
	for me in 0, 1:
	    if os.fork() == 0:
	        for i in range(60):
	            os.read(pipes[me][0], 1)
	            end = time.process_time() + 0.004
	            while time.process_time() < end:
	                pass
	            os.write(pipes[1 - me][1], b"t")
	        os._exit(0)
	os.write(pipes[0][1], b"t")
	os.wait()
	os.wait()
	CODE
	proven "$(python3 -c 'import sys; print(sys.executable)')" token.py
	takes_turns 'r["serializer"]["kind"] == "handovers" and r["serializer"]["through"] == "pipe" and r["serializer"]["waiters"] == 2'
}

@test "Ruby's threads hand over to each other" {
	requires command=ruby cpus=2
	# Of two, each waits until its time limit ends, and often finds the lock free then: nobody
	# hands over. Of three, one waits without a limit until it is woken.
	proven ruby "$FOREIGN/gvl.rb" 3
	takes_turns 'r["serializer"]["waiters"] >= 2'
}
