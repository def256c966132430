# SPDX-License-Identifier: GPL-2.0-only
"""Random assertions, judged here with exact fractions and by `lab check`: both must agree.

    python3 tests/reports/expressions.py LAB TRACE REPORT COUNT [SEED]

REPORT is that of TRACE, of a run that could use two CPUs or more, and inconclusive or without
loss. What could have been otherwise without other programs may be undecided instead. Of an inconclusive one only what is known of the workload and the host may be decided. What
CPUs bound (the degree of parallelism) has rules of its own and is left to the unit tests.
"""

import fractions
import json
import random
import subprocess
import sys

BATCH = 100
LARGEST = 2**60  # of any numerator or denominator on the way: lab refuses what does not fit 128 bits
UNITS = {"ns": 1, "us": 1000, "ms": 10**6, "s": 10**9, "%": fractions.Fraction(1, 100)}
DEGREES = ("parallelism.max", "parallelism.average")
# What a report need not have: of these the ones that this one has not.
MISSING = ("verdict.claim_doubt", "host.quota_cpus", "capacity.unplaced.throttled_ns",
           "serializer.index", "loss.damage")
# What has a range in without_others, or would be less without other programs.
RANGED = ("capacity.", "window.", "parallelism.", "run_queue_wait.", ".ready_ns", ".max_ready_ns",
          ".longest_stall_ns")
KNOWN = ("schema", "lab_version", "workload.", "host.")
BEYOND = object()


class TooLarge(Exception):
    pass


def leaves(value, path=""):
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, f"{path}{key}.")
    elif isinstance(value, list):
        for i, member in enumerate(value):
            yield from leaves(member, f"{path}{i}.")
    else:
        yield path[:-1], value


def lists(value, path=""):
    if isinstance(value, dict):
        for key, member in value.items():
            yield from lists(member, f"{path}{key}.")
    elif isinstance(value, list):
        yield path[:-1], len(value)
        for i, member in enumerate(value):
            yield from lists(member, f"{path}{i}.")


