#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The launcher and scripts/setup, on a copy of the tree. Where something must be
# missing, PATH leads to a folder with only the tools that are not.
#
# shellcheck disable=SC2154

load helpers

setup() {
	tree=$BATS_TEST_TMPDIR/tree
	tools=$BATS_TEST_TMPDIR/tools
	mkdir "$tree" "$tools"
	cp -r "$REPOSITORY/lab" "$REPOSITORY/Makefile" "$REPOSITORY/vmlinux.h" \
		"$REPOSITORY/scripts" "$REPOSITORY/bpf" "$REPOSITORY/userspace" "$tree"
	unset SUDO_UID SUDO_GID SUDO_USER LAB_YES LAB_NO_INSTALL
}

# Copies, not links: what a test writes below $tools can then never reach the machine's own.
bare_path() {
	local name
	for name in sh awk cat chmod cut dirname env find getent grep head id mkdir mktemp mv nproc \
		readlink rm sed sort tail touch tr uname; do
		cp "$(command -v "$name")" "$tools/$name"
	done
	fake bpftool
}

# fake NAME [SHELL-CODE]: a command that notes its call and then does that.
fake() {
	rm -f "$tools/$1"
	printf '#!/bin/sh\necho "%s $*" >>"%s/calls"\n%s\n' "$1" "$BATS_TEST_TMPDIR" "${2:-}" \
		>"$tools/$1"
	chmod +x "$tools/$1"
}

# Whoever runs the tests, scripts that ask are told this user number.
as_uid() {
	fake id "echo $1"
}

# A finished build that is newer than its sources, with a binary that says what it was given.
pretend_built() {
	mkdir "$tree/build"
	printf '#!/bin/sh\necho "ran: $*"\n' >"$tree/build/lab"
	chmod +x "$tree/build/lab"
	touch "$tree/build/launched"
}

@test "a built tree runs at once, with its arguments and status" {
	pretend_built
	printf '#!/bin/sh\nprintf "[%%s]" "$@"\nexit 7\n' >"$tree/build/lab"
	bare_path
	run -7 env PATH="$tools" "$tree/lab" run -- sh -c 'a  b' ''
	[[ $output == "[run][--][sh][-c][a  b][]" ]]
}

@test "--yes and --no-install are the launcher's own only in front" {
	pretend_built
	run -0 "$tree/lab" --yes list --yes
	[[ $output == "ran: list --yes" ]]
	run -0 "$tree/lab" --no-install --yes list --no-install
	[[ $output == "ran: list --no-install" ]]
}

@test "it works through a link and from another folder" {
	pretend_built
	ln -s "$tree/lab" "$BATS_TEST_TMPDIR/link"
	cd /
	run -0 "$BATS_TEST_TMPDIR/link" list
	[[ $output == "ran: list" ]]
}

@test "a changed source is built before it runs" {
	pretend_built
	bare_path
	fake make 'printf "#!/bin/sh\necho new\n" >build/lab'
	for name in gcc clang; do fake "$name"; done
	sleep 0.01
	touch "$tree/userspace/claim.h"
	run -0 --separate-stderr env PATH="$tools" "$tree/lab" list
	[[ $output == new ]]
	grep -q '^make .*all' "$BATS_TEST_TMPDIR/calls"
	: >"$BATS_TEST_TMPDIR/calls"
	run -0 env PATH="$tools" "$tree/lab" list
	[[ ! -s $BATS_TEST_TMPDIR/calls ]]
}

@test "a failed build says so, exits 3 and is tried again" {
	bare_path
	for name in gcc clang; do fake "$name"; done
	fake make 'echo "no rule" >&2; exit 2'
	for _ in 1 2; do
		run -3 --separate-stderr env PATH="$tools" "$tree/lab" list
		[[ $output == "" && $stderr == *"lab: the build failed"* ]]
	done
}

