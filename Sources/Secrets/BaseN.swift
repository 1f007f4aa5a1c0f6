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

    /// - Parameter rows: the characters, from the one for zero on, in rows without a gap in ASCII.
    package init(bits: UInt32, isPadded: Bool = false, _ rows: String...) {
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
    /// Base 64 of RFC 4648, section 4.
    package static let base64 = BaseN(
        bits: 6, isPadded: true, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789",
        "+", "/")

    /// How many characters `bytes` bytes become.
    package func length(ofBytes bytes: Int) -> Int {
        isPadded ? (bytes + 2) / 3 * 4 : (bytes * 8 + Int(bitsPerCharacter) - 1) / Int(bitsPerCharacter)
    }

    /// How many of the characters are none of padding.
    private func digitCount(of text: UnsafeRawBufferPointer) -> Int {
        text.count - (isPadded ? text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count : 0)
    }

    private func byteCount(_ digits: Int) -> Int { digits * Int(bitsPerCharacter) / 8 }

    /// Writes the characters of `bytes`.
    ///
    /// - Parameter text: Exactly ``length(ofBytes:)`` bytes.
    package func encode(_ bytes: UnsafeRawBufferPointer, into text: UnsafeMutableRawBufferPointer) {
        let bits = Int(bitsPerCharacter)
        let digits = (bytes.count * 8 + bits - 1) / bits
        runs.withUnsafeBufferPointer { runs in
            for position in 0..<digits {
                let (index, offset) = (position * bits).quotientAndRemainder(dividingBy: 8)
                let next = index + 1 < bytes.count ? bytes[index + 1] : 0
                let window = (UInt16(bytes[index]) &<< 8 | UInt16(next)) &>> UInt16(16 - bits - offset)
                text[position] = Self.character(
                    UInt8(truncatingIfNeeded: window) & (1 &<< UInt8(bits) &- 1), runs)
            }
        }
        for position in digits..<text.count { text[position] = UInt8(ascii: "=") }
    }

    /// Reads characters back.
    ///
    /// - Parameter bytes: Their number decides how many characters `text` must have. What they hold means nothing where
    ///   the answer is false.
    /// - Returns: False for a character or a length that is impossible, and for bits at the end that are not zero.
    package func decode(_ text: UnsafeRawBufferPointer, into bytes: UnsafeMutableRawBufferPointer) -> Bool {
        let digits = digitCount(of: text)
        guard text.count == length(ofBytes: bytes.count), bytes.count == byteCount(digits) else {
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
            var bytes = [UInt8](repeating: 0, count: byteCount(digitCount(of: text)))
            return bytes.withUnsafeMutableBytes { decode(text, into: $0) } ? bytes : nil
        }
    }

    @inline(__always)
    private static func character(_ value: UInt8, _ runs: UnsafeBufferPointer<Run>) -> UInt8 {
        runs.reduce(0) { found, run in
            let offset = value &- run.value
            return found | isBelow(offset, run.count) & (run.character &+ offset)
        }
    }

    /// `bad` becomes nonzero where the character stands for nothing.
    @inline(__always)
    private static func value(
        _ character: UInt8, _ runs: UnsafeBufferPointer<Run>, _ bad: inout UInt8
    ) -> UInt8 {
        var (value, found): (UInt8, UInt8) = (0, 0)
        for run in runs {
            let offset = character &- run.character
            let hit = isBelow(offset, run.count)
            value |= hit & (run.value &+ offset)
            found |= hit
        }
        bad |= ~found
        return value
    }

    /// All ones where `a` < `b`, else zero.
    @inline(__always)
    package static func isBelow(_ a: UInt8, _ b: UInt8) -> UInt8 {
        UInt8(truncatingIfNeeded: (UInt16(a) &- UInt16(b)) &>> 8)
    }
}
