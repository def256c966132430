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

# What each process does with files before it has become the user. calls.*: of each process.
paths_of_root() {
	sed -s '/setresuid(65534, /,$d' calls.* | grep -v '^[a-z0-9]* *(-1\|^execve\|^+++\|^---\|^setresuid' |
		sed -n 's/^[^"]*"\([^"]\{1,\}\)".*/\1/p' | sort -u
}

@test "root opens nothing but what docs/security.md lists" {
	requires command=strace command=unshare command=/usr/bin/python3
	local path
	# With names to be found, hooks, a tree to be ended, a folder of the user's, and CPUs that were measured.
	SUDO_UID=65534 SUDO_GID=65534 run -0 unshare -m sh -c \
		'mount -t tmpfs -o mode=755 none /run && "$0" doctor --physical >/dev/null; exec "$@"' "$LAB_BIN" \
		strace -ff -o calls -e trace=%file,setresuid "$LAB_BIN" run -q -o out --python --for 1s -- /usr/bin/python3 -c \
		'import threading, time; threading.Lock().acquire(); time.sleep(5)'
	paths_of_root >paths
	[[ $(wc -l <paths) -gt 10 ]]
	[[ $(usable_cpus) -eq 1 ]] || grep -qx /run/lab paths
	while read -r path; do
		case $path in
		/proc/*|/sys/kernel/*|/sys/devices/system/cpu/*|/sys/fs/cgroup*|/sys/fs/bpf*|/etc/*) ;;
		/lib/*|/lib64/*|/usr/*|/dev/null|/.dockerenv|/run/systemd/*|/var/run/nscd/*|/|/proc) ;;
		/run/lab|physical) ;;
		*)
			echo "not listed: $path"
			return 1
			;;
		esac
	done <paths
}

@test "with --user the hooks' folder is removed as well" {
	requires command=/usr/bin/python3
	getent passwd nobody >/dev/null || skip "there is no user nobody"
	run -0 lab run -q -o out --user nobody --python -- /usr/bin/python3 -c pass
	[[ -z $(ls -d /tmp/lab-hook-* 2>/dev/null) ]]
}

# A program of user $1 does $2, in shell, to have its work of one CPU called parallel, as in forged.lab.
forge() {
	local uid=$1 text=$2
	cp "$BATS_TEST_DIRNAME/../../docs/samples/procs.lab" forged.lab
	chmod 644 ./*.lab
	run -0 lab report -q forged.lab
	[[ $output == PARALLEL* ]]
	[[ $uid -eq 0 ]] || export SUDO_UID=$uid SUDO_GID=$uid
	run lab run -q -o out --expect parallel --grace 200ms -- sh -c "$text" 3>&-
	unset SUDO_UID SUDO_GID
	[[ $output != *PARALLEL* && $output != *PROVEN* ]]
}

@test "a program that runs as another user than root cannot write to its trace" {
	forge 65534 'cat forged.lab >out/trace.lab; cp forged.lab out/trace.lab; chmod 666 out/trace.lab
		     cat forged.lab >>out/trace.lab'
	# 4: on a busy machine the claim is undecided.
	[[ ($status -eq 1 || $status -eq 4) && $output == *"Permission denied"* ]]
	[[ $(stat -c %u:%a out/trace.lab) == 65534:600 ]]
	run -0 lab verify out
	[[ $output == "PROVEN  "* ]]
}

@test "a trace that was put in the place of the recorded one is not reported" {
	forge 65534 'mv out/trace.lab out/true.lab; cp forged.lab out/trace.lab'
	[[ $status -ne 0 && $output == *"'out/trace.lab' now is not what lab wrote"* ]]
	run -0 lab verify out/true.lab
	[[ $output == "PROVEN  "* && $(stat -c %u out/true.lab) -eq 65534 ]]
	rm -r out
	forge 65534 'mv out elsewhere; mkdir out; cp forged.lab out/trace.lab'
	[[ $status -ne 0 && $output == *"'out/trace.lab' now is not what lab wrote"* ]]
}

@test "a trace that root's own program overwrites is not reported" {
	forge 0 'cat forged.lab >out/trace.lab'
	[[ $status -eq 5 && $output == *"another process has changed out/trace.lab"* ]]
	rm -r out
	# Again and again, also when it is finished and while it is read.
	forge 0 'for i in 1 2; do (trap "" TERM; exec >&- 2>&-
			while [ ! -e over ]; do cat forged.lab 1<>out/trace.lab; done) & done'
	: >over
	[[ $status -ne 0 ]]
	[[ $output == *"another process has changed out/trace.lab"* || $output == *CONCURRENT* ||
	   $output == *SEQUENTIAL* ]]
}

@test "the workload makes a FIFO of what lab is to write, or takes the descriptors from it: lab ends" {
	requires command=prlimit command=timeout
	run timeout -k 5 60 "$LAB_BIN" run -q -o out --json=run.json -- sh -c 'mkfifo out/report.html run.json' 3>&-
	[[ $status -eq 0 && $output == *"cannot write run.json"*"neither a file"* ]]
	# The page has taken the FIFO's place.
	[[ -f out/report.html && -p run.json ]]
	SUDO_UID=65534 SUDO_GID=65534 run timeout -k 5 60 "$LAB_BIN" run -q -o taken -- \
		sh -c "prlimit --pid $RECORDER --nofile=0:0; sleep 0.3; exit 3" 3>&-
	[[ $status -eq 3 && $output == *"exit status 3"* ]]
}

@test "root follows no link that has the name of the folder" {
	requires command=setpriv
	mkdir ../elsewhere
	ln -s ../elsewhere runs
	ln -s ../elsewhere out
	chown -h 65534 runs out
	run -5 lab run -q -- true
	[[ $output == *"'runs' is a symbolic link, which root does not follow"* ]]
	run -5 lab run -q -o out -- true
	[[ $output == *"'out' is a symbolic link, which root does not follow"* ]]
	[[ -z $(ls ../elsewhere) ]]
	# Others may have links of their own.
	chmod 777 ../elsewhere
	SUDO_UID=65534 SUDO_GID=65534 run -0 lab run -q -- true
	[[ -n $(ls ../elsewhere/true-*/trace.lab) ]]
}

