# SPDX-License-Identifier: GPL-2.0-only
"""Reads a Perfetto trace as its trace processor does, and compares it with the report and the CSV.

    protoc --decode=Trace perfetto.proto <TRACE | python3 tests/reports/perfetto.py REPORT CSV

What each CPU ran comes from its switches; a thread is runnable from a waking, or from a switch that
left it so; else it sleeps from the switch on. All instants must be those of the CSV.
"""

import collections
import csv
import json
import re
import sys

TOKEN = re.compile(r'\s*(?:(\w+)(?:: ("(?:[^"\\]|\\.)*"|\S+)| (\{))|(\}))')
SYNTHETIC = 0x40000000
FIRST_THREAD = 1 << 40
RUNNABLE = (0, 0x100)


def parse(text):
    """Of protoc's text format: {name: [values]}, messages as the same."""
    root, stack, at = collections.defaultdict(list), [], 0
    stack.append(root)
    text = text.rstrip()
    while at < len(text):
        found = TOKEN.match(text, at)
        name, value, opened, _ = found.groups()
        at = found.end()
        if opened:
            inner = collections.defaultdict(list)
            stack[-1][name].append(inner)
            stack.append(inner)
        elif name:
            stack[-1][name].append(value if not value.lstrip("-").isdigit() else int(value))
        else:
            stack.pop()
    assert stack == [root]
    return root


def total(deltas):
    out, now = [], 0
    for delta in deltas:
        now += delta
        out.append(now)
    return out


def scheduler(packets):
    """Per CPU the switches (at, prev_state, next_pid); all wakings (at, pid, cpu, flags)."""
    switches, wakings = collections.defaultdict(list), []
    for packet in packets:
        for bundle in packet["ftrace_events"]:
            c = bundle["compact_sched"][0]
            names = len(c["intern_table"])
            assert all(i < names for i in c["switch_next_comm_index"] + c["waking_comm_index"])
            columns = [c[k] for k in c if k.startswith("switch_")]
            assert len({len(column) for column in columns}) == 1 and len(columns) == 5
            switches[bundle["cpu"][0]] += zip(total(c["switch_timestamp"]),
                                              c["switch_prev_state"], c["switch_next_pid"])
            if c["waking_pid"]:
                assert len({len(c[k]) for k in c if k.startswith("waking_")}) == 1
            wakings += zip(total(c["waking_timestamp"]), c["waking_pid"],
                           c["waking_target_cpu"], c["waking_common_flags"])
    return switches, wakings


def timelines(switches, wakings, end):
    """Per pid what it does: [(start, end, state, cpu)], of running and ready."""
    events = collections.defaultdict(list)
    for cpu, rows in switches.items():
        assert rows == sorted(rows, key=lambda row: row[0])
        for (at, _, pid), after in zip(rows, rows[1:] + [(end, 0, None)]):
            if pid:
                events[pid] += [(at, 1, "in", cpu), (after[0], 0, "out", after[1])]
    for at, pid, _, _ in wakings:
        events[pid].append((at, 0.5, "wake", None))
    out = {}
    for pid, rows in events.items():
        state, since, cpu, got = "away", None, None, []
        for at, _, what, arg in sorted(rows, key=lambda row: row[:2]):
            if state != "away" and at > since:
                got.append((since, at, state, cpu if state == "running" else None))
            if what == "in":
                state, cpu = "running", arg
            elif what == "out":
                # At the end of the trace nobody left.
                state = "away" if arg not in RUNNABLE or at == end else "ready"
            elif state == "away":
                state = "ready"
            since = at
        if state != "away" and end > since:
            got.append((since, end, state, None))
        out[pid] = got
    return out


def main(report_name, csv_name):
    packets = parse(sys.stdin.read())["packet"]
    with open(report_name, encoding="utf-8") as file:
        report = json.load(file)
    with open(csv_name, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    start = int(report["window"]["start_ns"])
    end = start + report["window"]["duration_ns"]

    threads = [t for p in packets for tree in p["process_tree"] for t in tree["threads"]]
    processes = [t for p in packets for tree in p["process_tree"] for t in tree["processes"]]
    tids = [t["tid"][0] for t in threads]
    assert len(tids) == len(set(tids)) == len(report["tasks"])
    assert {t["tgid"][0] for t in threads} >= {p["pid"][0] for p in processes}
    for task, tid in zip(report["tasks"], tids):
        assert tid in (task["tid"], SYNTHETIC + task["id"])

    events = collections.defaultdict(list)
    for p in packets:
        for e in p["track_event"]:
            events[e["track_uuid"][0]].append((p["timestamp"][0], e["type"][0]))

    got = timelines(*scheduler(packets), end)
    for task, tid in zip(report["tasks"], tids):
        want = [(start + int(r["start_ns"]), start + int(r["end_ns"]), r["state"],
                 int(r["cpu"]) if r["state"] == "running" else None)
                for r in rows if int(r["id"]) == task["id"] and r["state"] != "blocked"]
        mine = got.get(tid, [])
        unknown = [row for row in want if row[2] == "unknown"]
        slices = [at for at, _ in events[FIRST_THREAD + task["id"]]]
        assert list(zip(slices[::2], slices[1::2])) == [row[:2] for row in unknown]
        if unknown:  # no switch says that a thread that waits is not known any more
            mine, want = ([row for row in rows if row[2] == "running"] for rows in (mine, want))
        assert mine == want, (task["id"], [x for x in mine if x not in want][:3],
                              [x for x in want if x not in mine][:3])

    for op in report["operations"]:
        assert events[16 + op["id"]] == [(start + op["start_ns"], "TYPE_SLICE_BEGIN"),
                                         (start + op["end_ns"], "TYPE_SLICE_END")], op
    assert [t for t, _ in events[1]][::len(events[1]) - 1] == [start, end]
    assert all(len(p["clock_snapshot"]) or p["trusted_packet_sequence_id"] for p in packets)
    assert packets[0]["sequence_flags"] == [1]
    print(f"{len(packets)} packets, {len(rows)} slices")


if __name__ == "__main__":
    main(*sys.argv[1:])
