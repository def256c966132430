# SPDX-License-Identifier: GPL-2.0-only
"""Times and counts that sum: tasks, CPUs, the profile, capacity, and what is missing."""

import decimal

from common import is_exact, lost_ns, ratio, run_ns, window_ns


def check_window(f, r):
    w = r["window"]
    f.same("end_ns and duration_ns", w["end_ns"], w["duration_ns"])
    alive = any(t["alive"] for t in r["tasks"])
    if r["tasks"] and not alive and r["loss"]["complete"]:
        f.same("the last end of a task and the window's end",
               max(t["end_ns"] for t in r["tasks"]), w["end_ns"])
    if w["ended_by"] == "exit":
        f.holds("nothing is alive after the last exit", not alive or r["loss"]["dropped"])
    for key in ("exit_status", "signal"):
        if r["workload"][key] is not None:
            f.holds(f"{key} is known where the end is", w["ended_by"] != "unknown")
    f.holds("it ended by exit or by a signal, not both",
            r["workload"]["exit_status"] is None or r["workload"]["signal"] is None)


def check_host(f, r):
    f.ascending("cpus_usable", r["host"]["cpus_usable"])
    f.same("cpus[] and cpus_usable", [c["cpu"] for c in r["cpus"]], r["host"]["cpus_usable"])


def check_loss(f, r):
    loss, audit = r["loss"], r["audit"]
    f.same("gaps and stretches", loss["gaps"], len(loss["stretches"]))
    f.same("damage is said where the file is incomplete", "damage" in loss, not loss["complete"])
    f.same("recovered", loss["recovered"], not loss["complete"] and r["overhead"]["events"] > 0)
    if loss["complete"]:
        f.same("records missing from stretches and dropped",
               sum(s["count"] for s in loss["stretches"]), loss["dropped"])
    for s in loss["stretches"]:
        f.holds("a stretch has an end behind its start",
                s["end_ns"] is None or s["start_ns"] <= s["end_ns"])
        f.holds("a stretch misses something", s["count"] > 0)
    f.same("lossless", audit["lossless"],
           loss["complete"] and not loss["dropped"] and not loss["gaps"]
           and not loss.get("storage_failures") and not loss.get("recursion_misses")
           and r["window"]["ended_by"] != "write_error")


def check_audit(f, r):
    a = r["audit"]
    f.same("clean", a["clean"], a["failures"] == 0)
    f.same("failures and checks", len(a["checks"]), min(a["failures"], 1000))
    f.at_most("unexplained and failures", a["unexplained"], a["failures"])
    unexplained = sum(not c["by_loss"] for c in a["checks"])
    if a["failures"] == len(a["checks"]):
        f.same("unexplained and the checks", a["unexplained"], unexplained)
    f.at_most("the checks and unexplained", unexplained, a["unexplained"])
    for c in a["checks"]:
        f.holds("a failed check differs", c["expected"] != c["observed"])
        if c["id"] is not None:
            f.names_task("a check", c)
    f.at_most("tasks_checked and tasks", a["tasks_checked"], len(r["tasks"]))
    if a["clean"] and a["lossless"]:
        f.same("tasks_checked and tasks", a["tasks_checked"], len(r["tasks"]))
        f.same("switches_checked and the tasks' switches", a["switches_checked"],
               sum(t["switches"] for t in r["tasks"]))
        f.same("migrations_checked and migrations", a["migrations_checked"],
               r["migrations"]["count"])
    if a["migrations_unseen"]:
        f.holds("moves are unseen where something was hidden",
                r["loss"]["hidden_switch_ins"] or r["loss"]["unseen_wakings"]
                or r["loss"]["unseen_moves"])
    f.holds("repicks have an excess", (a["repicks"] == 0) == (a["exec_excess_ns"] == 0))


