#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# lab verify: stored verdicts, proven and refuted; statuses; damaged files.

load helpers

FIXTURES="$BATS_TEST_DIRNAME/../fixtures"
SAMPLE="$BATS_TEST_DIRNAME/../../docs/samples/procs.lab"

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# with_certificate NEW FIXTURE SED-SCRIPT: the trace with another certificate
with_certificate() {
	python3 - "$1" "$2" "$3" <<-'PY'
	import re, struct, subprocess, sys, zlib
	new, old, script = sys.argv[1:]
	data = open(old, 'rb').read()
	off, last = 32, None
	while off < len(data):
	    last = off
	    off += 56 + struct.unpack_from('<I', data, off + 16)[0]
	head = bytearray(data[last:last + 56])
	assert head[4:8] == b'CERT'
	def varint(p, i):
	    v = s = 0
	    while True:
	        v |= (p[i] & 127) << s
	        s += 7
	        i += 1
	        if p[i - 1] < 128:
	            return v, i
	def put(t):
	    n, out = len(t), b''
	    while n >= 128:
	        out += bytes([n & 127 | 128])
	        n >>= 7
	    return out + bytes([n]) + t
	p, i, texts = data[last + 56:], 0, []
	while i < len(p):
	    n, i = varint(p, i)
	    texts.append(p[i:i + n])
	    i += n
	lines = b'\n'.join(k + b' ' + v for k, v in zip(texts[::2], texts[1::2]))
	lines = subprocess.run(['sed', script], input=lines, stdout=subprocess.PIPE, check=True).stdout
	p = b''.join(put(w) for l in lines.splitlines() for w in l.split(b' ', 1))
	struct.pack_into('<III', head, 16, len(p), len(p), 0)
	struct.pack_into('<I', head, 28, zlib.crc32(p))
	struct.pack_into('<I', head, 52, zlib.crc32(bytes(head[:52])))
	open(new, 'wb').write(data[:last] + bytes(head) + p)
	PY
}

