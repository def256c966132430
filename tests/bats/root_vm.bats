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
