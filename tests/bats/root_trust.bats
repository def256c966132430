#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# What root may be led to do, and what of it a user can bear: nothing below a folder that another user can write
# is touched by root.

load helpers

setup() {
	requires tracing
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir -m 777 mine
	cd mine || return 1
}

# Each call that names the hooks' folder is made by a process that has become the user. calls.*: of each process.
only_the_user_touches_it() {
	python - calls.* <<-'CODE'
	import sys

	touched = 0
	for name in sys.argv[1:]:
	    is_user = False
	    for line in open(name, errors="replace"):
	        is_user |= line.startswith("setresuid(65534, ")
	        if "/tmp/lab-hook-" in line and not line.startswith("execve"):
	            touched += 1
	            if not is_user:
	                sys.exit(f"by root: {name}: {line}")
	sys.exit(not touched)
	CODE
}

@test "the hooks' folder is made and removed by the workload's user alone, whatever fails" {
	requires command=strace command=prlimit command=/usr/bin/python3
	local limit
	for limit in 1024 16; do
		rm -rf out calls.*
		SUDO_UID=65534 SUDO_GID=65534 run strace -ff -o calls -e trace=%file,setresuid \
			prlimit --nofile="$limit" "$LAB_BIN" run -q -o out --python -- /usr/bin/python3 -c pass
		[[ $limit -eq 16 && $status -eq 3 ]] || [[ $limit -ne 16 && $status -eq 0 ]]
		only_the_user_touches_it
		[[ -z $(ls -d /tmp/lab-hook-* 2>/dev/null) ]]
	done
}

@test "with --user the hooks' folder is removed as well" {
	requires command=/usr/bin/python3
	getent passwd nobody >/dev/null || skip "there is no user nobody"
	run -0 lab run -q -o out --user nobody --python -- /usr/bin/python3 -c pass
	[[ -z $(ls -d /tmp/lab-hook-* 2>/dev/null) ]]
}

# A report that nobody reads, in a pipe that is full.
@test "while the report is written signals and niceness are the caller's" {
	local pid state
	mkfifo pipe
	sleep 60 <pipe &
	"$LAB_BIN" run -o out --json ipc --rounds 2000 >pipe 2>said 3>&- &
	pid=$!
	for _ in {1..200}; do
		sleep 0.05
		state=$(awk '{ sub(/.*\) /, ""); print $1, $17 }' "/proc/$pid/stat")
		[[ -s out/report.html && $state == "S 0" ]] && break
	done
	[[ $state == "S 0" ]]
	[[ $(awk '/^SigBlk/ { print $2 }' "/proc/$pid/status") == 0000000000000000 ]]
	kill -TERM "$pid"
	wait "$pid" && status=0 || status=$?
	kill %1
	[[ $status -eq 143 ]]
}