narrow() {
	for line in "${lines[@]}"; do
		((${#line} <= 80)) || { echo "longer than 80: $line"; return 1; }
	done
}

@test "verify --help" {
	run -0 --separate-stderr lab verify --help
	[[ -z $stderr && ${lines[0]} == *"lab verify [TRACE]"* ]]
}

@test "verify: called wrongly" {
	cd "$BATS_TEST_TMPDIR"
	run -2 lab verify
	output_has "name a trace"
	run -2 lab verify a b
	run -2 lab verify --certify a
}

@test "verify: stored verdicts of every class are proven" {
	local name class
	for name in pipe:parallel threads-lock:concurrent async:concurrent sequential:sequential; do
		class=${name#*:}
		run -0 --separate-stderr lab verify "$FIXTURES/${name%:*}.lab"
		[[ -z $stderr && ${lines[0]} == "PROVEN  $class" ]]
		output_has "none missing by their numbers"
		output_has "each derived again from the records"
		narrow
	done
}

@test "verify: the figures of a parallel verdict" {
	run -0 lab verify "$FIXTURES/pipe.lab"
	output_has "185 switch-outs recorded, 185 counted by the kernel"
	output_has "task 4 (tid 11936) on CPU 0, records 16-19"
	output_has "888.2 us"
}

@test "verify: a run's folder" {
	mkdir run
	cp "$FIXTURES/async.lab" run/trace.lab
	run -0 lab verify run
	run -0 lab verify run/
	rm run/trace.lab
	run -5 --separate-stderr lab verify run
	stderr_has "without a trace.lab"
}

@test "verify: no verdict is stored" {
	requires command=python3
	python3 -c 'import sys; d = open(sys.argv[1], "rb").read()
open("trace.lab", "wb").write(d[:d.rindex(b"LCHKCERT")])' "$SAMPLE"
	run -4 --separate-stderr lab verify trace.lab
	[[ -z $stderr ]]
	output_has "NOTHING TO PROVE  no verdict is stored"
	output_has "parallel"
	lab report --certify -q trace.lab
	run -0 lab verify trace.lab
}

@test "verify: a number that is off by one is refuted, and named" {
	requires command=python3
	with_certificate off.lab "$FIXTURES/pipe.lab" 's/^switch_outs 185/switch_outs 186/'
	run -1 --separate-stderr lab verify off.lab
	[[ -z $stderr && ${lines[0]} == "REFUTED  the stored verdict, parallel,"* ]]
	output_has "switch_outs: stored 186, derived 185"
	narrow
}

@test "verify: another class, another witness, a number that is not there" {
	requires command=python3
	with_certificate class.lab "$FIXTURES/sequential.lab" 's/^class .*/class concurrent/'
	run -1 lab verify class.lab
	output_has "class: stored concurrent, derived sequential"
	output_has "a verdict that is concurrent has no witness of its kind"
	with_certificate part.lab "$FIXTURES/pipe.lab" '/^part 4/s/ 16 / 15 /'
	run -1 lab verify part.lab
	output_has "part 1 of the witness"
	with_certificate gone.lab "$FIXTURES/pipe.lab" '/^run_ns/d'
	run -1 lab verify gone.lab
	output_has "run_ns: not stored, derived"
	with_certificate none.lab "$FIXTURES/pipe.lab" 's/^class .*/class inconclusive/'
	run -1 lab verify none.lab
	output_has "class: stored inconclusive, derived parallel"
}

@test "verify: a damaged trace, and what is none" {
	requires command=python3
	cp "$FIXTURES/pipe.lab" bad.lab
	printf '\x55' | dd of=bad.lab bs=1 seek=3000 conv=notrunc status=none
	run -5 --separate-stderr lab verify bad.lab
	[[ -z $output ]]
	stderr_has "bad.lab is damaged"
	head -c 3000 "$FIXTURES/pipe.lab" >cut.lab
	run -5 --separate-stderr lab verify cut.lab
	echo hello >text
	run -5 --separate-stderr lab verify text
	stderr_has "is not a lab trace"
	run -5 --separate-stderr lab verify missing.lab
	stderr_has "cannot open missing.lab"
	with_certificate odd.lab "$FIXTURES/pipe.lab" 's/^run_ns .*/run_ns x/'
	run -5 --separate-stderr lab verify odd.lab
	stderr_has "its certificate is malformed"
}

@test "verify: a full disk is no proof" {
	[[ -c /dev/full ]] || skip "no /dev/full"
	run -5 --separate-stderr sh -c '"$1" verify "$2" >/dev/full' sh "$LAB_BIN" "$FIXTURES/pipe.lab"
	stderr_has "cannot write"
}

# ---- report, check and verify agree on files that contradict themselves ----

@test "verify: births without a parent, a missing record that nobody refused, a stamp that was moved" {
	local name
	for name in no-parent split one-stamp; do
		cp "$FIXTURES/wrong/$name.lab" "$name.lab"
		run -1 lab verify "$name.lab"
		run -0 --separate-stderr lab report "$name.lab"
		[[ ${lines[0]} == INCONCLUSIVE* && $stderr == *"does not follow from its records"* ]]
		output_has "REFUTED: the verdict that is stored in this file"
		run -4 lab check "$name.lab" 'audit.clean' 'workload.exit_status==0'
		output_has "SKIP undecided: the verdict that is stored"
		lab report --certify -q "$name.lab" >/dev/null
		run -4 lab verify "$name.lab"
		output_has "NOTHING TO PROVE"
		run -0 --separate-stderr lab report -q "$name.lab"
		[[ -z $stderr && $output != *REFUTED* ]]
	done
}

@test "verify: a stored verdict of other records" {
	run -1 lab verify "$FIXTURES/wrong/stale-cert.lab"
	run -0 lab report -q "$FIXTURES/wrong/stale-cert.lab"
	output_has "REFUTED: the verdict that is stored"
	lab report -q -f json -o stale.json "$FIXTURES/wrong/stale-cert.lab" 2>/dev/null
	grep -q '"certificate_holds": false' stale.json
	lab report -q -f json -o sound.json "$FIXTURES/pipe.lab"
	grep -q '"certificate_holds": true' sound.json
}

# What the program was, and how it ended, is in the digest.
@test "verify: another program, another exit status, another start" {
	requires command=python3
	local change
	for change in META:gzip:gzap META:started_unix_ns:startad_unix_ns ENDM:wait_status:wait_statuz; do
		python3 - "$FIXTURES/sequential.lab" changed.lab "$change" <<-'PY'
		import struct, sys, zlib
		data = bytearray(open(sys.argv[1], 'rb').read())
		chunk, old, new = sys.argv[3].split(':')
		off = 32
		while off < len(data):
		    stored, = struct.unpack_from('<I', data, off + 16)
		    end = off + 56 + stored
		    if data[off + 4:off + 8] == chunk.encode():
		        at = data.index(old.encode(), off, end)
		        data[at:at + len(new)] = new.encode()
		        struct.pack_into('<I', data, off + 28, zlib.crc32(data[off + 56:end]))
		        struct.pack_into('<I', data, off + 52, zlib.crc32(data[off:off + 52]))
		    off = end
		open(sys.argv[2], 'wb').write(data)
		PY
		run -1 lab verify changed.lab
		output_has "digest: stored"
		run -4 lab check changed.lab 'workload.exit_status==0'
		run -0 lab report -q changed.lab
		output_has "REFUTED: the verdict that is stored"
	done
}
