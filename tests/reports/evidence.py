# SPDX-License-Identifier: GPL-2.0-only
"""The verdict, what it rests on, and what was in progress."""

from common import is_5_percent, window_ns

WITNESS_LEAST_NS = 1000


def most_at_once(intervals):
    """The most intervals [start, end) that are open at one instant."""
    lasting = [(a, b) for a, b in intervals if a < b]
    most = level = 0
    for _, step in sorted([(a, 1) for a, _ in lasting] + [(b, -1) for _, b in lasting]):
        level += step
        most = max(most, level)
    return most


def length_of_union(intervals):
    total, until = 0, 0
    for a, b in sorted(intervals):
        total += max(b - max(a, until), 0)
        until = max(until, b)
    return total


def check_verdict(f, r):
    v, p, c = r["verdict"], r["parallelism"], r["concurrency"]
    doubtless = r["audit"]["clean"] and r["audit"]["lossless"]
    if v["class"] == "parallel":
        f.holds("parallel: what the audit found is explained by what is missing",
                r["audit"]["clean"]
                or not (r["audit"]["lossless"] or r["audit"]["unexplained"]))
        f.holds("parallel: 5 % of the busy time at the least",
                is_5_percent(p["bounds"][0], p["busy_bounds"][1]) and p["busy_bounds"][1] > 0)
        beyond = p["run_ns"] - p["busy_ns"]
        f.holds("parallel: also without the stamps that the CPUs' own clocks contradict",
                is_5_percent(max(beyond - r["audit"]["clock_ahead_ns"], 0), p["busy_ns"]))
        f.holds("parallel: there is a witness", len(v["witness"]) >= 2)
        f.same("incidental_ns", v["incidental_ns"], 0)
        f.same("never_two", v["never_two"], False)
    else:
        f.same("incidental_ns and parallel_ns", v["incidental_ns"], p["parallel_ns"])
    if v["class"] in ("concurrent", "sequential"):
        f.holds("never: nothing is missing and the audit is clean", doubtless)
        f.holds("not parallel: less than 5 % of the busy time at the most",
                not is_5_percent(p["bounds"][1], p["busy_bounds"][0]))
        f.same("concurrent: 5 % of the active time",
               c["concurrent_ns"] > 0 and is_5_percent(c["concurrent_ns"], c["active_ns"]),
               v["class"] == "concurrent")
        f.same("witness", len(v["witness"]), 2 if v["class"] == "concurrent" else 0)
    ahead = r["audit"]["clock_ahead_ns"]
    astray = ahead and not is_5_percent(max(p["run_ns"] - p["busy_ns"] - ahead, 0), p["busy_ns"])
    f.same("at_least: concurrent for certain, and the bounds do not decide", v.get("at_least"),
           "concurrent" if v["class"] == "inconclusive" and doubtless and p["busy_ns"]
           and not astray and not is_5_percent(p["bounds"][0], p["busy_bounds"][1])
           and is_5_percent(p["bounds"][1], p["busy_bounds"][0]) and c["concurrent_ns"]
           and is_5_percent(c["concurrent_ns"], c["active_ns"]) else None)
    if v["never_two"]:
        f.holds("never_two: nothing is missing and the audit is clean", doubtless)
        f.at_most("never_two: the longest overlap and eps", p["longest_overlap_ns"], v["eps_ns"])


CLASSES = ("sequential", "concurrent", "parallel")


def class_is_kept(claim, seen):
    if claim["at_least"] and seen in CLASSES:
        return CLASSES.index(seen) >= CLASSES.index(claim["class"])
    return seen == claim["class"]


def lowest_class(v):
    return v.get("at_least", v["class"])


def class_is_known(claim, v):
    return v["class"] != "inconclusive" or (
        "at_least" in v
        and class_is_kept(claim, v["at_least"]) == class_is_kept(claim, "parallel"))


def stall_is_kept(claim, loops):
    cpu, blocked = (max((l.get(key, 0) for l in loops), default=0) >= (claim["stall_ns"] or 0)
                    for key in ("longest_cpu_ns", "longest_blocked_ns"))
    return {None: True, "computing": cpu and not blocked, "blocked": blocked and not cpu,
            "none": not cpu and not blocked}[claim["stall"]]


