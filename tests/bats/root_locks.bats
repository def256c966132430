#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What locks are called, and who was to blame for the waits, on the kernel at hand.

load helpers

setup() {
	requires tracing command=cc
	cd "$BATS_TEST_TMPDIR" || return 1
}

# A condition on the lock that was waited for longest, which is called l.
longest() {
	json_holds run.json "(lambda l: $1)(max((l for l in r['locks'] if l['kind'] == 'lock'), key=lambda l: l['wait_ns']))"
}

# Threads that take one mutex by turns and sleep with it, so that they wait for it whatever the CPUs do:
# ./locked WHERE [MS [PROGRAM ARGS...]]
write_locked() {
	cat >locked.c <<-'CODE'
	#define _GNU_SOURCE
	#include <fcntl.h>
	#include <pthread.h>
	#include <stdlib.h>
	#include <string.h>
	#include <sys/mman.h>
	#include <sys/prctl.h>
	#include <time.h>
	#include <unistd.h>

	#ifndef LOCK
	#define LOCK shared_lock
	#endif
	static pthread_mutex_t LOCK = PTHREAD_MUTEX_INITIALIZER;
	static struct { int filler; pthread_mutex_t inner; } data = { 1, PTHREAD_MUTEX_INITIALIZER };
	static pthread_mutex_t *lock = &LOCK;
	static double end;

	static double now(void)
	{
		struct timespec t;
		clock_gettime(CLOCK_MONOTONIC, &t);
		return t.tv_sec + t.tv_nsec / 1e9;
	}

	static void *work(void *unused)
	{
		while (now() < end) {
			pthread_mutex_lock(lock);
			usleep(2000);
			pthread_mutex_unlock(lock);
		}
		return unused;
	}

	static void share(int fd)
	{
		pthread_mutexattr_t shared;
		pthread_mutexattr_init(&shared);
		pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
		if (ftruncate(fd, 8192))
			_exit(9);
		lock = (void *)((char *)mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) + 4160);
		pthread_mutex_init(lock, &shared);
	}

	int main(int argc, char **argv)
	{
		const char *where = argc > 1 ? argv[1] : "";
		pthread_mutex_t on_stack = PTHREAD_MUTEX_INITIALIZER;
		pthread_t t[3];

		end = now() + (argc > 2 ? atoi(argv[2]) : 250) / 1e3;
		if (!strcmp(where, "data")) {
			lock = &data.inner;
		} else if (!strcmp(where, "heap")) {
			lock = malloc(sizeof(*lock));
			memcpy(lock, &on_stack, sizeof(*lock));
		} else if (!strcmp(where, "stack")) {
			lock = &on_stack;
		} else if (!strcmp(where, "anon")) {
			lock = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		} else if (!strcmp(where, "memfd")) {
			share(memfd_create("ring", 0));
		} else if (!strcmp(where, "file")) {
			share(open("shared file", O_RDWR | O_CREAT, 0600));
		} else if (!strcmp(where, "undumpable")) {
			prctl(PR_SET_DUMPABLE, 0);
		} else if (!strcmp(where, "library")) {
			extern pthread_mutex_t *library_lock(void) __attribute__((weak));
			lock = library_lock();
		}
		for (int i = 0; i < 3; i++)
			pthread_create(&t[i], NULL, work, NULL);
		for (int i = 0; i < 3; i++)
			pthread_join(t[i], NULL);
		if (argc > 3)
			execv(argv[3], argv + 3);
		return 0;
	}
	CODE
}

@test "a lock is named by its symbol, in .bss, .data and a library" {
	write_locked
	cat >lib.c <<-'CODE'
	#include <pthread.h>
	static pthread_mutex_t lock_of_library = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_t *library_lock(void) { return &lock_of_library; }
	CODE
	cc -O1 -shared -fPIC -o libown.so lib.c
	cc -O1 -pthread -o locked locked.c -L. -Wl,--no-as-needed -lown -Wl,-rpath,"$PWD"
	trace -- ./locked bss
	[ "$status" -eq 0 ]
	longest "l['symbol'] == 'shared_lock (locked)' and l['object'].endswith('/locked') and not l['shared']"
	output_has "lock  shared_lock (locked)"
	trace -- ./locked data
	longest "l['symbol'] == 'data+0x8 (locked)'"
	trace -- ./locked library
	longest "l['symbol'] == 'lock_of_library (libown.so)'"
	cc -O1 -no-pie -pthread -o fixed locked.c
	trace -- ./fixed bss
	longest "l['symbol'] == 'shared_lock (fixed)' and l['offset'] == l['addr']"
}

