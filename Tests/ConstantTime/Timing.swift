// Sources: Sources/Secrets/*.swift Sources/Shamir/*.swift Sources/Shamir/ShareFile/*.swift
//
// Measures whether time depends on secrets, as dudect does (Reparaz, Balasch, Verbauwhede, "Dude, is my code constant
// time?", 2017): each operation runs on one fixed secret and on random ones, in random order, and Welch's t-test compares
// the two sets of times, whole and without their slowest parts. A |t| above 4.5 would tell an attacker something. The
// multiplication of libgfshare, by tables and with a case for zero, must be told apart, or this program sees nothing.
//
// Arguments: how many times each operation is measured.

@main
enum Timing {
    static let limit = 4.5
    static let bytes = 512

    /// Not for secrets: for the order of measurements, and for inputs.
    struct Generator {
        var state: UInt64 = 0x5eed
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }

    final class FixedCoefficients: ShareRandomness {
        func fill(_ buffer: UnsafeMutableRawBufferPointer) {
            for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: index &* 37 &+ 11) }
        }
    }

    typealias Operation = (_ secret: UnsafeRawBufferPointer) throws -> Void

    static func main() throws {
        let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 20_000
        var failed = false
        for (name, operation) in try operations() {
            let t = try worstT(operation, count: count)
            print(t < limit ? "ok:" : "FAILED:", name, "|t| = \(rounded(t))")
            failed = failed || t >= limit
        }
        let seen = try worstT(tableMultiplication(), count: count)
        print(seen >= limit ? "seen:" : "FAILED, not seen:", "table look-ups, |t| = \(rounded(seen))")
        if failed || seen < limit { fatalError("see above") }
    }

    static func operations() throws -> [(String, Operation)] {
        let points: [UInt8] = [1, 2, 3, 4, 5]
        let splitter = try Splitter(threshold: 3, points: points, randomness: FixedCoefficients())
        let combiner = try Combiner(points: [1, 2, 3])
        var shares = points.map { _ in SecretBytes(count: bytes) }
        var output = SecretBytes(count: bytes)
        let other = SecretBytes(count: bytes)
        var text = SecretBytes(count: BaseN.base32.length(ofBytes: bytes))
        var decoded = SecretBytes(count: bytes * 5 / 8)
        return [
            (
                "split",
                { secret in
                    try SecretBytes.withUnsafeMutableBytes(of: &shares) {
                        try splitter.split(secret, into: $0)
                    }
                }
            ),
            (
                "combine",
                { secret in
                    try output.withUnsafeMutableBytes {
                        try combiner.combine([secret, secret, secret], into: $0)
                    }
                }
            ),
            (
                "multiply and invert",
                { secret in
                    var product: UInt8 = 1
                    for byte in secret { product = GF256.multiply(product ^ 1, GF256.inverse(byte)) }
                    keep(product)
                }
            ),
            (
                "compare",
                { secret in keep(other.isEqual(secret) ? 1 : 0) }
            ),
            (
                "base 32, encode",
                { secret in text.withUnsafeMutableBytes { BaseN.base32.encode(secret, into: $0) } }
            ),
            (
                "base 32, decode",
                { secret in
                    decoded.withUnsafeMutableBytes { keep(BaseN.base32.decode(secret, into: $0) ? 1 : 0) }
                }
            ),
            (
                "line checksum",
                { secret in
                    var checksum = LineChecksum()
                    checksum.add(secret)
                    keep(UInt8(truncatingIfNeeded: checksum.value))
                }
            ),
        ]
    }

    /// libgfshare's way: logarithms and powers, and nothing to do for zero.
    static func tableMultiplication() -> Operation {
        var powers = [UInt8](repeating: 1, count: 510)
        var logarithms = [Int](repeating: 0, count: 256)
        for index in 1..<510 { powers[index] = GF256.multiply(powers[index - 1], 2) }
        for index in 0..<255 { logarithms[Int(powers[index])] = index }
        return { secret in
            var sum: UInt8 = 0
            for byte in secret where byte != 0 { sum ^= powers[logarithms[Int(byte)] + 7] }
            keep(sum)
        }
    }

    nonisolated(unsafe) static var kept: UInt8 = 0
    @inline(never) static func keep(_ value: UInt8) { kept ^= value }

    // MARK: - Statistics

    /// The largest |t| over all measurements and over those below some percentiles, which lack what the machine did
    /// besides.
    static func worstT(_ operation: Operation, count: Int) throws -> Double {
        let times = try measure(operation, count: count)
        let sorted = times.map(\.cycles).sorted()
        return [1.0, 0.99, 0.95, 0.9, 0.8, 0.6].map { part in
            let bound = sorted[min(sorted.count - 1, Int(part * Double(sorted.count)))]
            return abs(welch(times.filter { part == 1 || $0.cycles < bound }))
        }.max() ?? 0
    }

    static func measure(_ operation: Operation, count: Int) throws -> [(isFixed: Bool, cycles: Double)] {
        var generator = Generator()
        var times: [(isFixed: Bool, cycles: Double)] = []
        times.reserveCapacity(count)
        // All inputs lie side by side and are made beforehand: only their bytes differ.
        let batch = 64
        let inputs = UnsafeMutableRawBufferPointer.allocate(byteCount: batch * bytes, alignment: 64)
        defer { inputs.deallocate() }
        while times.count < count {
            let isFixed = (0..<batch).map { _ in generator.next() & 1 == 0 }
            for index in 0..<batch * bytes {
                let random = UInt8(truncatingIfNeeded: generator.next() >> 24)
                // A mask and no branch: the processor shall not learn which inputs are fixed.
                inputs[index] = random & (isFixed[index / bytes] ? 0x00 : 0xff)
            }
            for index in 0..<batch {
                let input = UnsafeRawBufferPointer(
                    rebasing: UnsafeRawBufferPointer(inputs)[index * bytes..<(index + 1) * bytes])
                let start = pd_cycles()
                try operation(input)
                let cycles = pd_cycles() &- start
                // The first of a batch find cold caches.
                if index >= 8 { times.append((isFixed[index], Double(cycles))) }
            }
        }
        return times
    }

    /// Welch's t for two samples of unequal variance.
    static func welch(_ times: [(isFixed: Bool, cycles: Double)]) -> Double {
        func moments(_ isFixed: Bool) -> (count: Double, mean: Double, variance: Double) {
            let values = times.lazy.filter { $0.isFixed == isFixed }.map(\.cycles)
            let count = Double(values.count)
            guard count > 1 else { return (1, 0, .infinity) }
            let mean = values.reduce(0, +) / count
            return (count, mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1))
        }
        let (a, b) = (moments(true), moments(false))
        let deviation = (a.variance / a.count + b.variance / b.count).squareRoot()
        return deviation > 0 ? (a.mean - b.mean) / deviation : 0
    }

    static func rounded(_ t: Double) -> Double { (t * 10).rounded() / 10 }
}
