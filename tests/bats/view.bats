#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# lab view: the full-screen timeline, in a terminal that tmux plays. Nothing here traces.

load helpers

SAMPLE=$REPOSITORY/docs/samples/procs.lab

setup() {
	requires command=tmux
	cd "$BATS_TEST_TMPDIR"
	SOCKET=$PWD/socket
	export LC_ALL=C.UTF-8
	unset TMUX
}

teardown() {
	for socket in "$BATS_TEST_TMPDIR"/socket*; do
		[[ ! -e $socket ]] || tmux -S "$socket" kill-server 2>/dev/null || :
	done
}

# open_view COLS ROWS [OPTIONS...]: a shell in a terminal, and lab view of $trace in it.
open_view() {
	cols=$1 rows=$2
	shift 2
	printf 'set -g %s\n' 'default-terminal screen-256color' 'status off' >tmux.conf
	tmux -f tmux.conf -S "$SOCKET" new-session -d -x "$cols" -y "$rows" 'exec sh'
	sees '^[#$]'
	tmux -S "$SOCKET" send-keys "stty -a >before; $LAB_BIN view $* ${trace:-$SAMPLE}" Enter
}

keys() {
	tmux -S "$SOCKET" send-keys "$@"
}

screen() {
	tmux -S "$SOCKET" capture-pane -p
}

# The process of lab view in the terminal.
view_pid() {
	pgrep -P "$(tmux -S "$SOCKET" display-message -p '#{pane_pid}')" -f "^$LAB_BIN view "
}

# sees PATTERN: it comes on the screen, in ten seconds at most.
sees() {
	local try
	for ((try = 0; try < 100; try++)); do
		screen | grep -qE -- "$1" && return
		sleep 0.1
	done
	echo "never on the screen: $1"
	screen
	return 1
}

# The terminal is as it was, and the shell goes on.
given_back() {
	sees '^[#$] *$'
	run ! grep -q '^on CPU' <(screen)
	[[ $(tmux -S "$SOCKET" display-message -p '#{mouse_any_flag} #{alternate_on}') == "0 0" ]]
	keys 'echo status $?; stty -a >after; echo still here' Enter
	sees '^still here$'
	sees "^status $1\$"
	diff before after
}

@test "view: the verdict, strips and lanes; q gives the terminal back" {
	open_view 80 24
	sees '^PARALLEL  for [0-9.]+ % of the busy time; 1\.[0-9]+ of 2 CPUs'
	sees '^on CPU, 0-2 .*█'
	sees '^  CPU 1 .* [0-9]+%$'
	sees '^E worker/4 185 .*1.* [0-9]+%$'
	sees '^lab \(tid 160\) at \+0 ns: ready'
	keys q
	given_back 0
}

@test "view: where records are missing nothing is known" {
	trace=$REPOSITORY/tests/fixtures/lossy/pipe.lab open_view 100 30
	sees '^PARALLEL  for at least 9\.9 % of the busy time'
	sees '^on CPU, 0-2 .*\?{20,}'
	sees '^  CPU 1 .*\?{20,}'
	keys q
	given_back 0
}

@test "view: zoom keeps the cursor; pan; the whole run again" {
	open_view 100 30
	sees 'ms ╵0 .*╵200'
	keys Down Right Right Right Right
	sees '^worker/1 \(tid 182\) at \+'
	before=$(screen | grep -o '^worker/1 (tid 182) at [^:]*')
	keys w w w w
	sees 'ms .*╵60 '
	[[ $(screen | grep -o '^worker/1 (tid 182) at [^:]*') == "$before" ]]
	keys d d
	sees 'ms .*╵100 '
	keys 0
	sees 'ms ╵0 .*╵200'
	keys q
	given_back 0
}

@test "view: the evidence is that of the report" {
	open_view 100 30
	sees PARALLEL
	keys e
	sees '^worker/2 \(tid 183\) at \+131\.251 ms: running on CPU 0, for .* from \+1[0-9.]+ ms'
	[[ $(screen) == *"╵135"* ]]
	keys q
	given_back 0
}

