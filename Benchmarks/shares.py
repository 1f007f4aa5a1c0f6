#!/usr/bin/env python3
"""pd-shares beside gfsplit and gfcombine (libgfshare-bin) and ssss, 3 of 5, in one run.

Usage: Benchmarks/shares.py [PD-SHARES] [ROUNDS]

Every way of doing a thing runs once in each round, one after the other, so that whatever else the machine does meets all
of them. Prints the median of the wall time and of the processor time, and the median, over the rounds, of this way's
processor time divided by that of the first way in the same round. Every restored secret is compared.
"""

import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

tool = str(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".build-static/release/pd-shares").resolve())
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 21


def run(command, text=None):
    """Wall and processor seconds of a program, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(command, input=text, capture_output=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # 5: libgfshare's format proves nothing.
    if done.returncode not in (0, 5):
        sys.exit(f"{command}: {done.returncode}: {done.stderr.decode()}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def measure(size, count, with_ssss):
    secret = work / "secret"
    # ssss takes text alone.
    data = os.urandom(size // 2).hex().encode() if with_ssss else os.urandom(size)
    secret.write_bytes(data)
    folders = {name: work / name for name in ("native", "gfshare", "gfsplit")}
    times = {}

    def note(what, way, result):
        times.setdefault(what, {}).setdefault(way, []).append(result[:2])
        return result[2]

    def check(restored):
        if restored != data:
            sys.exit("another secret")

    for _ in range(count):
        for folder in folders.values():
            fresh(folder)
        split = [tool, "split", str(secret), "--threshold", "3", "--shares", "5", "--out"]
        note("split", "pd-shares", run(split + [str(folders["native"])]))
        note("split", "pd-shares, libgfshare's format", run(split + [str(folders["gfshare"]), "--format", "gfshare"]))
        note("split", "gfsplit", run(["gfsplit", "-n", "3", "-m", "5", str(secret), str(folders["gfsplit"] / "secret")]))
        out = work / "restored"
        native = sorted(folders["native"].iterdir())
        shares = [str(f) for f in native if f.name.endswith(".txt")][:3] + [str(f) for f in native if f.suffix == ".sealed"]
        for way, command in (
            ("pd-shares", [tool, "combine", *shares, "--out", str(out)]),
            ("pd-shares, libgfshare's format", [tool, "combine", "--threshold", "3", "--out", str(out)]
             + [str(f) for f in sorted(folders["gfshare"].iterdir())[:3]]),
            ("gfcombine", ["gfcombine", "-o", str(out)] + [str(f) for f in sorted(folders["gfsplit"].iterdir())[:3]]),
        ):
            out.unlink(missing_ok=True)
            note("combine", way, run(command))
            check(out.read_bytes())
        if with_ssss:
            made = note("split", "ssss-split", run(["ssss-split", "-t", "3", "-n", "5", "-q"], data + b"\n"))
            lines = made.stdout.splitlines()[:3]
            restored = note("combine", "ssss-combine", run(["ssss-combine", "-t", "3", "-q"], b"\n".join(lines) + b"\n"))
            check(restored.stderr.strip().splitlines()[-1])
    for what, ways in times.items():
        first = next(iter(ways.values()))
        for way, values in ways.items():
            wall = statistics.median(v[0] for v in values)
            cpu = statistics.median(v[1] for v in values)
            ratio = statistics.median(v[1] / max(f[1], 1e-4) for v, f in zip(values, first))
            print(f"| {what}, {name(size)} | {way} | {wall * 1000:.1f} ms | {cpu * 1000:.1f} ms | × {ratio:.2f} |")


def name(size):
    return f"{size >> 20} MiB" if size >> 20 else f"{size} bytes"


with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
    work = pathlib.Path(folder)
    print("| what | how | wall | processor | of pd-shares' processor time |")
    print("| --- | --- | ---: | ---: | ---: |")
    measure(64, rounds, with_ssss=True)
    measure(5115, rounds, with_ssss=False)
    measure(64 << 20, max(3, rounds // 4), with_ssss=False)