@test "what is missing is named with its reason, installed, and only that" {
	bare_path
	as_uid 0
	fake make
	fake apt-get "for name in gcc clang; do : >'$tools'/\$name; chmod +x '$tools'/\$name; done"
	run -0 env PATH="$tools" "$tree/scripts/setup" </dev/null
	output_has "clang"
	output_has "compiles the probes"
	output_has "compiles lab"
	output_has "lab: installed"
	output_lacks "libbpf-dev"
	grep -q 'apt-get install .* clang gcc$' "$BATS_TEST_TMPDIR/calls"
	run -0 env PATH="$tools" "$tree/scripts/setup"
	[[ $output == "" ]]
}

@test "an ordinary user is told the packages and the command" {
	bare_path
	as_uid 1000
	fake make
	fake apt-get
	run -3 env PATH="$tools" "$tree/scripts/setup"
	[[ ${#lines[@]} -eq 1 ]]
	[[ $output == "lab: missing: clang gcc; install with: sudo apt-get install -y --no-install-recommends clang gcc" ]]
}

@test "nothing is installed where that is forbidden: one sentence has the packages and the command" {
	bare_path
	as_uid 0
	fake make
	fake apt-get "for name in gcc clang; do : >'$tools'/\$name; chmod +x '$tools'/\$name; done"
	local words="missing: clang gcc; install with: apt-get install -y --no-install-recommends clang gcc"
	run -3 env PATH="$tools" "$tree/lab" --no-install run procs </dev/null
	[[ $output == "lab: $words" ]]
	run -3 env PATH="$tools" LAB_NO_INSTALL=1 "$tree/lab" --yes run procs </dev/null
	[[ $output == "lab: $words" ]]
	run -2 make --no-print-directory -C "$tree" PATH="$tools" LAB_NO_INSTALL=1 test </dev/null
	[[ ${lines[0]} == "lab: missing: "*" clang "*"; install with: apt-get install "* ]]
	run ! grep apt-get "$BATS_TEST_TMPDIR/calls"
}

@test "without network one sentence names the missing packages" {
	bare_path
	as_uid 0
	fake make
	fake apt-get 'echo "E: Could not resolve deb.debian.org"; exit 100'
	run -3 --separate-stderr env PATH="$tools" "$tree/lab" run procs </dev/null
	[[ $output == "" ]]
	[[ ${stderr_lines[-1]} == "lab: could not install clang gcc with apt-get (E: Could not resolve deb.debian.org); install by hand, then run this again" ]]
}

@test "without a package manager one sentence names the missing packages" {
	bare_path
	as_uid 0
	fake make
	run -3 env PATH="$tools" "$tree/scripts/setup"
	[[ ${#lines[@]} -eq 1 ]]
	output_has "clang gcc"
}

@test "on a terminal it asks, and no is no" {
	requires command=script
	bare_path
	as_uid 0
	fake make
	fake apt-get '
		case "$*" in *--assume-no*) ;; *) exit ;; esac
		echo "Need to get 12.5 MB/81.1 MB of archives."
		echo "After this operation, 464 MB of additional disk space will be used."'
	run -0 script -qec "env PATH='$tools' '$tree/scripts/setup'; echo status \$?" \
		/dev/null <<<n
	output_has "install them now (12.5 MB to download, 464 MB on disk)? [Y/n]"
	output_has "not installed: clang gcc"
	output_has "status 3"
	! grep -q 'apt-get install -y' "$BATS_TEST_TMPDIR/calls"
}

@test "--yes does not ask" {
	requires command=script
	bare_path
	as_uid 0
	fake make
	fake apt-get 'exit 100'
	run -0 script -qec "env PATH='$tools' '$tree/lab' --yes list; echo status \$?" \
		/dev/null </dev/null
	output_lacks "[Y/n]"
	output_has "could not install"
	output_has "status 3"
}

@test "setup refuses an unknown option" {
	run -2 "$tree/scripts/setup" --for-test
	output_has "unknown option --for-test"
}

@test "the table of packages has a name in every column" {
	run -0 sed -n '/<<-.TABLE/,/^\tTABLE/p' "$tree/scripts/setup"
	rows=0
	while read -r for probe debian ubuntu fedora arch suse why; do
		[[ $for == build || $for == test ]] || continue
		[[ -n $probe && -n $debian && -n $ubuntu && -n $fedora && -n $arch && -n $suse && -n $why ]]
		rows=$((rows + 1))
	done <<<"$output"
	((rows >= 9))
}
