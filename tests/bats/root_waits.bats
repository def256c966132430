#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Waits that have a reason of their own, in programs that nobody here wrote.

load helpers

setup() {
	requires tracing
	cd "$BATS_TEST_TMPDIR" || return 1
}

# The reasons that tasks of a run were blocked for, and the class.
waited() {
	lab report -f json "$1" | python3 -c 'import json, sys
r = json.load(sys.stdin)
print(r["verdict"]["class"], *sorted({k for t in r["tasks"] for k, v in t["blocked_ns"].items() if v > 50e6}))'
}

@test "waits: three flock(1) in turn are in progress at once" {
	requires command=flock command=python3
	lab run -q -o run -- sh -c 'for i in 1 2 3; do flock lockfile sleep 0.3 & done; wait'
	run -0 waited run
	# Their start may overlap on two CPUs for a moment.
	[[ $output == @(concurrent|parallel)" "*filelock* ]]
	run -0 lab verify run
}

@test "waits: the lock of a file by fcntl" {
	requires command=python3
	lab run -q -o run -- python3 -c 'import fcntl, os, time
kids = []
for i in range(2):
    kids.append(os.fork())
    if not kids[-1]:
        f = open("lockfile", "w")
        fcntl.lockf(f, fcntl.LOCK_EX)
        time.sleep(0.3)
        os._exit(0)
for k in kids:
    os.waitpid(k, 0)'
	run -0 waited run
	[[ $output == @(concurrent|parallel)" "*filelock* ]]
}

@test "waits: semaphores and messages of System V" {
	requires command=perl command=python3
	lab run -q -o run -- perl -e 'use IPC::SysV qw(IPC_PRIVATE IPC_CREAT IPC_RMID SETVAL);
my $s = semget(IPC_PRIVATE, 1, 0600 | IPC_CREAT);
my $q = msgget(IPC_PRIVATE, 0600 | IPC_CREAT);
semctl($s, 0, SETVAL, 1);
for (1, 2) {
	next if fork;
	semop($s, pack("s3", 0, -1, 0));
	select(undef, undef, undef, 0.3);
	semop($s, pack("s3", 0, 1, 0));
	msgsnd($q, pack("l! a*", 1, "x"), 0);
	exit 0;
}
my $got;
msgrcv($q, $got, 10, 0, 0) for 1, 2;
wait, wait;
semctl($s, 0, IPC_RMID, 0);
msgctl($q, IPC_RMID, 0);'
	run -0 waited run
	[[ $output == *queue*semaphore* ]]
	run -0 lab verify run
}

# A descriptor of any other kind that blocks for as long would be "other".
@test "waits: the read of an eventfd and of a signalfd" {
	requires command=python3
	lab run -q -o run -- python3 -c 'import ctypes, os, signal, threading, time
libc = ctypes.CDLL(None, use_errno=True)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
event = libc.eventfd(0, 0)
mask = (ctypes.c_ulong * 16)(1 << (signal.SIGUSR1 - 1))
caught = libc.signalfd(-1, mask, 0)
def wake():
    time.sleep(0.3)
    os.write(event, (1).to_bytes(8, "little"))
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGUSR1)
waker = threading.Thread(target=wake)
waker.start()
os.read(event, 8)
os.read(caught, 128)
waker.join()'
	run -0 waited run
	[[ $output == *" eventfd"* && $output == *" signal"* && $output != *" other"* ]]
	# The host's clocks may have left it open.
	run lab verify run
	[[ $status -eq 0 || $output == "NOTHING TO PROVE"* ]]
}
