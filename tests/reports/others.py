# SPDX-License-Identifier: GPL-2.0-only
"""The part of identities.py about what the run could have been without other programs."""

from common import is_5_percent, ratio, window_ns


def check_others(f, r):
    o, p = r["without_others"], r["parallelism"]
    own = o["parallelism"]
    for key in ("parallel_ns", "max"):
        f.same(f"the least {key}", own[key][0], p[key])
        f.at_most(f"{key}", own[key][0], own[key][1])
    f.same("the most busy_ns", own["busy_ns"][1], p["busy_ns"])
    f.at_most("busy_ns", own["busy_ns"][0], own["busy_ns"][1])
    f.at_most("the work and what the CPUs can do in busy_ns", p["run_ns"],
              max(p["max"], len(r["host"]["cpus_usable"])) * own["busy_ns"][0])
    f.at_most("parallel_ns and busy_ns", own["parallel_ns"][1],
              max(own["busy_ns"][0], p["parallel_ns"]))
    f.at_most("the most at once", own["max"][1],
              max(p["max"], len(r["host"]["cpus_usable"]), len(r["tasks"])))
    least, most = o["window"]["duration_ns"]
    f.same("the longest window", most, window_ns(r))
    f.at_most("the window", least, most)
    f.same("average", own["average"], [ratio(p["run_ns"], most), ratio(p["run_ns"], least)])
    f.same("average_busy", own["average_busy"],
           [ratio(p["run_ns"], b) for b in reversed(own["busy_ns"])])
    for key in ("interfered_ns", "stretched_ns"):
        f.at_most(key, o[key], most)
    f.at_most("interfered_ns and interference_ns", o["interfered_ns"], o["interference_ns"])
    f.at_most("interference_ns", o["interference_ns"], most * len(r["host"]["cpus_usable"]))
    check_classes(f, r)
    f.same("capacity", "capacity" in o, "capacity" in r)
    if "capacity" in o:
        check_capacity(f, r)


def check_classes(f, r):
    o, seen = r["without_others"], r["verdict"]["class"]
    classes = o["classes"]
    if seen == "inconclusive":
        least = r["verdict"].get("at_least")
        f.same("the classes of an inconclusive run", [c for c in classes if c != "sequential"],
               [least, "parallel"] if least else [])
        f.holds("an inconclusive run could be sequential where others lengthened it",
                "sequential" not in classes or (least and o["stretched_ns"]))
        return
    f.holds("the run could have been what it was", seen in classes)
    if seen == "parallel" or not (o["interfered_ns"] or o["stretched_ns"]):
        f.same("the only class", classes, [seen])
        return
    own = o["parallelism"]
    f.same("it could have been parallel", "parallel" in classes,
           is_5_percent(own["parallel_ns"][1], own["busy_ns"][0]))


def check_capacity(f, r):
    c, o = r["capacity"], r["without_others"]
    total, (least, _) = c["total_ns"], o["window"]["duration_ns"]

    def shorter(ns):
        return min(ns * total // (least * c["cpus"]), total) if least else total

    disturbed = min(total, c["cpus"] * o["interfered_ns"])
    idle = disturbed - min(disturbed, o["interference_ns"])
    others = (c["other_ns"] + c["unknown_ns"]
              + max(c["interference_ns"] - o["interference_ns"], 0))

    def part(ns):
        most = min(shorter(ns + others), total - c["work_ns"])
        return [max(ns - idle, 0), max(ns, most) if others else ns]

    expected = {"work_ns": [c["work_ns"], max(c["work_ns"], shorter(c["work_ns"]))],
                "unplaced_ns": part(c["unplaced_ns"]),
                "unplaced": {k: part(c["unplaced"].get(k, 0)) for k in o["capacity"]["unplaced"]},
                "all_blocked_ns": part(sum(c["blocked_ns"].values())),
                "blocked_ns": {k: part(v) for k, v in c["blocked_ns"].items()},
                "no_thread_ns": part(c["no_thread_ns"]),
                **{k: [0, c[k]] for k in ("interference_ns", "other_ns", "unknown_ns")}}
    for key, value in expected.items():
        f.same(f"capacity.{key}", o["capacity"][key], value)
