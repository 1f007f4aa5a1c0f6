/// Secret keys in text, and binary ones that begin with a name: each has a hyphen in it.
enum SecretKeyText {
    /// The key of which the hyphen is a part.
    static func form(in bytes: UnsafeRawBufferPointer, hyphen place: Int) -> SecretKeyForm? {
        if bytes.has("-----BEGIN ", at: place) { return armored(bytes, place + 11) }
        if bytes.has("---- BEGIN ", at: place) { return armored(bytes, place + 11) }
        if bytes.has("AGE-SECRET-KEY-", at: place - 3) || bytes.has("AGE-PLUGIN-", at: place - 3) {
            return word(bytes, place) { $0 >= 40 } ? .age : nil
        }
        if bytes.has("openssh-key-v1\0", at: place - 7) {
            // The length of a cipher's name, and the name (PROTOCOL.key of OpenSSH, section 1).
            guard bytes.number16(place + 8) == 0, let length = bytes.number16(place + 10),
                (4...64).contains(length),
                (0..<length).allSatisfy({ isWord(bytes.byte(place + 12 + $0)) })
            else { return nil }
            return .openSSH
        }
        if bytes.has("PuTTY-User-Key-File-", at: place - 5) {
            return bytes.has(":", at: place + 16) ? .putty : nil
        }
        return isAgentKey(bytes, place) ? .gpgAgent : nil
    }

    /// A block whose label begins at `start`.
    private static func armored(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> SecretKeyForm? {
        var end = start
        while let byte = bytes.byte(end), end - start <= 64, byte != UInt8(ascii: "-"), byte >= 0x20,
            byte < 0x7f
        {
            end += 1
        }
        guard bytes.byte(end) == UInt8(ascii: "-") else { return nil }
        let label = String(decoding: bytes[start..<end], as: UTF8.self).trimmed
        while bytes.byte(end) == UInt8(ascii: "-") { end += 1 }
        if label == "PENGUINDOME SHARE" { return holds(bytes, end, 8) ? .share : nil }
        guard label.contains("PRIVATE KEY") || label.contains("SECRET KEY"), holds(bytes, end, 20) else {
            return nil
        }
        return .armored(label: label)
    }

    /// Whether a block has a body: a word of that many letters before it ends. Programs and documents that only name the
    /// line have none.
    private static func holds(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ letters: Int) -> Bool {
        guard let first = bytes.byte(start), first == 0x5c || " \t\r\n".utf8.contains(first) else {
            return false
        }
        var length = 0
        var place = start
        while place < min(bytes.count, start + 8192), !bytes.has("-----END", at: place),
            !bytes.has("---- END", at: place)
        {
            let byte = bytes[place]
            guard byte >= 0x20 || "\t\r\n".utf8.contains(byte) else { return false }
            if byte == 0x5c {
                // The letter of an escape is none of the word.
                (length, place) = (0, place + 1)
            } else {
                length = isBase64(byte) ? length + 1 : 0
            }
            if length >= letters { return true }
            place += 1
        }
        return false
    }

    /// `(11:private-key(…`, or `Key: (private-key (…`, both with or without `protected-`; a `shadowed-private-key` holds
    /// none (doc/keyformat.txt of GnuPG).
    private static func isAgentKey(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> Bool {
        if bytes.has("private-key(", at: place - 7) {
            guard let digit = bytes.byte(place + 5), isDigit(digit) else { return false }
            return bytes.has("(11:", at: place - 11) || bytes.has("(21:protected-", at: place - 21)
        }
        guard bytes.has("private-key", at: place - 7) else { return false }
        guard bytes.has("Key: (", at: place - 13) || bytes.has("Key: (protected-", at: place - 23) else {
            return false
        }
        var next = place + 4
        while let byte = bytes.byte(next), " \t\r\n".utf8.contains(byte) { next += 1 }
        return bytes.byte(next) == UInt8(ascii: "(")
    }

    private static func word(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, _ fits: (Int) -> Bool
    ) -> Bool {
        var end = start
        while isWord(bytes.byte(end)) { end += 1 }
        return fits(end - start)
    }

    private static func isWord(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        return isDigit(byte) || (0x41...0x5a).contains(byte & 0xdf) || "-@.".utf8.contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isBase64(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x41...0x5a).contains(byte & 0xdf) || "+/=".utf8.contains(byte)
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
