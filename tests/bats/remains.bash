# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What a run of lab could leave behind. A file that counts it begins with
#
#	load helpers
#	load remains
#
# and calls remains_mark in setup. What the test starts from then on has the test's folder in its environment: a
# process is known by that, a probe, a map or a link by who holds it, the hooks' folder by who was told of it.
# So what another lab does at the same time is not counted, and what nobody holds is.

remains_mark() {
	requires command=bpftool
	export LAB_TEST_RUN=$BATS_TEST_TMPDIR
}

# remains left SECONDS: a line for each thing that is still there after so long; fails if there is any.
# remains held: what the processes of this test hold now: so many processes, programs, maps and links.
remains() {
	python - "$REPOSITORY" "$@" <<-'CODE'
	import collections, glob, json, os, re, subprocess, sys, time

	repository, mode = sys.argv[1:3]
	mark = ("LAB_TEST_RUN=" + os.environ["LAB_TEST_RUN"]).encode()

	def read(path):
	    try:
	        with open(path, "rb") as file:
	            return file.read()
	    except OSError:
	        return b""

	def sources(*patterns):
	    return "".join(read(path).decode() for pattern in patterns
	                   for path in glob.glob(os.path.join(repository, pattern)))

	# A program's name may be cut to 15 characters.
	PROGRAMS = {name[:15] for name in
	            re.findall(r"^PROBE\((\w+)", sources("userspace/record/probe.def"), re.M)}
	MAPS = {"lab_ring"} | set(re.findall(r"} (\w+) SEC\(\"\.maps\"\)", sources("bpf/*.bpf.[ch]")))
	assert PROGRAMS and len(MAPS) > 1

	def shown(kind):
	    text = subprocess.run(["bpftool", "-j", kind, "show"], stdout=subprocess.PIPE, check=True).stdout
	    return json.loads(text or b"[]")

	# Those of any lab, as {(kind, id): name}.
	def objects():
	    there = {("prog", one["id"]): one["name"] for one in shown("prog")
	             if one.get("name", "")[:15] in PROGRAMS}
	    for one in shown("map"):
	        if one.get("name", "") in MAPS or one.get("name", "").startswith("lab_bpf."):
	            there["map", one["id"]] = one["name"]
	    for one in shown("link"):
	        if ("prog", one.get("prog_id")) in there:
	            there["link", one["id"]] = there["prog", one["prog_id"]]
	    return there

	def held_by(pid):
	    try:
	        fds = os.listdir(f"/proc/{pid}/fd")
	    except OSError:
	        return
	    for fd in fds:
	        try:
	            if not os.readlink(f"/proc/{pid}/fd/{fd}").startswith("anon_inode:"):
	                continue
	        except OSError:
	            continue
	        lines = dict(line.split(":", 1) for line in
	                     read(f"/proc/{pid}/fdinfo/{fd}").decode().splitlines() if ":" in line)
	        # That of a link names its program as well.
	        for kind in "link", "map", "prog":
	            if kind + "_id" in lines:
	                yield kind, int(lines[kind + "_id"])
	                break

	def look():
	    ours, holders, told = {}, collections.defaultdict(set), b""
	    there = objects()
	    for pid in filter(str.isdigit, os.listdir("/proc")):
	        environ = read(f"/proc/{pid}/environ")
	        if int(pid) == os.getpid():
	            continue
	        if mark in environ.split(b"\0"):
	            ours[pid] = read(f"/proc/{pid}/cmdline").replace(b"\0", b" ").decode(errors="replace")
	        else:
	            told += environ
	        for one in held_by(pid) if there else ():
	            holders[one].add(pid)
	    objects_of_ours = {one: name for one, name in there.items()
	                       if not holders[one] or holders[one] & set(ours)}
	    return ours, objects_of_ours, told

	def held():
	    ours, objects_of_ours, _ = look()
	    kinds = collections.Counter(kind for kind, _ in objects_of_ours)
	    print(f"{len(ours)} processes, {kinds['prog']} programs, {kinds['map']} maps, {kinds['link']} links")

	def left():
	    ours, objects_of_ours, told = look()
	    yield from (f"process {pid}: {words}" for pid, words in ours.items())
	    yield from (f"{kind} {number}: {name}" for (kind, number), name in objects_of_ours.items())
	    yield from (path for path in glob.glob("/tmp/lab-hook-*") if path.encode() not in told)
	    for folder, _, names in os.walk(os.environ["LAB_TEST_RUN"]):
	        yield from (os.path.join(folder, name) for name in names if name.startswith(".lab-"))

	if mode == "held":
	    held()
	    sys.exit()
	until = time.monotonic() + float(sys.argv[3])
	while there := list(left()):
	    if time.monotonic() > until:
	        sys.exit("left: " + "\nleft: ".join(there))
	    time.sleep(0.1)
	CODE
}

nothing_is_left() {
	remains left "${1:-5}"
}
