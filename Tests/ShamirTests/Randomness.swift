import PDSecrets

@testable import PDShamir

/// Bytes that are the same in every run (SplitMix64).
final class CountingRandomness: ShareRandomness {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        for index in buffer.indices { buffer[index] = nextByte() }
    }

    func nextByte() -> UInt8 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return UInt8(truncatingIfNeeded: z ^ (z >> 31))
    }
}

/// Gives what it is told to, in order, then fails.
final class ScriptedRandomness: ShareRandomness {
    struct RanDry: Error {}
    var bytes: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

    func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(RanDry) {
        for index in buffer.indices {
            guard let byte = bytes.popFirst() else { throw RanDry() }
            buffer[index] = byte
        }
    }
}

extension SecretBytes {
    /// A copy for comparisons.
    var array: [UInt8] { withUnsafeBytes { Array($0) } }
}

extension Shamir {
    /// Splits, with arrays instead of secret memory.
    static func shares(
        of secret: [UInt8], threshold: Int, shares: Int, randomness: some ShareRandomness
    ) throws -> [[UInt8]] {
        try split(SecretBytes(copying: secret), threshold: threshold, shares: shares, randomness: randomness)
            .map(
                \.array)
    }

    /// Combines, with arrays instead of secret memory.
    static func secret(from shares: [(UInt8, [UInt8])]) throws -> [UInt8] {
        try combine(shares.map { (number: $0.0, bytes: SecretBytes(copying: $0.1)) }).array
    }
}
