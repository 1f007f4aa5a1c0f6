/// Crockford's base 32, in a time that does not depend on what is encoded.
enum Base32 {
    /// How many characters `bytes` bytes become.
    static func length(ofBytes bytes: Int) -> Int { (bytes * 8 + 4) / 5 }

    /// All ones where `a` < `b`, else zero; for values below 128.
    @inline(__always)
    private static func mask(_ a: UInt8, below b: UInt8) -> UInt8 {
        0 &- ((a &- b) &>> 7)
    }

    /// The character for a value of five bits. The alphabet is 0-9 and A-Z without I, L, O and U.
    @inline(__always)
    static func character(_ value: UInt8) -> UInt8 {
        0x30 &+ value &+ (7 & ~mask(value, below: 10)) &+ (1 & ~mask(value, below: 18))
            &+ (1 & ~mask(value, below: 20)) &+ (1 & ~mask(value, below: 22)) &+ (1 & ~mask(value, below: 27))
    }

    /// The character that is meant: upper case, 0 for O, 1 for I and L. Characters of no meaning stay as they are.
    @inline(__always)
    static func folded(_ character: UInt8) -> UInt8 {
        let ascii = ~(0 &- (character &>> 7))
        let low = character & 0x7f
        var upper = character &- (0x20 & ascii & mask(0x60, below: low) & mask(low, below: 0x7b))
        upper ^= (upper ^ 0x30) & equal(upper, 0x4f)
        upper ^= (upper ^ 0x31) & (equal(upper, 0x49) | equal(upper, 0x4c))
        return upper
    }

    /// The value of a character, with lower case and O, I and L as people type them; `bad` becomes nonzero where it
    /// stands for none.
    @inline(__always)
    static func value(_ character: UInt8, _ bad: inout UInt8) -> UInt8 {
        let upper = folded(character)
        // The loop meets each of the 32 characters whatever is looked for.
        var result: UInt8 = 0
        var found: UInt8 = 0
        for candidate in UInt8(0)..<32 {
            let hit = equal(upper, Self.character(candidate))
            result |= candidate & hit
            found |= hit
        }
        bad |= ~found
        return result
    }

    @inline(__always)
    private static func equal(_ a: UInt8, _ b: UInt8) -> UInt8 {
        let difference = a ^ b
        return ((difference | (0 &- difference)) &>> 7) &- 1
    }

    /// Writes the characters of `bytes`.
    ///
    /// - Parameter text: exactly ``length(ofBytes:)`` bytes.
    static func encode(_ bytes: UnsafeRawBufferPointer, into text: UnsafeMutableRawBufferPointer) {
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        var position = 0
        for byte in bytes {
            buffer = (buffer &<< 8 | UInt32(byte)) & 0xfff
            bits += 8
            while bits >= 5 {
                bits -= 5
                text[position] = character(UInt8(truncatingIfNeeded: buffer &>> bits) & 31)
                position += 1
            }
        }
        if bits > 0 {
            text[position] = character(UInt8(truncatingIfNeeded: buffer &<< (5 - bits)) & 31)
        }
    }

    /// Reads characters back.
    ///
    /// - Parameter bytes: their length decides how many characters `text` must have.
    /// - Returns: false where a character is none of the alphabet, the length is wrong or the filling is not zero.
    static func decode(_ text: UnsafeRawBufferPointer, into bytes: UnsafeMutableRawBufferPointer) -> Bool {
        guard text.count == length(ofBytes: bytes.count) else { return false }
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        var position = 0
        var bad: UInt8 = 0
        for character in text {
            buffer = (buffer &<< 5 | UInt32(value(character, &bad))) & 0xfff
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes[position] = UInt8(truncatingIfNeeded: buffer &>> bits)
                position += 1
            }
        }
        let filling = UInt8(truncatingIfNeeded: buffer) & ((1 &<< UInt8(truncatingIfNeeded: bits)) &- 1)
        return bad | filling == 0
    }
}
