#!/usr/bin/env python3
"""Holds docs/security/reading.md to the tree: every file of Sources/Secrets and Sources/Crypto is in a table of it, no other
is, and the sizes, those of the headings included, are right to a tenth."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = "docs/security/reading.md"

faults = []


def compare(what, stated, counted):
    if abs(stated - counted) > counted / 10:
        faults.append(f"{what} has {counted} lines, not {stated}")


listed = {}
heading, sizes = None, {}
for line in (ROOT / PAGE).read_text().splitlines():
    if found := re.match(r"## (.*) \((\d+) lines\)", line):
        heading = found[1]
        sizes[heading] = [int(found[2]), 0]
    if found := re.match(r"\| `([^`]+\.swift)` \| (\d+) \|", line):
        file = ROOT / "Sources" / found[1]
        if not file.exists():
            faults.append(f"there is no {found[1]}")
            continue
        if found[1] in listed:
            faults.append(f"{found[1]} is listed twice")
        listed[found[1]] = len(file.read_text().splitlines())
        compare(found[1], int(found[2]), listed[found[1]])
        if heading:
            sizes[heading][1] += listed[found[1]]
for heading, (stated, counted) in sizes.items():
    compare(f'"{heading}"', stated, counted)
for room in ("Secrets", "Crypto"):
    for file in (ROOT / "Sources" / room).rglob("*.swift"):
        name = str(file.relative_to(ROOT / "Sources"))
        if name not in listed:
            faults.append(f"{name} is not listed")
for fault in faults:
    print(f"{PAGE}: {fault}", file=sys.stderr)
sys.exit(1 if faults else 0)
