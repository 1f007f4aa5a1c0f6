import PDSecrets

/// The checksum that ends each line of a share file, over what it is bound to and the line: CRC-32 (IEEE 802.3), bit by
/// bit, because a table would be read at places that depend on the share.
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

    /// Seven characters of base 32, most significant first: of 40 bits, without the eight at the top, which are zero.
    static func text(_ value: UInt32) -> [UInt8] {
        let bytes = withUnsafeBytes(of: value.bigEndian) { [0] + $0 }
        return Array(BaseN.base32.encode(bytes).dropFirst())
    }

    /// Reads seven characters; nil where they are no checksum.
    static func parse(_ text: some Collection<UInt8>) -> UInt32? {
        guard text.count == characters, let bytes = BaseN.base32.decode([0x30] + text.map(BaseN.folded)),
            bytes[0] == 0
        else {
            return nil
        }
        return bytes.dropFirst().reduce(0) { $0 << 8 | UInt32($1) }
    }
}