@test "a lock without a symbol is named by its mapping" {
	write_locked
	cc -O1 -pthread -o locked locked.c
	trace -- ./locked heap
	longest "l['symbol'].startswith('[heap]+0x') and l['object'] == '[heap]'"
	trace -- ./locked stack
	longest "l['symbol'].startswith('[stack]+0x')"
	trace -- ./locked anon
	longest "l['symbol'].startswith('[anon]')"
	trace -- ./locked memfd
	longest "l['symbol'] == 'memfd:ring (deleted)+0x1040' and l['shared']"
	trace -- ./locked file
	longest "l['symbol'] == 'shared file+0x1040' and l['object'].endswith('/shared file') and l['shared']"
}

@test "addresses that are not shuffled: .bss and heap are one mapping" {
	requires command=setarch
	write_locked
	cc -O1 -pthread -o locked locked.c
	setarch -R true || skip "addresses cannot be left unshuffled here"
	trace -- setarch -R ./locked bss
	longest "l['symbol'] == 'shared_lock (locked)'"
	trace -- setarch -R ./locked heap
	longest "l['symbol'].startswith('[heap]+0x')"
}

@test "a stripped program: by its debug file, or by its address in the file" {
	requires command=objcopy command=strip
	write_locked
	cc -O1 -pthread -o locked locked.c
	local at
	at=$(nm locked | sed -n 's/^0*\([0-9a-f]*\) b shared_lock$/\1/p')
	objcopy --only-keep-debug locked locked.debug
	strip locked
	trace -- ./locked bss
	longest "l['symbol'] == 'locked+0x$at' and l['offset'] == '0x$at'"
	objcopy --add-gnu-debuglink=locked.debug locked
	trace -- ./locked bss
	longest "l['symbol'] == 'shared_lock (locked)'"
	echo >>locked.debug
	objcopy --remove-section .note.gnu.build-id locked
	trace -- ./locked bss
	longest "l['symbol'] == 'locked+0x$at'"
}

@test "what is deleted or replaced meanwhile gives no wrong name" {
	write_locked
	cc -O1 -pthread -o locked locked.c
	trace_once -- sh -c './locked bss 600 & sleep 0.3; rm locked; wait'
	longest "l['symbol'] == 'shared_lock (locked)'"

	# A library that is gone before the first wait, and a decoy of the name that the kernel shows then.
	cat >lib.c <<-'CODE'
	#include <pthread.h>
	#include <unistd.h>
	static pthread_mutex_t LOCK = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_t *library_lock(void) { unlink("libown.so"); return &LOCK; }
	CODE
	cc -O1 -shared -fPIC -DLOCK=wrong_lock -o 'libown.so (deleted)' lib.c
	cc -O1 -shared -fPIC -DLOCK=right_lock -o libown.so lib.c
	cc -O1 -pthread -o locked locked.c -L. -Wl,--no-as-needed -lown -Wl,-rpath,"$PWD"
	trace_once -- ./locked library
	[ ! -e libown.so ]
	longest "l['symbol'].startswith('libown.so (deleted)+0x')"
	output_lacks wrong_lock

	# The program itself can still be had where it is not.
	cat >late.c <<-'CODE'
	#include <stdio.h>
	__attribute__((constructor)) static void replaced(void) { rename("other", "locked"); }
	CODE
	cc -O1 -pthread -DLOCK=wrong_lock -o other locked.c
	cc -O1 -pthread -o locked locked.c late.c
	trace_once -- ./locked bss
	[ ! -e other ]
	longest "l['symbol'] == 'shared_lock (locked (deleted))'"
	output_lacks wrong_lock
}

