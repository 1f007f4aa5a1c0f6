#!/usr/bin/env python3
"""Mutation testing of the security core: change one thing at a time, and see whether a test notices.

    make mutate
    Tests/Support/mutate_guards.py [--only SUBSTRING...] [--folders FOLDER...] [--filter REGEX] [--sample COUNT]

In a copy of the package
- a condition of a `guard` that is no binding is taken for true;
- an `if` whose block begins with `throw` never throws, and the condition of any other `if` is turned round;
- `<` and `<=`, `>` and `>=` change places;
- a `defer` block does nothing;
- a call of `wipe()`, `giveBack(wiping:)` or `explicit_bzero` is left out.

The copy is built once, with optimisation; the tests then run once for each change, with PENGUINDOME_MUTANT=N: first those of
the folder that mirrors the source's, without the slow ones, and all that --filter lets through only if these notice
nothing. A change that no test notices is a survivor. The exit code is 1 if there are survivors that
Tests/Support/mutants-allowed.txt does not list.

It takes some seconds for each change, and belongs to a release rather than to every commit.
"""

import argparse
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALLOWED = pathlib.Path(__file__).with_name("mutants-allowed.txt")
OPENING, CLOSING = "([{", ")]}"

# Suites that start GnuPG hundreds of times, and sweeps over every byte of many inputs.
SLOW = r"MutationTests/|PeerTests/|PitfallsSweepTests/|equally frequent"

# Reads the sources, and sees that they are not as they were: it would notice every mutant, and the copy without any.
READS_SOURCES = r"ChecksTests/"

HELPER = """import Glibc

/// What a check says, or yes where the check with this number is taken away.
@inline(never)
func mutant(_ number: Int, _ condition: Bool) -> Bool { condition || number == activeMutant }

/// Yes, unless what has this number is taken away.
@inline(never)
func present(_ number: Int) -> Bool { number != activeMutant }

/// What a condition says, or the opposite where the condition with this number is turned round.
@inline(never)
func turned(_ number: Int, _ condition: Bool) -> Bool { condition != (number == activeMutant) }

private let activeMutant: Int = {
    guard let value = getenv("PENGUINDOME_MUTANT") else { return -1 }
    return Int(atol(value))
}()
"""


def skip_literal(text, at):
    """The end of the string literal or comment that begins at `at`, or `at` itself."""
    for opening, closing in (('\"\"\"', '\"\"\"'), ('"', '"'), ("//", "\n"), ("/*", "*/")):
        if text.startswith(opening, at):
            end = at + len(opening)
            while not text.startswith(closing, end):
                end += 2 if text[end] == "\\" and opening[0] == '"' else 1
            return end + len(closing)
    return at


def code(text, start):
    """The offsets from `start` on that are in no literal and no comment, each with the depth of brackets before it."""
    depth, at = 0, start
    while at < len(text):
        after = skip_literal(text, at)
        if after != at:
            at = after
            continue
        yield at, depth
        depth += (text[at] in OPENING) - (text[at] in CLOSING)
        at += 1


def conditions(text, start):
    """The conditions between `guard` and `else`, as (begin, end) offsets."""
    begin = start
    for at, depth in code(text, start):
        if depth == 0 and text[at] == ",":
            yield begin, at
            begin = at + 1
        elif depth == 0 and re.match(r"\belse\b", text[at:]) and not text[at - 1].isalnum():
            yield begin, at
            return


def refusal(text, start):
    """What stands between an `if` and its block, where the block begins with `throw`."""
    for at, depth in code(text, start):
        if depth == 0 and text[at] == "{":
            return text[start:at].strip() if re.match(r"\{\s*throw\b", text[at:]) else None
    return None


def block(text, start):
    """The offsets of the brace that opens the next block after `start`, and of the one that closes it."""
    opening = None
    for at, depth in code(text, start):
        if opening is None and depth == 0 and text[at] == "{":
            opening = at
        elif opening is not None and depth == 1 and text[at] == "}":
            return opening, at
    return None


def parts(text, start):
    """The conditions between `if` and its block, as (begin, end) offsets."""
    begin = start
    for at, depth in code(text, start):
        if depth == 0 and text[at] in ",{":
            yield begin, at
            begin = at + 1
            if text[at] == "{":
                return


