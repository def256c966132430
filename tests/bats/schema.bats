#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# The JSON report: as docs/lab-report.schema.json says, key by key, and in agreement with
# itself. What root records afresh is held to the same in root_identities.bats.

load helpers

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# Reports of every recording that comes with the sources, and the goldens.
reports() {
	local trace
	for trace in "$REPOSITORY"/docs/samples/*.lab "$REPOSITORY"/tests/fixtures/*.lab; do
		lab report "$trace" -f json -o "$(basename "$trace" .lab).json"
	done
	for trace in "$REPOSITORY"/tests/golden/*.json.txt; do
		cp "$trace" "golden-$(basename "$trace" .txt)"
	done
	[ "$(ls ./*.json | wc -l)" -ge 6 ]
}

# What is left of each trace: cut before a chunk, with a byte of a chunk changed, or as a
# recorder that was killed leaves it.
lossy_reports() {
	local how trace
	for trace in "$REPOSITORY"/docs/samples/*.lab "$REPOSITORY"/tests/fixtures/*.lab; do
		for how in cut-ENDM cut-INDX changed-EVTS changed-INDX killed; do
			python - "$trace" spoilt.lab $how <<-'CODE'
			import struct, sys, zlib

			d = bytearray(open(sys.argv[1], "rb").read())
			how, chunk = (sys.argv[3].split("-") + ["ENDM"])[:2]
			at = d.rindex(b"LCHK" + chunk.encode())
			if how == "changed":
			    d[at + 40] ^= 0x55
			else:
			    del d[at:]
			if how == "killed":
			    d[12:24] = struct.pack("<IQ", 1, 0)
			    d[28:32] = struct.pack("<I", zlib.crc32(d[:28]))
			open(sys.argv[2], "wb").write(d)
			CODE
			run lab report spoilt.lab -f json -o "lossy-$how-$(basename "$trace" .lab).json"
			[ "$status" -eq 0 ] || [ "$status" -eq 5 ]
		done
	done
	lab report "$REPOSITORY/tests/fixtures/lossy/pipe.lab" -f json -o lossy-records.json
	[ "$(ls lossy-*.json | wc -l)" -ge 15 ]
}

@test "schema: it is one, closed, and every key is explained with its unit" {
	requires jsonschema
	schema lint
}

@test "schema: the reports of recorded traces, and the goldens, fit it" {
	requires jsonschema
	reports
	schema valid ./*.json
}

@test "schema: so do the reports of traces that are damaged or cut short" {
	requires jsonschema
	lossy_reports
	schema valid ./*.json
	json_holds "$(ls lossy-*.json | head -n 1)" 'not r["loss"]["complete"]'
}

@test "schema: a report with a key too many, too few or of another type does not" {
	requires jsonschema
	reports
	schema strict ./*.json
}

@test "schema: every key that it describes is in a report" {
	requires jsonschema
	reports
	lossy_reports
	schema covered ./*.json
}

@test "identities: all hold in every report, also of what is left of a damaged trace" {
	requires command=python3
	reports
	identities --clean ./*.json
	lossy_reports
	identities ./*.json
}

@test "identities: a report that is wrong in one number is refused" {
	requires command=python3
	reports
	run -0 python -B "$REPOSITORY/tests/reports/mutations.py" ./*.json
	output_has "changes"
	echo "# $output" >&3
}

@test "schema: of lab compare and lab sweep, as of lab report" {
	local command
	requires jsonschema
	for command in compare sweep; do
		SCHEMA=lab-$command
		cp "$REPOSITORY/tests/golden/$command-json.txt" $command.json
		schema lint
		schema valid $command.json
		schema strict $command.json
		schema covered $command.json
	done
}
