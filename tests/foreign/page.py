# SPDX-License-Identifier: GPL-2.0-only
"""docs/foreign.md: the table of foreign programs for readers, and what the last runs saw."""

import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, "docs/foreign.md")

HEAD = """# Programs that nobody here wrote

These programs test `lab` itself. Each program was traced, and what `lab` said was compared with what
the program is known to be: its class, the cause of its idle CPUs, a clean audit, and `lab verify`,
which must not refute the verdict. The rows are in [tests/foreign/rows](../tests/foreign/rows). The
programs are Debian's, or small programs in the folder beside. `make test-foreign` installs the programs
and runs each row twice; `make test-foreign SHORT=1` runs the short rows once.
`tests/foreign/run --noisy --page` writes this page.

- **class**: what the program must be. Where two classes are right, the last column says why.
- **cause**: what `lab` must name as the cause. Where no lock is named here, `lab` must name none.
- **on a quiet machine**: what `lab` said: the class, the CPUs in use while any was, the largest losses.
- **beside a noisy neighbour**: the same while another program takes 70 % of every CPU. The class must
  be the same, or the expectation (`--expect`) undecided (exit status 4). A wrong class is a failure.
"""

TABLE = """
| program | what it does | class | cause | on a quiet machine | beside a noisy neighbour | why |
|---|---|---|---|---|---|---|
"""


def cause(row):
    """The cause column, in words."""
    words = []
    for term in filter(None, (term.strip() for term in row.cause.split(","))):
        word, _, value = term.partition(" ")
        value = value.replace("|", " or ").replace("no_thread", "no task")
        words.append({
            "serializer": (f"`{value}`" if value else "one lock") + " lets one task run at a time",
            "loss": f"the largest loss is {value}",
            "path": f"the critical path is mostly {value}",
            "deadlock": "a deadlock, said first",
            "stuck": "what was never woken, said first",
            "any": "",
        }[word])
    return "; ".join(filter(None, words))


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def fixed(row):
    """The columns that follow from the table, and those after what was seen."""
    why = "; ".join(filter(None, [row.note, row.known and "known fault: " + row.known]))
    return [f"`{row.name}`", row.does, " or ".join(row.classes), cause(row)], why


def line(row, seen):
    before, why = fixed(row)
    return "| " + " | ".join(cell(text) for text in [*before, *seen, why]) + " |"


def split(text):
    """The cells of a line; a bar that a cell holds is written with a backslash."""
    hidden = text.strip().strip("|").replace("\\|", "\0")
    return [part.strip().replace("\0", "|") for part in hidden.split("|")]


def lines():
    """The page's rows: name to cells."""
    if not os.path.exists(PAGE):
        return {}
    with open(PAGE, encoding="utf-8") as file:
        rows = [split(text) for text in file if text.startswith("| `")]
    return {cells[0].strip("`"): cells for cells in rows}


def write(table, results):
    """What this run did not see stays what the page said."""
    old = lines()
    with open(PAGE, "w", encoding="utf-8") as file:
        known = sum(1 for row in table if row.known)
        file.write(HEAD + f"\nThere are {len(table)} rows; {known} show a known fault of `lab`.\n")
        language = ""
        for row in table:
            if row.language != language:
                language = row.language
                file.write(f"\n## {language}\n" + TABLE)
            seen = old.get(row.name, [""] * 7)[4:6]
            for column, noisy in enumerate((False, True)):
                seen[column] = results.get((row.name, noisy), seen[column])
            file.write(line(row, seen) + "\n")


def check(table):
    """Prints the rows on which the page and the table disagree."""
    page, bad = lines(), 0
    for row in table:
        cells = page.pop(row.name, None)
        if cells is None or line(row, cells[4:6]) != line_of(cells):
            print(f"docs/foreign.md: {row.name} is not as in its row: tests/foreign/run --page")
            bad = 1
    for name in page:
        print(f"docs/foreign.md: the row {name} is not in tests/foreign/rows")
        bad = 1
    return bad


def line_of(cells):
    return "| " + " | ".join(cell(text) for text in cells) + " |"