BINDING = re.compile(r"(try\s+)?(let|var|case|#)\b|try\b|await\b")
OPERAND = r"[\w.\[\]]+(?:\(\))?"
COMPARISON = re.compile(
    rf"(?P<left>{OPERAND}) (?P<sign><=?|>=?) (?P<right>{OPERAND})(?=$|[,)}}\n]| [{{&|?]| else)")
BEFORE = re.compile(r"(^|[(,{\n]|&&|\|\||\b(guard|if|while|return|where|in)|[?:=])\s*$")
WIPING = re.compile(
    r"(?<=[{ ])[\w.$]*\bwipe\(\)|(?m:(?<=^)[^\n/{}]*\)\.wipe\(\)$)|[\w.]+\.giveBack\(wiping: [^\n}]*\)"
    r"|explicit_bzero\([^\n{}]*\)")
OPPOSITE = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}


def boundaries(text):
    """Each comparison of two simple values in `text`, as (begin, end, make)."""
    inside = {at for at, _ in code(text, 0)}
    for found in COMPARISON.finditer(text):
        left, sign, right = found["left"], found["sign"], found["right"]
        line = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
        if found.start() not in inside or not BEFORE.search(line) or left in ("func", "case"):
            continue

        def make(add, left=left, sign=sign, right=right):
            number = add(f"{left} {OPPOSITE[sign]} {right}")
            if sign in ("<", ">"):
                return f"({left} {sign} {right} || !present({number}) && {left} == {right})"
            return f"({left} {sign} {right} && (present({number}) || {left} != {right}))"

        yield found.start(), found.end(), make


def applied(text, found, add):
    """`text` with all that was found in it."""
    pieces, done = [], 0
    for begin, end, make in sorted(found, key=lambda change: change[:2]):
        if begin >= done:
            pieces += [text[done:begin], make(lambda what, begin=begin: add(what, begin))]
            done = end
    return "".join(pieces) + text[done:]


def changes(text):
    """All that can be changed in `text`, as (begin, end, make); where two overlap, the first holds."""
    found, blocks = [], []
    inside = set()
    for at, _ in code(text, 0):
        inside.add(at)
        starts_word = not (at and (text[at - 1].isalnum() or text[at - 1] in "_`."))
        if not starts_word:
            continue
        if re.match(r"defer\s*\{", text[at:]) and (braces := block(text, at)):
            opening, closing = braces
            blocks.append((opening, closing))
            body = text[opening + 1 : closing]

            def without(add, body=body):
                return f"{{ if present({add('defer { ' + ' '.join(body.split()) + ' }')}) {{{body}}} }}"

            found.append((opening, closing + 1, without))
        elif re.match(r"if\s", text[at:]) and text[:at].rstrip()[-1:] not in ("=", ")"):
            if refused := refusal(text, at + len("if")):
                found.append((at, at + len("if"), lambda add, what=refused: f"if present({add(' '.join(what.split()))}),"))
                continue
            for begin, end in parts(text, at + len("if")):
                condition = text[begin:end].strip()
                if condition and not BINDING.match(condition) and not re.search(r"[$]\d|\btry\b", condition):

                    def turn(add, condition=condition):
                        number = add("turned: " + " ".join(condition.split()))
                        return f" turned({number}, {applied(condition, boundaries(condition), lambda what, _: add(what))}) "

                    found.append((begin, end, turn))
        elif re.match(r"guard\s", text[at:]):
            for begin, end in conditions(text, at + len("guard")):
                condition = text[begin:end].strip()
                if re.match(r"(let|var|case|#)\b", condition):
                    continue
                trying = re.match(r"try\s+", condition)
                bare = condition[trying.end() :] if trying else condition

                def pass_(add, condition=condition, bare=bare, trying=trying):
                    number = add(" ".join(condition.split()))
                    rest = applied(bare, boundaries(bare), lambda what, _: add(what))
                    return f" {'try ' if trying else ''}mutant({number}, {rest}) "

                found.append((begin, end, pass_))
    for wiping in WIPING.finditer(text):
        at = wiping.start() + len(wiping[0]) - len(wiping[0].lstrip())
        line = text[text.rfind("\n", 0, at) + 1 : at]
        alone = re.match(r"\s*$|.*(\{|\bin)\s*$", line)
        if at in inside and alone and "func" not in wiping[0] and not any(o < at < c for o, c in blocks):
            call = wiping[0].strip()
            found.append((at, wiping.end(), lambda add, call=call: f"if present({add(call)}) {{ {call} }}"))
    taken = [change[:2] for change in found]
    return found + [
        change for change in boundaries(text) if not any(b < change[1] and change[0] < e for b, e in taken)]


