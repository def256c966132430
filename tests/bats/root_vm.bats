#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# lab under other kernels and with other numbers of CPUs, in a machine that
# QEMU emulates (scripts/vm). A kernel that is not on this machine yet is downloaded.

load helpers

setup() {
	requires command=qemu-system-x86_64 command=busybox
	cd "$REPOSITORY"
	export O=${LAB_BIN%/lab}
}

# vm KERNEL CPUS COMMAND...: run it there. An emulated machine that dies by itself
# (125, and no word of lab's) is no result: again.
vm() {
	local kernel=$1 cpus=$2 try
	shift 2
	for try in 1 2 3; do
		run scripts/vm --kernel "$kernel" --cpus "$cpus" -- "$@"
		[ "$status" -eq 125 ] || break
	done
	[ "$status" -ne 125 ] || skip "the emulated machine ended without a status, $try times"
	[ "$status" -ne 3 ] || [[ ${lines[-1]} != "vm: "* ]] || skip "cannot have that kernel: ${lines[-1]}"
}

@test "5.10 is too old, and lab says what is missing" {
	vm 5.10 2 lab run procs
	[ "$status" -eq 3 ]
	output_has "since Linux 5."
}

@test "5.15: the older switch tracepoint, two CPUs" {
	vm 5.15 2 lab run procs --seconds 0.5
	output_has "equal to the kernel's"
	output_has PARALLEL
}

@test "6.1 with one CPU: concurrent, the claim undecided" {
	vm 6.1 1 lab run procs --seconds 0.5
	[ "$status" -eq 4 ]
	output_has "equal to the kernel's"
	output_has "CONCURRENT, not parallel"
}

@test "6.12 with eight CPUs" {
	vm 6.12 8 lab run procs --tasks 8 --seconds 0.5
	output_has "equal to the kernel's"
	output_has PARALLEL
	output_has "CPU 7"
}

@test "the newest kernel: processes, and an event loop" {
	vm newest 2 sh -c 'lab run procs --seconds 0.5 && lab run async --tasks 30 --seconds 0.5'
	output_has "equal to the kernel's"
	output_has "up to 30 operations in flight"
}

# Runs every workload of $1, and prints a line for each: lab's exit status, whether the audit is
# clean, the words. Emulated CPUs take turns, so one may stand still with a task on it while
# another works, and tasks overlap that never would: if the status is not $0, again.
shapes='wanted=$0 IFS=,
for words in $1; do
	for try in 1 2 3; do
		(unset IFS; lab run -q -o /root/out --json=/root/json $words) >/root/said 2>&1
		status=$?
		grep -q "\"clean\": true" /root/json && audit=clean || audit=dirty
		rm -rf /root/out /root/json
		[ $status = $wanted ] && break
		cat /root/said
	done
	echo "$status $audit $words"
done
echo end'
# (gil: an emulated hand-over takes about a millisecond, in which both run; with more than 20 of these
# to a second of work that is parallel indeed.)
parallel='oversubscribed --seconds 0.3,unbalanced --seconds 0.3,amdahl --seconds 0.3,migrate --seconds 0.3,migrate --how natural --seconds 0.3,pool --rounds 80,pipeline --rounds 40,spawn --rounds 5 --seconds 0.1 --tasks 3,memory --seconds 0.2 --touch 2,memory --how procs --seconds 0.2 --touch 2,sums --rounds 200,gil --interval 40ms --seconds 1.2,gil --free --seconds 0.3,race --rounds 5000,race --how mutex --rounds 5000'
others='pinned --seconds 0.3,pingpong --seconds 0.3,pingpong --over futex --seconds 0.3,amdahl --serial 100 --seconds 0.3,spawn --rounds 5 --seconds 0.2,spawn --how vfork --rounds 5 --seconds 0.2 --tasks 2,spawn --how thread --rounds 5 --seconds 0.2,spawn --how spawn --rounds 1 --seconds 0.2,ipc --rounds 4000,ipc --over socketpair --rounds 4000,ipc --over shm --rounds 4000,ipc --over mqueue --rounds 4000,ipc --over thread --rounds 4000,sleepers,gather,gil --work io --seconds 0.3,event,queue,deadlock,deadlock --mend order,hog,hog --how blocking,hog --mend threads,hog --mend procs'

# shapes_end KERNEL CPUS STATUS WORKLOADS
shapes_end() {
	local words
	vm "$1" "$2" sh -c "$shapes" "$3" "$4"
	while read -rd , words; do
		output_has "$3 clean $words"$'\n'
	done <<<"$4,"
}

@test "6.12 with eight CPUs: what the shapes claim holds" {
	shapes_end 6.12 8 0 "$parallel"
	shapes_end 6.12 8 0 "$others"
}

@test "6.12 with one CPU: what the shapes claim holds, or is undecided" {
	shapes_end 6.12 1 4 "$parallel"
	shapes_end 6.12 1 0 "$others"
}

# How a kernel tells whom a quota holds back changed in 6.18 (by task) and 7.2 (where queues are).
held='mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null
cd /sys/fs/cgroup && echo +cpu >cgroup.subtree_control && mkdir q && echo "50000 100000" >q/cpu.max || exit 9
echo "for i in 1 2 3 4; do timeout 1 sh -c \"while :; do :; done\" & done; wait" >/root/busy
(echo 0 >q/cgroup.procs; exec lab run -q -o /root/held --json=/root/json -- sh /root/busy) >/root/said 2>&1
grep -E "largest_loss|unplaced\"" /root/json
lab run -q -o /root/pinned --json=/root/json pinned --seconds 0.5 >/root/said 2>&1
grep -E "largest_loss|unplaced\"" /root/json'

@test "5.15, 6.12 and the newest kernel: quotas, and affinity" {
	local kernel
	for kernel in 5.15 6.12 newest; do
		vm "$kernel" 2 sh -c "$held"
		[ "$status" -eq 0 ]
		output_has '"largest_loss": "unplaced.throttled"'
		output_has '"largest_loss": "unplaced.affinity"'
		[ "$(grep -c '"undivided_ns": 0}' <<<"$output")" -eq 2 ]
	done
}