@test "after an exec no address has the name that it had before" {
	write_locked
	cc -O1 -no-pie -pthread -DLOCK=first_lock -o first locked.c
	cc -O1 -no-pie -pthread -DLOCK=second_lock -o second locked.c
	trace -- ./first bss 150 ./second bss 400
	[ "$status" -eq 0 ]
	json_holds run.json '(lambda a: len(a) == 2 and len({l["addr"] for l in a}) == 1)([l for l in r["locks"] if l["kind"] == "lock"])'
	json_holds run.json 'sorted(str(l["symbol"]) for l in r["locks"] if l["kind"] == "lock") == ["None", "second_lock (second)"]'
	longest "l['symbol'] == 'second_lock (second)'"
	# A second is long enough to be sure of the first.
	trace -- ./first bss 1500 ./second bss 300
	json_holds run.json '[l["symbol"] for l in r["locks"] if l["kind"] == "lock"] == ["first_lock (first)", "second_lock (second)"]'
}

@test "what the user may not look into has no name, and that is no error" {
	write_locked
	cc -O1 -pthread -o locked locked.c
	chmod 755 . locked
	mkdir mine
	chmod 777 mine
	cd mine
	SUDO_UID=65534 SUDO_GID=65534 run --separate-stderr lab run -o out --json=run.json -- ../locked undumpable
	[ "$status" -eq 0 ]
	longest "l['symbol'] is None and l['object'] is None and l['offset'] is None"
	[[ $stderr != *"lab: "* ]]
	rm -rf out
	SUDO_UID=65534 SUDO_GID=65534 run lab run -o out --json=run.json -- ../locked bss
	[ "$status" -eq 0 ]
	longest "l['symbol'] == 'shared_lock (locked)'"
}

@test "in a PID namespace of its own, with and without its own /proc" {
	requires command=unshare
	write_locked
	cc -O1 -pthread -o locked locked.c
	unshare --pid --fork --mount-proc true || skip "no PID namespace can be made here"
	run unshare --pid --fork --mount-proc "$LAB_BIN" run -o out --json=run.json -- ./locked bss
	[ "$status" -eq 0 ]
	longest "l['symbol'] == 'shared_lock (locked)'"
	rm -rf out
	run unshare --pid --fork "$LAB_BIN" run -o out --json=run.json -- ./locked bss
	longest "l['symbol'] is None"
}

# The process that the workload noted.
finder_is_gone() {
	local pid
	read -r pid <finder
	[ ! -e "/proc/$pid" ]
}

@test "the finder of names has no privilege but to look, and is gone afterwards" {
	requires command=pgrep
	cat >look.sh <<-'CODE'
	sleep 0.2
	pgrep -P "$(ps -o ppid= -p $PPID | tr -d ' ')" -x lab-names >finder
	read -r pid <finder
	grep -E '^(CapEff|CapPrm|NoNewPrivs|Uid)' "/proc/$pid/status"
	ls -l "/proc/$pid/fd" | sed -n 's/.* -> //p'
	CODE
	run lab run -o out -- sh look.sh
	[ "$status" -eq 0 ]
	output_has "CapEff:	0000000000080000"
	output_has "CapPrm:	0000000000080000"
	output_has "NoNewPrivs:	1"
	output_lacks "anon_inode:bpf"
	finder_is_gone
	mkdir mine
	chmod 777 mine
	cp look.sh mine
	cd mine
	SUDO_UID=65534 SUDO_GID=65534 run lab run -o out -- sh look.sh
	[ "$status" -eq 0 ]
	output_has "CapEff:	0000000000000000"
	output_has "CapPrm:	0000000000000000"
	output_has "Uid:	65534	65534	65534	65534"
	finder_is_gone
}

@test "a finder that hangs or dies costs the names and nothing else" {
	requires command=pgrep
	write_locked
	cc -O1 -pthread -o locked locked.c
	local signal
	for signal in STOP KILL; do
		trace -- sh -c "pgrep -P $RECORDER -x lab-names >finder; xargs kill -$signal <finder; ./locked bss"
		[ "$status" -eq 0 ]
		json_holds run.json 'r["audit"]["clean"] and r["loss"]["complete"]'
		longest "l['symbol'] is None"
		output_has "not all locks could be named"
		finder_is_gone
	done
}

