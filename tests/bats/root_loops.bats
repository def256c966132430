#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Event loops on the kernel at hand: what held them up, and what was in flight.

load helpers

setup() {
	requires tracing command=/usr/bin/python3
	cd "$BATS_TEST_TMPDIR" || return 1
}

trace() {
	rm -rf out run.json
	run lab run --ops -o out --json=run.json "$@"
}

# A loop that is woken by a pipe ten times, and does $1 once in between.
write_loop() {
	cat >loop.py <<-CODE
	import fcntl, os, select, sys, time
	loop = select.epoll()
	r, w = os.pipe()
	loop.register(r, select.EPOLLIN)
	for i in range(10):
	    os.write(w, b"x")
	    loop.poll(1)
	    os.read(r, 1)
	    if i == 5:
	        $1
	    loop.poll(0.005)
	CODE
}

@test "an event loop held up by a call, by computing" {
	write_loop 'time.sleep(0.2)'
	trace -- /usr/bin/python3 loop.py
	[ "$status" -eq 0 ]
	json_holds run.json '(lambda l: (l["stall_state"], l["stall_reason"], l["stall_call"]) == ("blocked", "sleep", "clock_nanosleep") and l["longest_stall_ns"] >= 2 * 10**8)(r["event_loops"][0])'
	output_has "blocked in clock_nanosleep (sleep)"

	# A lock of a file, which another process has.
	write_loop 'os.system("flock f sleep 0.4 & while ! test -e f; do sleep 0.01; done"); time.sleep(0.1); fcntl.flock(open("f", "w"), fcntl.LOCK_EX)'
	if command -v flock >/dev/null; then
		trace -- /usr/bin/python3 loop.py
		[ "$status" -eq 0 ]
		json_holds run.json '[l for l in r["event_loops"] if l["iterations"] >= 10][0]["stall_call"] == "flock"'
		output_has "blocked in flock (filelock)"
	fi

	write_loop 'exec("end = time.monotonic() + 0.3\\nwhile time.monotonic() < end: pass")'
	trace -- /usr/bin/python3 loop.py
	json_holds run.json '(lambda l: (l["stall_state"], l["stall_reason"], l["stall_call"]) == ("running", None, None) or l["stall_state"] == "ready")(r["event_loops"][0])'
}

@test "operations in flight over time" {
	trace async --seconds 0.4 --tasks 20
	json_holds run.json '(lambda c: c["operations_step"] == 1 and len(c["operations_profile_ns"]) == 21 == c["max_operations"] + 1)(r["concurrency"])'
	json_holds run.json 'sum(r["concurrency"]["operations_profile_ns"]) == r["window"]["duration_ns"]'
	json_holds run.json 'sum(k * ns for k, ns in enumerate(r["concurrency"]["operations_profile_ns"])) == sum(o["end_ns"] - o["start_ns"] for o in r["operations"])'
	output_has "operations "
	trace async --seconds 0.4 --tasks 500
	json_holds run.json '(lambda c: c["operations_step"] == 8 and len(c["operations_profile_ns"]) == 64)(r["concurrency"])'
	json_holds run.json 'sum(r["concurrency"]["operations_profile_ns"]) == r["window"]["duration_ns"]'
	run lab run -o out2 --json=run2.json -- true
	json_holds run2.json '"operations_profile_ns" not in r["concurrency"]'
}