def fault_of(claim, r):
    """The first part that was not kept; None if all were."""
    p, degree = r["parallelism"], claim["min_parallelism"] or 0
    parts = (
        ("stuck", claim["deadlock"] or r["verdict"]["stuck"] is None),
        ("class", class_is_kept(claim, lowest_class(r["verdict"]))),
        ("parallelism", p["run_ns"] >= p["busy_ns"] * degree),
        ("serializer", r["serializer"]["present"] or not claim["serializer"]),
        ("operations", r["concurrency"]["max_operations"] >= (claim["min_operations"] or 0)),
        ("stall", stall_is_kept(claim, r["event_loops"])),
        ("deadlock", r["deadlock"]["present"] or not claim["deadlock"]),
    )
    return next((part for part, kept in parts if not kept), None)


def check_claim(f, r):
    v, claim = r["verdict"], r["workload"].get("claim")
    f.same("a claim is judged where there is one", "claim_holds" in v, claim is not None)
    f.same("a claim_doubt is given where it is undecided", "claim_doubt" in v,
           claim is not None and v["claim_holds"] is None)
    f.same("a claim_fault is given where it does not hold", "claim_fault" in v,
           v.get("claim_holds") is False)
    if claim is None:
        return
    f.same("a claimed stall has a length", claim["stall"] is None, claim["stall_ns"] is None)
    fault = fault_of(claim, r)
    if v["claim_holds"] is not None:
        f.same("claim_holds", v["claim_holds"], fault is None)
        f.same("claim_fault", v.get("claim_fault"), fault)
    few = len(r["host"]["cpus_usable"]) < max(claim["needs_cpus"],
                                               2 if claim["class"] == "parallel" else 0)
    doubt = v.get("claim_doubt")
    f.same("the doubt of an inconclusive verdict", doubt == "inconclusive",
           not class_is_known(claim, v))
    f.same("the doubt of too few CPUs", doubt == "few_cpus", few and class_is_known(claim, v))
    if doubt == "busy_cpus":
        f.holds("busy CPUs decide what they could have changed",
                fault in (None, "class", "parallelism", "serializer", "operations", "stall")
                and (r["without_others"]["interfered_ns"] or r["without_others"]["stretched_ns"]))
    if doubt == "records_missing":
        f.holds("missing records cost a claimed deadlock", fault == "deadlock")
    if doubt == "operations_not_observed":
        f.holds("operations that were not observed are too few, or stall nothing",
                fault in ("operations", "stall") and not r["operations"])


def check_witness(f, r):
    parts, overlap = r["verdict"]["witness"], r["verdict"].get("overlap")
    f.same("an overlap is given with a witness", overlap is not None, bool(parts))
    if not parts:
        return
    kind = parts[0]["kind"]
    f.holds("all parts are of one kind", all(w["kind"] == kind for w in parts))
    f.holds("a class's witness is of its kind",
            (kind == "slice") == (r["verdict"]["class"] != "concurrent"))
    for w in parts:
        task = f.names_task("the witness", w)
        f.at_most("a part's end and the window's", w["end_ns"], window_ns(r))
        f.holds("a part has an end behind its start", w["start_ns"] < w["end_ns"])
        if task and kind != "operation":
            f.holds("a part lies in its task's lifetime",
                    task["start_ns"] <= w["start_ns"] and w["end_ns"] <= task["end_ns"])
            f.holds("a slice was on a CPU of its task's",
                    kind != "slice" or w["cpu"] in task["cpus"])
        f.same("slices, and they alone, have a CPU and records",
               {w["cpu"] is not None, w["seq_in"] is not None}, {kind == "slice"})
        f.same("op", w["op"] is not None, kind == "operation")
    {"slice": witness_of_slices, "task": witness_of_two,
     "operation": witness_of_two}[kind](f, r, parts, overlap)


def witness_of_slices(f, r, parts, overlap):
    v = r["verdict"]
    f.same("the parts' CPUs are different", len({w["cpu"] for w in parts}), len(parts))
    f.same("the parts' tasks are different", len({w["id"] for w in parts}), len(parts))
    f.at_most("parts and parallelism.max", len(parts), r["parallelism"]["max"])
    f.same("the overlap's start", overlap["start_ns"], max(w["start_ns"] for w in parts))
    f.same("the overlap's end", overlap["end_ns"], min(w["end_ns"] for w in parts))
    length = overlap["end_ns"] - overlap["start_ns"]
    if v["class"] == "parallel":
        f.holds("the overlap is longer than eps", length > v["eps_ns"])
    f.holds("the overlap is longer than 1 us", length > WITNESS_LEAST_NS)
    f.at_most("the overlap and longest_overlap_ns", length, r["parallelism"]["longest_overlap_ns"])
    for w in parts:
        task = f.tasks.get(w["id"])
        f.holds("no part of a proof was hidden", w["seq_in"] is not None)
        if w["seq_out"] is not None:
            f.holds("its records are in order", w["seq_in"] < w["seq_out"])
        if task:
            f.at_most("a stay and its task's run_ns", w["end_ns"] - w["start_ns"], task["run_ns"])


