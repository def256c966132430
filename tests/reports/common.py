# SPDX-License-Identifier: GPL-2.0-only
"""What the parts of identities.py share."""

import decimal


class Findings:
    """What does not hold in a report, as sentences."""

    def __init__(self, report):
        self.part = ""
        self.sentences = []
        self.tasks = {t["id"]: t for t in report["tasks"]}

    def say(self, sentence):
        self.sentences.append(f"{self.part}: {sentence}")

    def same(self, what, left, right):
        if left != right:
            self.say(f"{what}: {left} is not {right}")

    def holds(self, what, condition):
        if not condition:
            self.say(f"not so: {what}")

    def at_most(self, what, less, more):
        if less > more:
            self.say(f"{what}: {less} is more than {more}")

    def ascending(self, what, values):
        if any(a >= b for a, b in zip(values, values[1:])):
            self.say(f"{what} do not ascend: {values}")

    def names_task(self, where, row):
        """The pair {id, tid}, wherever it stands. Returns the task."""
        task = self.tasks.get(row["id"])
        if task is None:
            self.say(f"{where} names task {row['id']}, which is none")
        else:
            self.same(f"the tid of {where}", row["tid"], task["tid"])
        return task


def window_ns(r):
    return r["window"]["duration_ns"]


def run_ns(r):
    return sum(t["run_ns"] for t in r["tasks"])


def lost_ns(r):
    """Time of tasks that is not known, because records are missing; figures as drawn include some of it."""
    return sum(t["unknown_ns"] for t in r["tasks"])


def is_exact(r):
    """Nothing is missing, and no stay on a CPU had to be guessed."""
    return (r["audit"]["lossless"] and r["audit"]["clean"]
            and not r["loss"]["hidden_switch_ins"])


def is_5_percent(part, whole):
    return 20 * part >= whole


def ratio(num, den, rounding=decimal.ROUND_HALF_UP):
    """As lab writes it: 6 decimals; null of nothing."""
    if not den:
        return None
    with decimal.localcontext() as context:
        context.prec = 60
        scaled = decimal.Decimal(num) * 1000000 / decimal.Decimal(den)
        return scaled.quantize(decimal.Decimal(1), rounding=rounding) / 1000000
