# SPDX-License-Identifier: GPL-2.0-only
"""What tasks waited for: CPUs, futexes, event loops, and the critical path."""

import decimal

from common import is_5_percent, lost_ns, ratio, run_ns, window_ns
from evidence import most_at_once

FUTEX_REASONS = ("lock", "cond", "join")


def check_waits(f, r):
    lat, w = r["wakeup_latency"], r["run_queue_wait"]
    hist = lat["histogram"]
    f.same("histogram and count", sum(hist), w["count"])
    ready = sum(t["ready_ns"] for t in r["tasks"])
    f.at_most("the tasks' ready_ns and total_ns", ready, w["total_ns"])
    f.at_most("total_ns and the tasks' ready_ns", w["total_ns"], ready + lost_ns(r))
    f.same("total_ns and who had the CPU", w["total_ns"],
           sum(a["ns"] for a in w["antagonists"]) + w["other_antagonists_ns"] + w["idle_ns"]
           + w["unknown_ns"] + w.get("held_ns", 0))
    check_held(f, r)
    f.holds("antagonists are in order",
            all(a["ns"] >= b["ns"] for a, b in zip(w["antagonists"], w["antagonists"][1:])))
    for a in w["antagonists"] + ([w["longest"]["antagonist"]] if w["longest"] else []):
        if a and a["id"] is not None:
            f.names_task("an antagonist", a)
    f.same("a longest wait is given where there is one", w["longest"] is not None, w["count"] > 0)
    if not w["count"]:
        f.same("of nothing", [lat[k] for k in ("p50_ns", "p90_ns", "p99_ns", "max_ns")],
               [None] * 4)
        return
    f.same("max_ns and the tasks' max_ready_ns", lat["max_ns"],
           max(t["max_ready_ns"] for t in r["tasks"]))
    check_longest_wait(f, r, w["longest"])
    check_ranks(f, lat, w["count"])
    f.at_most("the least that the histogram allows, and total_ns",
              sum(n << i for i, n in enumerate(hist)) - hist[0], w["total_ns"])
    if not hist[-1]:
        f.at_most("total_ns and the most that the histogram allows", w["total_ns"],
                  sum(n * ((2 << i) - 1) for i, n in enumerate(hist)))
    # A task that waits then runs, except at the end.
    f.at_most("waits and stays", w["count"],
              sum(t["switches"] for t in r["tasks"]) + len(r["tasks"]))


def check_held(f, r):
    """What a quota held back."""
    w, unplaced = r["run_queue_wait"], r.get("capacity", {}).get("unplaced", {})
    f.same("held_wall_ns and throttled_ns are known together", "held_wall_ns" in w,
           "throttled_ns" in unplaced)
    if "held_wall_ns" not in w:
        return
    f.at_most("held_wall_ns and the window", w["held_wall_ns"], window_ns(r))
    f.at_most("held_wall_ns and held_ns", w["held_wall_ns"], w["held_ns"])
    f.at_most("held_ns and held_wall_ns x tasks", w["held_ns"],
              w["held_wall_ns"] * len(r["tasks"]))
    f.at_most("throttled_ns and held_wall_ns x CPUs", unplaced["throttled_ns"],
              w["held_wall_ns"] * r["capacity"]["cpus"])
    f.at_most("throttled_ns and held_ns", unplaced["throttled_ns"], w["held_ns"])


def check_longest_wait(f, r, longest):
    task = f.names_task("the longest wait", longest)
    f.same("the longest wait and max_ns", longest["ns"], r["wakeup_latency"]["max_ns"])
    if task:
        f.same("the longest wait and its task's max_ready_ns", longest["ns"], task["max_ready_ns"])
        f.holds("the longest wait lies in its task's lifetime",
                task["start_ns"] <= longest["start_ns"]
                and longest["start_ns"] + longest["ns"] <= task["end_ns"])
    f.same("held_ns of one and of all", "held_ns" in longest, "held_ns" in r["run_queue_wait"])
    f.at_most("held_ns of the longest wait and of all", longest.get("held_ns", 0),
              r["run_queue_wait"].get("held_ns", 0))
    f.at_most("held_ns of the longest wait and the wait", longest.get("held_ns", 0),
              longest["ns"])
    if longest["antagonist"]:
        f.at_most("the antagonist of the longest wait and the wait",
                  longest["antagonist"]["ns"] + longest.get("held_ns", 0), longest["ns"])
        f.holds("the antagonist of the longest wait had the CPU", longest["antagonist"]["ns"])


