# SPDX-License-Identifier: GPL-2.0-only
"""What must hold exactly in every report of lab (lab report -f json, schema lab-report/1).

    python3 tests/reports/identities.py [--clean] REPORT...

prints what does not hold, and ends with 1 if anything did not. --clean also demands that
nothing is missing from the trace and that the audit found nothing.

It shares nothing with lab but the meaning of the keys (docs/lab-report.schema.json): every
sum, bound and order that two or more keys are said to have is computed here once more, in
integers, from the report alone.
"""

import decimal
import json
import sys

import evidence
import others
import patterns
import totals
import waits
from common import Findings

PARTS = {
    "window": totals.check_window,
    "host": totals.check_host,
    "loss": totals.check_loss,
    "audit": totals.check_audit,
    "tasks": totals.check_tasks,
    "parallelism": totals.check_parallelism,
    "bottles": totals.check_bottles,
    "concurrency": evidence.check_concurrency,
    "capacity": totals.check_capacity,
    "cpus": totals.check_cpus,
    "verdict": evidence.check_verdict,
    "claim": evidence.check_claim,
    "witness": evidence.check_witness,
    "operations": evidence.check_operations,
    "waits": waits.check_waits,
    "migrations": waits.check_migrations,
    "locks": waits.check_locks,
    "event_loops": waits.check_loops,
    "serializer": waits.check_serializer,
    "deadlock": waits.check_deadlock,
    "stuck": waits.check_stuck,
    "patterns": patterns.check_patterns,
    "critical_path": waits.check_path,
    "without_others": others.check_others,
    "overhead": waits.check_overhead,
}


def findings(report):
    """What does not hold in a report, as sentences."""
    f = Findings(report)
    for f.part, check in PARTS.items():
        try:
            check(f, report)
        except (KeyError, TypeError, IndexError, ValueError) as error:
            f.say(f"cannot be checked: {error!r}")
    return f.sentences


def load(name):
    """Decimals stay what they say."""
    with open(name, encoding="utf-8") as file:
        return json.load(file, parse_float=decimal.Decimal)


def main(words):
    demand_clean = "--clean" in words
    names = [w for w in words if w != "--clean"]
    if not names or any(n.startswith("-") for n in names):
        sys.exit("usage: identities.py [--clean] REPORT...")
    bad = False
    for name in names:
        report = load(name)
        sentences = findings(report)
        if demand_clean and not report["audit"]["clean"]:
            sentences.append(f"the audit is not clean: {report['audit']['checks'][:3]}")
        if demand_clean and not report["audit"]["lossless"]:
            sentences.append(f"something is missing: {report['loss']}")
        for sentence in sentences:
            print(f"{name}: {sentence}")
        bad |= bool(sentences)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
