/// Bytes as text in base 16, 32 or 64, in a time that does not depend on what is written: neither branches nor addresses
/// come from the bytes. One text for each sequence of bytes: bits at the end that mean nothing are zero.
package struct BaseN: Sendable {
    /// Characters in a row that stand for values in a row.
    private struct Run: Sendable {
        let character: UInt8
        let value: UInt8
        let count: UInt8
    }

    private let bitsPerCharacter: UInt32
    private let isPadded: Bool
    private let runs: [Run]

    private init(bits: UInt32, isPadded: Bool = false, _ rows: String...) {
        bitsPerCharacter = bits
        self.isPadded = isPadded
        var value: UInt8 = 0
        runs = rows.map { row in
            let characters = Array(row.utf8)
            defer { value += UInt8(characters.count) }
            return Run(character: characters[0], value: value, count: UInt8(characters.count))
        }
    }

    /// Base 16 of RFC 4648, section 8, in lower case.
    package static let hexadecimal = BaseN(bits: 4, "0123456789", "abcdef")
    /// The same in upper case.
    package static let upperHexadecimal = BaseN(bits: 4, "0123456789", "ABCDEF")
    /// Crockford's base 32: no I, L, O and U.
    package static let base32 = BaseN(bits: 5, "0123456789", "ABCDEFGH", "JK", "MN", "PQRST", "VWXYZ")
    /// Base 64 of RFC 4648, section 4.
    package static let base64 = BaseN(
        bits: 6, isPadded: true, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789",
        "+", "/")
    /// The same with `.` for `+` and without padding, as password hashes in modular form have it.
    package static let adaptedBase64 = BaseN(
        bits: 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789", "./")

    /// How many characters `bytes` bytes become.
    package func length(ofBytes bytes: Int) -> Int {
        isPadded ? (bytes + 2) / 3 * 4 : (bytes * 8 + Int(bitsPerCharacter) - 1) / Int(bitsPerCharacter)
    }

    /// How many bytes a text has. The text may still be wrong.
    package func byteCount(of text: UnsafeRawBufferPointer) -> Int {
        digitCount(of: text) * Int(bitsPerCharacter) / 8
    }

    private func digitCount(of text: UnsafeRawBufferPointer) -> Int {
        guard isPadded else { return text.count }
        return text.count - text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
    }

    /// Writes the characters of `bytes`.
    ///
    /// - Parameter text: Exactly ``length(ofBytes:)`` bytes.
    package func encode(_ bytes: UnsafeRawBufferPointer, into text: UnsafeMutableRawBufferPointer) {
        runs.withUnsafeBufferPointer { runs in
            let mask = UInt8(1 << bitsPerCharacter - 1)
            var (bits, bitCount, position): (UInt32, UInt32, Int) = (0, 0, 0)
            for byte in bytes {
                bits = bits &<< 8 | UInt32(byte)
                bitCount += 8
                while bitCount >= bitsPerCharacter {
                    bitCount -= bitsPerCharacter
                    text[position] = Self.character(UInt8(truncatingIfNeeded: bits &>> bitCount) & mask, runs)
                    position += 1
                }
            }
            if bitCount > 0 {
                let last = UInt8(truncatingIfNeeded: bits &<< (bitsPerCharacter - bitCount)) & mask
                text[position] = Self.character(last, runs)
                position += 1
            }
            while position < text.count {
                text[position] = UInt8(ascii: "=")
                position += 1
            }
        }
    }

    /// Reads characters back.
    ///
    /// - Parameter bytes: Their number decides how many characters `text` must have. What they hold means nothing where
    ///   the answer is false.
    /// - Returns: False for a character or a length that is impossible, and for bits at the end that are not zero.
    package func decode(_ text: UnsafeRawBufferPointer, into bytes: UnsafeMutableRawBufferPointer) -> Bool {
        let digits = digitCount(of: text)
        guard text.count == length(ofBytes: bytes.count), bytes.count == byteCount(of: text) else {
            return false
        }
        return runs.withUnsafeBufferPointer { runs in
            var (bits, bitCount, position, bad): (UInt32, UInt32, Int, UInt8) = (0, 0, 0, 0)
            for index in 0..<digits {
                bits = bits &<< bitsPerCharacter | UInt32(Self.value(text[index], runs, &bad))
                bitCount += bitsPerCharacter
                if bitCount >= 8 {
                    bitCount -= 8
                    bytes[position] = UInt8(truncatingIfNeeded: bits &>> bitCount)
                    position += 1
                }
            }
            return UInt32(bad) | bits & (1 &<< bitCount &- 1) == 0
        }
    }

    /// The characters of `bytes`.
    package func encode(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var text = [UInt8](repeating: 0, count: length(ofBytes: bytes.count))
        bytes.withContiguousBytes { bytes in text.withUnsafeMutableBytes { encode(bytes, into: $0) } }
        return text
    }

    /// The characters of `bytes`.
    package func text(_ bytes: some Collection<UInt8>) -> String {
        String(decoding: encode(bytes), as: UTF8.self)
    }

    /// The bytes that `text` stands for; nil where ``decode(_:into:)`` says no.
    package func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        text.withContiguousBytes { text in
            var bytes = [UInt8](repeating: 0, count: byteCount(of: text))
            return bytes.withUnsafeMutableBytes { decode(text, into: $0) } ? bytes : nil
        }
    }

    @inline(__always)
    private static func character(_ value: UInt8, _ runs: UnsafeBufferPointer<Run>) -> UInt8 {
        var character: UInt8 = 0
        for run in runs {
            let offset = value &- run.value
            character |= mask(offset, below: run.count) & (run.character &+ offset)
        }
        return character
    }

    /// `bad` becomes nonzero where the character stands for nothing.
    @inline(__always)
    private static func value(_ character: UInt8, _ runs: UnsafeBufferPointer<Run>, _ bad: inout UInt8)
        -> UInt8
    {
        var (value, found): (UInt8, UInt8) = (0, 0)
        for run in runs {
            let offset = character &- run.character
            let hit = mask(offset, below: run.count)
            value |= hit & (run.value &+ offset)
            found |= hit
        }
        bad |= ~found
        return value
    }

    /// The character of base 32 that a person means: upper case, 0 for O, 1 for I and L. What stands for nothing stays.
    @inline(__always)
    package static func folded(_ character: UInt8) -> UInt8 {
        var upper = character &- (0x20 & mask(character &- 0x61, below: 26))
        upper ^= (upper ^ 0x30) & mask(upper &- 0x4f, below: 1)
        upper ^= (upper ^ 0x31) & (mask(upper &- 0x49, below: 1) | mask(upper &- 0x4c, below: 1))
        return upper
    }

    /// All ones where `a` < `b`, else zero.
    @inline(__always)
    private static func mask(_ a: UInt8, below b: UInt8) -> UInt8 {
        UInt8(truncatingIfNeeded: (UInt16(a) &- UInt16(b)) &>> 8)
    }
}
