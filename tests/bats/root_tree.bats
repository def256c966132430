#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# What is left of the workload's tree when lab has ended: nothing where lab ends it, and else it is said how much.

load helpers

setup() {
	requires tracing command=cc
	cd "$BATS_TEST_TMPDIR" || return 1
	MARK=lab-tree-$BASHPID-$RANDOM
	cc -O1 -Wall -o tree "$BATS_TEST_DIRNAME/tree.c"
}

# Whatever failed: only what carries this test's own mark.
teardown() {
	[[ -z $MARK ]] || pkill -KILL -f "$MARK" || true
}

alive() {
	pgrep -c -f "^./tree .*$MARK" || true
}

none_is_left() {
	[[ $(alive) -eq 0 ]] || {
		echo "$(alive) are left" >&2
		return 1
	}
}

# Until the tree has made that many; it makes them one after the other.
await_alive() {
	local _
	for _ in {1..200}; do
		[[ $(alive) -lt $1 ]] || return 0
		sleep 0.05
	done
	echo "only $(alive) of $1 came" >&2
	return 1
}

# With few descriptors: as many pidfds do not fit.
lab_with_few_descriptors() {
	ulimit -n 256
	exec "$LAB_BIN" "$@"
}

@test "--for: of 2,000 processes that became daemons none is left" {
	run lab_with_few_descriptors run -o out --json=run.json --for 5s -- ./tree daemons "$MARK" 2000
	status_is 0
	none_is_left
	json_holds run.json 'r["window"]["ended_by"] == "for"' 'r["window"]["left"] == 0' \
		'len(r["tasks"]) > 300'
	output_lacks "could not be ended"
	exact
}

@test "Ctrl-C: of 2,000 processes that became daemons none is left" {
	lab_with_few_descriptors run -o out --json=run.json -- ./tree daemons "$MARK" 2000 >said 2>&1 3>&- &
	local pid=$!
	await_alive 2001
	kill -INT "$pid"
	wait "$pid" || true
	none_is_left
	json_holds run.json 'r["window"]["ended_by"] == "interrupt"' 'r["window"]["left"] == 0'
}

@test "a second Ctrl-C leaves at once, and nothing behind" {
	"$LAB_BIN" run -o out -- ./tree stubborn "$MARK" 20 >said 2>&1 3>&- &
	local pid=$!
	await_alive 21
	kill -INT "$pid"
	sleep 0.5
	kill -INT "$pid"
	wait "$pid" || true
	none_is_left
	output=$(<said)
	output_has "left at once"
}

# Its first process ends at the signal; the daemons take notice of SIGKILL alone.
@test "Ctrl-C: what takes no notice of it is killed" {
	"$LAB_BIN" run -o out --json=run.json -- ./tree half "$MARK" 20 >said 2>&1 3>&- &
	local pid=$!
	await_alive 21
	kill -INT "$pid"
	wait "$pid" || true
	none_is_left
	json_holds run.json 'r["window"]["left"] == 0'
}

@test "daemons that outlive the grace time are left alone, and counted" {
	lab run -o out --json=run.json --grace 200ms -- ./tree leave "$MARK" 3 >said 2>&1 3>&-
	[[ $(alive) -eq 3 ]]
	output=$(<said)
	json_holds run.json 'r["window"]["ended_by"] == "daemon"' 'r["window"]["left"] == 3'
	output_has "3 processes live on"
	exact
}

@test "a run that ends by itself leaves nothing" {
	run lab run -o out --json=run.json -- ./tree short "$MARK" 50
	status_is 0
	none_is_left
	json_holds run.json 'r["window"]["ended_by"] == "exit"' 'r["window"]["left"] == 0'
	exact
}

@test "a program that changed its user is ended, whoever the workload is of" {
	requires command=setpriv
	env -u SUDO_UID -u SUDO_GID timeout 20 "$LAB_BIN" run -q -o out --for 300ms -- \
		setpriv --reuid=65534 --clear-groups ./tree stubborn "$MARK" 5 3>&-
	none_is_left
	SUDO_UID=65534 SUDO_GID=65534 timeout 20 "$LAB_BIN" run -q --root -o out2 --for 300ms -- \
		setpriv --reuid=65534 --clear-groups ./tree stubborn "$MARK" 5 3>&-
	none_is_left
}

# It makes a new daemon each millisecond, in a new process each time.
@test "a tree that grows while it is ended is gone afterwards" {
	run timeout 30 "$LAB_BIN" run -q -o out --json=run.json --for 300ms -- ./tree grow "$MARK" 20000
	none_is_left
	json_holds run.json 'r["window"]["left"] == 0'
}

# At no time has it a process that lives for long.
@test "a process that moves on to a child again and again is caught" {
	run timeout 30 "$LAB_BIN" run -q -o out --json=run.json --for 300ms -- ./tree hop "$MARK" 200000
	none_is_left
	json_holds run.json 'r["window"]["left"] == 0'
}

@test "zombies of orphans do not stay" {
	"$LAB_BIN" run -o out -- ./tree die "$MARK" 100 >said 2>&1 3>&- &
	local pid=$! sender
	await_alive 1
	sender=$(ps -o ppid= -p "$(pgrep -f "^./tree .*$MARK" | head -n 1)" | tr -d " ")
	sleep 1
	ps -o stat=,args= --ppid "$sender" >children
	[[ $(wc -l <children) -eq 1 ]]
	kill -INT "$pid"
	wait "$pid" || true
	none_is_left
}

# The shell that lab takes the place of has a child, and that becomes a daemon meanwhile.
@test "what lab was given by exec is none of its own" {
	bash -c './tree later "$1" 1 & exec "$0" run -q -o out --for 2s -- sleep 60' "$LAB_BIN" "$MARK" \
		>said 2>&1 3>&-
	[[ $(alive) -eq 1 ]]
}

# A user cannot touch the process that ends his workload, and a lab without it ends.
@test "the process that ends the workload cannot be signalled by the workload's user" {
	local pid
	chmod 777 .
	SUDO_UID=65534 SUDO_GID=65534 run timeout 30 "$LAB_BIN" run -q -o out --for 500ms -- \
		sh -c './tree stubborn "$0" 3 & kill -KILL $PPID; sleep 60' "$MARK"
	output_has "ermitted"
	none_is_left
}

@test "where the workload kills the process that ends it lab says so, and does not wait for ever" {
	timeout 30 "$LAB_BIN" run -q -o out --json=run.json --for 300ms -- \
		sh -c 'kill -KILL $PPID; exec ./tree stubborn "$0" 1' "$MARK" >said 2>&1 3>&-
	output=$(<said)
	output_has "was killed"
	json_holds run.json 'r["window"]["ended_by"] == "for"' '"left" not in r["window"]'
}
