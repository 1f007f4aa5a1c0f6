#!/usr/bin/env python3
"""Restores a secret from shares of pd-shares, with nothing but Python's standard library (3.8 or newer).

    python3 recover.py SHARE.txt SHARE.txt ... [SECRET.sealed] > secret

Each share is a text file as it is printed: from the BEGIN line to the END line. Give as many as the line "Threshold:"
says, and the sealed file where the line "Secret:" says "sealed"; of a printed one the texts that its codes hold, in one
file or in several. A share with a line "Protection:" asks for its
passphrase, which takes an hour or so here. Nothing is written where anything does not fit.
"""

import base64
import getpass
import hashlib
import hmac
import itertools
import sys
import unicodedata
import zlib

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LINE, CHUNK = 25, 65536
BEGIN, END = "BEGIN PENGUINDOME SHARE", "END PENGUINDOME SHARE"
PART = "PENGUINDOME SEALED FILE"


class Bad(Exception):
    pass


# --- Texts


def fold(text):
    return text.upper().replace("O", "0").replace("I", "1").replace("L", "1").replace(" ", "").replace("-", "")


def base32(data):
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    return "".join(ALPHABET[int(bits[i : i + 5], 2)] for i in range(0, len(bits), 5))


def unbase32(text, length):
    if len(text) != (length * 8 + 4) // 5 or any(c not in ALPHABET for c in text):
        raise Bad("a value is not written as it has to be")
    bits = "".join(f"{ALPHABET.index(c):05b}" for c in text)
    if "1" in bits[length * 8 :]:
        raise Bad("a value is not written as it has to be")
    return bytes(int(bits[i : i + 8], 2) for i in range(0, length * 8, 8))


def line_checksum(text):
    crc = zlib.crc32(text.encode())
    return "".join(ALPHABET[crc >> shift & 31] for shift in (30, 25, 20, 15, 10, 5, 0))