def check_tasks(f, r):
    t_ns = window_ns(r)
    tids = {t["tid"] for t in r["tasks"]}
    f.ascending("ids", [t["id"] for t in r["tasks"]])
    for t in r["tasks"]:
        who = f"task {t['id']}"
        f.same(f"{who}: run + ready + blocked + unknown and its lifetime",
               t["run_ns"] + t["ready_ns"] + sum(t["blocked_ns"].values()) + t["unknown_ns"],
               t["end_ns"] - t["start_ns"])
        if not r["loss"]["gaps"]:
            f.same(f"{who}: what is not known where nothing is missing", t["unknown_ns"], 0)
        f.at_most(f"{who}: its end and the window's", t["end_ns"], t_ns)
        if t["alive"]:
            f.same(f"{who}: is alive, so its end", t["end_ns"], t_ns)
        f.same(f"{who}: voluntary + involuntary and switches", t["voluntary"] + t["involuntary"],
               t["switches"])
        f.at_most(f"{who}: max_ready_ns and ready_ns", t["max_ready_ns"], t["ready_ns"])
        f.same(f"{who}: was ready", bool(t["max_ready_ns"]), bool(t["ready_ns"]))
        f.ascending(f"{who}: its cpus", t["cpus"])
        f.holds(f"{who}: ran on usable CPUs", set(t["cpus"]) <= set(r["host"]["cpus_usable"]))
        f.same(f"{who}: it ran where it ran", bool(t["cpus"]), t["run_ns"] > 0)
        if is_exact(r) and not r["audit"]["migrations_unseen"] and not r["loss"]["unseen_moves"]:
            f.at_most(f"{who}: moves to other CPUs and migrations", len(t["cpus"]) - 1,
                      t["migrations"])
        check_calls(f, who, t)
        f.at_most(f"{who}: bottle_ns and run_ns", t["bottle_ns"], t["run_ns"] + t["unknown_ns"])
        # Divided among max at the most, and rounded to a nanosecond.
        f.at_most(f"{who}: run_ns and bottle_ns x max", t["run_ns"],
                  (t["bottle_ns"] + 1) * r["parallelism"]["max"])
        if r["audit"]["lossless"]:
            f.holds(f"{who}: its process has a first thread", t["tgid"] in tids)
        parent = f.tasks.get(t["parent_id"])
        f.holds(f"{who}: its parent is an older task, or none",
                t["parent_id"] == 0 or (parent is not None and t["parent_id"] < t["id"]))
        if parent and r["audit"]["lossless"]:
            f.holds(f"{who}: was born in its parent's lifetime",
                    parent["start_ns"] <= t["start_ns"] <= parent["end_ns"])


def check_calls(f, who, t):
    calls = t["blocked_in"]
    for reason, ns in t["blocked_ns"].items():
        f.same(f"{who}: blocked_in and blocked_ns.{reason}", ns,
               sum(c["ns"] for c in calls if c["reason"] == reason))
    for c in calls:
        f.at_most(f"{who}: blocks, and as many nanoseconds", c["count"], c["ns"])
    f.same(f"{who}: a call stands once for a reason",
           len({(c["call"], c["reason"]) for c in calls}), len(calls))
    f.holds(f"{who}: calls are in order",
            all(a["ns"] >= b["ns"] for a, b in zip(calls, calls[1:])))


def check_parallelism(f, r):
    p, t_ns, profile = r["parallelism"], window_ns(r), r["parallelism"]["profile_ns"]
    f.same("profile_ns and the window", sum(profile), t_ns)
    f.at_most("work: the tasks' run_ns and run_ns", run_ns(r), p["run_ns"])
    f.at_most("work: run_ns and the tasks'", p["run_ns"], run_ns(r) + lost_ns(r))
    f.same("work: run_ns and sum of k x profile_ns[k]", p["run_ns"],
           sum(k * ns for k, ns in enumerate(profile)))
    f.same("busy_ns and profile_ns[1..]", p["busy_ns"], sum(profile[1:]))
    f.same("parallel_ns and profile_ns[2..]", p["parallel_ns"], sum(profile[2:]))
    f.same("max and the profile's length", p["max"], len(profile) - 1)
    f.holds("the highest level lasted", len(profile) == 1 or profile[-1] > 0)
    f.at_most("max and usable CPUs", p["max"], len(r["host"]["cpus_usable"]))
    f.at_most("max and tasks", p["max"], len(r["tasks"]))
    for key, whole in (("average", t_ns), ("average_busy", p["busy_ns"])):
        f.same(key, p[key], ratio(p["run_ns"], whole))
    f.same("share", p["share"], ratio(p["parallel_ns"], p["busy_ns"]))
    f.at_most("longest_overlap_ns and parallel_ns", p["longest_overlap_ns"], p["parallel_ns"])
    f.same("something overlaps", p["longest_overlap_ns"] > 0, p["parallel_ns"] > 0)
    check_bounds(f, r, p)


