# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2016
#
# The command line as an ordinary user meets it: help, mistakes, bad files, and
# how a report looks in a pipe and on a terminal. Nothing here traces.

load helpers

SAMPLE=$REPOSITORY/docs/samples/procs.lab

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset NO_COLOR
	export TERM=xterm LC_ALL=C.UTF-8
}

commands() {
	sed -n 's/^COMMAND(\(.*\))$/\1/p' "$REPOSITORY/userspace/cli/command.def"
}

workloads() {
	sed -n 's/^WORKLOAD(\(.*\))$/\1/p' "$REPOSITORY/userspace/workload/workload.def"
}

# Without root, whoever runs the tests.
as_nobody() {
	if [[ $(id -u) -eq 0 ]]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	else
		"$@"
	fi
}

# on_terminal COLUMNS COMMAND...: with a terminal as stdout; prints what it got.
on_terminal() {
	python - "$@" <<-'CODE'
	import fcntl, os, pty, struct, sys, termios

	columns, command = int(sys.argv[1]), sys.argv[2:]
	pid, master = pty.fork()
	if pid == 0:
	    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
	    os.execvp(command[0], command)
	data = b""
	while True:
	    try:
	        piece = os.read(master, 65536)
	    except OSError:
	        break
	    if not piece:
	        break
	    data += piece
	sys.stdout.buffer.write(data.replace(b"\r\n", b"\n"))
	sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	CODE
}

# ---- help and mistakes ----

@test "no arguments: short help on stderr, status 2" {
	run -2 --separate-stderr lab
	[[ -z $output ]]
	for command in $(commands); do
		stderr_has "  $command "
	done
}

@test "--help and help list every command" {
	run -0 --separate-stderr lab --help
	[[ -z $stderr ]]
	help=$output
	for command in $(commands); do
		output_has "  $command "
	done
	run -0 lab help
	[[ $output == "$help" ]]
	run -0 lab -h
	[[ $output == "$help" ]]
}

@test "every command has --help, -h and help COMMAND, on stdout" {
	for command in $(commands); do
		run -0 --separate-stderr lab "$command" --help
		[[ -z $stderr ]]
		[[ $output == "usage: lab $command"* ]]
		help=$output
		run -0 lab "$command" -h
		[[ $output == "$help" ]]
		run -0 lab help "$command"
		[[ $output == "$help" ]]
	done
}

@test "every option that --help shows is in the man page" {
	for command in $(commands); do
		for option in $(lab "$command" --help | grep -oE -- '--[a-z][a-z-]+' | sort -u); do
			sed 's/\\-/-/g' "$REPOSITORY/docs/lab.1" | grep -qF -- "$option" || {
				echo "lab.1 lacks $option of lab $command" >&2
				return 1
			}
		done
	done
}

@test "the man page has every command and every status, and no error" {
	for command in $(commands); do
		grep -q "^\.SS .*$command" "$REPOSITORY/docs/lab.1"
	done
	for status in 0 1 2 3 4 5 126 127; do
		grep -qx "\.B $status" "$REPOSITORY/docs/lab.1"
	done
	requires command=man
	run man --warnings -l -Tutf8 "$REPOSITORY/docs/lab.1"
	output_lacks warning
}

