# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# What the tests of the command line share. A file begins with
#
#	load helpers
#
# and each test says what it needs: requires root btf cpus=2

bats_require_minimum_version 1.5.0

REPOSITORY=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
LAB_BIN=${LAB_BIN:-$REPOSITORY/build/lab}

# The CPUs this process may use.
usable_cpus() {
	nproc
}

# Asked once for all tests of a file.
can_trace() {
	local said=$BATS_FILE_TMPDIR/can_trace
	[[ -e $said ]] || {
		"$LAB_BIN" doctor >/dev/null 2>&1
		echo $? >"$said"
	}
	[[ $(<"$said") -eq 0 ]]
}

# Skip, with the reason, unless all is there. An unknown word is a mistake in the test.
requires() {
	local need
	for need; do
		case $need in
		root)
			[[ $(id -u) -eq 0 ]] || skip "needs root"
			;;
		no-root)
			[[ $(id -u) -ne 0 ]] || skip "needs an ordinary user"
			;;
		btf)
			[[ -r /sys/kernel/btf/vmlinux ]] || skip "this kernel has no BTF"
			;;
		tracing)
			requires root btf
			can_trace || skip "lab doctor: cannot trace here"
			;;
		jsonschema)
			python_with_jsonschema >/dev/null ||
				skip "needs Python's module jsonschema, 4 or later: no python3 here has it"
			;;
		cpus=*)
			[[ $(usable_cpus) -ge ${need#cpus=} ]] ||
				skip "needs ${need#cpus=} CPUs, $(usable_cpus) may be used"
			;;
		command=*)
			command -v "${need#command=}" >/dev/null ||
				skip "needs the command ${need#command=}"
			;;
		module=*)
			python -c "import ${need#module=}" >/dev/null 2>&1 ||
				skip "needs Python's module ${need#module=}"
			;;
		*)
			echo "requires: unknown word $need" >&2
			return 1
			;;
		esac
	done
}

# The binary under test; use it with bats' run: run -0 lab list
lab() {
	"$LAB_BIN" "$@"
}

# For a workload, in its text: the number of the process that records it, which is not its parent.
# shellcheck disable=SC2016,SC2034
RECORDER='$(ps -o ppid= -p $PPID | tr -d " ")'

# The workload's first process, of the lab with that number: between them is who ends it.
workload_of() {
	local between
	between=$(pgrep -d, -P "$1") && pgrep -P "$between"
}

# Debian's own; a python3 in the user's folders may be another one, or a wrapper.
python() {
	if [[ -x /usr/bin/python3 ]]; then
		/usr/bin/python3 "$@"
	else
		python3 "$@"
	fi
}

# The Python that can check a schema: the distribution's own, or another. Asked once for a file.
python_with_jsonschema() {
	local python said=$BATS_FILE_TMPDIR/python_with_jsonschema
	for python in /usr/bin/python3 "$(python3 -c 'import sys; print(sys.executable)')"; do
		[[ ! -e $said ]] || break
		"$python" -c 'from jsonschema import Draft202012Validator' >/dev/null 2>&1 &&
			echo "$python" >"$said"
	done
	[[ -e $said ]] || : >"$said"
	grep . "$said"
}

# schema COMMAND [REPORT...]: what tests/reports/schema.py says of docs/lab-report.schema.json, or of
# the schema of docs that SCHEMA names.
schema() {
	local command=$1
	shift
	"$(python_with_jsonschema)" -B "$REPOSITORY/tests/reports/schema.py" "$command" \
		"$REPOSITORY/docs/${SCHEMA:-lab-report}.schema.json" "$@"
}

# What must hold in every report does: identities [--clean] REPORT...
identities() {
	python -B "$REPOSITORY/tests/reports/identities.py" "$@"
}

# spoil FILE PYTHON [TRACE]: the sample, or another, with its bytes d changed.
spoil() {
	python - "${3:-$SAMPLE}" "$1" "$2" <<-'CODE'
	import struct, sys, zlib

	with open(sys.argv[1], "rb") as file:
	    d = bytearray(file.read())
	exec(sys.argv[3])
	with open(sys.argv[2], "wb") as file:
	    file.write(d)
	CODE
}

# A value of a JSON file or of stdin: json verdict.class [FILE]. Keys and
# indexes are joined by dots. Strings come bare, all else as JSON writes it. An absent
# key fails.
json() {
	python - "$1" "${2:--}" 4<&0 <<-'CODE'
	import json, os, sys

	path, name = sys.argv[1], sys.argv[2]
	with (os.fdopen(4) if name == "-" else open(name, encoding="utf-8")) as file:
	    value = json.load(file)
	try:
	    for key in path.split(".") if path != "." else []:
	        value = value[int(key)] if isinstance(value, list) else value[key]
	except (KeyError, IndexError, TypeError, ValueError):
	    sys.exit(f"json: no {path} in {name}")
	print(value if isinstance(value, str) else json.dumps(value))
	CODE
}

