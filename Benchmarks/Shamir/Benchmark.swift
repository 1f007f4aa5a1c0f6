import Glibc
import PDSecrets

/// Splits and combines in memory, ours and libgfshare, in turns within one run, because only ratios compare on a machine
/// that does other things too.
@main
enum Benchmark {
    final class CheapRandomness: ShareRandomness {
        func fill(_ buffer: UnsafeMutableRawBufferPointer) {
            buffer.initializeMemory(as: UInt8.self, repeating: 0x5a)
        }
    }

    static let threshold = 3
    static let rounds = 15

    static func main() throws {
        pd_use_cheap_randomness()
        print("3 of 5, GB/s of secret, medians of \(rounds) rounds in turns (lowest to highest)\n")
        print("| bytes | share numbers | operation | this | libgfshare | ratio |")
        print("| --- | --- | --- | --- | --- | --- |")
        for bytes in [32, 4096, 65_536, 1_048_576] {
            for points in [[1, 2, 3, 4, 5], [67, 70, 141, 233, 236]] as [[UInt8]] {
                try compare(bytes: bytes, points: points)
            }
        }
        try wide()
    }

    static func compare(bytes: Int, points: [UInt8]) throws {
        var secret = SecretBytes(copying: (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 77) })
        var ours = points.map { _ in SecretBytes(count: bytes) }
        let theirs = points.map { _ in SecretBytes(count: bytes) }
        var restored = SecretBytes(count: bytes)
        let chosen = Array(points[1...threshold])
        let repeats = max(2, 4_000_000 / bytes)

        let splitter = try Splitter(threshold: threshold, points: points, randomness: CheapRandomness())
        let combiner = try Combiner(points: chosen)
        var numbers = points
        let encoder = gfshare_ctx_init_enc(&numbers, UInt32(points.count), UInt8(threshold), UInt32(bytes))
        var chosenNumbers = chosen
        let decoder = gfshare_ctx_init_dec(&chosenNumbers, UInt32(chosen.count), UInt32(bytes))
        defer {
            gfshare_ctx_free(encoder)
            gfshare_ctx_free(decoder)
        }

        var times = [[Double]](repeating: [], count: 4)
        for _ in 0..<rounds {
            times[0].append(
                try measure(repeats) {
                    try secret.withUnsafeBytes { secret in
                        try SecretBytes.withUnsafeMutableBytes(of: &ours) {
                            try splitter.split(secret, into: $0)
                        }
                    }
                })
            times[1].append(
                measure(repeats) {
                    secret.withUnsafeMutableBytes { secret in
                        gfshare_ctx_enc_setsecret(encoder, secret.baseAddress)
                        for (index, share) in theirs.enumerated() {
                            share.withUnsafeMutableBytes {
                                gfshare_ctx_enc_getshare(encoder, UInt8(index), $0.baseAddress)
                            }
                        }
                    }
                })
            times[2].append(
                try measure(repeats) {
                    try SecretBytes.withUnsafeBytes(of: Array(ours[1...threshold])) { shares in
                        try restored.withUnsafeMutableBytes { try combiner.combine(shares, into: $0) }
                    }
                })
            guard restored == secret else { fatalError("wrong result") }
            times[3].append(
                measure(repeats) {
                    for (index, share) in theirs[1...threshold].enumerated() {
                        share.withUnsafeMutableBytes {
                            gfshare_ctx_dec_giveshare(decoder, UInt8(index), $0.baseAddress)
                        }
                    }
                    restored.withUnsafeMutableBytes { gfshare_ctx_dec_extract(decoder, $0.baseAddress) }
                })
            guard restored == secret else { fatalError("wrong result of libgfshare") }
        }
        let list = points.map(String.init).joined(separator: " ")
        for (name, our, their) in [("split", times[0], times[1]), ("combine", times[2], times[3])] {
            let work = Double(bytes * repeats) / 1e9
            let ratio = median(their) / median(our)
            print(
                "| \(bytes) | \(list) | \(name) | \(range(our, work)) | \(range(their, work)) | **\(fixed(ratio, 1))** |"
            )
        }
    }

    /// The largest numbers there are: quadratic in the number of shares.
    static func wide() throws {
        var secret = SecretBytes(count: 1_048_576)
        var shares = (0..<255).map { _ in SecretBytes(count: secret.count) }
        let splitter = try Splitter(threshold: 255, shares: 255, randomness: CheapRandomness())
        let split = try measure(1) {
            try secret.withUnsafeBytes { secret in
                try SecretBytes.withUnsafeMutableBytes(of: &shares) { try splitter.split(secret, into: $0) }
            }
        }
        let combiner = try Combiner(points: (1...255).map { $0 })
        let combine = try measure(1) {
            try SecretBytes.withUnsafeBytes(of: shares) { shares in
                try secret.withUnsafeMutableBytes { try combiner.combine(shares, into: $0) }
            }
        }
        print("\n255 of 255, 1 MiB: split \(fixed(split, 2)) s, combine \(fixed(combine, 3)) s")
    }

    static func measure(_ repeats: Int, _ body: () throws -> Void) rethrows -> Double {
        var start = timespec()
        var end = timespec()
        clock_gettime(CLOCK_MONOTONIC, &start)
        for _ in 0..<repeats { try body() }
        clock_gettime(CLOCK_MONOTONIC, &end)
        return Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) * 1e-9
    }

    static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    static func range(_ times: [Double], _ work: Double) -> String {
        "\(fixed(work / median(times), 3)) (\(fixed(work / (times.max() ?? 1), 3)) to \(fixed(work / (times.min() ?? 1), 3)))"
    }

    static func fixed(_ value: Double, _ digits: Int) -> String {
        let scale = (0..<digits).reduce(1.0) { product, _ in product * 10 }
        let scaled = Int((value * scale).rounded())
        guard digits > 0 else { return "\(scaled)" }
        let fraction = String(scaled % Int(scale))
        return "\(scaled / Int(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
    }
}