def mutate(text, path, mutants):
    """`text` with each of its changes made possible; `mutants` grows by their descriptions."""

    def add(what, begin):
        line = text.count("\n", 0, begin + len(text[begin:]) - len(text[begin:].lstrip())) + 1
        mutants.append(f"{path}:{line}: {what}")
        return len(mutants) - 1

    return applied(text, changes(text), add)


def suites_near(path):
    """A filter for each suite in the folder of Tests that mirrors the folder of `path`."""
    room, *folders = pathlib.Path(path).parts[1:-1]
    mirror = ROOT.joinpath("Tests", room + "Tests", *folders[:1])
    names = []
    for file in sorted(mirror.rglob("*.swift")):
        names += re.findall(r"@Suite.*?\bstruct (\w+)", file.read_text(), re.DOTALL)
    # Not \b, which Swift's regular expressions do not see between a dot and a letter.
    return [rf"\.{name}/" for name in names]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[""], help="mutate only files whose path holds one of these")
    parser.add_argument("--folders", nargs="+", default=["Sources/Secrets", "Sources/Crypto", "Sources/Shamir"])
    parser.add_argument("--filter", default="", help="run only the tests that match")
    parser.add_argument("--list", action="store_true", help="only list the changes")
    parser.add_argument("--timeout", type=int, default=180, help="seconds for one run of the tests")
    parser.add_argument("--sample", type=int, help="try so many of them, chosen by chance")
    options = parser.parse_args()

    if options.list:
        mutants = []
        for folder in options.folders:
            for path in sorted((ROOT / folder).rglob("*.swift")):
                mutate(path.read_text(), str(path.relative_to(ROOT)), mutants)
        print("\n".join(re.sub(r":\d+: ", ": ", mutant) for mutant in mutants))
        return

    work = pathlib.Path(tempfile.mkdtemp(prefix="mutants-"))
    for name in ("Package.swift", "Sources", "Tests", "vectors"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, work / name)

    mutants = []
    for folder in options.folders:
        (work / folder / "Mutant.swift").write_text(HELPER)
        for path in sorted((work / folder).rglob("*.swift")):
            relative = str(path.relative_to(work))
            if path.name != "Mutant.swift" and any(part in relative for part in options.only):
                path.write_text(mutate(path.read_text(), relative, mutants))

    environment = dict(os.environ, PENGUINDOME_CORE_ONLY="1")
    build = work / ".build"
    swift = ["swift", "build", "--build-tests", "--scratch-path", build, "-Xswiftc", "-O", "-Xswiftc", "-enable-testing"]
    subprocess.run(swift, cwd=work, env=environment, check=True, stdout=subprocess.DEVNULL)
    # The test program itself: `swift test` would look at the whole package each time.
    test = [build / "debug" / "penguindomePackageTests.xctest", "--testing-library", "swift-testing"]

    def tests_pass(number, filter, *skipped):
        choice = ["--filter", filter] if filter else []
        for skip in (READS_SOURCES, *skipped):
            choice += ["--skip", skip]
        try:
            run = subprocess.run(
                test + choice, cwd=work, timeout=options.timeout,
                env=dict(environment, PENGUINDOME_MUTANT=str(number), SWIFT_BACKTRACE="enable=no"),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return False
        return run.returncode == 0

    if not tests_pass(-1, options.filter):
        sys.exit("the tests fail without any mutant")
    allowed = set()
    if ALLOWED.exists():
        allowed = {line.split("#")[0].strip() for line in ALLOWED.read_text().splitlines()} - {""}
    survivors = 0
    chosen = list(enumerate(mutants))
    if options.sample and options.sample < len(chosen):
        chosen = sorted(random.sample(chosen, options.sample))
    for number, description in chosen:
        near = suites_near(description.split(":")[0])
        # One suite after the other, up to the first that notices.
        survived = all(tests_pass(number, suite, SLOW) for suite in near) and tests_pass(number, options.filter)
        # Line numbers move; a survivor is allowed by its file and its condition.
        known = survived and re.sub(r":\d+: ", ": ", description) in allowed
        survivors += survived and not known
        print("allowed " if known else "SURVIVED" if survived else "killed  ", description, flush=True)
    print(f"{len(chosen)} of {len(mutants)} changes, {survivors} survivors")
    shutil.rmtree(work)
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
