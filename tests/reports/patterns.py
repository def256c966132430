# SPDX-License-Identifier: GPL-2.0-only
"""Patterns that cost time: spinning, rounds, a pool, and the tail of the run."""

from common import is_5_percent, window_ns


def named(f, r, what, task):
    f.same(f"the tid of {what}", task["tid"],
           next((t["tid"] for t in r["tasks"] if t["id"] == task["id"]), -1))


def check_spinning(f, r):
    s = r["spinning"]
    f.same("some task spun, and the one that did most", "most" in s, s["tasks"] > 0)
    f.same("yields or polls, and tasks", s["yields"] + s["empty_polls"] > 0, s["tasks"] > 0)
    f.holds("no more tasks than there are", s["tasks"] <= len(r["tasks"]))
    f.holds("a yield is an involuntary switch", s["yields"] <= sum(t["involuntary"] for t in r["tasks"]))
    f.holds("a poll is a wait of a loop",
            s["empty_polls"] <= sum(loop.get("waits", 0) for loop in r["event_loops"]))
    f.holds("its run time is work", s["run_ns"] <= sum(t["run_ns"] for t in r["tasks"]))
    often = s["yields"] >= 100 and s["run_ns"] and 20 * s["run_ns"] >= r["parallelism"]["run_ns"]
    f.same("often enough to matter", s["present"], bool(often or s["empty_polls"] >= 1000))
    if s["tasks"]:
        named(f, r, "who spun most", s["most"])


def check_rounds(f, r):
    b = r["rounds"]
    f.same("rounds are told where there are some", len(b) > 1, b["present"])
    if not b["present"]:
        return
    named(f, r, "who came last", b["last"])
    f.holds("a process of the run", b["tgid"] in {t["tgid"] for t in r["tasks"]})
    f.holds("five rounds or more", b["count"] >= 5)
    f.holds("someone came last", 1 <= b["last_count"] <= b["count"])
    f.holds("three tasks or more, all of the run's", 3 <= b["tasks"] <= len(r["tasks"]))
    f.holds("two waits or more to a round", 2 * b["count"] <= sum(
        lock["waits"] for lock in r["locks"] if lock["addr"] == b["addr"]))
    f.holds("the others' waits are those at this futex", b["wait_ns"] <= sum(
        lock["wait_ns"] for lock in r["locks"] if lock["addr"] == b["addr"]))


def check_pool(f, r):
    p = r["pool"]
    f.same("a pool is told of where there is one", len(p) > 1, p["present"])
    if not p["present"]:
        return
    named(f, r, "who made the pool", p["made_by"])
    named(f, r, "who ran longest of it", p["most"])
    made = [t for t in r["tasks"] if t["parent_id"] == p["made_by"]["id"]]
    most = [t for t in made if t["id"] == p["most"]["id"]]
    f.holds("who ran longest was made by the maker", len(most) == 1)
    f.holds("two threads or more of one maker and process",
            2 <= p["threads"] <= sum(t["tgid"] == m["tgid"] for t in made for m in most))
    f.holds("some had jobs at once", 1 <= p["at_once"] <= p["threads"])
    f.same("idles", p["idles"], p["at_once"] < min(p["threads"], len(r["host"]["cpus_usable"])))
    f.holds("jobs were there for 5 % of the run", is_5_percent(p["active_ns"], window_ns(r)))
    f.at_most("active_ns and the run", p["active_ns"], window_ns(r))
    f.at_most("active_ns and the time with any in progress", p["active_ns"],
              r["concurrency"]["active_ns"])
    f.holds("more than at_once for less than 5 % of it",
            not p["beyond_ns"] or not is_5_percent(p["beyond_ns"], p["active_ns"]))
    f.at_most("queued_ns and active_ns", p["queued_ns"], p["active_ns"])
    f.same("operations and queued_ns", p["operations"] > 0, p["queued_ns"] > 0)
    f.at_most("operations and those in flight", p["operations"],
              r["concurrency"]["max_operations"])
    f.holds("more operations than threads", not p["operations"] or p["operations"] > p["threads"])
    f.holds("one of the two", p["idles"] or is_5_percent(p["queued_ns"], p["active_ns"]))


def check_tail(f, r):
    tail = r["tail"]
    f.same("a tail is told where there is one", len(tail) > 1, tail["present"])
    if not tail["present"]:
        return
    f.same("a tail's start and length", tail["start_ns"] + tail["ns"], window_ns(r))
    f.holds("it is a tenth of the run", tail["ns"] >= window_ns(r) // 10)
    f.holds("half of it is work", tail["run_ns"] >= tail["ns"] // 2)
    f.holds("its work is the run's", tail["run_ns"] <= r["parallelism"]["run_ns"])
    f.holds("one task did a part of it", 0 < tail["task_run_ns"] <= tail["run_ns"])
    named(f, r, "who ran longest in it", tail["task"])


def check_patterns(f, r):
    check_spinning(f, r)
    check_rounds(f, r)
    check_pool(f, r)
    check_tail(f, r)