# A copy that is root's and set-user-ID, in a folder where such programs may be; as user 65534.
set_user_id() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$installed" "$@"
}

@test "a lab that is set-user-ID gives nobody more than is his" {
	requires command=setpriv
	installed=$BATS_TEST_TMPDIR/lab
	cp "$LAB_BIN" "$installed"
	chmod 4755 "$installed"
	chmod a+rx "$BATS_TEST_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_RUN_TMPDIR" "$BATS_TMPDIR"
	run set_user_id run -q -o out -- id -u
	[[ $status -ne 3 ]] || skip "no program is set-user-ID in ${BATS_TEST_TMPDIR}"
	[[ $status -eq 0 && $output == *65534* && $(stat -c %u out/trace.lab) -eq 65534 ]]
	run -2 set_user_id run --root -o no -- id -u
	[[ $output == *"--root is for root"* ]]
	run -2 set_user_id run --user root -o no -- id -u
	[[ $output == *"--user is for root"* ]]
	run -2 set_user_id compare --root
	run -2 set_user_id run --pid 1 --for 100ms -o no
	[[ $output == *"--pid 1: Operation not permitted"* ]]
	cp "$BATS_TEST_DIRNAME/../../docs/samples/procs.lab" private.lab
	chmod 600 private.lab
	run -5 set_user_id report private.lab
	[[ $output == *"Permission denied"* && ! -e no ]]
}

@test "lab says when a command runs as root though somebody else called, and when its user can change lab" {
	run -0 env DOAS_USER=somebody "$LAB_BIN" run -q -o a -- true
	[[ $output == *"the command runs as root"*"--user NAME"* ]]
	run -0 env DOAS_USER=somebody "$LAB_BIN" run -q -o b --root -- true
	[[ $output != *"runs as root"* ]]
	run -0 lab run -q -o c -- true
	[[ $output != *"runs as root"* ]] || skip "this shell's login was another user's"
	mkdir -p theirs/bin
	cp "$LAB_BIN" theirs/bin/lab
	chmod 755 . theirs theirs/bin
	SUDO_UID=65534 SUDO_GID=65534 run env bash -c 'cd /tmp; exec "$0" run -o "$1" -- true' \
		"$PWD/theirs/bin/lab" "$BATS_TEST_TMPDIR/d"
	[[ $output != *"can be changed"* ]]
	chown 65534 theirs
	SUDO_UID=65534 SUDO_GID=65534 run "$PWD/theirs/bin/lab" run -o d -- true
	[[ $output == *"this lab can be changed by"*"$PWD/theirs is writable"*"make install"* ]]
	SUDO_UID=65534 SUDO_GID=65534 run "$PWD/theirs/bin/lab" run -o e sleepers
	[[ $output != *"can be changed"* ]]
}

@test "files can be given to a group, while they are recorded as well" {
	SUDO_UID=65534 SUDO_GID=65534 run -0 lab run -q -o out --mode 640 --json=run.json -- stat -c %u:%g:%a out/trace.lab
	[[ $output == *0:65534:640* ]]
	[[ $(stat -c %u:%g:%a out/trace.lab out/report.html run.json | sort -u) == 65534:65534:640 ]]
	run -2 lab run --mode 666 procs
	[[ $output == *"600, 640 or 644"* ]]
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
