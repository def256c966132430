#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Programs whose answer is known before they run (tests/fixtures/known.c), on the kernel at
# hand. Work is CPU time there, so most of what lab must find does not depend on what
# else the machine does; shapes are held as inequalities between integers.

load helpers

setup_file() {
	"${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -pthread \
		-o "$BATS_FILE_TMPDIR/known" "$BATS_TEST_DIRNAME/../fixtures/known.c"
}

setup() {
	requires tracing command=python3
	cd "$BATS_TEST_TMPDIR" || return 1
}

# trace PROGRAM
trace() {
	rm -rf out run.json
	run -0 lab run -q -o out --json=run.json -- "$BATS_FILE_TMPDIR/known" "$@"
	identities --clean run.json
}

# Why a failure may be the machine's: lab cannot tell, or, where CPUs were to be free ($1),
# lab itself says that other programs had more than 1 % of them while tasks waited.
excuse() {
	if [ "$status" -eq 4 ]; then
		grep -o 'undecided: .*' <<<"$output" | head -n 1
	elif [ -n "$1" ]; then
		lab check out/trace.lab 'capacity.interference < 1%' |
			sed -n 's/^# */other programs had these CPUs while tasks waited: /p'
	fi
}

# hold QUIET PROGRAM ASSERTION...: a failure without an excuse is one. With it, it is tried
# again, and in the end a skip.
hold() {
	local quiet=$1 program=$2 try why
	shift 2
	for try in 1 2 3 4 5 6; do
		run lab check out/trace.lab "$@"
		[ "$status" -ne 0 ] || return 0
		why=$(excuse "$quiet")
		if [ -z "$why" ]; then
			echo "$output" >&2
			return 1
		fi
		[ "$try" -lt 6 ] || skip "$why"
		sleep 1
		trace "$program"
	done
}

# must PROGRAM ASSERTION...: whatever the machine does besides
must() {
	hold '' "$@"
}

quiet_must() {
	hold quiet "$@"
}

@test "nine parts alone, then one on two CPUs: a bottle of 9 to 1" {
	requires cpus=2
	trace serial-then-wide
	must serial-then-wide 'len(tasks)==3' \
		'tasks.0.bottle_ns / parallelism.busy_ns >= 75%' \
		'tasks.0.bottle_ns / parallelism.busy_ns <= 95%' \
		'(tasks.1.bottle_ns + tasks.2.bottle_ns) / parallelism.busy_ns >= 5%' \
		'(tasks.1.bottle_ns + tasks.2.bottle_ns) / parallelism.busy_ns <= 25%' \
		'tasks.0.run_ns > 4 * tasks.1.run_ns' \
		'critical_path.tasks==2' 'critical_path.blocked_ns.join==0' serializer.present==false
	quiet_must serial-then-wide verdict.class==parallel \
		'parallelism.profile_ns.1 > 4 * parallelism.profile_ns.2' \
		'parallelism.average_busy < 1.25' 'capacity.no_thread + capacity.other > 30%'
}

@test "two that share nothing: perfectly parallel" {
	requires cpus=2
	trace parallel
	must parallel 'len(tasks)==3' '4 * tasks.1.run_ns <= 5 * tasks.2.run_ns' \
		'4 * tasks.2.run_ns <= 5 * tasks.1.run_ns' serializer.present==false \
		'capacity.blocked.lock==0'
	quiet_must parallel verdict.class==parallel parallelism.max==2 \
		'parallelism.average_busy >= 1.6' 'len(verdict.witness)==2' \
		'4 * tasks.1.bottle_ns <= 5 * tasks.2.bottle_ns' \
		'4 * tasks.2.bottle_ns <= 5 * tasks.1.bottle_ns'
}

