#!/usr/bin/env python3
"""Runs a program and searches its memory for secrets, when it waits in a call and when it ends.

    search-memory.py NEEDLES PROGRAM [ARGUMENT…]

NEEDLES is a file with the name of a form and its bytes in hexadecimal on each line; it is read when it is needed first, so
that it may be a FIFO whose writer waits for a key that the program makes. Searched are all mappings that the
program may write, but for those that are locked (`lo` in /proc/PID/smaps): there secrets are at home, and are wiped when
they go. The program's stdin is given on. Complains of each form that was found by a line `WHEN FORM COUNT`, then
says `searched WHEN BYTES`, and ends with 0 whatever was found, or with 2 where nothing could be searched.

The program is stopped by ptrace(2) at its end (PTRACE_O_TRACEEXIT), while its memory is still there. A SIGUSR1 that is
sent to this script has it searched at that time as well.
"""
import ctypes
import os
import signal
import sys

TRACEME, CONT, SETOPTIONS, GETEVENTMSG = 0, 7, 0x4200, 0x4201
TRACEEXIT, EXITKILL, EVENT_EXIT = 0x40, 0x100000, 6
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, pid, data=0):
    if libc.ptrace(request, pid, 0, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def mappings(pid):
    """(start, end) of each mapping that may be written and is not locked."""
    head = None
    with open(f"/proc/{pid}/smaps") as smaps:
        for line in smaps:
            fields = line.split()
            if "-" in fields[0] and not fields[0].endswith(":"):
                head = fields
            elif fields[0] == "VmFlags:" and "w" in head[1] and "lo" not in fields[1:]:
                yield tuple(int(part, 16) for part in head[0].split("-"))


def search(when, pid, needles):
    counts = dict.fromkeys((name for name, _ in needles), 0)
    total = 0
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end in mappings(pid):
            kept = b""
            position = start
            while position < end:
                memory.seek(position)
                try:
                    block = memory.read(min(end - position, 1 << 20))
                except OSError:
                    break  # A guard page or a device.
                if not block:
                    break
                text = kept + block
                for name, needle in needles:
                    found = text.count(needle)
                    # What lies wholly in what was kept was counted with the block before.
                    counts[name] += found - kept.count(needle)
                kept = text[-256:]
                position += len(block)
                total += len(block)
    for name, count in counts.items():
        if count:
            print(when, name, count, file=sys.stderr)
    print("searched", when, total, file=sys.stderr, flush=True)
    return total


def read_needles():
    with open(sys.argv[1]) as file:
        return [(name, bytes.fromhex(digits)) for name, digits in (line.split() for line in file)]


def main():
    # Whoever starts us may hold signals back.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
    pid = os.fork()
    if pid == 0:
        ptrace(TRACEME, 0)
        os.execv(sys.argv[2], sys.argv[2:])
    os.waitpid(pid, 0)
    ptrace(SETOPTIONS, pid, TRACEEXIT | EXITKILL)
    ptrace(CONT, pid)
    # To its first thread, which is the one that is traced.
    signal.signal(signal.SIGUSR1, lambda *_: libc.tgkill(pid, pid, signal.SIGUSR1))
    print("pid", pid, file=sys.stderr, flush=True)
    total = 0
    needles = []
    while True:
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            break
        sent = os.WSTOPSIG(status)
        if status >> 16 == EVENT_EXIT:
            needles = needles or read_needles()
            total += search("exit", pid, needles)
            sent = 0
        elif sent == signal.SIGUSR1:
            needles = needles or read_needles()
            total += search("waiting", pid, needles)
            sent = 0
        ptrace(CONT, pid, sent)
    print("status", os.waitstatus_to_exitcode(status), file=sys.stderr)
    sys.exit(0 if total else 2)


if __name__ == "__main__":
    main()