@test "--version" {
	run -0 --separate-stderr lab --version
	[[ $output =~ ^lab\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	run -0 lab -V
}

@test "an unknown command names the nearest" {
	run -2 --separate-stderr lab reprot
	says_one_sentence
	stderr_has "'report'"
	run -2 --separate-stderr lab zzzzzzzz
	says_one_sentence
	run -2 --separate-stderr lab help reprot
	stderr_has "'report'"
}

@test "an unknown option names the nearest" {
	run -2 --separate-stderr lab --hlep
	says_one_sentence
	stderr_has "'--help'"
	run -2 --separate-stderr lab report --formt term x
	says_one_sentence
	stderr_has "--format"
	for command in $(commands); do
		run -2 --separate-stderr lab "$command" --hepl
		says_one_sentence
		stderr_has "--help"
	done
}

@test "words too many and too few" {
	run -2 --separate-stderr lab list a b
	says_one_sentence
	run -2 --separate-stderr lab doctor x
	says_one_sentence
	run -2 --separate-stderr lab doctor --physical=1
	says_one_sentence
	run -2 --separate-stderr lab report
	says_one_sentence
	run -2 --separate-stderr lab report a b
	says_one_sentence
}

@test "values out of range" {
	for arguments in "--width 3" "--width x" "--width -1" "--color blue" "--width" "-o"; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr lab report x $arguments
		says_one_sentence
	done
}

@test "hostile words reach stderr without their control characters" {
	local evil=$'\e[2J\e]0;owned\a\x9b31m\xe2\x80\xae'

	for arguments in "$evil" "--$evil" "report|--$evil" "report|$evil" "report|x|-f|$evil" \
		"report|x|--width|$evil" "report|a|$evil" "list|$evil" "help|$evil" "run|$evil"; do
		IFS='|' read -r -a words <<<"$arguments"
		run --separate-stderr lab "${words[@]}"
		[[ $status -ne 0 && -n $stderr ]]
		no_escapes "$stderr"
		[[ $stderr != *$'\xe2\x80\xae'* && $stderr != *$'\x9b'* ]]
	done
}

# ---- list ----

@test "list shows every workload, its claim and its options" {
	run -0 --separate-stderr lab list
	[[ -z $stderr ]]
	for workload in $(workloads); do
		output_has "$workload - "
	done
	[[ $(grep -c '^  claims ' <<<"$output") -eq $(workloads | wc -l) ]]
	output_has --tasks
	run -0 lab list procs
	output_has "procs - "
	output_lacks "async - "
	run -2 --separate-stderr lab list porcs
	stderr_has "'procs'"
}

@test "a reader that went away is no error" {
	run -0 --separate-stderr bash -c '"$0" list | head -1' "$LAB_BIN"
	[[ -z $stderr ]]
	run -0 --separate-stderr bash -c 'trap "" PIPE; { sleep 0.2; "$0" list; } | true; exit ${PIPESTATUS[0]}' "$LAB_BIN"
	[[ -z $stderr ]]
}

@test "output that cannot be written is an error" {
	[[ -c /dev/full ]] || skip "no /dev/full"
	run -5 --separate-stderr bash -c '"$0" list >/dev/full' "$LAB_BIN"
	says_one_sentence
	run -5 --separate-stderr bash -c '"$0" list >&-' "$LAB_BIN"
	says_one_sentence
	run -0 bash -c '"$0" list <&- 2>&-' "$LAB_BIN"
}

# ---- doctor ----

@test "doctor: a line each, and a remedy for what fails" {
	run --separate-stderr as_nobody "$LAB_BIN" doctor
	[[ $status -eq 3 && -z $stderr ]]
	for subject in kernel capabilities lockdown container BTF "ring buffer" "task storage" CPUs \
		"CPU quota" virtualized; do
		grep -qE "^  (ok|warn|FAIL|\?) +$subject +[^ ]" <<<"$output"
	done
	grep -A1 '^  FAIL' <<<"$output" | grep -q -- '-> '
	output_has sudo
	no_escapes "$output"
}

@test "doctor: colour on request" {
	run as_nobody "$LAB_BIN" doctor --color always
	output_has $'\e['
	[[ $(plain <<<"$output") == "$(as_nobody "$LAB_BIN" doctor)" ]]
}

# ---- run, without root ----

@test "run without root: status 3 and the command to use" {
	run --separate-stderr as_nobody "$LAB_BIN" run procs
	[[ $status -eq 3 ]]
	says_one_sentence
	stderr_has sudo
}

@test "run --until-quiet: what cannot be run again is refused" {
	run -2 --separate-stderr lab run --until-quiet 0 procs
	says_one_sentence
	run -2 --separate-stderr lab run --until-quiet many procs
	says_one_sentence
	run -2 --separate-stderr lab run --until-quiet 2 --pid $$
	says_one_sentence
	stderr_has "cannot be run again"
	run -2 --separate-stderr bash -c 'echo | "$0" run --until-quiet 2 -- cat' "$LAB_BIN"
	says_one_sentence
	stderr_has "< /dev/null"
}

# ---- report: files that are none ----

@test "report: no such file, an empty folder, an empty file" {
	run -5 --separate-stderr lab report nothing.lab
	says_one_sentence
	stderr_has nothing.lab
	mkdir folder
	run -5 --separate-stderr lab report folder
	says_one_sentence
	stderr_has folder
	: >empty.lab
	run -5 --separate-stderr lab report empty.lab
	says_one_sentence
	stderr_has empty.lab
}

@test "report: what is no regular file does not hang" {
	mkfifo pipe.lab
	run -5 --separate-stderr timeout 5 "$LAB_BIN" report pipe.lab
	says_one_sentence
	run -5 --separate-stderr timeout 5 "$LAB_BIN" report /dev/zero
	says_one_sentence
	run -5 --separate-stderr timeout 5 "$LAB_BIN" report /dev/null
	says_one_sentence
}

@test "report: files of other kinds" {
	head -c 100000 /dev/urandom >random.lab
	run -5 --separate-stderr lab report random.lab
	says_one_sentence
	echo hello >text.lab
	run -5 --separate-stderr lab report text.lab
	says_one_sentence
	run -5 --separate-stderr lab report "$LAB_BIN"
	says_one_sentence
}

@test "report: no permission" {
	cp "$SAMPLE" secret.lab
	chmod 0 secret.lab
	run --separate-stderr as_nobody "$LAB_BIN" report "$PWD/secret.lab"
	[[ $status -eq 5 ]]
	says_one_sentence
	stderr_has secret.lab
}

@test "report: a wrong format names the nearest and lists all" {
	run -2 --separate-stderr lab report "$SAMPLE" -f jsno
	says_one_sentence
	stderr_has "'json'"
	stderr_has term
	run -2 --separate-stderr lab report nothing.lab -f zzzzzz
	says_one_sentence
	stderr_has term
}

# ---- report: damaged traces ----

@test "report: a trace from a newer version is refused and says so" {
	spoil newer.lab 'd[8:10] = struct.pack("<H", 99); d[28:32] = struct.pack("<I", zlib.crc32(d[:28]))'
	run -5 --separate-stderr lab report newer.lab
	says_one_sentence
	stderr_has newer
}

@test "report: a trace cut at any length never crashes" {
	size=$(stat -c %s "$SAMPLE")
	for ((part = 1; part <= 12; part++)); do
		head -c $((size * part / 13)) "$SAMPLE" >cut.lab
		run --separate-stderr lab report cut.lab
		[[ $status -eq 5 ]]
		[[ ${#stderr_lines[@]} -ge 1 ]]
	done
}

@test "report: a recording that was killed is reported as far as it goes" {
	spoil killed.lab 'del d[d.index(b"LCHKENDM"):]; d[12:24] = struct.pack("<IQ", 1, 0); d[28:32] = struct.pack("<I", zlib.crc32(d[:28]))'
	run -0 --separate-stderr lab report killed.lab
	[[ -n $output && ${#stderr_lines[@]} -eq 1 ]]
	stderr_has "incomplete"
	run -0 --separate-stderr lab report killed.lab -f json
	[[ $(json loss.complete - <<<"$output") == false ]]
}

# What lies behind is the certificate, which the report does not rest on; lab verify does.
@test "report: changed bytes never crash, and never pass for a whole trace" {
	size=$(python -c 'import sys; print(open(sys.argv[1], "rb").read().index(b"LCHKCERT"))' "$SAMPLE")
	for ((part = 1; part <= 12; part++)); do
		spoil changed.lab "d[$((size * part / 13))] ^= 0x55"
		run --separate-stderr lab report changed.lab
		[[ $status -eq 5 ]]
		[[ ${#stderr_lines[@]} -ge 1 ]]
	done
}

# ---- report: what it prints ----

@test "report: the sample, as a file and as a folder; options on either side" {
	run -0 --separate-stderr lab report "$SAMPLE"
	[[ -z $stderr ]]
	[[ ${lines[0]} == PARALLEL* ]]
	report=$output
	mkdir folder
	cp "$SAMPLE" folder/trace.lab
	run -0 lab report folder
	[[ ${lines[0]} == PARALLEL* ]]
	run -0 lab report folder/ --width 100
	[[ ${lines[0]} == PARALLEL* ]]
	run -0 lab report --width=100 -f term -- "$SAMPLE"
	[[ $output == "$report" ]]
}

@test "report: a pipe gets ASCII without colour, at most 100 columns wide" {
	run -0 lab report "$SAMPLE"
	no_escapes "$output"
	is_ascii "$output"
	[[ $(longest_line "$(grep -v / <<<"$output")") -le 100 ]]
	run -0 lab report "$SAMPLE" --width 140
	[[ $(longest_line "$output") -gt 100 ]]
}

@test "report: a part of the run, as text and as a picture" {
	run -0 --separate-stderr lab report "$SAMPLE" --from 100ms --to 120ms --task 'worker/*' --cpu 1
	[[ -z $stderr ]]
	[[ ${lines[0]} == PARALLEL* ]]
	[[ $output == *"range   +100.000 ms to +120.000 ms of "*"the verdict above is the whole run's"* ]]
	[[ $output == *"CPU 1 "* && $output != *$'\nCPU 0 '* ]]
	[[ $output != *$'\nA lab '* && $output == *"worker/4"* ]]
	[[ $(longest_line "$output") -le 100 ]]
	run -0 lab report "$SAMPLE" -f svg --from 100ms --to 0.12s --cpu 0
	python -c 'import sys, xml.dom.minidom as x; x.parseString(sys.stdin.read())' <<<"$output"
	[[ $output == *">100 ms<"* && $output != *">0 ns<"* && $output != *">CPU 1<"* ]]
}

@test "report: a part of the run that is not there gets a sentence" {
	while IFS='|' read -r arguments sentence; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr lab report "$SAMPLE" $arguments
		[[ -z $output ]]
		stderr_has "$sentence"
	done <<-'WRONG'
		--from 60s|the run ended
		--from 5ms --to 5ms|--to: 5.000 ms is not after 5.000 ms
		--task nobody|no task of this run is "nobody"
		--cpu 77|this run had no CPU 77
		--from soon|--from
		--cpu all|--cpu takes CPU numbers
		--from 1ms -f json|--from, --to, --task and --cpu are for: term svg
	WRONG
}

@test "report: --color and NO_COLOR" {
	run -0 lab report "$SAMPLE" --color always
	output_has $'\e['
	NO_COLOR=1 run -0 lab report "$SAMPLE" --color=always
	output_has $'\e['
	run -0 on_terminal 100 "$LAB_BIN" report "$SAMPLE"
	output_has $'\e['
	run -0 on_terminal 100 "$LAB_BIN" report "$SAMPLE" --color never
	no_escapes "$output"
	NO_COLOR=1 run -0 on_terminal 100 "$LAB_BIN" report "$SAMPLE"
	no_escapes "$output"
	NO_COLOR='' run -0 on_terminal 100 "$LAB_BIN" report "$SAMPLE"
	output_has $'\e['
	TERM=dumb run -0 on_terminal 100 "$LAB_BIN" report "$SAMPLE"
	no_escapes "$output"
}

@test "report: a terminal's width and glyphs" {
	for columns in 80 120 160; do
		run -0 on_terminal "$columns" "$LAB_BIN" report "$SAMPLE" --color never
		longest=$(longest_line "$(grep -v / <<<"$output")")
		[[ $longest -le $columns && $longest -gt $((columns - 20)) ]]
		run ! is_ascii "$output"
	done
	run -0 on_terminal 120 "$LAB_BIN" report "$SAMPLE" --color never --ascii
	is_ascii "$output"
	LC_ALL=C run -0 on_terminal 120 "$LAB_BIN" report "$SAMPLE" --color never
	is_ascii "$output"
	run -0 on_terminal 120 "$LAB_BIN" report "$SAMPLE" --color never --width 90
	[[ $(longest_line "$(grep -v / <<<"$output")") -le 90 ]]
}

@test "report: --quiet is shorter" {
	run -0 lab report "$SAMPLE"
	long=${#lines[@]}
	run -0 lab report -q "$SAMPLE"
	[[ ${#lines[@]} -lt $long ]]
	[[ ${lines[0]} == PARALLEL* ]]
}

@test "report: numbers do not follow the locale" {
	locale -a 2>/dev/null | grep -qi '^de_DE' || skip "no German locale"
	expected=$(lab report "$SAMPLE")
	LC_ALL=de_DE.UTF-8 run -0 lab report "$SAMPLE"
	[[ $output == "$expected" ]]
}

# ---- report: where it writes ----

@test "report -o: a file that is whole and private, and nothing beside it" {
	mkdir folder
	cd folder
	run -0 --separate-stderr lab report "$SAMPLE" -f json -o out.json
	[[ -z $output && -z $stderr ]]
	[[ $(json verdict.class out.json) == parallel ]]
	[[ $(stat -c %a out.json) == 600 ]]
	[[ $(find . -type f | wc -l) -eq 1 ]]
	run -0 lab report "$SAMPLE" -f json -o out.json
	[[ $(find . -type f | wc -l) -eq 1 ]]
	run -0 lab report "$SAMPLE" -f json -o -
	[[ $output == "$(cat out.json)" ]]
}

@test "report --certify: the verdict goes into the trace, once" {
	cp "$SAMPLE" trace.lab
	chmod u+w trace.lab
	run -0 --separate-stderr lab report --certify -f certificate trace.lab
	[[ -z $stderr && ${lines[0]} == "class parallel" ]]
	size=$(stat -c %s trace.lab)
	run -0 --separate-stderr lab report --certify -q trace.lab
	[[ -z $stderr && $(stat -c %s trace.lab) -eq $size ]]
	grep -aq CERT trace.lab
	head -c -1 trace.lab >cut.lab
	run -5 --separate-stderr lab report --certify -q cut.lab
	stderr_has "a verdict on it is not stored"
}

@test "report -o: a link is replaced, not followed" {
	echo precious >target
	ln -s target link
	run -0 lab report "$SAMPLE" -o link
	[[ $(cat target) == precious ]]
	[[ ! -L link && -s link ]]
}

@test "report -o: a FIFO is written to" {
	mkfifo fifo
	timeout 10 cat fifo >copy 3>&- &
	run -0 timeout 10 "$LAB_BIN" report "$SAMPLE" -o fifo
	wait $!
	[[ -p fifo ]]
	grep -q PARALLEL copy
}

@test "report -o: where it cannot write" {
	run -5 --separate-stderr lab report "$SAMPLE" -o no/such/file
	says_one_sentence
	stderr_has no/such/file
	mkdir folder
	run -5 --separate-stderr lab report "$SAMPLE" -o folder
	says_one_sentence
	mkdir closed
	chmod 500 closed
	chmod a+rx . "$BATS_TEST_TMPDIR"
	run --separate-stderr as_nobody "$LAB_BIN" report "$SAMPLE" -o "$PWD/closed/out"
	[[ $status -eq 5 ]]
	says_one_sentence
}

@test "report: root opens what others may not read, and reads it as another user" {
	requires root command=strace
	local owner reader
	cp "$SAMPLE" other.lab
	chmod 600 other.lab
	for owner in 61234 0; do
		chown "$owner" other.lab
		reader=$owner
		[[ $owner -ne 0 ]] || reader=65534
		run -0 env -u SUDO_UID -u SUDO_GID strace -f -o calls -e trace=setresuid,pread64 \
			"$LAB_BIN" report -q other.lab -o out
		grep -q ^PARALLEL out
		[[ $(stat -c %u:%a out) == 0:600 ]]
		# Not a byte of it before.
		grep -q "setresuid($reader, $reader, $reader)" <(sed '/pread64.*LAB/,$d' calls)
	done
	# Under sudo, what is written is the invoking user's.
	SUDO_UID=61234 SUDO_GID=61234 run -0 lab report -q other.lab
	SUDO_UID=61234 SUDO_GID=61234 run -5 --separate-stderr lab report -q other.lab -o /root/none
	says_one_sentence
	chmod 777 .
	SUDO_UID=61234 SUDO_GID=61234 run -0 lab report -q other.lab -o theirs
	[[ $(stat -c %u:%g:%a theirs) == 61234:61234:600 ]]
	SUDO_UID=-1 SUDO_GID=0 run -2 --separate-stderr lab report other.lab
	says_one_sentence
	stderr_has SUDO_UID
}

@test "report: names of locks come from the trace, and other machines need nothing else" {
	run -0 lab report -v "$REPOSITORY/tests/fixtures/gil.lab"
	[[ $output == *"lock    _PyRuntime+0x1b4 (python3.11), the futex 0xa5b8f4, lets one task run"* ]]
	[[ $output == *"cond  [heap]+0x"* ]]
	run -0 lab check "$REPOSITORY/tests/fixtures/gil.lab" 'serializer.symbol=="_PyRuntime+0x1b4 (python3.11)"' \
		'serializer.object=="/usr/bin/python3.11"'
	# A trace that has no names is no worse.
	run -0 lab report -v "$REPOSITORY/tests/fixtures/threads-lock.lab"
	[[ $output == *"lock  0xa5b8f4 "* ]]
}

@test "README shows what its sample prints" {
	cd "$REPOSITORY"
	lab report docs/samples/procs.lab | head -n 6 >"$BATS_TEST_TMPDIR/printed"
	awk '/^```/ { if (++fence == 4) exit; next } fence == 3' README.md | diff - "$BATS_TEST_TMPDIR/printed"
}

@test "compare: what it does not take is refused in a sentence" {
	local args
	for args in "word" "--work disk" "--tasks 1" "--tasks 101" "--repeat 0" "--rounds 0" "--cpus 3-1" "--jsn"; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr lab compare $args
		says_one_sentence
	done
	run -0 lab compare --help
	output_has "--work cpu|io|mixed|all"
}

@test "sweep: what it does not take is refused in a sentence" {
	local args
	for args in "" "procs" "amdhal" "xyzzy" "amdahl word" "amdahl --tasks 4..1" "amdahl --tasks 0" "amdahl --tasks 1..101" \
		"pool --cpus 1..100000" "pool --cpus 1 --tasks 1..4" "pool --tasks 1-4" "pool -f png" "pool --repeat 0"; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr lab sweep $args
		says_one_sentence
	done
	run -0 lab sweep --help
	output_has "whose work can be measured"
	run -0 lab sweep amdahl --help
	output_has "--serial PERCENT"
}

@test "compare and sweep: without root, they say how they are called with it" {
	run -3 --separate-stderr as_nobody "$LAB_BIN" compare --tasks 3
	[[ $stderr == *"sudo lab compare --tasks 3"* ]]
	run -3 --separate-stderr as_nobody "$LAB_BIN" sweep amdahl
	[[ $stderr == *"sudo lab sweep amdahl"* ]]
}

# As a Python that has none of its own finds it: whoever imports it takes it from sys.modules afterwards.
@test "the hook of --python is no error where there is no other sitecustomize" {
	run -0 --separate-stderr python -S -B - "$REPOSITORY/userspace/markers" <<-'PYTHON'
	import importlib.machinery, sys

	class Only:
	    def find_spec(self, name, path, target=None):
	        if name != 'sitecustomize':
	            return None
	        spec = importlib.machinery.PathFinder.find_spec(name, [p for p in sys.path if p == sys.argv[1]])
	        if spec is None:
	            raise ModuleNotFoundError(name, name=name)
	        return spec

	sys.meta_path.insert(0, Only())
	sys.path.insert(0, sys.argv[1])
	import sitecustomize
	assert sys.argv[1] not in sys.path
	import threading
	thread = threading.Thread(target=lambda: print(open(f'/proc/self/task/{threading.get_native_id()}/comm').read()),
	                          name='named')
	thread.start()
	thread.join()
	PYTHON
	[[ -z $stderr ]]
	[[ $output == named ]]
}
