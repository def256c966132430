#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What tests/kernels/run has a machine do: this file, and after it a line for each check. The
# results are files in /root/results, which go to stdout as a tar file at the end: RUN/said,
# RUN/status, RUN/report.json, RUN/trace/trace.lab, RUN/verified (the status of lab verify) and
# RUN/proof (what it says), where RUN is the check's name and the number of the try.

results=/root/results
export v2=/sys/fs/cgroup
mkdir -p $results

# once CONDITION: returns a moment after it holds; or after a minute, so that nothing waits for
# ever.
once() {
	for _ in $(seq 600); do
		! eval "$1" || { sleep 0.2; return; }
		sleep 0.1
	done
	echo "not in a minute: $1"
}

begun() {
	once has_worker
}

has_worker() {
	for comm in /proc/[0-9]*/task/*/comm; do
		read -r name <"$comm" 2>/dev/null && case $name in worker*) return 0 ;; esac
	done
	return 1
}

# sh /root/busy N SECONDS [WORD...]: N programs that compute for so long, each begun by those words.
cat >/root/busy <<'SCRIPT'
tasks=$1 seconds=$2
shift 2
for i in $(seq "$tasks"); do
	timeout "$seconds" "$@" sh -c 'while :; do :; done' &
done
wait
SCRIPT

# a_program: starts one that goes on until the machine ends, and prints its number.
a_program() {
	(while sleep 0.01; do :; done) >/dev/null 2>&1 &
	echo $!
}

# group PATH [FILE TEXT...]: a control group, with these texts in its files.
group() {
	group=$1
	shift
	mkdir -p "$group"
	while [ $# -gt 0 ]; do
		echo "$2" >"$group/$1"
		shift 2
	done
}

# v1 CONTROLLER: mounts its first version at /tmp/v1, until the check is over.
v1() {
	mkdir -p /tmp/v1
	mount -t cgroup -o "$1" none /tmp/v1
}

no_v1() {
	! grep -q ' /tmp/v1 ' /proc/mounts || { rmdir /tmp/v1/*/; umount /tmp/v1; }
}

# check NAME 'STATUS...' BEFORE BESIDE WORD...: runs lab with these words, in a shell that first
# ran BEFORE, while another shell runs BESIDE. Up to three times, until lab ends with the first
# status: emulated CPUs take turns, so that one may stand still with a task on it while another
# works.
check() {
	name=$1 wanted=$2 before=$3 beside=$4
	shift 4
	for try in 1 2 3; do
		run=$results/$name.$try
		mkdir -p "$run"
		cd "$run" || exit 9
		echo "kernels: $name" >&2
		(eval "$beside"; cat /proc/uptime >beside_ended) >meanwhile 2>&1 &
		(eval "$before" && exec lab run -q -o trace --json=report.json "$@") >said 2>&1
		status=$?
		echo $status >status
		wait $!
		[ ! -e trace/trace.lab ] || { lab verify trace >proof 2>&1; echo $? >verified; }
		rm -f trace/report.html
		no_v1
		[ "$status" != "${wanted%% *}" ] || return
		[ $status != 3 ] || lab run --debug "$@" >>said 2>&1
	done
}

mkdir -p $results/doctor.1
lab doctor >$results/doctor.1/said 2>&1
echo $? >$results/doctor.1/status
