import PDSecrets

/// The checksum over all lines of a share: CRC-64 (ECMA-182, reflected, as in xz), bit by bit, because a table would be
/// read at places that depend on the share.
struct WholeChecksum {
    /// Characters of it in text.
    static let characters = 13
    private var state: UInt64 = ~0

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            state ^= UInt64(byte)
            for _ in 0..<8 {
                state = (state &>> 1) ^ (0xc96c_5795_d787_0f42 & (0 &- (state & 1)))
            }
        }
    }

    /// Thirteen characters of base 32.
    var text: [UInt8] { withUnsafeBytes(of: (~state).bigEndian) { BaseN.base32.encode($0) } }
}