@test "view: changes of a lane, and a selection's numbers are those of lab report" {
	open_view 200 50
	sees PARALLEL
	keys e Space f Space
	sees '^selected .* two or more'
	line=$(screen | grep '^selected')
	[[ $line =~ "this task: running 100 %, ready 0.0 %, blocked 0.0 %" ]]
	keys z
	sees '^C worker/2 183 +0{150,} 100%$'
	keys 0 Home [ End ]
	sees '^selected 1\.0[0-9]+ s from \+0 ns'
	lab report "$SAMPLE" -f json -o report.json
	share=$(python -c 'print(f"{100 * int(input()) / int(input()):.1f} %")' \
		< <(json tasks.2.run_ns report.json; json window.duration_ns report.json))
	[[ $(screen | grep '^selected') == *"this task: running $share, "* ]]
	keys Escape
	sleep 0.2
	run ! grep -q '^selected' <(screen)
	keys q
	given_back 0
}

@test "view: search by name, tid and CPU" {
	open_view 80 24
	sees PARALLEL
	keys / worker/3 Enter
	sees '^worker/3 \(tid 184\) at'
	keys n
	sees 'worker/3 \(tid 184\) at'
	keys / 185 Enter
	sees '^worker/4 \(tid 185\) at'
	keys / 'CPU 1' Enter
	sees '^CPU 1 at \+0 ns: '
	keys / nobody Enter
	sees 'no task.s name has this in it'
	keys / Escape
	sees '^CPU 1 at'
	keys X
	sees 'no such key'
	keys q
	given_back 0
}

@test "view: another size of the terminal, and one that is too small" {
	open_view 80 24
	sees PARALLEL
	tmux -S "$SOCKET" resize-window -x 200 -y 50
	sees '^E worker/4 185.{150,}%$'
	tmux -S "$SOCKET" resize-window -x 60 -y 15
	sees '^D worker~ 184 '
	[[ $(longest_line "$(screen)") -le 60 ]]
	tmux -S "$SOCKET" resize-window -x 39 -y 15
	sees 'lab view needs 40 columns'
	tmux -S "$SOCKET" resize-window -x 80 -y 24
	sees PARALLEL
	keys '?'
	sees 'zoom to the selection'
	sees '▒ waits for a CPU'
	sees '^Any key goes back'
	keys x
	sees PARALLEL
	tmux -S "$SOCKET" resize-window -x 40 -y 10
	sees '^PARALLEL .{31}$'
	keys '?'
	for ((page = 1; page <= 5; page++)); do
		sees '^Any key'
		screen | grep -q '^Any key goes back' && break
		keys x
		sleep 0.2
	done
	sees '▒ waits for a CPU'
	keys x
	sees PARALLEL
	tmux -S "$SOCKET" resize-window -x 80 -y 24
	sees '^E worker/4 185'
	keys q
	given_back 0
}

@test "view: a signal, a crash and a terminal that goes away" {
	open_view 80 24
	for signal in TERM INT HUP QUIT USR1 PIPE SEGV ABRT; do
		sees PARALLEL
		kill -"$signal" "$(view_pid)"
		number=$(kill -l $signal)
		given_back $((128 + number))
		keys "clear; $LAB_BIN view $SAMPLE" Enter
	done
	sees PARALLEL
	pid=$(view_pid)
	tmux -S "$SOCKET" kill-server
	for ((try = 0; try < 50; try++)); do
		kill -0 "$pid" 2>/dev/null || return 0
		sleep 0.1
	done
	echo "it goes on without a terminal"
	return 1
}

@test "view: Ctrl-Z gives the terminal back for as long, Ctrl-\\ for good" {
	open_view 80 24
	sees PARALLEL
	keys C-z
	given_back '[0-9]+'
	keys fg Enter
	sees '^on CPU, 0-2'
	keys C-'\'
	given_back 131
}

# mouse BUTTON ROW COL: as a terminal says it (all count from 1): 0 is the left one, 64 the wheel up, 65 down.
mouse() {
	keys -H 1b 5b 4d "$(printf '%x' $((32 + $1)))" "$(printf '%x' $((32 + $3)))" "$(printf '%x' $((32 + $2)))"
}

