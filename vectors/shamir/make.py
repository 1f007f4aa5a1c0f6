#!/usr/bin/env python3
"""Makes and checks the share files in this folder, with nothing but docs/share-format.md to go by.

    make.py            write vectors.json anew
    make.py check DIR  combine all *.share.txt files (and the *.sealed file) in DIR and write the secret to stdout

Written independently of the Swift code: the field multiplies by long division, interpolation is done byte by byte, and
the random bytes of the vectors are SHAKE-256 of a name, so that the file comes out the same every time. Needs
python3-cryptography (44 or newer, for Argon2id).
"""

import base64
import hashlib
import hmac
import itertools
import json
import pathlib
import sys
import unicodedata
import zlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHUNK = 65536
LINE = 25


def multiply(a, b):
    product = 0
    for bit in range(8):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(14, 7, -1):
        if product >> bit & 1:
            product ^= 0x11D << (bit - 8)
    return product


def inverse(a):
    return next(b for b in range(1, 256) if multiply(a, b) == 1)


def base32(data):
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    return "".join(ALPHABET[int(bits[i : i + 5], 2)] for i in range(0, len(bits), 5))


def unbase32(text, length):
    bits = "".join(f"{ALPHABET.index(c):05b}" for c in text)
    assert len(text) == (length * 8 + 4) // 5 and set(bits[length * 8 :]) <= {"0"}
    return bytes(int(bits[i : i + 8], 2) for i in range(0, length * 8, 8))


def checksum(line, binding=""):
    crc = zlib.crc32((binding + line).encode())
    return "".join(ALPHABET[crc >> shift & 31] for shift in (30, 25, 20, 15, 10, 5, 0))


def text_of(lines):
    return "".join(line + "\n" for line in lines).encode()


def whole_checksum(data):
    """CRC-64 as in xz, thirteen characters."""
    crc = 0xFFFFFFFFFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xC96C5795D7870F42 if crc & 1 else 0)
    crc ^= 0xFFFFFFFFFFFFFFFF
    return base32(crc.to_bytes(8, "big"))


def groups(text, separator):
    return separator.join(text[i : i + 4] for i in range(0, len(text), 4))


def mac(key, context, data):
    return hmac.new(key, context.encode() + data, hashlib.sha256).digest()[:16]


def set_lines(case):
    sealed = ", sealed" if case["sealed"] else ""
    return (
        f"Format: 1\nSet: {groups(base32(bytes.fromhex(case['set'])), '-')}\nLabel: {case['label'] or '-'}\n"
        f"Created: {case['created']}\nThreshold: {case['threshold']} of {case['shares']}\n"
        f"Secret: {case['secret_bytes']} bytes{sealed}\n"
    )


def own_lines(number, holder):
    return f"Share: {number}\nHolder: {holder or '-'}\n"


def derive(passphrase, salt, cost):
    memory, passes, lanes = cost
    # Version 1.3, which this library has alone. Any space is U+0020, letters are composed.
    passphrase = "".join(" " if unicodedata.category(c) == "Zs" else c for c in unicodedata.normalize("NFC", passphrase))
    return Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory).derive(
        passphrase.encode()
    )


def split(case, secret, random):
    """The texts of all shares."""
    own_secret = secret
    check_key = random(16)
    lines = set_lines(case)
    message = own_secret + check_key + mac(check_key, "penguindome share set\n" + lines, own_secret)
    coefficients = [random(len(message)) for _ in range(case["threshold"] - 1)]
    texts = []
    for number in range(1, case["shares"] + 1):
        value = bytearray(message)
        power = 1
        for row in coefficients:
            power = multiply(power, number)
            value = bytearray(v ^ multiply(c, power) for v, c in zip(value, row))
        holder = case["holders"][number - 1]
        own = own_lines(number, holder)
        body = bytes(value) + mac(check_key, "penguindome share\n" + lines + own, bytes(value))
        header = lines + own
        passphrase = case["passphrases"][number - 1]
        if passphrase:
            salt = random(16)
            cost = case["argon2id"]
            header += f"Protection: argon2id {cost[0]} {cost[1]} {cost[2]} {base32(salt)}\n"
            body = AESGCM(derive(passphrase, salt, cost)).encrypt(bytes(12), body, header.encode())
        out = ["-----BEGIN PENGUINDOME SHARE-----"]
        first = header.splitlines()
        # Format, Set, Share, then the rest.
        ordered = first[:2] + [first[6]] + first[2:6] + first[7:]
        set_text = first[1].removeprefix("Set: ")
        everything = f"{set_text}/{number}\n"
        bindings = ["", "", set_text + "\n"] + [everything] * (len(first) - 3)
        out += [f"{line} #{checksum(line, binding)}" for line, binding in zip(ordered, bindings)]
        plain = list(ordered)
        for index in range(0, len(body), LINE):
            digits = base32(body[index : index + LINE])
            key = f"{index // LINE + 1}: "
            plain.append(key + digits)
            out.append(f"{key}{groups(digits, ' ')} #{checksum(key + digits, everything)}")
        last = "Check: " + whole_checksum(text_of(plain))
        out.append(f"{last} #{checksum(last, everything)}")
        out.append("-----END PENGUINDOME SHARE-----")
        texts.append("\n".join(out) + "\n")
    return texts


