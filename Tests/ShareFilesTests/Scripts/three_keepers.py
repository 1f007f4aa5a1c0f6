"""Plays three keepers at a terminal, with every mistake once: three_keepers.py PD-SHARES FOLDER.

FOLDER has locked shares of a sealed secret (a.1-of-3.share.txt and so on, passphrases pass-1 to pass-3), the sealed file
away.sealed, and other.share.txt of another set. Ends with 0 where the secret comes out.
"""

import os
import pathlib
import pty
import select
import sys
import time

tool, folder = sys.argv[1], pathlib.Path(sys.argv[2])
os.chdir(folder)
shares = [(folder / f"a.{n}-of-3.share.txt").read_text(encoding="utf-8").splitlines() for n in (1, 2, 3)]
child, terminal = pty.fork()
if child == 0:
    os.execv(tool, [tool, "combine", "--out", "restored", "--clear"])
shown = ""


def wait(text):
    """Reads on until the terminal shows a text, and forgets what came before it."""
    global shown
    end = time.monotonic() + 60
    while text not in shown:
        if time.monotonic() > end:
            sys.exit(f"expected {text!r}, have {shown!r}")
        if select.select([terminal], [], [], 1)[0]:
            try:
                shown += os.read(terminal, 65536).decode(errors="replace").replace("\r\n", "\n")
            except OSError:
                sys.exit(f"ended before {text!r}: {shown!r}")
    shown = shown[shown.index(text) + len(text):]


def type_(text, answer):
    os.write(terminal, text.encode() + b"\n")
    wait(answer)


wait("[-----BEGIN PENGUINDOME SHARE-----] > ")
type_("help", "undo   take back")
os.write(terminal, b"\x04")  # too early
wait("Nothing is lost")
# A half typed share, abandoned by BEGIN; a line of another paper; a wrong character and its correction; undo.
for line in shares[0][:6]:
    os.write(terminal, line.encode() + b"\n")
wait("[Threshold] > ")
type_(shares[1][0], "was not complete: left out")
for line in shares[1][1:8]:
    os.write(terminal, line.encode() + b"\n")
wait("[Holder] > ")
type_("undo", "the last line is taken back")
wait("[Secret] > ")
type_(shares[1][7], "[Holder] > ")
type_(shares[1][8], "] > ")
type_(shares[0][10], "belongs to share 1")
body = next(i for i, line in enumerate(shares[1]) if line.startswith("1:"))
for line in shares[1][9:body]:
    os.write(terminal, line.encode() + b"\n")
wrong = shares[1][body]
wrong = wrong[:3] + ("7" if wrong[3] != "7" else "8") + wrong[4:]
type_(wrong, "exactly one correction fits")
type_("y", "[2] > ")
for line in shares[1][body + 1:-1]:
    os.write(terminal, line.lower().replace("0", "o").encode() + b"\n")
wait("[-----END PENGUINDOME SHARE-----] > ")
type_(shares[1][-1], "1 more needed")
# The same share again; one of another set; list.
for line in shares[1]:
    os.write(terminal, line.encode() + b"\n")
wait("this one is left out")
for line in (folder / "other.share.txt").read_text(encoding="utf-8").splitlines():
    os.write(terminal, line.encode() + b"\n")
wait("more needed")
type_("list", "typed share 2")
for number in (0, 2):
    for line in shares[number]:
        os.write(terminal, line.encode() + b"\n")
wait("press Return to go on")
wait("press Return to go on")
# Return; a wrong passphrase; a holder who is away; the others.
os.write(terminal, b"\n")
wait("Return to go on without it: ")
type_("wrong", "try again")
wait("Return to go on without it: ")
os.write(terminal, b"\n")
wait("Return to go on without it: ")
os.write(terminal, b"pass-1\n")
wait("Return to go on without it: ")
os.write(terminal, b"pass-3\n")
# The sealed file: first a wrong path.
wait("or Return to go back] > ")
type_("no-such-file", "cannot open")
wait("or Return to go back] > ")
os.write(terminal, b"away.sealed\n")
wait("Proved: this is the secret")
wait("Cleared.")
while True:
    try:
        if not os.read(terminal, 65536):
            break
    except OSError:
        break
_, status = os.waitpid(child, 0)
if os.waitstatus_to_exitcode(status) != 0:
    sys.exit(f"ended with {status}")
if (folder / "restored").read_bytes() != (folder / "key").read_bytes():
    sys.exit("another secret")
