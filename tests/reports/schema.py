# SPDX-License-Identifier: GPL-2.0-only
"""A schema of docs, such as lab-report.schema.json, held against reports.

    python3 tests/reports/schema.py COMMAND SCHEMA [REPORT...]

    valid     every report is as the schema says
    lint      the schema is one; it is closed, and every key is explained
    strict    a report is refused as soon as a key is missing, new or of another type
    missing   print the keys that a report need not have
    covered   every key of the schema is in one of the reports, but for those named after --

Needs the module jsonschema with draft 2020-12 (Debian's python3-jsonschema).
"""

import copy
import json
import re
import sys

import jsonschema

Validator = jsonschema.Draft202012Validator


def load(name):
    with open(name, encoding="utf-8") as file:
        return json.load(file)


def resolved(schema, node):
    """The node, or what it refers to."""
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return node


def alternatives(schema, node):
    node = resolved(schema, node)
    if "anyOf" not in node:
        return [node]
    return [leaf for one in node["anyOf"] for leaf in alternatives(schema, one)]


def is_a(node, kind):
    return kind == node.get("type") or kind in node.get("type", ())


def keys(schema, node, path=""):
    """(path, node as it stands there) of every key, references followed."""
    for one in alternatives(schema, node):
        for key, member in one.get("properties", {}).items():
            yield f"{path}{key}", member
            yield from keys(schema, member, f"{path}{key}.")
        if "items" in one:
            yield from keys(schema, one["items"], f"{path[:-1]}[].")


def objects(schema, node, path="."):
    """Every schema of an object, once for each place where it is used."""
    for one in alternatives(schema, node):
        if is_a(one, "object"):
            yield path, one
        for key, member in one.get("properties", {}).items():
            yield from objects(schema, member, f"{path}{key}.")
        if "items" in one:
            yield from objects(schema, one["items"], f"{path[:-1]}[].")


def missing(schema, node, path="", may=False):
    """The keys that a report need not have: optional ones, and what is in an object that may be null."""
    for one in alternatives(schema, node):
        for key, member in one.get("properties", {}).items():
            may_it = may or key not in one["required"]
            if may_it:
                yield f"{path}{key}"
            null = any(is_a(leaf, "null") for leaf in alternatives(schema, member))
            yield from missing(schema, member, f"{path}{key}.", may_it or null)
        if "items" in one:
            yield from missing(schema, one["items"], f"{path[:-1]}[].", may)


def lint(schema):
    Validator.check_schema(schema)
    for path, node in objects(schema, schema):
        if node.get("additionalProperties") is not False:
            yield f"{path}: keys that it does not know are let through"
        unknown = set(node.get("required", ())) - set(node["properties"])
        if unknown:
            yield f"{path}: requires {sorted(unknown)}, which it does not have"
        if "required" not in node:
            yield f"{path}: nothing is required"
    for path, node in keys(schema, schema):
        said = node.get("description", "")
        if not re.fullmatch(r"[A-Z0-9].*\.", said) or "\n" in said:
            yield f"{path}: its description is no sentence: {said!r}"
        if re.search(r"(^|[._])ns$", path) and "anosecond" not in said:
            yield f"{path}: its description does not say that it is in nanoseconds"
        if path.endswith(("_cpus", "min_parallelism")) and "CPU" not in said:
            yield f"{path}: its description does not say that it is in CPUs"
        for one in alternatives(schema, node):
            if not {"type", "enum", "const"} & set(one):
                yield f"{path}: anything may stand there"
            if is_a(one, "array") and "items" not in one:
                yield f"{path}: anything may stand in it"


def complaints(schema, report):
    for error in Validator(schema).iter_errors(report):
        where = ".".join(str(key) for key in error.absolute_path)
        yield f"{where or 'the report'}: {error.message[:300]}"