# Python conditions on a JSON file, which is called r there:
# json_holds FILE 'r["parallelism"]["max"] >= 2' ...
json_holds() {
	python - "$@" <<-'CODE'
	import json, sys

	name = sys.argv[1]
	with open(name, encoding="utf-8") as file:
	    r = json.load(file)
	wrong = [condition for condition in sys.argv[2:] if not eval(condition)]
	if wrong:
	    sys.exit("\n".join(f"{name}: not so: {condition}" for condition in wrong))
	CODE
}

# The text without colours, for comparing.
plain() {
	sed 's/\x1b\[[0-9;]*m//g'
}

# Asserts on what `run` left, saying what there was instead.
output_has() {
	[[ $output == *"$1"* ]] || {
		printf 'not in the output: %s\nthe output:\n%s\n' "$1" "$output" >&2
		return 1
	}
}

output_lacks() {
	[[ $output != *"$1"* ]] || {
		printf 'in the output: %s\nthe output:\n%s\n' "$1" "$output" >&2
		return 1
	}
}

# ---- for tests that trace ----

# One run only: for a program that another run would not find as this one did.
trace_once() {
	rm -rf out run.json
	run lab run -v -o out --json=run.json "$@"
}

# Whether what the host hid decides in that report: lab says to run it again.
by_the_host() {
	grep -q 'switch-ins were hidden: run it again' "$1" 2>/dev/null
}

# A run's JSON in run.json, its report in $output, its exit status in $status.
trace() {
	local try
	for try in 1 2 3 4; do
		trace_once "$@"
		by_the_host run.json || return 0
	done
}

# The same for what must be able to use two CPUs. While other programs have them
# (which lab says itself) the run shows nothing: again, and in the end a skip.
trace_parallel() {
	local try
	for try in 1 2 3 4 5 6; do
		trace "$@"
		grep -qE '"claim_doubt": *"busy_cpus"' run.json 2>/dev/null || return 0
		sleep "$try"
	done
	skip "other programs keep these CPUs busy"
}

# Every identity of the report that must hold in integers, and a clean audit.
exact() {
	identities --clean run.json
}

class_is() {
	json_holds run.json "r['verdict']['class'] == '$1'"
}

# ---- for claims ----

# The exit status is $1, else all that was printed is shown.
status_is() {
	[ "$status" -eq "$1" ] || {
		printf 'exit status %s, not %s:\n%s\n' "$status" "$1" "$output" >&2
		return 1
	}
}

holds() {
	status_is 0
	exact
	json_holds run.json 'r["verdict"]["claim_holds"] is True' \
		'r["workload"]["exit_status"] == 0' 'r["workload"]["signal"] is None'
}

# Run the words after $1 that often: what they claim holds each time.
times() {
	local left
	for ((left = $1; left > 0; left--)); do
		trace_parallel "${@:2}"
		holds
	done
}

# On one CPU a claim of parallelism is undecided, and what is seen is concurrency.
undecided_on_one_cpu() {
	trace --cpus 0 "$@"
	status_is 4
	exact
	class_is concurrent
	json_holds run.json 'r["verdict"]["claim_holds"] is None' \
		'r["verdict"]["claim_doubt"] == "few_cpus"' 'r["workload"]["exit_status"] == 0'
}

holds_on_one_cpu() {
	trace --cpus 0 "$@"
	holds
}

contradicted() {
	status_is 1
	exact
	json_holds run.json 'r["verdict"]["claim_holds"] is False'
}

# One sentence of lab's own on stderr, nothing on stdout.
says_one_sentence() {
	[[ -z $output ]] || { echo "on stdout: $output" >&2; return 1; }
	[[ ${#stderr_lines[@]} -eq 1 && ${stderr_lines[0]} == "lab: "* ]] || {
		echo "on stderr: $stderr" >&2
		return 1
	}
}

stderr_has() {
	[[ $stderr == *"$1"* ]] || { echo "not on stderr: $1; there is: $stderr" >&2; return 1; }
}

no_escapes() {
	! printf '%s' "$1" | grep -q $'[\x01-\x08\x0b-\x1f\x7f]'
}

# No byte beyond printable ASCII.
is_ascii() {
	! LC_ALL=C grep -q '[^ -~]' <<<"$1"
}

# longest_line TEXT: in columns
longest_line() {
	wc -L <<<"$1"
}

# processes_here PATTERN: those in this test's folder whose whole command line matches; not another test's.
processes_here() {
	local pid
	for pid in $(pgrep -x -f "$1"); do
		[[ ! /proc/$pid/cwd -ef . ]] || echo "$pid"
	done
}

# refuse_records PID SECONDS: the recorder stands still for so long, once events flow into out.
refuse_records() {
	local _
	for _ in {1..100}; do
		[[ $(stat -c %s out/trace.lab 2>/dev/null || echo 0) -lt 20000 ]] || break
		sleep 0.05
	done
	kill -STOP "$1"
	sleep "$2"
	kill -CONT "$1"
}