@test "view: a mouse chooses lane and instant, its wheel zooms there" {
	open_view 80 24
	sees 'ms ╵0 .*╵200'
	mouse 0 9 40
	sees '^worker/2 \(tid 183\) at \+351\.[0-9]+ ms'
	mouse 64 8 40
	sees 'ms +╵200 .*╵300'
	sees '^worker/2 \(tid 183\) at \+351\.[0-9]+ ms'
	mouse 65 8 40
	sees 'ms ╵0 .*╵200'
	keys q
	given_back 0
}

@test "view: what is typed is corrected by whole characters" {
	open_view 80 24
	sees PARALLEL
	keys / 'worker/é'
	sees 'CPU n: worker/é_'
	keys BSpace 4 Enter
	sees '^worker/4 \(tid 185\) at'
	keys q
	given_back 0
}

@test "view: a damaged trace is shown as far as it goes, and the status says so" {
	size=$(python -c 'import sys; print(open(sys.argv[1], "rb").read().index(b"LCHKCERT"))' "$SAMPLE")
	spoil changed.lab "d[$((size * 9 / 10))] ^= 0x55"
	run -5 lab report -q changed.lab
	trace=changed.lab open_view 80 24
	sees '^PARALLEL '
	sees '^records are missing from this trace'
	keys q
	given_back 5
}

@test "view: colours; none, ASCII, and a locale without UTF-8" {
	open_view 80 24
	sees PARALLEL
	grep -q '48;5;36' <(tmux -S "$SOCKET" capture-pane -p -e)
	keys q
	given_back 0
	SOCKET=$PWD/socket-2
	open_view 80 24 --ascii --color never
	sees '^on CPU, 0-2 +[0-8]+'
	is_ascii "$(screen)"
	run ! grep -q '38;5' <(tmux -S "$SOCKET" capture-pane -p -e)
	keys q
	given_back 0
	keys "clear; LC_ALL=C $LAB_BIN view $SAMPLE" Enter
	sees '^on CPU, 0-2 +[0-8]+'
	is_ascii "$(screen)"
	keys q
}

@test "view: a terminal of eight colours, one without, one that cannot place text" {
	open_view 80 24
	sees PARALLEL
	keys q
	given_back 0
	keys "clear; TERM=linux $LAB_BIN view $SAMPLE" Enter
	sees PARALLEL
	grep -q '\[42m' <(tmux -S "$SOCKET" capture-pane -p -e)
	keys q
	given_back 0
	keys "clear; TERM=vt100 $LAB_BIN view $SAMPLE" Enter
	sees PARALLEL
	run ! grep -qE '\[(3|4)[1-8]' <(tmux -S "$SOCKET" capture-pane -p -e)
	keys q
	given_back 0
	keys "clear; TERM=dumb $LAB_BIN view $SAMPLE" Enter
	sees 'TERM=dumb, cannot place text'
	given_back 5
}

@test "view: hostile names are text" {
	python -B "$REPOSITORY/tests/browser/rename.py" "$SAMPLE" hostile.lab worker/ $'\033[2J\xc2\x9b1'
	trace=$PWD/hostile.lab open_view 80 24
	sees '^B \?\[2J'
	keys Down /
	sees 'find a task'
	keys Escape
	sees '^\?\[2J'
	keys q
	given_back 0
}

@test "view: without a terminal, without a trace, with a wrong one" {
	run -2 --separate-stderr lab view "$SAMPLE"
	[[ -z $output && ${#stderr_lines[@]} -eq 1 ]]
	stderr_has "lab report"
	run -2 --separate-stderr lab view
	stderr_has "lab report writes to a pipe"
	run -2 --separate-stderr lab view --zoom "$SAMPLE"
	run -0 lab view --help
	[[ $output == *"zoom"* ]]
	trace=nothing.lab open_view 80 24
	sees 'nothing.lab'
	given_back 5
	keys "TERM=nonsense $LAB_BIN view $SAMPLE; echo status \$?" Enter
	sees 'TERM=nonsense, is not known here'
}