@test "pieces of 1, 2, 4 and 8: a staircase whose last step is alone" {
	requires cpus=2
	trace staircase
	must staircase 'len(tasks)==5' serializer.present==false \
		'2 * tasks.2.run_ns > 3 * tasks.1.run_ns' 'tasks.2.run_ns < 3 * tasks.1.run_ns' \
		'2 * tasks.3.run_ns > 3 * tasks.2.run_ns' 'tasks.3.run_ns < 3 * tasks.2.run_ns' \
		'2 * tasks.4.run_ns > 3 * tasks.3.run_ns' 'tasks.4.run_ns < 3 * tasks.3.run_ns'
	quiet_must staircase verdict.class==parallel 'tasks.4.end_ns > tasks.1.end_ns' \
		'tasks.4.end_ns > tasks.2.end_ns' 'tasks.4.end_ns > tasks.3.end_ns' \
		'tasks.4.bottle_ns > tasks.3.bottle_ns' 'tasks.3.bottle_ns > tasks.2.bottle_ns' \
		'tasks.2.bottle_ns > tasks.1.bottle_ns' \
		'parallelism.profile_ns.1 / window.duration_ns >= 20%' \
		'capacity.blocked.join==0' 'capacity.loss.no_thread >= 10%' \
		"capacity.largest_loss=='no_thread'"
}

@test "a convoy: all wait for a lock whose holder is slow" {
	trace convoy
	must convoy verdict.class==concurrent 'len(tasks)==5' locks.0.kind==lock 'locks.0.waiters>=3' \
		'locks.0.holder_count>=2' 'locks.0.wait_ns > parallelism.run_ns' \
		'locks.0.wait_ns >= window.duration_ns' \
		'tasks.1.blocked_ns.lock + tasks.2.blocked_ns.lock + tasks.3.blocked_ns.lock + tasks.4.blocked_ns.lock >= locks.0.wait_ns' \
		'critical_path.tasks>=3' \
		'critical_path.blocked_ns.sleep > 4 * critical_path.blocked_ns.lock' \
		'critical_path.blocked_ns.sleep / critical_path.length_ns >= 20%'
}

@test "all work under one lock: a serializer" {
	requires cpus=2
	trace one-lock
	must one-lock verdict.class==concurrent 'len(tasks)==5' 'serializer.index >= 95%' \
		'serializer.waiters >= 3' locks.0.kind==lock 'locks.0.waiters >= 3' \
		'locks.0.wait_ns > parallelism.run_ns' 'parallelism.average_busy < 1.05' \
		'critical_path.blocked_ns.lock / critical_path.length_ns <= 10%'
	quiet_must one-lock serializer.present \
		'serializer.locked_ns / (serializer.demand_ns - serializer.reached_ns) >= 80%'
}

@test "ping-pong: two that strictly alternate" {
	trace ping-pong
	must ping-pong verdict.class==concurrent 'len(tasks)==3' \
		'tasks.1.switches>=400' 'tasks.2.switches>=400' \
		'tasks.1.voluntary + tasks.2.voluntary >= 400' \
		'tasks.1.blocked_ns.pipe > 0' 'tasks.2.blocked_ns.pipe > 0' \
		'2 * tasks.1.run_ns < 3 * tasks.2.run_ns' '2 * tasks.2.run_ns < 3 * tasks.1.run_ns' \
		'parallelism.parallel_ns / parallelism.busy_ns < 5%' 'critical_path.tasks==3' \
		'len(critical_path.segments) >= 800' \
		'critical_path.blocked_ns.pipe / critical_path.length_ns <= 10%'
	quiet_must ping-pong serializer.present serializer.kind==handovers serializer.through==pipe
}

@test "one usable CPU shows nothing of parallelism, and the rest" {
	run lab run -q -o out --cpus 0 -- "$BATS_FILE_TMPDIR/known" one-lock
	[ "$status" -eq 0 ]
	run -4 lab check out/trace.lab verdict.class==parallel
	run -4 lab check out/trace.lab parallelism.max==1
	must one-lock verdict.class==concurrent audit.clean 'len(host.cpus_usable)==1'
}
