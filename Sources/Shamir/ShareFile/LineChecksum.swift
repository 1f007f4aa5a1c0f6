/// The checksum that ends each line of a share file: CRC-32 (IEEE 802.3), bit by bit, because a table would be read
/// at places that depend on the share.
struct LineChecksum {
    /// Characters of a checksum in text.
    static let characters = 7
    private var state: UInt32 = ~0

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            state ^= UInt32(byte)
            for _ in 0..<8 {
                state = (state &>> 1) ^ (0xedb8_8320 & (0 &- (state & 1)))
            }
        }
    }

    /// The checksum of what was added so far.
    var value: UInt32 { ~state }

    /// Seven characters of base 32, most significant first.
    static func text(_ value: UInt32) -> [UInt8] {
        (0..<characters).reversed().map {
            Base32.character(UInt8(truncatingIfNeeded: value >> UInt32($0 * 5)) & 31)
        }
    }

    /// Reads seven characters; nil where they are no checksum.
    static func parse(_ text: some Collection<UInt8>) -> UInt32? {
        guard text.count == characters else { return nil }
        var bad: UInt8 = 0
        var value: UInt64 = 0
        for character in text { value = value << 5 | UInt64(Base32.value(character, &bad)) }
        return bad == 0 ? UInt32(exactly: value) : nil
    }
}