def places(value, path=()):
    """Every object in a report, but of equal rows only the first two."""
    if isinstance(value, dict):
        yield path, value
        for key, member in value.items():
            yield from places(member, path + (key,))
    elif isinstance(value, list):
        for i, member in enumerate(value[:2]):
            yield from places(member, path + (i,))


def schema_at(schema, path):
    node = schema
    for key in path:
        for one in alternatives(schema, node):
            members = one.get("properties", {})
            member = one.get("items") if isinstance(key, int) else members.get(key)
            if member is not None:
                node = member
                break
    return next(one for one in alternatives(schema, node) if is_a(one, "object"))


def spoilt(schema, path, there):
    """(what was done, the object) for each way to spoil an object of a report."""
    described = schema_at(schema, path)
    yield "a new key", {**there, "a_new_key": 1}
    for key, value in there.items():
        if key in described["required"]:
            yield f"without {key}", {k: v for k, v in there.items() if k != key}
        for other in ("text", -1, 0.5, True, [], {}) if value is not None else ([], {}):
            if type(other) is not type(value) or (other == -1 and key not in ("nice", "fd")):
                yield f"{key} becomes {other!r}", {**there, key: other}


def at(report, path):
    for key in path:
        report = report[key]
    return report


def shape(path, there):
    """What two objects share that are spoilt in the same ways, wherever they are."""
    where = tuple("[]" if isinstance(key, int) else key for key in path)
    return where, tuple(sorted((key, type(value).__name__) for key, value in there.items()))


SPOILT = set()  # shapes, in all reports


def strict(schema, report):
    """Validating is what takes the time: the report is kept small, and an object of each shape is spoilt once."""
    report = copy.deepcopy(report)
    for key, rows in report.items():
        if isinstance(rows, list):
            del rows[2:]
    if "critical_path" in report:
        del report["critical_path"]["segments"][2:]
    of_part = {key: Validator({**node, "$defs": schema["$defs"]})
               for key, node in schema["properties"].items()}
    for path, there in list(places(report)):
        if shape(path, there) in SPOILT:
            continue
        SPOILT.add(shape(path, there))
        for what, instead in spoilt(schema, path, there):
            if path:
                at(report, path[:-1])[path[-1]] = instead
                refused = not of_part[path[0]].is_valid(report[path[0]])
                at(report, path[:-1])[path[-1]] = there
            else:
                refused = not Validator(schema).is_valid(instead)
            if not refused:
                yield f"{'.'.join(map(str, path)) or 'the report'}: {what}, and it is accepted"
    if len(SPOILT) < 5:
        yield f"only {len(SPOILT)} shapes of objects were spoilt"


def keys_in(value, path=""):
    if isinstance(value, dict):
        for key, member in value.items():
            yield f"{path}{key}"
            yield from keys_in(member, f"{path}{key}.")
    elif isinstance(value, list):
        for member in value:
            yield from keys_in(member, f"{path[:-1]}[].")


def covered(schema, names, excused):
    seen = {key for name in names for key in keys_in(load(name))}
    described = {path for path, _ in keys(schema, schema)}
    for key in sorted(described - seen - set(excused)):
        yield f"{key} is in none of {len(names)} reports"
    for key in sorted(set(excused) & seen):
        yield f"{key} is in one of the reports, and need not be excused"
    for key in sorted(set(excused) - described):
        yield f"{key} is excused, and not in the schema"


def main(command, schema_name, *names):
    schema = load(schema_name)
    excused = []
    if "--" in names:
        names, excused = names[:names.index("--")], names[names.index("--") + 1:]
    if command == "missing":
        print("\n".join(missing(schema, schema)))
        return 0
    if command == "lint":
        problems = list(lint(schema))
    elif command == "covered":
        problems = list(covered(schema, names, excused))
    else:
        check = {"valid": complaints, "strict": strict}[command]
        problems = [f"{name}: {said}" for name in names for said in check(schema, load(name))]
        if not names:
            problems = ["no report was given"]
    for problem in problems:
        print(problem)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
