# SPDX-License-Identifier: GPL-2.0-only
"""Breaks reports, and expects identities.py to refuse each.

    python3 tests/reports/mutations.py REPORT...

Every number and every yes or no of every report is changed, one at a time: what is then still
accepted must be one of the facts that nothing else in a report tells (FACTS), and
each of these must really be free. Then come lies that keep the plain sums (LIES): each must be
refused by the part of the checker that knows better. Ends with what went wrong and 1, or
with a summary.
"""

import copy
import decimal
import re
import sys

import identities

# What a report says once. A change of it need not show.
FACTS = """
    audit.clock_ahead_ns
    audit.exec_excess_ns
    audit.migrations_unseen
    audit.repicks
    capacity.quota_cpus
    deadlock.cycle[].shared
    event_loops[].epfd
    event_loops[].events
    event_loops[].waits
    host.cpus_online
    host.physical.age_ns
    host.physical.round_ns
    host.quota_cpus
    host.smt
    host.steal_ns
    locks[].shared
    loss.hidden_switch_ins
    loss.markers_malformed
    loss.markers_unmatched
    loss.markers_unread
    loss.name_misses
    loss.unseen_moves
    loss.unseen_wakings
    migrations.matrix[].from
    migrations.matrix[].to
    operations[].open_at_end
    operations[].ready
    overhead.bpf_ns
    overhead.bpf_runs
    overhead.bytes
    overhead.events
    overhead.reader_cpu_ns
    run_queue_wait.antagonists[].tid
    run_queue_wait.longest.antagonist.tid
    serializer.shared
    tasks[].cpu_ns
    tasks[].nice
    verdict.certificate_holds
    verdict.eps_ns
    verdict.never_two
    verdict.witness[].seq_out
    window.left
    workload.attempts.allowed
    workload.attempts.made
    workload.claim.at_least
    workload.claim.min_operations
    workload.claim.serializer
    workload.command
    workload.exit_status
    workload.signal
""".split()

SAMPLES = 8  # of each key, in each report


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, path + (key,))
    elif isinstance(value, list):
        for i, member in enumerate(value):
            yield from leaves(member, path + (i,))
    elif value is not None and not isinstance(value, str):
        yield path, value


def key_of(path):
    return re.sub(r"\.\[", "[", ".".join("[]" if isinstance(k, int) else k for k in path))


def parent_of(report, path):
    for key in path[:-1]:
        report = report[key]
    return report


def with_change(report, path, value):
    """What the checker says of the report with that one value."""
    parent, was = parent_of(report, path), parent_of(report, path)[path[-1]]
    parent[path[-1]] = value
    said = identities.findings(report)
    parent[path[-1]] = was
    return said