def check_ranks(f, lat, cnt):
    """The nearest ranks lie where the histogram has them."""
    ranks = [(-(-cnt * p // 100), lat[f"p{p}_ns"]) for p in (50, 90, 99)] + [(cnt, lat["max_ns"])]
    f.holds("percentiles ascend", all(a[1] <= b[1] for a, b in zip(ranks, ranks[1:])))
    for rank, ns in ranks:
        seen = bucket = 0
        for bucket, waits in enumerate(lat["histogram"]):
            seen += waits
            if seen >= rank:
                break
        last = bucket == len(lat["histogram"]) - 1
        f.holds(f"the wait of rank {rank}, {ns}, is in bucket {bucket}",
                (ns >> bucket == 1 or (bucket == 0 and ns == 0)) or (last and ns >> bucket >= 1))


def check_migrations(f, r):
    m = r["migrations"]
    f.same("matrix and count", sum(c["count"] for c in m["matrix"]), m["count"])
    f.same("causes and count", sum(m["causes"].values()), m["count"])
    f.same("the tasks' migrations and count", sum(t["migrations"] for t in r["tasks"]), m["count"])
    f.ascending("pairs", [(c["from"], c["to"]) for c in m["matrix"]])
    f.holds("a move is to another CPU", all(c["from"] != c["to"] for c in m["matrix"]))


def check_locks(f, r):
    locks, tasks = r["locks"], r["tasks"]
    wait_ns = sum(l["wait_ns"] for l in locks)
    blocked_ns = sum(t["blocked_ns"][k] for t in tasks for k in FUTEX_REASONS)
    slept_ns = sum(c["ns"] for t in tasks for c in t["blocked_in"]
                   if c["reason"] == "sleep" and (c["call"] or "").startswith("futex"))
    if r["loss"]["stretches"]:
        f.at_most("what is left of the tasks' blocked_ns and the futexes' wait_ns",
                  blocked_ns + slept_ns, wait_ns)
    else:
        f.same("the futexes' wait_ns, and the tasks' blocked_ns with what they slept there",
               wait_ns, blocked_ns + slept_ns)
    f.at_most("waits and voluntary switches", sum(l["waits"] for l in locks),
              sum(t["voluntary"] for t in tasks) + len(tasks))
    f.holds("they are in order",
            all(a["wait_ns"] >= b["wait_ns"] for a, b in zip(locks, locks[1:])))
    for l in locks:
        who = f"futex {l['addr']}"
        f.at_most(f"{who}: max_wait_ns and wait_ns", l["max_wait_ns"], l["wait_ns"])
        f.at_most(f"{who}: wait_ns and waits x max_wait_ns", l["wait_ns"],
                  l["waits"] * l["max_wait_ns"])
        f.at_most(f"{who}: waiters and waits", l["waiters"], l["waits"])
        f.at_most(f"{who}: waiters and tasks", l["waiters"], len(tasks))
        f.at_most(f"{who}: timeouts and waits", l["timeouts"], l["waits"])
        f.at_most(f"{who}: holder_ready_ns and wait_ns", l["holder_ready_ns"], l["wait_ns"])
        f.holds(f"{who}: somebody was not ready who was not there",
                l["holder_count"] or not l["holder_ready_ns"])
        f.same(f"{who}: a name and an object", l["symbol"] is None, l["object"] is None)
        f.same(f"{who}: an object and an offset", l["object"] is None, l["offset"] is None)
        f.at_most(f"{who}: those who ended waits, and waits that no interrupt ended",
                  l["holder_count"], l["waits"] - l["timeouts"])
        f.same(f"{who}: holders and holder_count", len(l["holders"]), min(l["holder_count"], 8))
        f.same(f"{who}: holders are different", len({h["id"] for h in l["holders"]}),
               len(l["holders"]))
        f.holds(f"{who}: its process is one of the tasks'",
                l["tgid"] in {t["tgid"] for t in tasks})
        for h in l["holders"]:
            f.names_task(who, h)


def check_loops(f, r):
    loops = r["event_loops"]
    keys = [(l["id"], l.get("epfd", -1)) for l in loops]
    f.ascending("loops", keys)
    with_ops = {o["task_id"] for o in r["operations"] if not o.get("parent")}
    f.holds("tasks with operations have a loop", with_ops <= {l["id"] for l in loops})
    for l in loops:
        task = f.names_task("an event loop", l)
        f.same("max_operations and operations[]", l["max_operations"],
               most_at_once([(o["start_ns"], o["end_ns"]) for o in r["operations"]
                             if o["task_id"] == l["id"] and not o.get("parent")]))
        if "epfd" in l and task:
            check_iterations(f, r, l, task)


def check_iterations(f, r, l, task):
    total = l["cpu_ns"] + l["ready_ns"] + l["blocked_ns"]
    f.at_most("iterations and waits", l["iterations"], l["waits"])
    f.at_most("the longest stall and all iterations", l["longest_stall_ns"], total)
    f.at_most("all iterations and as many of the longest", total,
              l["iterations"] * l["longest_stall_ns"])
    for ns, longest in ("cpu_ns", "longest_cpu_ns"), ("blocked_ns", "longest_blocked_ns"):
        f.at_most(f"{longest} and {ns}", l[longest], l[ns])
        f.at_most(f"{longest} and the longest stall", l[longest], l["longest_stall_ns"])
        f.at_most(f"{ns} and as many of {longest}", l[ns], l["iterations"] * l[longest])
    f.at_most("cpu_ns and its task's run_ns", l["cpu_ns"], task["run_ns"])
    f.at_most("ready_ns and its task's", l["ready_ns"], task["ready_ns"])
    f.at_most("blocked_ns and its task's", l["blocked_ns"], sum(task["blocked_ns"].values()))
    f.same("a stall where there was an iteration", l["stall_state"] is not None,
           l["iterations"] > 0)
    f.same("a reason where the stall was blocked", l["stall_reason"] is not None,
           l["stall_state"] == "blocked")
    if l["stall_call"] is not None:
        f.holds("its task was blocked in that call",
                (l["stall_call"], l["stall_reason"]) in {(b["call"], b["reason"])
                                                         for b in task["blocked_in"]})
    if l["iterations"]:
        f.holds("the longest stall lies in its task's lifetime",
                task["start_ns"] <= l["longest_stall_start_ns"]
                and l["longest_stall_start_ns"] + l["longest_stall_ns"] <= task["end_ns"])


def check_serializer(f, r):
    s = r["serializer"]
    if "kind" not in s:
        f.same("present", s["present"], False)
        return
    missing = s["demand_ns"] - s["reached_ns"]
    f.same("reached + ready + locked and demand", s["reached_ns"] + s["ready_ns"] + s["locked_ns"],
           s["demand_ns"])
    f.same("index", s["index"], ratio(missing, s["demand_ns"], decimal.ROUND_FLOOR))
    lock = s["kind"] == "lock"
    f.holds("a lock is waited for as one, hand-overs are named where they are",
            (lock and s["through"] == "lock" and "addr" in s) or (not lock and s["present"]))
    f.same("had_by is given for a lock", "had_by" in s, lock)
    f.at_most("had_by and waiters", s.get("had_by", 0), s["waiters"])
    says = (10 * missing >= 9 * s["demand_ns"] and 5 * s["locked_ns"] >= 4 * missing
            and s.get("had_by", 2) >= 2)
    f.same("present, as the figures say", s["present"],
           s["present"] and says if r["loss"]["stretches"] else says)
    f.holds("there was use for a second CPU", is_5_percent(s["demand_ns"], window_ns(r)))
    f.at_most("reached and the CPUs beyond the first", s["reached_ns"],
              max(run_ns(r) - r["parallelism"]["busy_ns"], 0))
    names = ("addr", "symbol", "object", "offset", *(("tgid", "kind") if lock else ()))
    f.holds("it is one of locks[]",
            "addr" not in s or any(all(l[k] == s[k] for k in names) for l in r["locks"]))
    f.same("tasks and waiters", len(s["tasks"]), min(s["waiters"], 8))
    f.holds("someone waited", s["waiters"])
    for t in s["tasks"]:
        f.names_task("the serializer", t)


def check_deadlock(f, r):
    d = r["deadlock"]
    f.same("it is given where there is one", "cycle" in d, d["present"] is True)
    if r["loss"]["dropped"] or r["loss"]["gaps"] or not r["loss"]["complete"]:
        f.same("nothing is said where records are missing", d["present"], None)
    if not d["present"]:
        return
    cycle, tasks = d["cycle"], {t["id"]: t for t in r["tasks"]}
    for i, wait in enumerate(cycle):
        f.names_task("the circle", wait)
        f.same("owner_id and the next wait", wait["owner_id"], cycle[(i + 1) % len(cycle)]["id"])
        f.at_most("a wait's start and its task's end", wait["start_ns"],
                  tasks[wait["id"]]["end_ns"])
        f.at_most("its task's start and a wait's", tasks[wait["id"]]["start_ns"],
                  wait["start_ns"])
    ids = [wait["id"] for wait in cycle]
    f.holds("each task waits once, and the eldest first", len(set(ids)) == len(ids) and
            ids[0] == min(ids))
    f.same("since_ns and the last wait", d["since_ns"], max(wait["start_ns"] for wait in cycle))
    f.at_most("tasks of circles and behind, and all", len(ids) + 2 * (d["cycles"] - 1) + d["behind"],
              len(tasks))


def check_stuck(f, r):
    s = r["stuck"]
    f.same("it is given where it is", "waits" in s, s["present"] is True)
    f.same("the verdict says so", r["verdict"]["stuck"],
           "deadlock" if r["deadlock"]["present"] else "stuck" if s["present"] else None)
    if r["loss"]["dropped"] or r["loss"]["gaps"] or not r["loss"]["complete"]:
        f.same("nothing is said where records are missing", s["present"], None)
    if not s["present"]:
        return
    tasks = {t["id"]: t for t in r["tasks"]}
    for wait in s["waits"]:
        f.names_task("the stand", wait)
        f.at_most("a wait's start and since_ns", wait["start_ns"], s["since_ns"])
        f.at_most("until_ns and its task's end", s["until_ns"], tasks[wait["id"]]["end_ns"])
        if s["until_ns"] == window_ns(r):
            f.holds("who waits to the end is alive", tasks[wait["id"]]["alive"])
    ids = [wait["id"] for wait in s["waits"]]
    f.same("each task waits once", len(set(ids)), len(ids))
    f.same("since_ns and the last wait", s["since_ns"], max(w["start_ns"] for w in s["waits"]))
    awaits, behind = {w["id"]: w["awaits_id"] for w in s["waits"]}, dict.fromkeys(ids, 0)
    for first in ids:
        at, seen = awaits[first], {first}
        while at in awaits and at not in seen:
            seen.add(at)
            behind[at] += 1
            at = awaits[at]
    f.same("behind and the chains", [w["behind"] for w in s["waits"]], [behind[i] for i in ids])
    f.same("who lives then", sorted(ids), sorted(
        t["id"] for t in r["tasks"] if t["start_ns"] < s["until_ns"] and t["end_ns"] > s["since_ns"]))


def check_path(f, r):
    p, t_ns, segments = r["critical_path"], window_ns(r), r["critical_path"]["segments"]
    f.same("length_ns and the window", p["length_ns"], t_ns)
    f.same("the parts and length_ns", p["length_ns"],
           p["run_ns"] + p["ready_ns"] + sum(p["blocked_ns"].values()) + p["unknown_ns"]
           + p["none_ns"])
    f.same("tasks", p["tasks"], len({s["id"] for s in segments if s["id"] is not None}))
    at = 0
    for s in segments:
        f.same("a segment begins where the one before ends", s["start_ns"], at)
        f.holds("a segment lasts", s["start_ns"] < s["end_ns"])
        at = s["end_ns"]
    f.same("the last segment's end and the window's", at, t_ns)
    whole = {"running": p["run_ns"], "ready": p["ready_ns"], "none": p["none_ns"],
             "unknown": p["unknown_ns"],
             **p["blocked_ns"]}
    f.same("the segments' kinds and the parts", {k: ns for k, ns in whole.items() if ns},
           path_sums(segments, lambda s: s["kind"]))
    check_path_of_tasks(f, r, segments)
    f.at_most("run_ns and busy_ns", p["run_ns"], r["parallelism"]["busy_ns"])
    if segments and r["audit"]["lossless"] and r["audit"]["clean"]:
        last = f.tasks.get(segments[-1]["id"])
        f.holds("it ends with the task that ended last", last and last["end_ns"] == t_ns)


def path_sums(segments, key):
    sums = {}
    for s in segments:
        sums[key(s)] = sums.get(key(s), 0) + s["end_ns"] - s["start_ns"]
    return sums


def check_path_of_tasks(f, r, segments):
    for s in segments:
        f.same("a segment has a task unless there is none", s["id"] is None, s["kind"] == "none")
        if s["id"] is None:
            continue
        task = f.names_task("a segment", s)
        if task:
            f.holds(f"a segment lies in the lifetime of task {s['id']}",
                    task["start_ns"] <= s["start_ns"] and s["end_ns"] <= task["end_ns"])
    for (task_id, kind), ns in path_sums(segments, lambda s: (s["id"], s["kind"])).items():
        task = f.tasks.get(task_id)
        if task:
            whole = {"running": task["run_ns"], "ready": task["ready_ns"],
                     "unknown": task["unknown_ns"], **task["blocked_ns"]}
            f.at_most(f"task {task_id} {kind} on the path, and in all", ns, whole[kind])


def check_overhead(f, r):
    f.at_most("switch-outs and events", r["audit"]["switches_checked"], r["overhead"]["events"])
    f.holds("a trace has bytes", r["overhead"]["bytes"])
