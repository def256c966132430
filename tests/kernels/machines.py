# SPDX-License-Identifier: GPL-2.0-only
"""The machines of tests/kernels/run, and what each is asked.

An emulated machine is slow: lab needs some 5 s to begin a run there, however short. So a machine
is asked what another kernel, or another number of CPUs, could change. Its CPUs take turns on one
CPU of the host, for up to 0.1 s each, while its clock goes on. So what depends on short times
(how soon a lock is handed on, which of two sleepers is first) says nothing there, and is not
asked.
"""

from collections import namedtuple

# words: of lab run. status: those that are right, best first. holds: Python conditions on the report, r. says:
# a part of what lab prints. doctor: the status of lab doctor. before and beside: for the shell, see guest.sh. beside_in_time: what
# was done beside the run was done before its end.
Check = namedtuple("Check", "name words status holds says before beside")
Machine = namedtuple("Machine", "name kernel cpus threads nodes doctor checks")


def check(name, words, status="0", holds=(), says="", before=":", beside=":"):
    return Check(name, words, status, holds, says, before, beside)


def machine(kernel, cpus, checks, threads=1, nodes=1, doctor="0"):
    name = f"{kernel}, {cpus} CPU" + ("s" if cpus > 1 else "")
    name += f", {threads} to a core" if threads > 1 else ""
    name += f", {nodes} nodes" if nodes > 1 else ""
    return Machine(name, kernel, cpus, threads, nodes, doctor, checks)


def shapes(status, *texts):
    """Workloads whose claim holds, or is undecided."""
    return [check(words.replace(" ", "_"), words, status) for words in texts]


PARALLEL = 'r["verdict"]["class"] == "parallel"'
CONCURRENT = 'r["verdict"]["class"] == "concurrent"'
FEW_CPUS = ('r["verdict"]["claim_holds"] is None', 'r["verdict"]["claim_doubt"] == "few_cpus"',
            CONCURRENT)

# 4: on a busy host, lab itself has enough of a machine's CPUs to leave the claim open.
PROCS = check("procs", "procs --seconds 0.3", "0 4", holds=[PARALLEL])
THREADS = check("threads", "threads --seconds 0.3", "0 4", holds=[PARALLEL])
ASYNC = check("async", "async --tasks 30 --seconds 0.5",
              holds=[CONCURRENT, 'r["concurrency"]["max_operations"] == 30'])
MIGRATE = check("migrate", "migrate --seconds 0.3", "0 4",
                holds=['r["migrations"]["causes"]["affinity"] > 0'])
SEQUENTIAL = check(
    "sequential", "--expect sequential -- sh -c 'for i in 1 2 3; do"
    " sh -c \"i=0; while [ \\$i -lt 9000 ]; do i=\\$((i+1)); done\"; done'")
ATTACH = check("attach", "--for 0.3s --pid $(a_program)", "0 4")

# ---- what holds tasks back ----

HELD = ('r["capacity"]["largest_loss"] == "unplaced.throttled"',
        'r["capacity"]["unplaced"]["undivided_ns"] == 0', 'r["run_queue_wait"]["held_wall_ns"] > 0',
        'r["capacity"]["quota_cpus"] == 0.5')
# The run begins under it.
QUOTA_V2 = check(
    "quota_v2", "-- sh /root/busy 4 0.5", holds=[*HELD, 'r["host"]["quota_cpus"] == 0.5'],
    before="echo +cpu >$v2/cgroup.subtree_control;"
    " group $v2/q cpu.max '50000 100000'; echo 0 >$v2/q/cgroup.procs")
# Its tasks come under it. On a machine of its own: v1 does not give the controller back at once.
QUOTA_V1 = check(
    "quota_v1", "-- sh -c 'echo 0 >/tmp/v1/q/cgroup.procs; exec sh /root/busy 4 0.5'", holds=HELD,
    before="v1 cpu; group /tmp/v1/q cpu.cfs_period_us 100000 cpu.cfs_quota_us 50000")
# A CPU that stands still while its task runs may make this parallel, whatever the claim.
PINNED = check("pinned", "pinned --seconds 0.5", "0 1 4",
               holds=['r["capacity"]["largest_loss"] == "unplaced.affinity"',
                      'r["capacity"]["unplaced"]["undivided_ns"] == 0'])
# For a second: no task waited that long for a CPU, and none for a page.
FROZEN = ('max(t["blocked_ns"]["stopped"] for t in r["tasks"]) > 900_000_000',
          'r["capacity"]["blocked_ns"]["pagefault"] == 0',
          'all(t["max_ready_ns"] < 900_000_000 for t in r["tasks"])')
FROZEN_V2 = check(
    "frozen_v2", "-- sh -c 'echo 0 >$v2/f/cgroup.procs; exec sh /root/busy 2 0.5'", holds=FROZEN,
    before="group $v2/f", beside=(
        "once 'grep -q . $v2/f/cgroup.procs';"
        " echo 1 >$v2/f/cgroup.freeze; sleep 1; echo 0 >$v2/f/cgroup.freeze"))
