#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# How a run ends, and what of it is whose: time limits, signals, full disks, processes left behind, users.

load helpers

# until_recorded PID FOLDER: the run of that lab has written something there.
until_recorded() {
	until [[ -s $2/trace.lab ]]; do
		kill -0 "$1"
		sleep 0.05
	done
}

setup() {
	requires tracing
	cd "$BATS_TEST_TMPDIR" || return 1
}

@test "--for ends a server, and what was recorded is exact" {
	trace --for 300ms -- sh -c 'sleep 61 & sleep 62; :'
	[ "$status" -eq 0 ]
	[ -z "$(processes_here 'sleep 6[12]')" ]
	json_holds run.json 'r["window"]["ended_by"] == "for"'
	exact
}

@test "--for ends every process of the tree" {
	run lab run -q -o out --for 100ms -- \
		sh -c '(trap "" TERM; while :; do sleep 0.063; done) & sleep 64 & sleep 65'
	[ "$status" -eq 0 ]
	[ -z "$(processes_here 'sleep (64|65|0.063)')" ]
}

@test "--for ends a program that changed its user" {
	requires command=setpriv
	run timeout 20 "$LAB_BIN" run -q -o out --for 300ms -- \
		setpriv --reuid=nobody --clear-groups sleep 66
	status_is 0
	[ -z "$(processes_here 'sleep 66')" ]
	run timeout 20 "$LAB_BIN" run -q -o out2 --for 300ms --user nobody -- \
		sh -c '(trap "" TERM; while :; do sleep 0.067; done) & sleep 67'
	status_is 0
	[ -z "$(processes_here 'sleep (67|0.067)')" ]
}

@test "--user: the workload is that user's, the files are not" {
	chmod 755 .
	trace --user nobody -- sh -c 'id -un; id -Gn; echo $HOME $USER $LOGNAME; echo x >>out/trace.lab; true'
	status_is 0
	output_has "nobody"
	output_has "$(getent passwd nobody | cut -d: -f6) nobody nobody"
	output_has "ermission denied"
	exact
	[ "$(stat -c %U out/trace.lab)" != nobody ]
	trace --user nobody threads --seconds 0.2 --work io
	json_holds run.json 'r["workload"]["exit_status"] == 0'
	run -2 --separate-stderr lab run --user no-such-user-here -- true
	says_one_sentence
	run -2 --separate-stderr lab run --user nobody --pid $$
	says_one_sentence
}

@test "a server that crashes when --for ends it has not ended well" {
	run lab run -q -o out --for 200ms -- bash -c 'trap "kill -SEGV \$\$" TERM; while :; do sleep 0.02; done'
	[ "$status" -eq 139 ]
	run lab run -q -o out2 --for 200ms -- bash -c 'trap "exit 5" TERM; while :; do sleep 0.02; done'
	[ "$status" -eq 5 ]
}

@test "what the command leaves behind ends the run after the grace time, and is named" {
	trace --grace 200ms -- sh -c 'setsid sleep 5 & exit 3'
	[ "$status" -eq 3 ]
	output_has sleep
	json_holds run.json 'r["window"]["ended_by"] == "daemon"'
	exact
	processes_here 'sleep 5' | xargs -r kill || true
}

@test "Ctrl-C ends the workload, and the report still comes" {
	"$LAB_BIN" run -o out procs --seconds 30 >report 2>err 3>&- &
	local pid=$!
	until_recorded $pid out
	sleep 0.5
	kill -INT $pid
	wait $pid || true
	grep -q 'PARALLEL\|CONCURRENT\|INCONCLUSIVE' report
	lab report out/trace.lab -f json -o run.json
	json_holds run.json 'r["window"]["ended_by"] == "interrupt"'
	json_holds run.json 'r["audit"]["clean"]'
}

@test "a second Ctrl-C leaves at once; the same one that comes twice does not" {
	local gap pid
	for gap in 0.005 0.5; do
		"$LAB_BIN" run -o "after-$gap" -- sh -c 'trap "" INT TERM; : >started; while :; do sleep 0.1; done' \
			>report 2>&1 3>&- &
		pid=$!
		until [[ -e started ]]; do
			sleep 0.05
		done
		rm started
		kill -INT $pid
		sleep "$gap"
		kill -INT $pid
		# On a busy machine both may have come before lab looked.
		while [[ $gap == 0.5 ]] && sleep 0.3 && kill -INT $pid 2>/dev/null; do
			:
		done
		wait $pid || true
		output=$(<report)
		if [[ $gap == 0.5 ]]; then
			output_has "left at once"
		else
			output_has "interrupted"
			output_lacks "left at once"
			[[ -s after-$gap/report.html ]]
		fi
	done
}

@test "a killed recorder leaves what was flushed, and no workload" {
	"$LAB_BIN" run -o out procs --seconds 30 >report 2>err 3>&- &
	local pid=$!
	until_recorded $pid out
	sleep 2
	kill -KILL $pid
	wait $pid || true
	run lab report out/trace.lab -f json -o run.json
	[ "$status" -eq 0 ]
	json_holds run.json 'not r["loss"]["complete"] and len(r["tasks"]) >= 5'
	json_holds run.json 'r["verdict"]["class"] in ("parallel", "inconclusive")'
	sleep 0.2
	[ -z "$(processes_here '.*run -o out procs.*')" ]
}

@test "runs of one second get a folder each" {
	lab run --quiet -- true
	lab run --quiet -- true
	lab run --quiet -- true
	[ "$(find runs -name trace.lab | wc -l)" -eq 3 ]
	run lab run -o runs/"$(ls runs | head -n 1)" -- true
	[ "$status" -eq 5 ]
	output_has "holds a trace already"
}

@test "under sudo the workload and the files are the user's" {
	mkdir mine
	chmod 777 mine
	cd mine
	SUDO_UID=65534 SUDO_GID=65534 SUDO_USER=nobody run lab run -- sh -c 'id -u; echo "$HOME"; grep CapEff /proc/self/status' 
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 65534 ]
	output_has "CapEff:	0000000000000000"
	[ "$(stat -c %u runs runs/* runs/*/trace.lab runs/*/report.html | sort -u)" = 65534 ]
	grep -q "Content-Security-Policy" runs/*/report.html
	output_has "/report.html"
	SUDO_UID=65534 SUDO_GID=65534 SUDO_USER=nobody run --separate-stderr lab run --root -- id -u
	[ "${lines[0]}" = 0 ]
}

@test "a folder that cannot be written to, and a full disk" {
	run lab run -o /proc/nowhere -- true
	[ "$status" -eq 5 ]
	mkdir small
	mount -t tmpfs -o size=64k tmpfs small || skip "no tmpfs may be mounted here"
	run lab run -o small/out -- sh -c 'i=0; while [ $i -lt 1500 ]; do /bin/true; i=$((i + 1)); done; exit 9'
	local st=$status out=$output
	run lab report small/out/trace.lab -f json -o run.json
	local report_status=$status
	umount small
	printf '%s\n' "$out" >&2
	[ "$st" -eq 9 ]
	[[ $out == *"No space left"* ]]
	[ "$report_status" -eq 0 ]
	json_holds run.json 'not r["loss"]["complete"] and len(r["tasks"]) > 5'
}
