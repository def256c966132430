#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Beside neighbours that take CPUs (tests/fixtures/burner.c): what they could have changed is undecided and
# nothing else is, and --until-quiet runs it again.

load helpers

setup_file() {
	"${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror -D_GNU_SOURCE \
		-o "$BATS_FILE_TMPDIR/burner" "$BATS_TEST_DIRNAME/../fixtures/burner.c"
}

setup() {
	requires tracing
	cd "$BATS_TEST_TMPDIR" || return 1
	burners=()
}

teardown() {
	quiet
}

# busy PERCENT SECONDS CPU...: a neighbour on each of these CPUs, for so long at most.
busy() {
	local cpu
	for cpu in "${@:3}"; do
		"$BATS_FILE_TMPDIR/burner" "$cpu" "$1" "$2" 3>&- &
		burners+=($!)
	done
}

# The neighbours end.
quiet() {
	[[ ${#burners[@]} -eq 0 ]] || kill "${burners[@]}" 2>/dev/null || true
	wait "${burners[@]}" 2>/dev/null || true
	burners=()
}

all_cpus() {
	python -c 'import os; print(*sorted(os.sched_getaffinity(0)))'
}

attempts_are() {
	json_holds run.json "r['workload']['attempts'] == {'made': $1, 'allowed': $2}"
}

# ---- --until-quiet ----

@test "until-quiet: a machine that stays busy is tried as often as allowed, and that is said" {
	requires cpus=2
	local cpus
	read -ra cpus < <(all_cpus)
	busy 100 20 "${cpus[@]}"
	trace_once --until-quiet 3 procs --seconds 0.2
	quiet
	status_is 4
	attempts_are 3 3
	exact
	[[ $(grep -c '; running it again' <<<"$output") -eq 2 ]]
	if json_holds run.json 'r["verdict"]["class"] == "inconclusive"' 2>/dev/null; then
		output_has "after 3 runs the host still left the verdict open"
		skip "the host made a run inconclusive"
	fi
	output_has " of at most 3: other programs had CPUs"
	output_has "after 3 runs the machine was still busy"
	output_has burner
	[[ $(ls out) == $'report.html\ntrace.lab' && $(grep -c '  tries ' <<<"$output") -eq 1 ]]
	run -0 lab verify out
	run lab report -q out
	output_has "after 3 runs the machine was still busy"
}

@test "until-quiet: what nobody could have changed takes one run" {
	trace --until-quiet 3 --expect sequential -- sh -c 'echo begun; sleep 0.1'
	status_is 0
	attempts_are 1 3
	exact
	[[ $(grep -cx begun <<<"$output") -eq 1 ]]
	output_has "it took 1 run (at most 3) until other programs could not have changed the verdict"
}

@test "until-quiet: runs end when the neighbours do, and the last one is kept" {
	requires cpus=2
	local cpus try
	read -ra cpus < <(all_cpus)
	busy 100 3 "${cpus[@]}"
	trace_once -q --until-quiet 30 threads --seconds 0.2
	quiet
	[[ $status -ne 4 ]] || skip "other programs keep these CPUs busy"
	status_is 0
	exact
	json_holds run.json 'r["verdict"]["claim_holds"] is True' \
		'1 < r["workload"]["attempts"]["made"] < 30' 'r["workload"]["attempts"]["allowed"] == 30'
}

@test "until-quiet: each run reads its standard input from the same place" {
	requires cpus=2
	local cpus made
	read -ra cpus < <(all_cpus)
	printf 'first\nsecond\nthird\n' >lines
	busy 100 10 "${cpus[@]}"
	{
		read -r _
		run lab run -q -o out --json=run.json --until-quiet 2 -- sh -c '
			read -r line
			echo "read $line"
			timeout 0.1 sh -c "while :; do :; done" &
			timeout 0.1 sh -c "while :; do :; done"
			wait'
	} <lines
	quiet
	status_is 0
	made=$(python -c 'import json; print(json.load(open("run.json"))["workload"]["attempts"]["made"])')
	[[ $(grep -cx 'read second' <<<"$output") -eq $made ]]
	[ "$made" -eq 2 ] || skip "the neighbours let it run"
}

@test "until-quiet: the status is that of the last run's command" {
	trace --until-quiet 2 -- sh -c 'exit 7'
	status_is 7
	attempts_are 1 2
	run -127 lab run --until-quiet 2 -- ./there-is-none
	[[ $(grep -c there-is-none <<<"$output") -eq 1 ]]
}

@test "until-quiet: Ctrl-C ends the runs, and the report still comes" {
	"$LAB_BIN" run -o out --until-quiet 50 -- sleep 20 >report 2>&1 3>&- &
	local pid=$!
	for _ in {1..100}; do
		[[ -s out/trace.lab ]] && break
		sleep 0.05
	done
	sleep 0.3
	kill -INT "$pid"
	wait "$pid" && status=0 || status=$?
	output=$(<report)
	[[ $status -eq 130 || $status -eq 143 ]]
	output_has "interrupted"
	[[ $(ls out) == $'report.html\ntrace.lab' ]]
	output_has "sleep 20: "
}

# ---- known answers beside a neighbour ----

# Four programs: the first is parallel, the others never are, whoever has the CPUs.
programs=(parallel sequential GIL-bound convoy)
declare -gA workload=(
	[parallel]="threads --tasks 2 --seconds 0.3"
	[sequential]="spawn --rounds 3 --seconds 0.3"
	[GIL-bound]="gil --tasks 2 --seconds 0.3"
	[convoy]="convoy --tasks 2 --seconds 0.3"
)

# mark STATUS: of an expectation, an assertion: held, failed, undecided
mark() {
	case $1 in
	0) echo + ;;
	1) echo - ;;
	4) echo '?' ;;
	*) echo "!$1" ;;
	esac
}

