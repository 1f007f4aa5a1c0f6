"""Counts the vectors that the core's tests read. Usage: count-vectors.py FOLDER FETCHED TESTLOG

Of the fetched vectors only the files count whose names the tests wrote to their log. A vector is one element of the outermost list in a JSON
file (Wycheproof: one test), or one COUNT of a NIST response file.
"""

import json
import pathlib
import re
import sys


def vectors(value) -> int:
    """The number of vectors in the content of a JSON file."""
    if isinstance(value, dict) and "numberOfTests" in value:
        return sum(len(group["tests"]) for group in value["testGroups"])
    if isinstance(value, list):
        return len(value)
    lists = [item for item in value.values() if isinstance(item, (list, dict))]
    return sum(len(item) for item in lists) or 1


def count(path: pathlib.Path) -> int:
    text = path.read_text()
    if path.suffix == ".rsp":
        return len(re.findall(r"^COUNT", text, re.MULTILINE))
    return vectors(json.loads(text))


def main() -> int:
    own, fetched, log = map(pathlib.Path, sys.argv[1:])
    files = sorted(own.rglob("*.json"))
    print(f"Vectors in {own}/: {sum(map(count, files))} in {len(files)} JSON files.")
    names = sorted(set(re.findall(r"read fetched vectors (\S+\.(?:json|rsp))", log.read_text(errors="replace"))))
    if not names:
        print("count-vectors: the tests read no fetched vectors", file=sys.stderr)
        return 1
    found = {name: count(fetched / name) for name in names}
    for name in names:
        print(f"  {name}: {found[name]}")
    print(f"Fetched vectors: {sum(found.values())} in {len(names)} files.")
    return 0


sys.exit(main())