def witness_of_two(f, r, parts, overlap):
    """Two tasks or operations, and an instant."""
    f.same("parts", len(parts), 2)
    f.same("they are two", len({(w["id"], w["op"]) for w in parts}), 2)
    f.same("an instant", overlap["start_ns"], overlap["end_ns"])
    for w in parts:
        f.holds("the instant lies in both parts",
                w["start_ns"] <= overlap["start_ns"] < w["end_ns"])
        if w["op"] is None:
            continue
        op = next((o for o in r["operations"] if o["id"] == w["op"]), None)
        f.same("the operation is one of operations[]", op and (op["task_id"], op["start_ns"],
                                                               op["end_ns"]),
               (w["id"], w["start_ns"], w["end_ns"]))
    if parts[0]["op"] is None:
        f.holds("they are two tasks", parts[0]["id"] != parts[1]["id"])


def check_operations_profile(f, r, c, ops):
    step, profile = c["operations_step"], c["operations_profile_ns"]
    f.same("operations_profile_ns and the window", sum(profile), window_ns(r))
    f.same("operations_step", step, next(1 << i for i in range(64)
                                         if c["max_operations"] <= 63 << i))
    f.same("the profile's length", len(profile) - 1, -(-c["max_operations"] // step))
    in_flight = sum(end - start for start, end in ops)
    f.at_most("the operations' time and the most that the profile allows", in_flight,
              sum(k * step * ns for k, ns in enumerate(profile)))
    f.at_most("the least that the profile allows, and the operations' time",
              sum(((k - 1) * step + 1) * ns for k, ns in enumerate(profile) if k), in_flight)


def check_concurrency(f, r):
    c, p = r["concurrency"], r["parallelism"]
    ops = [(o["start_ns"], o["end_ns"]) for o in r["operations"] if not o.get("parent")]
    f.at_most("concurrent_ns and active_ns", c["concurrent_ns"], c["active_ns"])
    f.at_most("active_ns and the window", c["active_ns"], window_ns(r))
    f.at_most("max_in_progress and tasks", c["max_in_progress"], len(r["tasks"]))
    # Whoever runs is in progress.
    f.at_most("busy_ns and active_ns", p["busy_ns"], c["active_ns"])
    f.at_most("parallel_ns and concurrent_ns", p["parallel_ns"], c["concurrent_ns"])
    f.at_most("parallelism.max and max_in_progress", p["max"], c["max_in_progress"])
    f.same("max_operations and operations[]", c["max_operations"], most_at_once(ops))
    if "operations_step" in c:
        check_operations_profile(f, r, c, ops)
    f.at_most("time with operations and active_ns", length_of_union(ops), c["active_ns"])
    f.same("two at once", c["concurrent_ns"] > 0,
           c["max_in_progress"] >= 2 or c["max_operations"] >= 2)


def check_operations(f, r):
    ops = r["operations"]
    f.same("ids count from 1", [o["id"] for o in ops], list(range(1, len(ops) + 1)))
    f.holds("they are in order of start",
            all(a["start_ns"] <= b["start_ns"] for a, b in zip(ops, ops[1:])))
    for o in ops:
        f.names_task(f"operation {o['id']}", {"id": o["task_id"], "tid": o["tid"]})
        f.holds(f"operation {o['id']} lies in the window",
                0 <= o["start_ns"] <= o["end_ns"] <= window_ns(r))
        if o["fd"] is None:
            check_marked(f, ops, o)
        else:
            f.holds(f"operation {o['id']} is named by what its descriptor is of",
                    o["name"] in [f"{kind}fd {o['fd']}" for kind in FD_KINDS])


FD_KINDS = ["", "pipe ", "device ", "file ", "socket ", "eventfd ", "signalfd ", "timer ", "epoll ",
            "own pipe or socket "]


def check_marked(f, ops, o):
    f.at_most(f"operation {o['id']}: active and its length", o["active_ns"], o["end_ns"] - o["start_ns"])
    f.holds(f"operation {o['id']} is a part of an earlier one", 0 <= o["parent"] < o["id"])
    if o["parent"]:
        f.at_most(f"operation {o['id']} begins while its whole is open", o["start_ns"],
                  ops[o["parent"] - 1]["end_ns"])