# Before whatever else this machine does, where the scheduler groups tasks by session: the neighbours are to be
# the only ones.
first() {
	setsid -w sh -c 'echo -20 2>/dev/null >/proc/self/autogroup; exec "$@"' sh "$@"
}

# The four programs beside a neighbour that has $1 percent of each of the CPUs $2... Of one that is never
# parallel so little may be left that chance decides what could have been, and the host may have had the CPUs:
# not three times, then.
beside() {
	local load=$1 name status class degree try
	[[ $load -eq 0 ]] || busy "$load" 120 "${@:2}"
	for name in "${programs[@]}"; do
		for try in 1 2 3; do
			rm -rf "$name"
			# shellcheck disable=SC2086
			first "$LAB_BIN" run -q -o "$name" --expect parallel ${workload[$name]} >"$name.out" 2>&1 3>&- &&
				status=0 || status=$?
			class=$(mark "$status")
			run lab check "$name" 'parallelism.average_busy>=1.7'
			degree=$(mark "$status")
			[[ $output == *hypervisor* || ($name != parallel && $class == '?') ]] || break
		done
		echo "$class $degree" >"$name.marks"
	done
	quiet
	for name in "${programs[@]}"; do
		read -r class degree <"$name.marks"
		lab report "$name" -f json -o "$name.json"
		row "$name" "$load" $(($# - 1)) "$class" "$degree"
	done
}

# A row of the table, and what of it must not be. What the neighbour could not have changed is decided, as is
# all without a neighbour, unless other programs had more than it was to have.
row() {
	local name=$1 class=$4 degree=$5 all="$4$5" others more report=$1.json
	others=$(python -c 'import json, sys
c = json.load(open(sys.argv[1]))["capacity"]
print(100 * (c["interference_ns"] + c["other_ns"]) // c["total_ns"])' "$report")
	more=$((others - $2 * $3 / 2))
	printf '# %-10s  %2d %% of %d CPU%s  %2d %%         %s         %s %s of %s\n' "$name" "$2" "$3" \
		"$([[ $3 -eq 1 ]] && echo ' ' || echo s)" "$others" "$class" "$degree" \
		"$(json parallelism.average_busy "$report")" \
		"$(json without_others.parallelism.average_busy "$report")" >&3
	if [[ $name != parallel ]]; then
		[[ $all == -- || ($all == '?-' && $more -gt 25) ]] ||
			echo "$*: neither may hold or be undecided" >>wrong
		return
	fi
	[[ $all != *[-!]* ]] || echo "$*: neither may fail" >>wrong
	[[ $class == + || $(json verdict.class "$report") != parallel ]] ||
		echo "$*: parallel was seen" >>wrong
	[[ $degree == + ]] || json_holds "$report" 'r["parallelism"]["average_busy"] < 1.7' ||
		echo "$*: 1.7 was seen" >>wrong
	[[ $all == ++ || $2 -gt 0 || $more -gt 2 ]] || echo "$*: nobody was in the way" >>wrong
}

@test "beside a neighbour: the right program never fails, the wrong ones never pass" {
	requires cpus=2 command=python3
	local cpus load
	read -ra cpus < <(all_cpus)
	cpus=("${cpus[@]:0:2}")
	: >wrong
	printf '# program     neighbour     others had  parallel  1.7 CPUs or more: seen, could have been\n' >&3
	beside 0 "${cpus[1]}"
	for load in 30 60 90; do
		beside "$load" "${cpus[1]}"
		beside "$load" "${cpus[@]}"
	done
	[[ ! -s wrong ]] || {
		cat wrong parallel.out >&2
		return 1
	}
}