def check_bounds(f, r, p):
    for key, bounds in (("parallel_ns", p["bounds"]), ("busy_ns", p["busy_bounds"]),
                        ("run_ns", p["run_bounds"]), ("max", p["max_bounds"])):
        f.at_most(f"{key} and its lower bound", bounds[0], p[key])
        f.at_most(f"{key} and its upper bound", p[key], bounds[1])
        if is_exact(r):
            f.same(f"{key} and its bounds", bounds, [p[key], p[key]])
    for i, bound in enumerate(("lower", "upper")):
        f.at_most(f"{bound} bounds of parallel_ns and busy_ns", p["bounds"][i], p["busy_bounds"][i])
        f.at_most(f"{bound} bounds of busy_ns and run_ns", p["busy_bounds"][i], p["run_bounds"][i])
    f.at_most("the upper bounds of run_ns and of max x busy_ns", p["run_bounds"][1],
              p["max_bounds"][1] * p["busy_bounds"][1])
    f.at_most("the upper bound of max and usable CPUs", p["max_bounds"][1],
              len(r["host"]["cpus_usable"]))
    if r["audit"]["lossless"]:
        f.at_most("busy_bounds and the window", p["busy_bounds"][1], window_ns(r))
    low, high = p["average_busy_bounds"]
    f.at_most("average_busy and its upper bound", p["average_busy"] or 0, high)
    f.at_most("the lower bound of average_busy and it", low, p["average_busy"] or 0)
    f.at_most("the upper bounds of average_busy and max", high, p["max_bounds"][1])
    if is_exact(r) and p["busy_ns"]:
        f.same("average_busy and its bounds", [low, high],
               [ratio(p["run_ns"], p["busy_ns"], decimal.ROUND_FLOOR),
                ratio(p["run_ns"], p["busy_ns"], decimal.ROUND_CEILING)])


def check_bottles(f, r):
    f.same("bottle_ns of all, and the idle time, and the window",
           sum(t["bottle_ns"] for t in r["tasks"]) + r["parallelism"]["profile_ns"][0],
           window_ns(r))


def check_capacity(f, r):
    if "capacity" not in r:
        return
    c = r["capacity"]
    blocked = sum(c["blocked_ns"].values())
    ready = sum(t["ready_ns"] for t in r["tasks"])
    f.same("cpus and cpus_usable", c["cpus"], len(r["host"]["cpus_usable"]))
    f.same("total_ns and cpus x window", c["total_ns"], c["cpus"] * window_ns(r))
    f.same("the parts and total_ns", c["total_ns"],
           c["work_ns"] + c["unplaced_ns"] + c["interference_ns"] + c["other_ns"]
           + c["unknown_ns"] + blocked + c["no_thread_ns"])
    f.same("the parts of unplaced and unplaced_ns", sum(c["unplaced"].values()), c["unplaced_ns"])
    idle = c["unplaced_ns"] + blocked + c["no_thread_ns"]
    for key, cpus, ns in (("ours", "work", c["work_ns"]),
                          ("foreign", "interference + other", c["interference_ns"] + c["other_ns"]),
                          ("idle", "unplaced + blocked + no_thread", idle),
                          ("unknown", "unknown", c["unknown_ns"])):
        if key not in ("idle", "unknown") or not lost_ns(r):
            f.same(f"{cpus} and the CPUs' {key}_ns", ns, sum(cpu[f"{key}_ns"] for cpu in r["cpus"]))
    f.same("all that is idle or unknown and the CPUs'", idle + c["unknown_ns"],
           sum(cpu["idle_ns"] + cpu["unknown_ns"] for cpu in r["cpus"]))
    f.at_most("the CPUs' unknown_ns and unknown_ns", sum(cpu["unknown_ns"] for cpu in r["cpus"]),
              c["unknown_ns"])
    f.same("work_ns and the tasks' run_ns", c["work_ns"], run_ns(r))
    f.at_most("unplaced + interference and the tasks' ready_ns",
              c["unplaced_ns"] + c["interference_ns"], ready)
    # Waits behind the end of a chain count for its reason, so only the sum is bounded.
    f.at_most("blocked_ns and the tasks'", blocked,
              sum(ns for t in r["tasks"] for ns in t["blocked_ns"].values()))
    for reason, ns in c["loss"]["blocked_ns"].items():
        f.holds(f"a task was blocked in {reason}, or in a circle, if that was a reason", not ns
                or reason == "lock" or any(t["blocked_ns"][reason] for t in r["tasks"]))
    check_pinned(f, r)
    check_lost(f, c, lost_ns(r))
    check_largest_loss(f, r, c)


