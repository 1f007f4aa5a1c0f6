#!/usr/bin/env python3
"""Mistreats a server on this machine, and tells how well healthy hosts are served meanwhile.

Called by abuse.sh. Only 127.0.0.1 is ever connected to; every phase ends by itself.
"""

import argparse
import asyncio
import os
import random
import re
import subprocess
import sys
import time

HEAD = b"POST /penguindome/v1/submit HTTP/1.1\r\nHost: localhost\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


def memory(pid: int, field: str) -> int:
    """What /proc says about the server's memory, in MiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) // 1024
    raise SystemExit(f"no {field} of process {pid}")


async def connect(port: int):
    """A connection, or nothing where the server does not take it."""
    try:
        return await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 10)
    except (OSError, asyncio.TimeoutError):
        return None


async def drip(port: int, start: bytes, filler: bytes, until: float) -> None:
    """Sends a request's start at once and then the filler once a second; begins anew when it is thrown out."""
    while time.monotonic() < until:
        connection = await connect(port)
        if connection is None:
            await asyncio.sleep(1)
            continue
        _, writer = connection
        try:
            writer.write(start)
            while time.monotonic() < until and not writer.is_closing():
                writer.write(filler)
                await writer.drain()
                await asyncio.sleep(1)
        except OSError:
            pass
        writer.close()


async def noise(port: int, seed: int, until: float) -> None:
    """Sends bytes that mean nothing, or almost a request."""
    source = random.Random(seed)
    while time.monotonic() < until:
        connection = await connect(port)
        if connection is None:
            await asyncio.sleep(0.1)
            continue
        reader, writer = connection
        try:
            for _ in range(source.randrange(1, 20)):
                chunk = source.randbytes(source.randrange(1, 5000))
                writer.write(source.choice((b"", HEAD, b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\n")) + chunk)
                await writer.drain()
            await asyncio.wait_for(reader.read(4096), 0.2)
        except (OSError, asyncio.TimeoutError):
            pass
        writer.close()


async def hold(port: int, count: int, until: float) -> int:
    """Opens that many connections, says nothing on them, and tells how many were still open at the end."""
    connections = []
    for _ in range(count // 100):
        connections += await asyncio.gather(*(connect(port) for _ in range(100)))
    opened = [connection for connection in connections if connection is not None]
    print(f"  {len(opened)} of {count} idle connections opened", file=sys.stderr)
    held.set()
    await asyncio.sleep(max(0.0, until - time.monotonic()))
    alive = sum(not reader.at_eof() for reader, _ in opened)
    for _, writer in opened:
        writer.close()
    return alive


async def phase(name: str, options, attackers) -> bool:
    """Runs attackers while healthy hosts report, and prints a row of the table."""
    seconds = options.seconds
    if name.startswith("idle"):
        # The server closes a connection that has not sent a head within a minute.
        seconds = min(seconds, 40)
    # Signed before the attack begins: in a fleet other machines do that.
    loader = await asyncio.create_subprocess_exec(
        *options.loader, str(options.pace * seconds), "200", str(options.pace),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    await loader.stdout.readline()
    held.clear()
    tasks = [asyncio.ensure_future(attacker) for attacker in attackers(time.monotonic() + seconds + 5)]
    if name.startswith("idle"):
        await held.wait()
    elif tasks:
        await asyncio.sleep(5)
    output, _ = await loader.communicate(b"\n")
    resident = memory(options.pid, "VmRSS")
    await asyncio.gather(*tasks)
    line = output.decode().strip()
    match = re.search(r"(\d+) reports.*connections: (\d+) per second, median ([\d.]+) ms, p99 ([\d.]+) ms, "
                      r"longest ([\d.]+) ms, (\d+) failed", line)
    if match is None:
        print(f"the generator said: {line}", file=sys.stderr)
        return False
    count, rate, median, p99, longest, failed = match.groups()
    print(f"| {name} | {count} | {rate} | {median} ms | {p99} ms | {longest} ms | {failed} | {resident} MiB |", flush=True)
    return failed == "0"


async def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pid", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tls-port", type=int)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--pace", type=int, default=200, help="reports of healthy hosts in a second")
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("loader", nargs="+")
    options = parser.parse_args()
    port = options.port

    body = HEAD + FORM + b"Content-Length: 1000000\r\n\r\ndata="
    upgrade = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
    phases = [
        ("nothing", lambda end: []),
        (f"idle connections: {options.connections}", lambda end: [hold(port, options.connections, end)]),
        ("heads at a byte a second: 2,000 connections",
         lambda end: [drip(port, HEAD + b"X-Slow: ", b"x", end) for _ in range(2000)]),
        ("bodies at a byte a second: 2,000 connections", lambda end: [drip(port, body, b"x", end) for _ in range(2000)]),
        ("another protocol's bytes: 20 connections",
         lambda end: [drip(port, upgrade, bytes(4 << 20), end) for _ in range(20)]),
        ("noise on the plain port: 50 connections", lambda end: [noise(port, seed, end) for seed in range(50)]),
    ]
    if options.tls_port:
        phases.append(("noise on the TLS port: 50 connections",
                       lambda end: [noise(options.tls_port, seed, end) for seed in range(50)]))
    phases.append(("nothing, afterwards", lambda end: []))
    print("| meanwhile | reports | per second | median | p99 | longest | failed | server's memory |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    fine = True
    for name, attackers in phases:
        fine &= await phase(name, options, attackers)
    print(f"\npeak memory of the server {memory(options.pid, 'VmHWM')} MiB, "
          f"open descriptors at the end {len(os.listdir(f'/proc/{options.pid}/fd'))}")
    return 0 if fine else 1


held = asyncio.Event()
sys.exit(asyncio.run(main()))