def whole_checksum(data):
    crc = 0xFFFFFFFFFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xC96C5795D7870F42 if crc & 1 else 0)
    return base32((crc ^ 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big"))


def read(text, name):
    """The fields of a share, its two groups of header lines, and its body."""
    inside, fields, plain = False, {}, []
    for number, raw in enumerate(text.splitlines(), 1):
        line = " ".join(raw.lstrip("\ufeff> \t").split())
        bare = line.strip("- ").upper()
        if bare == BEGIN:
            inside = True
            continue
        if bare == END:
            break
        if not inside or not line:
            continue
        where = f"{name}, line {number}"
        content, hash_, check = line.rpartition("#")
        key, colon, value = (part.strip() for part in content.partition(":"))
        if not hash_ or not colon:
            raise Bad(f"{where}: expected \"key: value #checksum\"")
        if key.isdigit() or key == "Check":
            value = fold(value)
        binding = ""
        if key == "Share":
            binding = fields.get("Set", "") + "\n"
        elif key not in ("Format", "Set"):
            binding = f"{fields.get('Set')}/{fields.get('Share')}\n"
        if line_checksum(f"{binding}{key}: {value}") != fold(check):
            raise Bad(f"{where}: mistyped, or a line of another paper")
        if key in fields:
            raise Bad(f"{where}: this line is there twice")
        fields[key] = value
        if key != "Check":
            plain.append(f"{key}: {value}")
    if fields.get("Format") != "1":
        raise Bad(f"{name}: not a share of format 1")
    if fields.get("Check") != whole_checksum("".join(line + "\n" for line in plain).encode()):
        raise Bad(f"{name}: lines are missing, or in the wrong order")
    common = "".join(f"{k}: {fields[k]}\n" for k in ("Format", "Set", "Label", "Created", "Threshold", "Secret"))
    own = "".join(f"{k}: {fields[k]}\n" for k in ("Share", "Holder"))
    sealed = fields["Secret"].endswith(", sealed")
    length = (32 if sealed else int(fields["Secret"].split()[0])) + 48
    locked = "Protection" in fields
    length += 16 if locked else 0
    body = b""
    for number in range((length + LINE - 1) // LINE):
        body += unbase32(fields[str(number + 1)], min(LINE, length - len(body)))
    if locked:
        words = fields["Protection"].split()
        word = unicodedata.normalize("NFC", getpass.getpass(f"Passphrase for {name}: "))
        word = "".join(" " if unicodedata.category(c) == "Zs" else c for c in word)
        key = argon2id(word.encode(), unbase32(words[4], 16), *map(int, words[1:4]))
        body = gcm_open(key, bytes(12), body, (common + own + f"Protection: {fields['Protection']}\n").encode())
        if body is None:
            raise Bad(f"{name}: wrong passphrase")
    return fields, common, own, body


def read_parts(text, files):
    """Adds the parts of printed sealed files in a text to `files`: {(set, count): {number: bytes}}. Whether it has any."""
    found, lines = False, None
    for raw in text.splitlines():
        line = raw.strip("\ufeff> \t\r")
        bare = line.strip("- ").upper()
        if bare == "BEGIN " + PART:
            found, lines = True, []
        elif bare == "END " + PART and lines is not None:
            values = dict(map(str.strip, line.split(":", 1)) for line in lines if ":" in line)
            try:
                data = base64.b64decode("".join(line for line in lines if ":" not in line), validate=True)
                number, count = (int(word) for word in values["Part"].split(" of "))
                set_text = values["Set"]
                good = whole_checksum(f"{set_text}\n{number} of {count}\n".encode() + data) == values["Check"]
            except (ValueError, KeyError):
                good = False
            if good:
                files.setdefault((set_text, count), {})[number] = data
            else:
                print(f"recover.py: {values.get('Part', 'a part')} of a printed sealed file is damaged", file=sys.stderr)
            lines = None
        elif lines is not None:
            lines.append(line)
    return found


def join_parts(files):
    """The sealed files of which every part is there."""
    whole = []
    for (set_text, count), parts in files.items():
        missing = [number for number in range(1, count + 1) if number not in parts]
        if missing:
            print(f"recover.py: parts of the printed sealed file are missing: {missing} of {count}", file=sys.stderr)
        else:
            whole.append(b"".join(parts[number] for number in range(1, count + 1)))
    return whole


# --- Shares


def multiply(a, b):
    product = 0
    for _ in range(8):
        if b & 1:
            product ^= a
        a = a << 1 ^ (0x11D if a & 0x80 else 0)
        b >>= 1
    return product


def mac(key, context, data):
    return hmac.new(key, context.encode() + data, hashlib.sha256).digest()[:16]


def combine(shares):
    """The secret, or a sealed file's key."""
    fields, common = shares[0][0], shares[0][1]
    if any(share[1] != common for share in shares):
        raise Bad("the shares are not of one set, or one was changed")
    threshold = int(fields["Threshold"].split()[0])
    if len({share[0]["Share"] for share in shares}) < threshold:
        raise Bad(f"{threshold} different shares are needed")
    for choice in itertools.combinations(shares, threshold):
        points = [int(share[0]["Share"]) for share in choice]
        if len(set(points)) < threshold:
            continue
        message = bytes(len(choice[0][3]) - 16)
        for x, share in zip(points, choice):
            top, bottom = 1, 1
            for other in points:
                if other != x:
                    top, bottom = multiply(top, other), multiply(bottom, other ^ x)
            weight = next(multiply(top, b) for b in range(1, 256) if multiply(bottom, b) == 1)
            row = [multiply(weight, b) for b in range(256)]
            message = bytes(m ^ row[b] for m, b in zip(message, share[3]))
        secret, key, tag = message[:-32], message[-32:-16], message[-16:]
        if not hmac.compare_digest(mac(key, "penguindome share set\n" + common, secret), tag):
            continue
        for share in shares:
            good = mac(key, "penguindome share\n" + common + share[2], share[3][:-16])
            if not hmac.compare_digest(good, share[3][-16:]):
                raise Bad(f"share {share[0]['Share']} does not fit the others: leave it out")
        return secret
    raise Bad("the shares do not fit together: one is not as it was made; bring another")


def unseal(key, set_text, data):
    header, rest = data[:31], data[31:]
    if header != b"penguindome sealed 1\n" + unbase32(set_text.replace("-", ""), 10):
        raise Bad("the sealed file belongs to another set")
    secret = b""
    size = CHUNK + 16
    for index in range((len(rest) + size - 1) // size):
        piece = rest[index * size : (index + 1) * size]
        last = (index + 1) * size >= len(rest)
        plain = gcm_open(key, index.to_bytes(11, "big") + bytes([last]), piece, header)
        if plain is None:
            raise Bad("the sealed file was changed or is incomplete: use another copy")
        secret += plain
    return secret


# --- AES-256-GCM (FIPS 197, NIST SP 800-38D)


def make_sbox():
    def times(a, b):
        product = 0
        while b:
            product ^= a if b & 1 else 0
            a = a << 1 ^ (0x11B if a & 0x80 else 0)
            b >>= 1
        return product

    box = []
    for value in range(256):
        inverse = next((b for b in range(256) if times(value, b) == 1), 0)
        box.append(0x63)
        for shift in range(5):
            box[value] ^= (inverse << shift | inverse >> (8 - shift)) & 0xFF
    return box, [times(s, 2) for s in box], [times(s, 3) for s in box]


SBOX, TWICE, THRICE = make_sbox()


class AES:
    def __init__(self, key):
        words = [list(key[i : i + 4]) for i in range(0, 32, 4)]
        factor = 1
        for i in range(8, 60):
            word = list(words[-1])
            if i % 8 == 0:
                word = [SBOX[b] for b in word[1:] + word[:1]]
                word[0] ^= factor
                factor <<= 1
            elif i % 8 == 4:
                word = [SBOX[b] for b in word]
            words.append([a ^ b for a, b in zip(words[i - 8], word)])
        self.keys = [sum(words[i : i + 4], []) for i in range(0, 60, 4)]

    def encrypt(self, block):
        s = [a ^ b for a, b in zip(block, self.keys[0])]
        for round_ in range(1, 15):
            t = [s[(i + 4 * (i % 4)) % 16] for i in range(16)]
            k = self.keys[round_]
            if round_ == 14:
                return bytes(SBOX[b] ^ c for b, c in zip(t, k))
            s = []
            for c in (0, 4, 8, 12):
                a, b, d, e = t[c : c + 4]
                s += [
                    TWICE[a] ^ THRICE[b] ^ SBOX[d] ^ SBOX[e] ^ k[c],
                    SBOX[a] ^ TWICE[b] ^ THRICE[d] ^ SBOX[e] ^ k[c + 1],
                    SBOX[a] ^ SBOX[b] ^ TWICE[d] ^ THRICE[e] ^ k[c + 2],
                    THRICE[a] ^ SBOX[b] ^ SBOX[d] ^ TWICE[e] ^ k[c + 3],
                ]


def ghash_table(h):
    """Products of h with every byte at every place."""
    powers = []
    for _ in range(128):
        powers.append(h)
        h = h >> 1 ^ (0xE1 << 120 if h & 1 else 0)
    table = []
    for place in range(16):
        row = [0] * 256
        for byte in range(256):
            for bit in range(8):
                if byte >> (7 - bit) & 1:
                    row[byte] ^= powers[place * 8 + bit]
        table.append(row)
    return table


def gcm_open(key, nonce, sealed, context):
    """None where the tag is wrong."""
    if len(sealed) < 16:
        return None
    text, tag = sealed[:-16], sealed[-16:]
    aes = AES(key)
    table = ghash_table(int.from_bytes(aes.encrypt(bytes(16)), "big"))
    pad = lambda data: data + bytes(-len(data) % 16)
    data = pad(context) + pad(text) + (len(context) * 8).to_bytes(8, "big") + (len(text) * 8).to_bytes(8, "big")
    state = 0
    for i in range(0, len(data), 16):
        state ^= int.from_bytes(data[i : i + 16], "big")
        product = 0
        for place, byte in enumerate(state.to_bytes(16, "big")):
            product ^= table[place][byte]
        state = product
    first = int.from_bytes(aes.encrypt(nonce + b"\0\0\0\1"), "big")
    if not hmac.compare_digest((state ^ first).to_bytes(16, "big"), tag):
        return None
    plain = b""
    for i in range(0, len(text), 16):
        stream = aes.encrypt(nonce + (i // 16 + 2).to_bytes(4, "big"))
        plain += bytes(a ^ b for a, b in zip(text[i : i + 16], stream))
    return plain


# --- Argon2id, version 1.3 (RFC 9106)

MASK = 0xFFFFFFFFFFFFFFFF


def blake(length, data):
    prefix = length.to_bytes(4, "little")
    if length <= 64:
        return hashlib.blake2b(prefix + data, digest_size=length).digest()
    part = hashlib.blake2b(prefix + data).digest()
    result = part[:32]
    while length - len(result) > 64:
        part = hashlib.blake2b(part).digest()
        result += part[:32]
    return result + hashlib.blake2b(part, digest_size=length - len(result)).digest()


def mix(v, a, b, c, d):
    for one, two in ((32, 24), (16, 63)):
        v[a] = (v[a] + v[b] + 2 * (v[a] & 0xFFFFFFFF) * (v[b] & 0xFFFFFFFF)) & MASK
        x = v[d] ^ v[a]
        v[d] = (x >> one | x << (64 - one)) & MASK
        v[c] = (v[c] + v[d] + 2 * (v[c] & 0xFFFFFFFF) * (v[d] & 0xFFFFFFFF)) & MASK
        x = v[b] ^ v[c]
        v[b] = (x >> two | x << (64 - two)) & MASK


def permute(v, places):
    w = [v[i] for i in places]
    for i in range(4):
        mix(w, i, i + 4, i + 8, i + 12)
    for i in range(4):
        mix(w, i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12)
    for i, value in zip(places, w):
        v[i] = value


def compress(x, y):
    r = [a ^ b for a, b in zip(x, y)]
    v = list(r)
    for i in range(8):
        permute(v, range(i * 16, i * 16 + 16))
    for i in range(8):
        permute(v, [i * 2 + j * 16 + k for j in range(8) for k in range(2)])
    return [a ^ b for a, b in zip(r, v)]


def argon2id(password, salt, memory, passes, lanes):
    word = lambda n: n.to_bytes(4, "little")
    start = hashlib.blake2b(
        b"".join(map(word, (lanes, 32, memory, passes, 0x13, 2)))
        + word(len(password)) + password + word(len(salt)) + salt + word(0) + word(0)
    ).digest()
    segment = memory // (4 * lanes)
    columns = segment * 4
    words = lambda data: [int.from_bytes(data[i : i + 8], "little") for i in range(0, 1024, 8)]
    blocks = [[None] * columns for _ in range(lanes)]
    for lane in range(lanes):
        for column in range(2):
            blocks[lane][column] = words(blake(1024, start + word(column) + word(lane)))
    zero = [0] * 128
    for turn in range(passes):
        for slice_ in range(4):
            for lane in range(lanes):
                fixed = turn == 0 and slice_ < 2
                counter = [turn, lane, slice_, columns * lanes, passes, 2, 0] + [0] * 121
                addresses = None
                for index in range(segment):
                    if fixed and index % 128 == 0:
                        counter[6] += 1
                        addresses = compress(zero, compress(zero, counter))
                    if turn == 0 and slice_ == 0 and index < 2:
                        continue
                    column = slice_ * segment + index
                    row = blocks[lane]
                    before = row[column - 1]
                    pseudo = addresses[index % 128] if fixed else before[0]
                    j1, j2 = pseudo & 0xFFFFFFFF, pseudo >> 32
                    source = lane if turn == 0 and slice_ == 0 else j2 % lanes
                    if turn == 0:
                        area = slice_ * segment + (index - 1 if source == lane else (-1 if index == 0 else 0))
                        first = 0
                    else:
                        area = columns - segment + (index - 1 if source == lane else (-1 if index == 0 else 0))
                        first = (slice_ + 1) * segment % columns
                    reference = (first + area - 1 - (area * (j1 * j1 >> 32) >> 32)) % columns
                    new = compress(before, blocks[source][reference])
                    if turn > 0:
                        new = [a ^ b for a, b in zip(new, row[column])]
                    row[column] = new
    last = zero
    for lane in range(lanes):
        last = [a ^ b for a, b in zip(last, blocks[lane][-1])]
    return blake(32, b"".join(w.to_bytes(8, "little") for w in last))


def main(paths):
    shares, sealed, printed = [], [], {}
    for path in paths:
        with open(path, "rb") as file:
            data = file.read()
        if data.startswith(b"penguindome sealed 1\n"):
            sealed.append(data)
        else:
            text = data.decode("utf-8")
            if not read_parts(text, printed) or BEGIN in text.upper():
                shares.append(read(text, path))
    sealed += join_parts(printed)
    if not shares:
        raise Bad(__doc__)
    secret = combine(shares)
    length, _, rest = shares[0][0]["Secret"].partition(" ")
    if rest.endswith("sealed"):
        if not sealed:
            raise Bad("the shares fit; the secret is in a sealed file: give it too")
        set_text = shares[0][0]["Set"]
        own = unbase32(set_text.replace("-", ""), 10)
        secret = unseal(secret, set_text, next((data for data in sealed if data[21:31] == own), sealed[0]))
    if len(secret) != int(length):
        raise Bad("the sealed file is incomplete")
    sys.stdout.buffer.write(secret)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (Bad, KeyError, UnicodeDecodeError, OSError) as error:
        sys.exit(f"recover.py: {error if not isinstance(error, KeyError) else 'a line is missing: ' + str(error)}")