FROZEN_V1 = check(
    "frozen_v1", "-- sh -c 'echo 0 >/tmp/v1/f/cgroup.procs; exec sh /root/busy 2 0.5'", holds=FROZEN,
    before="v1 freezer; group /tmp/v1/f", beside=(
        "once 'grep -qs . /tmp/v1/f/cgroup.procs';"
        " echo FROZEN >/tmp/v1/f/freezer.state; sleep 1; echo THAWED >/tmp/v1/f/freezer.state"))

# ---- other scheduling classes: what they hold back is ready ----

# They end by themselves: on a real-time kernel they would keep the timers from ending them.
FIFO = check(
    "fifo", "-- sh -c 'for n in 1 2; do chrt -f 10"
    " sh -c \"i=0; while [ \\$i -lt 20000 ]; do i=\\$((i+1)); done\" & done;"
    " sh /root/busy 2 0.5; wait'", holds=[PARALLEL])
DEADLINE = check("deadline", "-- sh /root/busy 2 0.5 chrt -d -T 5000000 -P 20000000 -D 20000000 0",
                 holds=['r["run_queue_wait"]["held_ns"] > 0'])

# ---- what happens to the machine meanwhile ----

OFF, ON = (f"echo {n} >/sys/devices/system/cpu/cpu1/online" for n in (0, 1))
HOTPLUG = check("hotplug", f"-- sh -c 'sh /root/busy 3 3 & sleep 0.5; {OFF}; sleep 1; {ON}; wait'",
                holds=[PARALLEL])
# It does not come back: nobody has it.
GONE = check("gone", f"-- sh -c 'sh /root/busy 3 2 & sleep 0.5; {OFF}; wait'",
             holds=['r["cpus"][1]["unknown_ns"] > 1_000_000_000'], before=ON)
UNPLUGGED = check("unplugged", "threads --seconds 0.5", "4", before=OFF,
                  holds=['r["host"]["cpus_online"] == 1', *FEW_CPUS])
CLOCK = check("clock", "threads --seconds 3",
              holds=["beside_in_time", PARALLEL, 'r["window"]["duration_ns"] < 60_000_000_000'],
              beside="begun; date -s 2037-01-01; sleep 0.3; date -s 1990-01-01")

# ---- the table ----

TWO = [PROCS, THREADS, MIGRATE, SEQUENTIAL, ASYNC]
ALL_EIGHT = check("procs", "procs --tasks 8 --seconds 0.5",
                  holds=[PARALLEL, 'r["host"]["cpus_usable"] == list(range(8))'])
SMT = 'r["host"]["smt"] is True'
TABLE = [
    machine("5.10", 2, [check("refused", "procs", "3", says="since Linux 5.")], doctor="3"),
    # The switch tracepoint has three arguments.
    machine("5.15", 2, [PROCS, THREADS, QUOTA_V2, PINNED]),
    machine("6.1", 2, [*TWO, PINNED, FROZEN_V1, QUOTA_V1]),
    machine("6.12", 1, [
        check("procs", "procs --seconds 0.3", "4", holds=FEW_CPUS), SEQUENTIAL, ASYNC,
        *shapes("4", "unbalanced --seconds 0.3", "migrate --seconds 0.3", "spawn --rounds 5 "
                "--seconds 0.1 --tasks 3", "sums --rounds 200", "race --rounds 5000"),
        *shapes("0", "pingpong --seconds 0.3", "ipc --rounds 4000", "sleepers", "event",
                "deadlock", "hog --mend threads")]),
    # A lock that is handed on is not asked for (gil --work io): emulated, that takes a millisecond.
    machine("6.12", 8, [
        ALL_EIGHT, THREADS, MIGRATE,
        *shapes("0", "unbalanced --seconds 0.3", "amdahl --seconds 0.3", "pool --rounds 80",
                "pipeline --rounds 40", "spawn --rounds 5 --seconds 0.1 --tasks 3",
                "gil --free --seconds 0.3", "race --how mutex --rounds 5000",
                "spawn --how vfork --rounds 5 --seconds 0.2 --tasks 2", "queue",
                "deadlock --mend order")]),
    machine("6.12-rt", 2, [*TWO, FIFO, DEADLINE, QUOTA_V2]),
    machine("newest", 2, [*TWO, PINNED, FIFO, HOTPLUG, CLOCK, FROZEN_V1, FROZEN_V2, QUOTA_V2,
                          DEADLINE, GONE, UNPLUGGED]),
    machine("newest", 4, [
        check("procs", "procs --seconds 0.5",
              holds=[PARALLEL, SMT, 'r["host"]["cpus_online"] == 4']),
        check("threads", "--cpus 0,2 threads --seconds 0.5",
              holds=[PARALLEL, SMT, 'r["host"]["cpus_usable"] == [0, 2]']),
        MIGRATE, SEQUENTIAL], threads=2, nodes=2),
    machine("newest-cloud", 2, [*TWO, ATTACH]),
]
