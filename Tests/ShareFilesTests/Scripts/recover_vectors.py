"""Reads every vector with the recovery script: recover_vectors.py RECOVER.py VECTORS-FOLDER. Prints the number of cases."""

import base64
import hashlib
import importlib.util
import json
import pathlib
import sys

spec = importlib.util.spec_from_file_location("recover", sys.argv[1])
recover = importlib.util.module_from_spec(spec)
spec.loader.exec_module(recover)
folder = pathlib.Path(sys.argv[2])
cases = json.loads((folder / "vectors.json").read_text(encoding="utf-8"))
for case in cases:
    shares = []
    for text in case["texts"]:
        number = int(next(line for line in text.splitlines() if line.startswith("Share:")).split()[1])
        recover.getpass.getpass = lambda question: case["passphrases"][number - 1]
        shares.append(recover.read(text, "share"))
    secret = recover.combine(shares)
    if case["sealed"]:
        sealed = (folder / case["sealed_file"]).read_bytes() if "sealed_file" in case else base64.b64decode(case["sealed_b64"])
        if "printed" in case:
            parts = {}
            # In any order, in mail, and one of them twice.
            pages = "".join("> " + line + "\n" for text in case["printed"][::-1] + case["printed"][:1] for line in text.splitlines())
            if not recover.read_parts("Hello\n" + pages, parts) or recover.join_parts(parts) != [sealed]:
                sys.exit(f"{case['name']}: the printed sealed file is another")
            changed = {}
            recover.read_parts(case["printed"][0].replace("Part: 1", "Part: 2"), changed)
            if changed:
                sys.exit(f"{case['name']}: a changed part reads")
        secret = recover.unseal(secret, shares[0][0]["Set"], sealed)
        try:
            recover.unseal(secret[:32].ljust(32, b"x"), shares[0][0]["Set"], sealed)
            sys.exit(f"{case['name']}: a wrong key opens the sealed file")
        except recover.Bad:
            pass
    if hashlib.sha256(secret).hexdigest() != case["secret_sha256"]:
        sys.exit(f"{case['name']}: another secret")
    try:
        recover.read(case["texts"][0].replace("Created: 2026-11-23", "Created: 2026-11-24"), "share")
        sys.exit(f"{case['name']}: a changed line reads")
    except recover.Bad:
        pass
print(len(cases))
