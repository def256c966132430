#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# report.html in browsers, from file:// and without a network. tests/browser/report.mjs drives Chromium once, for all
# tests here; each looks for its own line of what that said.

load helpers

setup_file() {
	export PAGES=$BATS_FILE_TMPDIR
	cd "$PAGES" || return 1
	cp "$REPOSITORY"/tests/browser/*.mjs "$REPOSITORY/tests/browser/package.json" .
	page procs "$REPOSITORY/docs/samples/procs.lab" &&
		page async "$REPOSITORY/tests/fixtures/async.lab" &&
		page markers "$REPOSITORY/tests/fixtures/markers.lab" &&
		page lossy "$REPOSITORY/tests/fixtures/lossy/pipe.lab" &&
		hostile_page && cut_page || return 1
	reason=$(missing) && return
	: >drive
	HOME=$PAGES timeout 300 node report.mjs "$PWD"/{procs,async,hostile,markers,cut,lossy}.html >said 2>&1 </dev/null || :
	for format in speedscope chrome folded; do
		lab report -f $format -o procs.$format "$REPOSITORY/docs/samples/procs.lab"
	done
	HOME=$PAGES timeout 120 node speedscope.mjs "$PWD/node_modules/speedscope/dist/release/index.html" \
		"$PWD"/procs.{speedscope,chrome,folded} >said.speedscope 2>&1 </dev/null || :
}

page() {
	lab report -f html -o "$1.html" "$2" 2>/dev/null
}

# Names of tasks, and of the run, that would be markup if they were not text.
hostile_page() {
	python -B "$REPOSITORY/tests/browser/rename.py" "$REPOSITORY/docs/samples/procs.lab" a.lab worker/ '<img s>' &&
		python -B "$REPOSITORY/tests/browser/rename.py" a.lab b.lab procs '"><b>' &&
		page hostile b.lab
}

# One whose head says that it was cut.
cut_page() {
	sed 's/"cut_ns": null/"cut_ns": 500000000/; s/"left_out": 0,/"left_out": 12,/' procs.html >cut.html &&
		! cmp -s procs.html cut.html
}

# Why Chromium cannot be driven here; fails if it can.
missing() {
	local command
	for command in node npm; do
		command -v $command >/dev/null || {
			echo "needs the command $command" | tee why
			return
		}
	done
	[[ -x ${CHROMIUM:-/usr/bin/chromium} ]] || {
		echo "needs /usr/bin/chromium, or another that CHROMIUM names" | tee why
		return
	}
	if ! timeout 180 npm install --silent --no-audit --no-fund --no-package-lock --ignore-scripts >npm.log 2>&1 </dev/null; then
		echo "npm cannot get playwright-core, axe-core and speedscope: $(tail -n 1 npm.log)" | tee why
		return
	fi
	return 1
}

# in_chromium NAME: the test of this name in report.mjs has passed.
in_chromium() {
	[[ -e $PAGES/drive ]] || skip "$(cat "$PAGES/why")"
	grep -qE "^ok [0-9]+ $1\$" "$PAGES/said" || {
		sed -n "/^not ok [0-9]* $1\$/,/^[on]/p" "$PAGES/said"
		grep -q " $1\$" "$PAGES/said" || cat "$PAGES/said"
		return 1
	}
}

@test "browser: the verdict, its evidence and its words are at the top" {
	in_chromium "the verdict and its words"
	in_chromium "the evidence is shown"
}

@test "browser: lanes are true to time at every zoom, processes" {
	in_chromium "lanes are true to time at every zoom: processes"
}

@test "browser: lanes are true to time at every zoom, an event loop" {
	in_chromium "lanes are true to time at every zoom: an event loop"
}

@test "browser: wheel, drag and selection" {
	in_chromium "wheel, drag and selection"
}

@test "browser: every key, and the address" {
	in_chromium "every key, and the address"
}

@test "browser: pictures are saved" {
	in_chromium "pictures are saved"
}

@test "browser: hostile names are text" {
	in_chromium "hostile names are text"
}

@test "browser: operations and markers have rows" {
	in_chromium "operations and markers have rows"
}

@test "browser: what is left out is said" {
	in_chromium "what is left out is said"
}

@test "browser: where records are missing nothing is known" {
	in_chromium "where records are missing nothing is known"
}

@test "browser: without a script there is a picture" {
	in_chromium "without a script there is a picture"
}

@test "browser: axe finds nothing serious, light and dark" {
	in_chromium "axe finds nothing serious, light and dark"
}

@test "browser: windows of 1280 and 1920" {
	in_chromium "windows of 1280 and 1920"
}

# A reader that others wrote, of three of the exports.
@test "browser: speedscope opens what is made for it, trace events, and folded stacks" {
	[[ -e $PAGES/drive ]] || skip "$(cat "$PAGES/why")"
	[[ $(grep -c '^ok' "$PAGES/said.speedscope") -eq 3 ]] || {
		cat "$PAGES/said.speedscope"
		return 1
	}
}

@test "browser: each test of report.mjs is one here" {
	local name
	[[ -e $PAGES/drive ]] || skip "$(cat "$PAGES/why")"
	while read -r name; do
		grep -qF "in_chromium \"$name\"" "$BATS_TEST_FILENAME"
	done < <(sed -nE 's/^(not )?ok [0-9]+ //p' "$PAGES/said")
	[[ $(grep -cE '^(not )?ok ' "$PAGES/said") -eq $(sed -n 's/^1\.\.//p' "$PAGES/said") ]]
}

@test "browser: Firefox paints the lanes" {
	requires command=firefox-esr
	python -B "$REPOSITORY/tests/browser/firefox.py" "$PAGES/procs.html" "$PAGES/firefox.png"
}
