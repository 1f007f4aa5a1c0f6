#!/usr/bin/env python3
"""Measures full cycles of pd-agent against a server that answers at once.

usage: agent-cycle.py PD_AGENT KIT_WITHOUT_SETTINGS [RUNS]

The folder holds client.key.asc and server.pub.asc. Each run is one process: it collects on this machine, signs, writes
its report to the spool, delivers it. CPU and peak memory are those of the process alone, as it logs them itself at its
end (getrusage, RUSAGE_SELF); the commands that collectors start are not in them. What of its memory is its own and
changed (Private_Dirty of smaps_rollup) is read while it waits for the answer. Prints medians and the largest values.
"""
import http.server
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time


class Sink(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    received = 0
    agent = None
    dirty = []

    def do_POST(self):
        if Sink.agent is not None:
            with open(f"/proc/{Sink.agent}/smaps_rollup") as file:
                kib = re.search(r"Private_Dirty: *(\d+) kB", file.read())[1]
            Sink.dirty.append(int(kib) / 1024)
        body = self.rfile.read(int(self.headers["content-length"]))
        # The agent also asks for keys, which this server knows nothing of.
        if not self.path.endswith("/submit"):
            self.send_response(404)
            self.send_header("content-length", "0")
            self.end_headers()
            return
        Sink.received += 1
        Sink.size = len(body)
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def main():
    agent, keys = os.path.abspath(sys.argv[1]), sys.argv[2]
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 30
    server = http.server.HTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        kit, state = folder + "/kit", folder + "/state"
        os.mkdir(kit)
        for name in ("client.key.asc", "server.pub.asc"):
            shutil.copy(f"{keys}/{name}", kit)
        with open(kit + "/agent.yml", "w") as file:
            file.write(f"server_url: http://127.0.0.1:{server.server_address[1]}\nlogging: {{level: debug}}\n")
        subprocess.run([agent, "join", "--kit", kit, "--state", state], check=True, stdout=subprocess.DEVNULL)
        cpu, peak, wall = [], [], []
        for _ in range(runs):
            start = time.monotonic()
            done = subprocess.Popen(
                [agent, "cycle", "--state", state], stderr=subprocess.PIPE, text=True)
            Sink.agent = done.pid
            _, log = done.communicate()
            if done.returncode != 0:
                sys.exit(f"the agent ended with {done.returncode}: {log}")
            wall.append(1000 * (time.monotonic() - start))
            cpu.append(int(re.search(r"cpu_us=(\d+)", log)[1]) / 1000)
            peak.append(int(re.search(r"peak_kib=(\d+)", log)[1]) / 1024)
    if Sink.received != runs:
        sys.exit(f"{Sink.received} of {runs} reports arrived")
    print(f"{runs} cycles, request body {Sink.size} bytes")
    for name, unit, values in (("own CPU", "ms", cpu), ("peak memory", "MiB", peak),
                               ("private dirty", "MiB", Sink.dirty), ("elapsed", "ms", wall)):
        print(f"{name}: median {statistics.median(values):.1f} {unit}, largest {max(values):.1f} {unit}")


main()
