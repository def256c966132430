#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Whether CPUs really run at once, what of it is remembered, and that runs use it. Each test has a /run of
# its own, in which nothing is remembered yet.

load helpers

setup() {
	requires tracing command=unshare command=taskset
	cd "$BATS_TEST_TMPDIR" || return 1
	unshare -m mount -t tmpfs none /run 2>/dev/null || skip "no folder can be mounted here"
	first=$(python -c 'import os; print(min(os.sched_getaffinity(0)))')
	two=$(python -c 'import os; print(*sorted(os.sched_getaffinity(0))[:2], sep=",")')
}

# Shell commands, one after the other until one fails, with a /run of their own. $lab: the binary.
own_run() {
	lab=$LAB_BIN two=$two run --separate-stderr unshare -m sh -ec "mount -t tmpfs -o mode=755 none /run
		$1"
}

# The same after the CPUs $two were shown to run at once. The unit tests say that CPUs which are free do.
measured_run() {
	requires cpus=2
	local _
	for _ in 1 2 3; do
		rm -rf out
		own_run "taskset -c $two $LAB_BIN doctor --physical >shown || exit 44
			$1"
		[[ $status -eq 44 ]] || return 0
	done
	grep "not shown" shown
	skip "these CPUs were not shown to run at once"
}

# A run of the CPUs $two, its report in run.json.
# shellcheck disable=SC2016
RUN='"$lab" run -q -o out --json=run.json --cpus "$two" -- true'

@test "two CPUs are shown to run at once" {
	measured_run 'cat /run/lab/physical; stat -c %u:%a /run/lab /run/lab/physical'
	[[ $status -eq 0 ]]
	grep -qE "^  ok +CPUs ${two/,/ and } +ran at once.*: 1,000 rounds, [0-9]{1,3} ns each$" shown
	grep -q "/run/lab/physical keeps the answer until the next boot" shown
	[[ ${lines[0]} == "lab-physical 1 $(cat /proc/sys/kernel/random/boot_id) "* ]]
	[[ ${lines[1]} == "${two/,/ } "* && ${lines[2]} == 0:755 && ${lines[3]} == 0:600 ]]
}

@test "one CPU: there is nothing to show, and nothing is remembered" {
	own_run "taskset -c $first $LAB_BIN doctor --physical >said || echo \$?
		[ ! -e /run/lab ]"
	[[ $status -eq 0 && $output == 4 ]]
	grep -q "nothing to show" said
}

@test "a run after it says so, and the trace keeps it" {
	measured_run "$RUN"
	[[ $status -eq 0 && $stderr != *physical* ]]
	json_holds run.json '1 <= r["host"]["physical"]["round_ns"] < 1000' \
		'0 < r["host"]["physical"]["age_ns"] < 10 ** 12'
	identities run.json
	run -0 lab report -f json out
	json_holds <(echo "$output") 'r["host"]["physical"]["round_ns"] > 0'
}

@test "a parallel run's scope says it in place of what a virtual machine may do" {
	local _
	for _ in 1 2 3; do
		measured_run 'nice -n -19 "$lab" run -v -o out --json=run.json --cpus "$two" procs --seconds 0.3 || true'
		[[ $(json verdict.class run.json) != parallel ]] || break
	done
	[[ $(json verdict.class run.json) == parallel ]] || skip "other programs keep these CPUs busy"
	output=$(tr -s ' \n' ' ' <<<"$output")
	output_has "CPUs ${two/,/ and } were measured to run at once "
	output_has "before this run (1,000 rounds of "
	output_lacks "Virtual CPUs"
	run -0 lab verify out
	[[ $output == "PROVEN  parallel"* ]]
}

@test "a run with a CPU more, or in another boot, has not got it" {
	measured_run "sed -i 's/^$first /1023 /' /run/lab/physical; : >/run/lab/x
		sed -i 's/^1023 .*/1022 1023 52/' /run/lab/physical
		$RUN; rm -r out
		mv run.json more.json
		echo \"lab-physical 1 of-another-boot 1\" >/run/lab/physical
		echo \"${two/,/ } 52\" >>/run/lab/physical
		$RUN"
	[[ $status -eq 0 && $stderr != *physical* ]]
	json_holds more.json '"physical" not in r["host"]'
	json_holds run.json '"physical" not in r["host"]'
}

# The file is as it should be, then $1 is done to it: it is not used, and a line says why.
not_used() {
	measured_run "$1
		$RUN"
	[[ $status -eq 0 ]]
	stderr_has "/run/lab/physical is not used: $2"
	json_holds run.json '"physical" not in r["host"]'
}

@test "what others than root can change is not used" {
	not_used 'chmod o+w /run/lab/physical' "others than root can change it"
	not_used 'chmod g+w /run/lab' "others than root can change it"
	not_used 'chown 65534 /run/lab/physical' "others than root can change it"
}

@test "no link is followed, and what is damaged is not used" {
	not_used 'mv /run/lab/physical /run/lab/true; ln -s true /run/lab/physical' "it is a symbolic link"
	not_used 'mv /run/lab /run/true; ln -s true /run/lab' "it is a symbolic link"
	not_used 'echo "0 0 0" >>/run/lab/physical' "it is damaged"
}

@test "root does not write through a link, or into a user's folder" {
	own_run "mkdir /run/true; ln -s true /run/lab
		taskset -c $two $LAB_BIN doctor --physical >said 2>&1 || echo \$?
		[ ! -e /run/true/physical ]
		rm /run/lab; mkdir -m 777 /run/lab
		taskset -c $two $LAB_BIN doctor --physical >>said 2>&1 || echo \$?
		[ ! -e /run/lab/physical ]"
	requires cpus=2
	[[ $status -eq 0 && $output == $'5\n5' ]]
	[[ $(grep -c "is not a folder that only root can change" said) -eq 2 ]]
}

@test "an ordinary user gets the answer, and how it would be remembered" {
	requires cpus=2 command=setpriv
	own_run "setpriv --reuid 65534 --regid 65534 --clear-groups $LAB_BIN doctor --physical || [ \$? -eq 4 ]
		[ ! -e /run/lab ]"
	[[ $status -eq 0 && -z $stderr ]]
	output_has "sudo lab doctor --physical"
	output_lacks "until the next boot"
}