def check_pinned(f, r):
    """What affinity cost, and an example of it."""
    c = r["capacity"]
    known = "affinity_ns" in c["unplaced"]
    f.same("affinity_ns and pinned are known together", "pinned" in c, known)
    f.same("balancing_ns is known where affinity_ns and throttled_ns are",
           "balancing_ns" in c["unplaced"], known and "throttled_ns" in c["unplaced"])
    pinned = c.get("pinned")
    if pinned:
        usable = set(r["host"]["cpus_usable"])
        f.ascending("pinned.cpus", pinned["cpus"])
        f.holds("pinned.cpus are some of the usable ones", set(pinned["cpus"]) < usable)
        f.holds("idle_cpu is another of them", pinned["idle_cpu"] in usable - set(pinned["cpus"]))
        f.holds("pinned.ns is given if there is any", pinned["ns"])
        f.at_most("pinned.ns and affinity_ns", pinned["ns"], c["unplaced"]["affinity_ns"])


def check_lost(f, c, lost):
    """What other programs had is divided as if these CPUs had been idle."""
    loss = c["loss"]
    parts = {k: v for k, v in loss.items() if k not in ("blocked_ns", "largest_ns")}
    own = {**{k: ns for k, ns in c["unplaced"].items()}, "interference_ns": c["interference_ns"],
           "unknown_ns": c["unknown_ns"], "no_thread_ns": c["no_thread_ns"]}
    f.same("the parts of loss and total_ns less work_ns",
           sum(parts.values()) + sum(loss["blocked_ns"].values()), c["total_ns"] - c["work_ns"])
    f.same("the parts of loss and those of capacity", set(parts), set(own))
    for key, ns in own.items():
        f.at_most(f"{key} and that of loss", ns, parts[key])
    for reason, ns in c["blocked_ns"].items():
        f.at_most(f"blocked_ns.{reason} and that of loss", ns, loss["blocked_ns"][reason])
    for key in ("latency_ns", "balancing_ns", "interference_ns", "unknown_ns"):
        if key in own and not (key == "unknown_ns" and lost):
            f.same(f"{key} and that of loss", parts[key], own[key])


def check_largest_loss(f, r, c):
    loss = c["loss"]
    losses = {k: loss[k + "_ns"] for k in ("interference", "unknown", "no_thread")}
    losses.update({"unplaced." + k[:-3]: loss[k] for k in c["unplaced"]})
    losses.update({"blocked." + k: ns for k, ns in loss["blocked_ns"].items()})
    name = c["largest_loss"]
    if name is None:
        f.same("nothing was lost", max(losses.values()), 0)
        f.same("nothing was lost", loss["largest_ns"], 0)
        return
    f.same(f"largest_loss {name} and largest_ns", losses.get(name), loss["largest_ns"])
    f.holds("the largest loss is one", losses.get(name))
    # Where a lock, or a turn that is handed on, lets one task run at a time, that is the cause, however much else was lost.
    if name != f"blocked.{r['serializer'].get('through')}" or not r["serializer"]["present"]:
        f.same(f"largest_loss {name} and the largest", losses.get(name), max(losses.values()))


def check_cpus(f, r):
    for c in r["cpus"]:
        f.same(f"CPU {c['cpu']}: its times and the window",
               c["ours_ns"] + c["foreign_ns"] + c["idle_ns"] + c["unknown_ns"], window_ns(r))
    f.same("ours_ns and the tasks' run_ns", sum(c["ours_ns"] for c in r["cpus"]), run_ns(r))
    used = {cpu for t in r["tasks"] for cpu in t["cpus"]}
    f.same("the CPUs that were ours", {c["cpu"] for c in r["cpus"] if c["ours_ns"]}, used)