def seal(key, set_id, secret):
    header = b"penguindome sealed 1\n" + set_id
    chunks = [secret[i : i + CHUNK] for i in range(0, len(secret), CHUNK)]
    return header + b"".join(
        AESGCM(key).encrypt(i.to_bytes(11, "big") + bytes([i == len(chunks) - 1]), chunk, header)
        for i, chunk in enumerate(chunks)
    )


def unseal(key, set_id, data):
    header, rest = data[:31], data[31:]
    assert header == b"penguindome sealed 1\n" + set_id
    chunks = [rest[i : i + CHUNK + 16] for i in range(0, len(rest), CHUNK + 16)]
    return b"".join(
        AESGCM(key).decrypt(i.to_bytes(11, "big") + bytes([i == len(chunks) - 1]), chunk, header)
        for i, chunk in enumerate(chunks)
    )


def printed(data):
    """The parts of a printed sealed file."""
    set_text = groups(base32(data[21:31]), "-")
    pieces = [data[i : i + 750] for i in range(0, len(data), 750)]
    assert len(pieces) <= 99
    texts = []
    for number, piece in enumerate(pieces, 1):
        code = base64.b64encode(piece).decode()
        part = f"{number} of {len(pieces)}"
        lines = ["-----BEGIN PENGUINDOME SEALED FILE-----", f"Set: {set_text}", f"Part: {part}"]
        lines += [code[i : i + 76] for i in range(0, len(code), 76)]
        lines.append("Check: " + whole_checksum(text_of([set_text, part]) + piece))
        texts.append("\n".join(lines + ["-----END PENGUINDOME SEALED FILE-----"]) + "\n")
    return texts


def parse(text, passphrase=None):
    fields, body_lines, plain, own_lines_, set_lines_ = {}, [], [], "", ""
    lines = [line for line in text.splitlines() if line.strip()]
    assert lines[0] == "-----BEGIN PENGUINDOME SHARE-----" and lines[-1] == "-----END PENGUINDOME SHARE-----"
    for line in lines[1:-1]:
        content, _, check = line.rpartition(" #")
        key, _, value = content.partition(": ")
        if key.isdigit():
            value = value.replace(" ", "")
            content = f"{key}: {value}"
            body_lines.append(value)
        else:
            fields[key] = value
        binding = ""
        if key == "Share":
            binding = f"{fields['Set']}\n"
        elif key not in ("Format", "Set"):
            binding = f"{fields['Set']}/{fields['Share']}\n"
        assert checksum(content, binding) == check, f"wrong checksum: {line}"
        if key == "Check":
            assert value == whole_checksum(text_of(plain)), "the lines do not fit together"
            continue
        plain.append(content)
        if key in ("Share", "Holder"):
            own_lines_ += content + "\n"
        elif not key.isdigit() and key != "Protection":
            set_lines_ += content + "\n"
    assert "Check" in fields
    header = set_lines_ + own_lines_
    sealed = fields["Secret"].endswith(", sealed")
    length = (32 if sealed else int(fields["Secret"].split()[0])) + 48 + (16 if "Protection" in fields else 0)
    body = b""
    for value in body_lines:
        body += unbase32(value, min(LINE, length - len(body)))
    assert len(body) == length
    if "Protection" in fields:
        _, memory, passes, lanes, salt = fields["Protection"].split()
        key = derive(passphrase, unbase32(salt, 16), [int(memory), int(passes), int(lanes)])
        locked = header + f"Protection: {fields['Protection']}\n"
        body = AESGCM(key).decrypt(bytes(12), body, locked.encode())
    return fields, header, body