@test "hostile file names and symbols stay data" {
	write_locked
	cc -O1 -pthread -o $'lo\x1b[31mcked\n<b>' locked.c
	trace -- $'./lo\x1b[31mcked\n<b>' bss
	[ "$status" -eq 0 ]
	longest "l['symbol'].startswith('shared_lock (lo\\u001b[31mcked') or l['symbol'].startswith('lo')"
	output_lacks $'\x1b[31m'
}

@test "the interpreter lock of CPython has a name, Debian's and another's" {
	requires command=/usr/bin/python3 cpus=2
	cat >work.py <<-'CODE'
	import sys, threading, time

	def work():
	    end = time.monotonic() + 0.5
	    while time.monotonic() < end:
	        sum(range(1000))

	workers = [threading.Thread(target=work) for _ in range(int(sys.argv[1]))]
	for w in workers: w.start()
	for w in workers: w.join()
	CODE
	local python
	# One in the user's folders may be a script that runs another.
	for python in /usr/bin/python3 "$(python3 -c 'import sys; print(sys.executable)')"; do
		trace -- "$python" work.py 2
		[ "$status" -eq 0 ]
		json_holds run.json 'r["serializer"]["present"] is True'
		json_holds run.json 'r["serializer"]["symbol"].startswith(("_PyRuntime", "gil_"))'
		json_holds run.json '"python" in r["serializer"]["object"]'
		json_holds run.json 'all(l["symbol"] == r["serializer"]["symbol"] for l in r["locks"] if l["addr"] == r["serializer"]["addr"])'
		output_has "lock    _PyRuntime+0x"
	done
}

@test "a process that runs already" {
	write_locked
	cc -O1 -pthread -o locked locked.c
	./locked bss 20000 3>&- &
	local pid=$!
	sleep 0.3
	trace --pid $pid --for 400ms
	kill $pid
	[ "$status" -eq 0 ]
	longest "l['symbol'] == 'shared_lock (locked)'"
	# Waiting since before: its join has a name as well.
	json_holds run.json 'all(l["symbol"] for l in r["locks"])'
}

@test "who held the lock had no CPU for it" {
	cat >kept.c <<-'CODE'
	#include <pthread.h>
	#include <time.h>
	#include <unistd.h>
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static void spin(double s)
	{
		struct timespec from, t;
		clock_gettime(CLOCK_MONOTONIC, &from);
		do
			clock_gettime(CLOCK_MONOTONIC, &t);
		while (t.tv_sec - from.tv_sec + (t.tv_nsec - from.tv_nsec) / 1e9 < s);
	}
	static void *hold(void *unused)
	{
		pthread_mutex_lock(&lock);
		spin(0.5);
		pthread_mutex_unlock(&lock);
		return unused;
	}
	static void *hog(void *unused)
	{
		spin(0.6);
		return unused;
	}
	int main(int argc, char **argv)
	{
		pthread_t t[2];
		(void)argv;
		pthread_create(&t[0], NULL, hold, NULL);
		usleep(50000);
		if (argc > 1)
			pthread_create(&t[1], NULL, hog, NULL);
		pthread_mutex_lock(&lock);
		pthread_mutex_unlock(&lock);
		pthread_join(t[0], NULL);
		if (argc > 1)
			pthread_join(t[1], NULL);
		return 0;
	}
	CODE
	cc -O1 -pthread -o kept kept.c
	# On one CPU with another that wants it: about half the time.
	trace --cpus 0 -- ./kept hog
	[ "$status" -eq 0 ]
	longest "l['waits'] == 1 and l['wait_ns'] > 2 * 10**8"
	longest "l['wait_ns'] // 5 < l['holder_ready_ns'] < l['wait_ns']"
	longest "len(l['holders']) == 1"
	json_holds run.json 'all(0 <= l["holder_ready_ns"] <= l["wait_ns"] for l in r["locks"])'
}
