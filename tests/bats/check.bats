# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# lab check: what it prints (TAP) and how it ends.

load helpers

SAMPLE=$REPOSITORY/docs/samples/procs.lab

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	export TERM=xterm LC_ALL=C.UTF-8
}

@test "check: all hold" {
	run -0 --separate-stderr lab check "$SAMPLE" 'verdict.class==parallel' \
		'parallelism.average / host.cpus_online >= 0.8' 'len(tasks) == 5' audit.clean
	[ -z "$stderr" ]
	[ "$output" = "1..4
ok 1 - verdict.class==parallel
ok 2 - parallelism.average / host.cpus_online >= 0.8
ok 3 - len(tasks) == 5
ok 4 - audit.clean" ]
}

@test "check: one fails, and what was observed" {
	run -1 --separate-stderr lab check "$SAMPLE" audit.clean 'parallelism.max==1' \
		"workload.name=='a # \\b'" verdict.claim_holds
	[ "$output" = "1..4
ok 1 - audit.clean
not ok 2 - parallelism.max==1
#   parallelism.max is 2
not ok 3 - workload.name=='a \\# \\\\b'
#   workload.name is 'procs'
ok 4 - verdict.claim_holds" ]
	[ -z "$stderr" ]
}

@test "check: undecided is not failed, and a failure counts for more" {
	run -4 --separate-stderr lab check "$SAMPLE" audit.clean 'host.quota_cpus==1' \
		'parallelism.max>=16'
	output_has "ok 1 - audit.clean"
	output_has "ok 2 - host.quota_cpus==1 # SKIP undecided: 'host.quota_cpus' is null"
	output_has "ok 3 - parallelism.max>=16 # SKIP undecided: no run on 2 usable CPUs"
	output_lacks "not ok"
	run -1 lab check "$SAMPLE" 'host.quota_cpus==1' 'parallelism.max==1'
}

@test "check: every identity of a task, exactly" {
	local task sum
	for task in 0 1 2 3 4; do
		sum=tasks.$task.run_ns+tasks.$task.ready_ns
		for reason in lock cond join child epoll poll sleep pipe socket uring disk pagefault \
			kernel stopped signal other; do
			sum+=+tasks.$task.blocked_ns.$reason
		done
		run -0 lab check "$SAMPLE" "$sum==tasks.$task.end_ns-tasks.$task.start_ns"
		run -1 lab check "$SAMPLE" "$sum+1==tasks.$task.end_ns-tasks.$task.start_ns"
	done
}

@test "check: what cannot be read: status 2, each named, nothing on stdout" {
	run -2 --separate-stderr lab check "$SAMPLE" audit.clean 'a=b' 'parallelism.max>' '1<2'
	[ -z "$output" ]
	[ "$(wc -l <<<"$stderr")" -eq 3 ]
	[[ $stderr == *"'a=b'"*"'=='"*"'parallelism.max>'"*"'1<2'"* ]]
	run -2 --separate-stderr lab check "$SAMPLE" audit.clean 'verdict.clas==parallel' \
		'parallelism.averge>1' 'verdict.class==paralel'
	[ -z "$output" ]
	[[ $stderr == *"did you mean 'verdict.class'?"*"did you mean 'parallelism.average'?"*"did you mean 'parallel'?"* ]]
	run -2 --separate-stderr lab check "$SAMPLE" 'verdict.class==1'
	[[ $stderr == *"a text"*"a number"* ]]
}

@test "check: words too few" {
	run -2 --separate-stderr lab check
	[ -z "$output" ]
	[[ $stderr == "lab: "*"name a trace"* ]]
	run -2 --separate-stderr lab check "$SAMPLE"
	[[ $stderr == "lab: "*"name a trace"* ]]
}

@test "check: hostile assertions" {
	local long
	long=$(printf '%*s' 5000 '' | tr ' ' '(')
	run -2 --separate-stderr lab check "$SAMPLE" "$long"
	[ -z "$output" ]
	[[ $stderr == *"too long"* ]]
	run -2 --separate-stderr lab check "$SAMPLE" $'\e[31mred\nlab: x'
	[[ $stderr != *$'\e'* ]]
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
	run -1 --separate-stderr lab check "$SAMPLE" $'workload.name=="\e[31m\nok 2 - x"'
	[[ $output != *$'\e'* ]]
	[ "$(wc -l <<<"$output")" -eq 3 ]
}

@test "check: a trace that is not there, empty, cut or damaged" {
	run -5 --separate-stderr lab check nothing.lab audit.clean
	[ -z "$output" ]
	[[ $stderr == "lab: "*nothing.lab* ]]
	: >empty.lab
	run -5 --separate-stderr lab check empty.lab audit.clean
	[ -z "$output" ]
	spoil damaged.lab 'd[d.rindex(b"LCHKINDX") + 60] ^= 0x55'
	run -5 --separate-stderr lab check damaged.lab host.smt==false
	[ -z "$output" ]
	[[ $stderr == *"nothing can be asserted"* ]]
}

@test "check: a recording that was killed" {
	spoil killed.lab 'del d[d.index(b"LCHKENDM"):]; d[12:24] = struct.pack("<IQ", 1, 0); d[28:32] = struct.pack("<I", zlib.crc32(d[:28]))'
	lab report killed.lab -f json -o killed.json 2>/dev/null
	run --separate-stderr lab check killed.lab 'parallelism.max==1' 'tasks.0.run_ns<0'
	[ "$status" -eq 4 ]
	[[ $output != *"not ok"* ]]
	run -0 lab check killed.lab 'host.cpus_online==2'
}

@test "check: it agrees with the report" {
	lab report "$SAMPLE" -f json -o report.json
	for key in parallelism.max parallelism.run_ns window.duration_ns tasks.2.run_ns \
		overhead.events parallelism.average; do
		run -0 lab check "$SAMPLE" "$key==$(json "$key" report.json)"
		run -1 lab check "$SAMPLE" "$key+1==$(json "$key" report.json)"
	done
}

# Judged a second time, with Python's fractions.
@test "check: thousands of random assertions, exactly" {
	requires command=python3
	local trace
	for trace in "$SAMPLE" "$REPOSITORY/tests/fixtures/async.lab"; do
		lab report "$trace" -f json -o report.json
		python -B "$REPOSITORY/tests/reports/expressions.py" "$LAB_BIN" "$trace" report.json 1500
	done
}

@test "check: what is concurrent for certain, and perhaps parallel, decides just that" {
	local trace=$REPOSITORY/tests/fixtures/hidden.lab
	run -0 lab check "$trace" verdict.at_least==concurrent
	run -4 lab check "$trace" verdict.class==concurrent
	run -4 lab check "$trace" verdict.class==parallel
	run -0 lab report -q "$trace"
	output_has "INCONCLUSIVE  concurrent, and perhaps parallel"
	output_has "claim   \"who waits lets go of the lock: waits overlap\": holds"
}

@test "check: of an inconclusive trace nothing that was recorded is decided" {
	requires command=python3
	spoil killed.lab 'del d[d.index(b"LCHKENDM"):]; d[12:24] = struct.pack("<IQ", 1, 0); d[28:32] = struct.pack("<I", zlib.crc32(d[:28]))' \
		"$REPOSITORY/tests/fixtures/async.lab"
	lab report killed.lab -f json -o killed.json
	[ "$(json verdict.class killed.json)" = inconclusive ]
	python -B "$REPOSITORY/tests/reports/expressions.py" "$LAB_BIN" killed.lab killed.json 500
}

@test "check: it knows the keys that a report need not have" {
	requires jsonschema
	schema missing >keys
	[ "$(wc -l <keys)" -gt 50 ]
	mapfile -t keys < <(sed 's/\[\]/.0/g; s/$/==null/' keys)
	for trace in "$REPOSITORY"/tests/fixtures/*.lab; do
		run lab check "$trace" "${keys[@]}"
		[ "$status" -ne 2 ]
		[ "${lines[0]}" = "1..${#keys[@]}" ]
	done
	run -4 lab check "$SAMPLE" 'serializer.index>=0.95' 'overhead.bpf_ns<1s'
	output_has "ok 1 - serializer.index>=0.95 # SKIP undecided: 'serializer.index' is not in this report"
	run -2 lab check "$SAMPLE" 'serializer.indx>=0.95'
}

@test "check: whoever ended by a status ended by no signal" {
	run -1 lab check "$SAMPLE" workload.signal==9
	run -0 lab check "$SAMPLE" 'workload.signal!=9' workload.signal==null workload.exit_status==0
}

@test "check: prove takes its TAP" {
	requires command=prove
	prove_of() {
		printf '#!/bin/sh\nexec %q check %q "$@"\n' "$LAB_BIN" "$SAMPLE" >tap
		chmod +x tap
		run prove -v --exec '' ./tap :: "$@"
	}
	prove_of verdict.class==parallel audit.clean "workload.name!='# SKIP \\'"
	[ "$status" -eq 0 ]
	output_has "Result: PASS"
	prove_of verdict.class==parallel parallelism.max==1 "workload.name=='# SKIP'"
	[ "$status" -ne 0 ]
	output_has "Failed tests:  2-3"
	run prove -v --ignore-exit --exec '' ./tap :: audit.clean host.quota_cpus==1
	[ "$status" -eq 0 ]
	output_has "# SKIP undecided: 'host.quota_cpus' is null"
	output_has "Result: PASS"
}

@test "check: all that was blocked, as one share" {
	run -0 lab check "$SAMPLE" 'capacity.blocked < 5%' \
		'capacity.blocked * capacity.total_ns == capacity.blocked_ns.child + capacity.blocked_ns.sleep'
}