def combine(shares):
    """The secret, or a sealed file's key, from parsed shares; raises where they do not fit."""
    fields = shares[0][0]
    threshold = int(fields["Threshold"].split()[0])
    assert len(shares) >= threshold
    numbers = [int(share[0]["Share"]) for share in shares]
    lines = shares[0][1][: shares[0][1].index("Share: ")]
    for choice in itertools.combinations(range(len(shares)), threshold):
        message = bytearray(len(shares[0][2]) - 16)
        for i in choice:
            weight = 1
            for j in choice:
                if i != j:
                    weight = multiply(weight, multiply(numbers[j], inverse(numbers[j] ^ numbers[i])))
            row = [multiply(weight, b) for b in range(256)]
            message = bytearray(m ^ row[b] for m, b in zip(message, shares[i][2]))
        secret, check_key, tag = bytes(message[:-32]), bytes(message[-32:-16]), bytes(message[-16:])
        if mac(check_key, "penguindome share set\n" + lines, secret) == tag:
            bad = [
                n
                for n, (_, header, body) in zip(numbers, shares)
                if mac(check_key, "penguindome share\n" + header, body[:-16]) != body[-16:]
            ]
            return secret, bad
    raise ValueError("the shares do not fit")


CASES = [
    {"name": "2-of-2, one byte", "threshold": 2, "shares": 2, "secret_bytes": 1},
    {"name": "2-of-3, one line of body and a byte", "threshold": 2, "shares": 3, "secret_bytes": 13},
    {"name": "3-of-5, 32 bytes, holders", "threshold": 3, "shares": 5, "secret_bytes": 32,
     "label": "private_key.asc", "holders": ["Alice Example", "Jürgen Groß", None, "王小明", "Eve: 5 #1"]},
    {"name": "5-of-9, 300 bytes", "threshold": 5, "shares": 9, "secret_bytes": 300, "label": "backup key"},
    {"name": "2-of-2, passphrases", "threshold": 2, "shares": 2, "secret_bytes": 16,
     "passphrases": ["correct horse", "gro\u0308\u00dfer\u00a0Apfel"], "argon2id": [64, 2, 1]},
    {"name": "2-of-2, one passphrase, two lanes", "threshold": 2, "shares": 2, "secret_bytes": 20,
     "passphrases": [None, "x"], "argon2id": [64, 1, 2]},
    {"name": "2-of-255, 4 bytes", "threshold": 2, "shares": 255, "secret_bytes": 4},
    {"name": "2-of-3, sealed, one chunk", "threshold": 2, "shares": 3, "secret_bytes": 100, "sealed": True},
    {"name": "2-of-3, sealed, printed in three parts", "threshold": 2, "shares": 3, "secret_bytes": 2000, "sealed": True},
    {"name": "2-of-2, sealed, two full chunks", "threshold": 2, "shares": 2, "secret_bytes": 131072, "sealed": True,
     "sealed_file": "two-chunks.sealed"},
]


def make():
    result = []
    for case in CASES:
        stream = hashlib.shake_256(case["name"].encode()).digest(2_000_000)
        position = 0

        def random(count):
            nonlocal position
            position += count
            return stream[position - count : position]

        case = {"label": None, "created": "2026-11-23", "sealed": False, "argon2id": None,
                "holders": [None] * case["shares"], "passphrases": [None] * case["shares"],
                "set": random(10).hex(), **case}
        secret = random(case["secret_bytes"])
        case["secret_b64"] = base64.b64encode(secret).decode() if len(secret) < 1000 else None
        case["secret_sha256"] = hashlib.sha256(secret).hexdigest()
        key = random(32) if case["sealed"] else secret
        case["texts"] = split(case, key, random)
        if case["sealed"]:
            sealed = seal(key, bytes.fromhex(case["set"]), secret)
            case["key_b64"] = base64.b64encode(key).decode()
            case["sealed_sha256"] = hashlib.sha256(sealed).hexdigest()
            if "sealed_file" in case:
                pathlib.Path(__file__).with_name(case["sealed_file"]).write_bytes(sealed)
            else:
                case["sealed_b64"] = base64.b64encode(sealed).decode()
                case["printed"] = printed(sealed)
        parsed = [parse(text, case["passphrases"][i]) for i, text in enumerate(case["texts"])]
        found, bad = combine(parsed[-case["threshold"] :])
        assert found == key and not bad
        if len(case["texts"]) > 20:  # enough to see that high numbers work
            case["texts"] = case["texts"][:1] + case["texts"][-2:]
        result.append(case)
    pathlib.Path(__file__).with_name("vectors.json").write_text(
        json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def check(directory):
    folder = pathlib.Path(directory)
    secret, bad = combine([parse(p.read_text(encoding="utf-8")) for p in sorted(folder.glob("*.share.txt"))])
    if bad:
        sys.exit(f"changed shares: {bad}")
    for path in folder.glob("*.sealed"):
        secret = unseal(secret, path.read_bytes()[21:31], path.read_bytes())
    sys.stdout.buffer.write(secret)


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        check(sys.argv[2])
    else:
        make()