def spread(items):
    """SAMPLES of them, from the first to the last."""
    if len(items) <= SAMPLES:
        return items
    return [items[i * (len(items) - 1) // (SAMPLES - 1)] for i in range(SAMPLES)]


def change_each(report, tally):
    """tally[key]: changes by a little and by much, how many were refused of how many."""
    by_key = {}
    for path, value in leaves(report):
        by_key.setdefault(key_of(path), []).append((path, value))
    for key, found in by_key.items():
        row = tally.setdefault(key, {"little": [0, 0], "much": [0, 0]})
        for path, value in spread(found):
            if isinstance(value, bool):
                changes = {"much": not value}
            else:
                one = 1 if isinstance(value, int) else decimal.Decimal("0.000001")
                changes = {"little": value + one, "much": value * 3 + 10**15}
            for size, changed in changes.items():
                row[size][0] += bool(with_change(report, path, changed))
                row[size][1] += 1


def judge_tally(tally):
    problems, exact, bounded = [], 0, 0
    for key, row in sorted(tally.items()):
        refused, of = row["much"]
        if key in FACTS:
            if refused == of:
                problems.append(f"{key} is bound by an identity: it is no longer one of FACTS")
        elif refused < of:
            problems.append(f"{key}: {of - refused} of {of} changes were accepted")
        elif row["little"][0] == row["little"][1]:
            exact += 1
        else:
            bounded += 1
    for key in FACTS:
        if key not in tally:
            problems.append(f"{key} is one of FACTS and in none of the reports")
    return problems, exact, bounded


def move(ns, giver, key_from, taker, key_to):
    giver[key_from] -= ns
    taker[key_to] += ns


def busiest(r):
    return max(r["tasks"], key=lambda t: t["run_ns"])


def shift_segment(r):
    segments = r["critical_path"]["segments"]
    segments[0]["end_ns"] -= 1
    segments[1]["start_ns"] -= 1


def give_segment_away(r):
    segment = r["critical_path"]["segments"][-1]
    other = next(t for t in r["tasks"] if t["id"] != segment["id"])
    segment.update(id=other["id"], tid=other["tid"])


def drop_segment(r):
    del r["critical_path"]["segments"][1]


def unready_a_task(r):
    task = next(t for t in r["tasks"] if t["ready_ns"])
    move(task["ready_ns"], task, "ready_ns", task, "run_ns")


def longer_life(r):
    t = busiest(r)
    t["run_ns"] += 1
    t["end_ns"] += 1


def swap_bottles(r):
    a, b = sorted(r["tasks"], key=lambda t: t["bottle_ns"])[0::len(r["tasks"]) - 1]
    a["bottle_ns"], b["bottle_ns"] = b["bottle_ns"], a["bottle_ns"]


def swap_blame(r):
    blocked = r["capacity"]["blocked_ns"]
    move(max(blocked.values()), blocked, max(blocked, key=blocked.get), blocked, "uring")


def longer_waits(r):
    r["wakeup_latency"]["histogram"].insert(0, 0)
    r["wakeup_latency"]["histogram"].pop()


def witness_on_one_cpu(r):
    for part in r["verdict"]["witness"]:
        part["cpu"] = 0


def witness_of_one_task(r):
    first, second = r["verdict"]["witness"][:2]
    second.update(id=first["id"], tid=first["tid"])


def witness_too_short(r):
    overlap, parts = r["verdict"]["overlap"], r["verdict"]["witness"]
    overlap["end_ns"] = overlap["start_ns"] + r["verdict"]["eps_ns"]
    min(parts, key=lambda w: w["end_ns"])["end_ns"] = overlap["end_ns"]


def witness_hidden(r):
    r["verdict"]["witness"][0]["seq_in"] = None


def witness_after_death(r):
    part = r["verdict"]["witness"][0]
    task = next(t for t in r["tasks"] if t["id"] == part["id"])
    task["end_ns"] = part["end_ns"] - 1


def set_class(name):
    def lie(r):
        r["verdict"]["class"] = name
    return lie


def dirty(r):
    r["audit"].update(clean=False, failures=1, unexplained=1)
    r["audit"]["checks"].append({"name": "switches", "id": None, "tid": None, "expected": 2,
                                 "observed": 1, "by_loss": False})


def lossy(r):
    r["loss"].update(dropped=3, gaps=1)
    r["loss"]["stretches"].append({"cpu": 0, "start_ns": 1, "end_ns": 2, "count": 3})


def operation_late(r):
    r["operations"][-1]["end_ns"] = r["window"]["end_ns"] + 1


def one_operation(r):
    parts = r["verdict"]["witness"]
    parts[1] = copy.deepcopy(parts[0])


def foreign_holder(r):
    r["locks"][0]["holders"][0]["id"] = 10**6


def orphan(r):
    r["tasks"][-1]["parent_id"] = r["tasks"][-1]["id"]


def swap_classes_of_cpu(r):
    cpu = r["cpus"][0]
    cpu["ours_ns"], cpu["idle_ns"] = cpu["idle_ns"], cpu["ours_ns"]


def on_a_foreign_cpu(r):
    busiest(r)["cpus"].append(4095)


def serializer_of_nothing(r):
    r["serializer"]["addr"] = "0xdead"


def handed_over_to_nobody(r):
    r["serializer"]["present"] = False


def had_by_one(r):
    r["serializer"]["had_by"] = 1


def overstated(r):
    r["parallelism"]["average"] = r["parallelism"]["average"] + 1


def starving_loop(r):
    loop = next(l for l in r["event_loops"] if l.get("iterations"))
    move(loop["cpu_ns"], loop, "cpu_ns", loop, "ready_ns")


def held_by_nobody(r):
    r["locks"][0].update(holder_count=0, holders=[], holder_ready_ns=1)


def blocked_for_another_reason(r):
    task = next(t for t in r["tasks"] if t["blocked_in"])
    task["blocked_in"][0]["reason"] = "stopped"


# The part that must refuse it; what is done to the report; what a report must have for that.
LIES = (
    ("parallelism", longer_life, lambda r: True),
    ("waits", unready_a_task, lambda r: any(t["ready_ns"] for t in r["tasks"])),
    ("parallelism", lambda r: move(1, r["parallelism"]["profile_ns"], 1,
                                   r["parallelism"]["profile_ns"], 0), lambda r: True),
    ("parallelism", overstated, lambda r: r["parallelism"]["average"] is not None),
    ("tasks", swap_bottles, lambda r: r["verdict"]["class"] == "parallel"),
    ("cpus", swap_classes_of_cpu, lambda r: r["cpus"][0]["ours_ns"] != r["cpus"][0]["idle_ns"]),
    ("capacity", swap_blame, lambda r: any(r["capacity"]["blocked_ns"].values())),
    ("capacity", lambda r: move(1, r["capacity"], "no_thread_ns", r["capacity"], "other_ns"),
     lambda r: r["capacity"]["no_thread_ns"]),
    ("capacity", lambda r: r["capacity"].update(largest_loss="blocked.stopped"), lambda r: True),
    ("critical_path", shift_segment, lambda r: len(r["critical_path"]["segments"]) > 1),
    ("critical_path", drop_segment, lambda r: len(r["critical_path"]["segments"]) > 2),
    ("critical_path", give_segment_away, lambda r: len(r["tasks"]) > 1),
    ("waits", longer_waits, lambda r: r["run_queue_wait"]["count"]),
    ("witness", witness_on_one_cpu, lambda r: r["verdict"]["class"] == "parallel"),
    ("witness", witness_of_one_task, lambda r: r["verdict"]["class"] == "parallel"),
    ("witness", witness_too_short, lambda r: r["verdict"]["class"] == "parallel"),
    ("witness", witness_hidden, lambda r: r["verdict"]["class"] == "parallel"),
    ("witness", witness_after_death, lambda r: r["verdict"]["class"] == "parallel"),
    ("verdict", set_class("sequential"), lambda r: r["verdict"]["class"] != "sequential"),
    ("verdict", set_class("concurrent"), lambda r: r["verdict"]["class"] != "concurrent"),
    ("verdict", set_class("parallel"), lambda r: r["verdict"]["class"] != "parallel"),
    ("verdict", dirty, lambda r: True),
    ("loss", lossy, lambda r: True),
    ("operations", operation_late, lambda r: r["operations"]),
    ("witness", one_operation,
     lambda r: r["verdict"]["witness"] and r["verdict"]["witness"][0]["kind"] == "operation"),
    ("locks", foreign_holder, lambda r: r["locks"] and r["locks"][0]["holders"]),
    ("locks", held_by_nobody, lambda r: r["locks"]),
    ("tasks", blocked_for_another_reason, lambda r: any(t["blocked_in"] for t in r["tasks"])),
    ("tasks", orphan, lambda r: len(r["tasks"]) > 1),
    ("tasks", on_a_foreign_cpu, lambda r: True),
    ("serializer", serializer_of_nothing, lambda r: "addr" in r["serializer"]),
    ("serializer", handed_over_to_nobody, lambda r: r["serializer"].get("kind") == "handovers"),
    ("serializer", had_by_one,
     lambda r: r["serializer"]["present"] and r["serializer"]["kind"] == "lock"),
    ("event_loops", starving_loop,
     lambda r: any(l.get("iterations") and l["cpu_ns"] for l in r["event_loops"])),
)


def tell_lies(reports):
    problems = []
    for i, (part, lie, is_fit) in enumerate(LIES):
        fit = [(name, r) for name, r in reports if is_fit(r)]
        if not fit:
            problems.append(f"lie {i} ({part}): no report is fit for it")
        for name, report in fit:
            broken = copy.deepcopy(report)
            lie(broken)
            said = identities.findings(broken)
            if not any(s.startswith(part + ": ") for s in said):
                problems.append(f"{name}: lie {i} was not refused by {part}: {said}")
    return problems


def main(names):
    if not names:
        sys.exit("usage: mutations.py REPORT...")
    reports = [(name, identities.load(name)) for name in names]
    tally, problems = {}, []
    for name, report in reports:
        problems += [f"{name}: {s}" for s in identities.findings(report)]
        change_each(report, tally)
    said, exact, bounded = judge_tally(tally)
    problems += said + tell_lies(reports)
    for problem in problems:
        print(problem)
    changes = sum(row[size][1] for row in tally.values() for size in row)
    print(f"{changes} changes, {len(LIES)} lies: {exact} keys are exact, {bounded} bounded,"
          f" {len(FACTS)} bare facts")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