class Maker:
    def __init__(self, report, seed):
        self.random = random.Random(seed)
        found = [(path, v) for path, v in leaves(report) if not path.startswith(DEGREES)]
        self.numbers = [(p, v) for p, v in found if isinstance(v, fractions.Fraction)]
        # There the words are those that there are.
        self.texts = [(p, v) for p, v in found if isinstance(v, str) and not p.endswith(".class")]
        self.bools = [(p, v) for p, v in found if isinstance(v, bool)]
        self.lists = list(lists(report))
        there = {path for path, value in found if value is not None}
        self.missing = [path for path in MISSING if path not in there]
        total = report["capacity"]["total_ns"]
        for path, value in list(self.numbers):
            if path.startswith("capacity.") and "_ns" in path:
                self.numbers.append((path.replace("_ns", ""), value / total))
        blocked = sum(report["capacity"]["blocked_ns"].values())
        self.numbers.append(("capacity.blocked", blocked / total))
        self.inconclusive = report["verdict"]["class"] == "inconclusive"
        self.used = []

    def space(self):
        return self.random.choice(("", "", " ", "  "))

    def key(self):
        """(text, value) of something that the report says."""
        kind = self.random.random()
        if kind < 0.07:
            path, length = self.use(self.random.choice(self.lists))
            return f"len({self.space()}{path}{self.space()})", fractions.Fraction(length)
        if kind < 0.10:
            return self.use((self.random.choice(self.missing), None))
        if kind < 0.13:
            return self.use((f"tasks.{self.random.randint(10**5, 10**22)}.run_ns", BEYOND))
        return self.use(self.random.choice(self.numbers))

    def use(self, found):
        self.used.append(found[0])
        return found

    def literal(self):
        whole = str(self.random.choice((0, 1, 2, 3, 7, 10, 1000, self.random.randint(0, 10**9))))
        if self.random.random() < 0.3:
            whole += "." + str(self.random.randint(0, 999))
        unit = self.random.choice((*UNITS, "", "", ""))
        return whole + unit, fractions.Fraction(whole) * UNITS.get(unit, 1)

    def number(self, depth):
        """(text, value, how tightly it binds: 3 an atom, 2 a product, 1 a sum)"""
        if depth == 0 or self.random.random() < 0.3:
            text, value = self.key() if self.random.random() < 0.6 else self.literal()
            return text, value, 3
        operator = self.random.choice("+-*/-")
        if operator == "-" and self.random.random() < 0.3:
            text, value, binds = self.number(depth - 1)
            return "-" + self.bracket(text, binds < 3), self.negated(value), 3
        left, a, left_binds = self.number(depth - 1)
        right, b, right_binds = self.number(depth - 1)
        binds = 1 if operator in "+-" else 2
        text = (self.bracket(left, left_binds < binds) + self.space() + operator + self.space()
                + self.bracket(right, right_binds <= binds))
        return text, self.computed(operator, a, b), binds

    def bracket(self, text, needed):
        if needed or self.random.random() < 0.1:
            return f"({self.space()}{text}{self.space()})"
        return text

    @staticmethod
    def negated(value):
        return -value if isinstance(value, fractions.Fraction) else value

    @staticmethod
    def computed(operator, a, b):
        if a is BEYOND or (a is None and b is not BEYOND):
            return a
        if b is None or b is BEYOND:
            return b
        if operator == "/" and b == 0:
            return None
        value = {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b,
                 "/": lambda: a / b}[operator]()
        if max(abs(value.numerator), value.denominator) > LARGEST:
            raise TooLarge
        return value

    def comparison(self):
        left, a, _ = self.number(self.random.randint(0, 3))
        sign = self.random.choice(("==", "!=", "<", "<=", ">", ">="))
        if self.random.random() < 0.3 and isinstance(a, fractions.Fraction):
            right, b = f"{a.numerator}/{a.denominator}", a  # as near as can be
            if a < 0:
                right = f"0-{-a.numerator}/{a.denominator}"
        else:
            right, b, _ = self.number(self.random.randint(0, 2))
        text = left + self.space() + sign + self.space() + right
        return text, self.judged(sign, a, b)

    @staticmethod
    def judged(sign, a, b):
        if a is BEYOND or b is BEYOND:
            return "not ok"
        if a is None or b is None:
            return "undecided"
        holds = {"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b,
                 ">=": a >= b}[sign]
        return "ok" if holds else "not ok"

    def other(self):
        """Of texts, of what is true or false, of null."""
        sign = self.random.choice(("==", "!="))
        kind = self.random.random()
        if kind < 0.4:
            path, value = self.use(self.random.choice(self.texts))
            against = value if self.random.random() < 0.5 else self.random.choice(self.texts)[1]
            quote = "'" if "'" not in against else '"'
            return f"{path}{sign}{quote}{against}{quote}", self.judged(sign, value, against)
        if kind < 0.7:
            path, value = self.use(self.random.choice(self.bools))
            if self.random.random() < 0.4:
                return path, "ok" if value else "not ok"
            word = self.random.choice(("true", "false"))
            return f"{path}{sign}{word}", self.judged(sign, value, word == "true")
        path, value = self.key()
        if value is BEYOND:
            return f"{path}{sign}null", "not ok"
        return f"{path}{sign}null", "ok" if (value is None) == (sign == "==") else "not ok"

    def assertion(self):
        while True:
            self.used = []
            try:
                text, outcome = (self.comparison() if self.random.random() < 0.75
                                 else self.other())
            except TooLarge:
                continue
            if self.inconclusive and not all(path.startswith(KNOWN) for path in self.used):
                outcome = "undecided"
            # What begins with a sign is an option.
            if self.used and len(text) < 900 and not text.startswith("-"):
                ranged = any(key in "." + path or path.startswith(key)
                             for path in self.used for key in RANGED)
                return text, outcome, ranged


def outcomes(lab, trace, texts):
    done = subprocess.run([lab, "check", trace, *texts], capture_output=True, text=True)
    lines = [l for l in done.stdout.splitlines() if l.startswith(("ok ", "not ok "))]
    if len(lines) != len(texts):
        sys.exit(f"{len(lines)} results for {len(texts)} assertions: {done.stderr}")
    said = ["not ok" if l.startswith("not ok") else
            "undecided" if " # SKIP undecided: " in l else "ok" for l in lines]
    status = 1 if "not ok" in said else 4 if "undecided" in said else 0
    if done.returncode != status:
        sys.exit(f"status {done.returncode}, not {status}: {done.stdout}")
    return said


def main(lab, trace, report_name, count, seed="1"):
    with open(report_name, encoding="utf-8") as file:
        report = json.load(file, parse_int=fractions.Fraction, parse_float=fractions.Fraction)
    maker, wrong, seen = Maker(report, int(seed)), 0, {}
    for _ in range(0, int(count), BATCH):
        batch = [maker.assertion() for _ in range(BATCH)]
        for (text, expected, ranged), said in zip(batch, outcomes(lab, trace, [b[0] for b in batch])):
            seen[expected] = seen.get(expected, 0) + 1
            if said != expected and not (ranged and said == "undecided"):
                wrong += 1
                print(f"{text}: {said}, not {expected}")
    if not maker.inconclusive and min(seen.get(k, 0) for k in ("ok", "not ok", "undecided")) * 20 < int(count):
        print(f"too one-sided: {seen}")
        return 1
    print(f"{count} assertions: {seen}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
