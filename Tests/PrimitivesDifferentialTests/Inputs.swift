import PDCrypto
import PDSecrets

/// Random inputs for one comparison, all drawn from one seed, which a failing test names.
struct Inputs {
    /// New seeds in each run.
    static let seeds = (0..<200).map { _ in UInt64.random(in: .min ... .max) }

    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// SplitMix64: what counts is that any input can come out, not that none can be guessed.
    private mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func number(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.count))
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 32) }
    }

    /// Mostly short, around the lengths of blocks, and now and then long.
    mutating func bytes() -> [UInt8] {
        switch number(in: 0...9) {
        case 0: bytes(0)
        case 1...4: bytes(number(in: 1...40))
        case 5...6: bytes(number(in: 60...70))
        case 7...8: bytes(number(in: 110...300))
        default: bytes(number(in: 4000...20_000))
        }
    }

    mutating func flipOneBit(of bytes: [UInt8]) -> [UInt8] {
        var changed = bytes
        changed[number(in: 0...bytes.count - 1)] ^= 1 << UInt8(number(in: 0...7))
        return changed
    }
}

extension SecretBytes {
    var bytes: [UInt8] { withUnsafeBytes { Array($0) } }
}
