#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Operations that programs mark themselves: from C, Python, a shell, and asyncio by the start-up hook.

load helpers

setup() {
	requires root btf
	cd "$BATS_TEST_TMPDIR"
}

# marked ARG...: run it, its report is run.json
marked() {
	run --separate-stderr lab run -o out --json=run.json "$@"
}

@test "lab.h: operations, a part, a hostile name, errno kept" {
	"${CC:-gcc}" -Wall -Werror -I"$REPOSITORY/userspace/markers" -o marks "$REPOSITORY/tests/fixtures/marks.c"
	marked --ops -- ./marks
	[ "$status" -eq 0 ]
	stderr_has "CONCURRENT, not parallel"
	[[ $stderr != *$'\x1b'* ]]
	json_holds run.json '[o["name"] for o in r["operations"]] == ["first", "second \x1b[31m", "part"]'
	json_holds run.json '[o["parent"] for o in r["operations"]] == [0, 0, 2]'
	json_holds run.json 'r["concurrency"]["max_operations"] == 2 and r["audit"]["clean"]'
	json_holds run.json 'r["operations"][0]["active_ns"] < r["operations"][0]["end_ns"] - r["operations"][0]["start_ns"]'
	json_holds run.json 'all(r["loss"]["markers_" + k] == 0 for k in ("unread", "malformed", "unmatched"))'
	rm -r out run.json
	marked -- ./marks
	[ "$status" -eq 0 ]
	json_holds run.json 'r["operations"] == []'
}

@test "one line of a shell" {
	marked --ops -- sh -c '[ -r lab:begin:7:one ]; [ -r lab:begin:8:two ]; sleep 0.05; [ -r lab:end:7 ]; [ -r lab:end:8 ]; :'
	[ "$status" -eq 0 ]
	json_holds run.json '[o["name"] for o in r["operations"]] == ["one", "two"]'
	json_holds run.json 'r["loss"]["markers_unmatched"] == 0'
}

@test "--python: asyncio that sleeps 2, 1 and 3 units takes 3, with three operations" {
	requires command=/usr/bin/python3
	cat >script.py <<-'PYTHON'
	import asyncio

	async def tarea(unidades):
	    await asyncio.sleep(unidades * 0.1)
	    return unidades

	async def main():
	    tareas = [asyncio.create_task(tarea(u)) for u in (2, 1, 3)]
	    print(await asyncio.gather(*tareas))

	asyncio.run(main())
	PYTHON
	marked --python -- /usr/bin/python3 script.py
	[ "$status" -eq 0 ]
	[[ $output == "[2, 1, 3]" ]]
	stderr_has "CONCURRENT, not parallel"
	json_holds run.json 'r["concurrency"]["max_operations"] == 3 and len(r["tasks"]) == 1'
	json_holds run.json 'r["operations"][2]["end_ns"] == max(o["end_ns"] for o in r["operations"])'
	json_holds run.json 'r["operations"][1]["end_ns"] == min(o["end_ns"] for o in r["operations"])'
	json_holds run.json 'max(o["end_ns"] for o in r["operations"]) - min(o["start_ns"] for o in r["operations"]) < sum(o["end_ns"] - o["start_ns"] for o in r["operations"])'
	json_holds run.json 'r["audit"]["clean"]'
	# without it, nobody guesses
	rm -r out run.json
	marked -- /usr/bin/python3 script.py
	[ "$status" -eq 0 ]
	stderr_has "operations not visible: add --ops or markers"
	stderr_has "next    lab run --python -- /usr/bin/python3 script.py"
	run -0 lab report -q out
	[[ $output == *"for this program:"* ]]
	grep -q "lab run --python -- /usr/bin/python3 script.py" out/report.html
}

@test "--python: threads and workers by name, and nothing left behind" {
	requires command=/usr/bin/python3
	cat >script.py <<-'PYTHON'
	import multiprocessing, sys, threading, time

	def work():
	    time.sleep(0.05)

	if __name__ == "__main__":
	    threads = [threading.Thread(target=work, name=name) for name in ("alpha", "beta")]
	    workers = [multiprocessing.Process(target=work) for _ in range(2)]
	    for each in threads + workers:
	        each.start()
	    for each in threads + workers:
	        each.join()
	    assert not any("lab-hook" in path for path in sys.path)
	PYTHON
	marked --python -- /usr/bin/python3 script.py
	[ "$status" -eq 0 ]
	json_holds run.json '{"alpha", "beta", "Process-1", "Process-2"} <= {t["comm"] for t in r["tasks"]}'
	[ -z "$(find /tmp -maxdepth 1 -name "lab-hook-*" -newer script.py)" ]
}

# naps LIBRARY: three together and in turns, of which each is an operation
naps() {
	requires command=/usr/bin/python3 "module=$1"
	local script=$REPOSITORY/tests/foreign/python_naps.py
	rm -rf out run.json
	marked --python -- /usr/bin/python3 "$script" "$1"
	[ "$status" -eq 0 ]
	[ "$output" = "done" ]
	stderr_has "CONCURRENT, not parallel"
	json_holds run.json 'r["concurrency"]["max_operations"] == 3 and len(r["operations"]) == 3'
	json_holds run.json 'all("nap" in o["name"] for o in r["operations"])'
	json_holds run.json 'all(r["loss"]["markers_" + k] == 0 for k in ("unread", "malformed", "unmatched"))'
	rm -r out run.json
	marked --python -- /usr/bin/python3 "$script" "$1" turns
	json_holds run.json 'r["concurrency"]["max_operations"] == 1 and len(r["operations"]) == 3'
	json_holds run.json 'r["verdict"]["class"] == "sequential"'
}

@test "--python: tasks under uvloop" {
	naps uvloop
}

@test "--python: tasks of trio" {
	naps trio
}

@test "--python: greenlets of gevent" {
	naps gevent
}

@test "--python: a task factory of the program's own is kept" {
	requires command=/usr/bin/python3
	cat >script.py <<-'PYTHON'
	import asyncio

	made = []

	def factory(loop, coro, **options):
	    made.append(1)
	    return asyncio.Task(coro, loop=loop, **options)

	async def nap():
	    await asyncio.sleep(0.05)

	async def main():
	    await asyncio.gather(nap(), nap())

	loop = asyncio.new_event_loop()
	loop.set_task_factory(factory)
	loop.run_until_complete(main())
	print(len(made))
	PYTHON
	marked --python -- /usr/bin/python3 script.py
	[ "$output" = 3 ]
	json_holds run.json 'r["concurrency"]["max_operations"] == 2'
}

@test "--python is for a command" {
	run -2 --separate-stderr lab run --python procs
	stderr_has "--python is for a command"
}
