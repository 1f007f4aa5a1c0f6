import PDSecrets
import Testing

@testable import PDShamir

@Suite("What shares give away")
struct SecrecyTests {
    @Test func p15_zeroCoefficientsAreNotDrawnAgain() throws {
        let secret: [UInt8] = [1, 2, 3, 0xff]
        let shares = try Shamir.shares(
            of: secret, threshold: 3, shares: 5,
            randomness: ScriptedRandomness([UInt8](repeating: 0, count: 8)))
        for share in shares { #expect(share == secret) }
    }

    @Test func p15_everyCoefficientIsTakenFromTheGeneratorAsItIs() throws {
        // Each byte value in each of the three coefficients of a threshold of four: recover them from the shares by
        // interpolation and compare. Equality for all values leaves no room for any bias, the highest included.
        for position in 0..<3 {
            for value in UInt8.min...UInt8.max {
                var script: [UInt8] = [17, 34, 51]
                script[position] = value
                let shares = try Shamir.shares(
                    of: [99], threshold: 4, shares: 4, randomness: ScriptedRandomness(script))
                for x in UInt8(1)...4 {
                    let expected = ([99] + script).reversed().reduce(UInt8(0)) { GF256.multiply($0, x) ^ $1 }
                    if shares[Int(x) - 1] != [expected] { Issue.record("\(position) \(value) \(x)") }
                }
            }
        }
    }

    @Test func p15_aUniformGeneratorGivesUniformCoefficientsInEveryPosition() throws {
        // Chi-square over 256 values with 255 degrees of freedom: 99.99 % lie below 347. The generator is fixed, so
        // the outcome is too.
        let bytes = 65_536
        let secret = [UInt8](repeating: 0, count: bytes)
        let shares = try Shamir.shares(
            of: secret, threshold: 3, shares: 3, randomness: CountingRandomness(seed: 10))
        // With a secret of zeros: y₁ = a + b, y₂ = 2a + 4b, so b = (y₂ + 2y₁) / 6 and a = y₁ + b.
        var first = [Int](repeating: 0, count: 256)
        var leading = [Int](repeating: 0, count: 256)
        let sixth = GF256.inverse(6)
        for index in 0..<bytes {
            let b = GF256.multiply(shares[1][index] ^ GF256.multiply(2, shares[0][index]), sixth)
            leading[Int(b)] += 1
            first[Int(shares[0][index] ^ b)] += 1
        }
        for counts in [first, leading] {
            let expected = Double(bytes) / 256
            let statistic = counts.reduce(0.0) {
                $0 + (Double($1) - expected) * (Double($1) - expected) / expected
            }
            #expect(statistic < 347)
            #expect(counts[0] > 0, "zero occurs")
        }
    }

    @Test(arguments: [UInt8(1), 2, 3, 255])
    func p16_oneShareOfTwoFitsEverySecretEquallyWell(point: UInt8) throws {
        // For every secret, the 256 coefficients give the 256 values of the share once each: no value says anything.
        let points = [point, point == 255 ? 1 : point + 1]
        let coefficients = (0...255).map { UInt8($0) }
        var shares = [SecretBytes(count: 256), SecretBytes(count: 256)]
        for secret in UInt8.min...UInt8.max {
            let splitter = try Splitter(
                threshold: 2, points: points, randomness: ScriptedRandomness(coefficients))
            try [UInt8](repeating: secret, count: 256).withUnsafeBytes { secret in
                try SecretBytes.withUnsafeMutableBytes(of: &shares) { try splitter.split(secret, into: $0) }
            }
            for share in shares where Set(share.array).count != 256 { Issue.record("secret \(secret)") }
        }
    }

    @Test(arguments: [(UInt8(1), UInt8(2)), (2, 5), (200, 255)])
    func p16_twoSharesOfThreeFitEverySecretEquallyWell(first: UInt8, second: UInt8) {
        // (a, b) ↦ (s + ax + bx², s + ay + by²) hits each of the 65,536 pairs once, whatever s is. That the splitter
        // computes this polynomial is shown elsewhere.
        for secret in [UInt8(0), 1, 0x80, 0xff] {
            var seen = [Bool](repeating: false, count: 65_536)
            let squares = (GF256.multiply(first, first), GF256.multiply(second, second))
            for a in UInt8.min...UInt8.max {
                let linear = (GF256.multiply(a, first) ^ secret, GF256.multiply(a, second) ^ secret)
                for b in UInt8.min...UInt8.max {
                    let pair = (
                        linear.0 ^ GF256.multiply(b, squares.0), linear.1 ^ GF256.multiply(b, squares.1)
                    )
                    seen[Int(pair.0) << 8 | Int(pair.1)] = true
                }
            }
            #expect(!seen.contains(false))
        }
    }

    @Test func p17_equalBytesOfASecretGetCoefficientsOfTheirOwn() throws {
        let shares = try Shamir.shares(
            of: [UInt8](repeating: 0x41, count: 4096), threshold: 2, shares: 2,
            randomness: CountingRandomness(seed: 11))
        var counts = [Int](repeating: 0, count: 256)
        for byte in shares[0] { counts[Int(byte)] += 1 }
        #expect(counts.allSatisfy { $0 < 50 }, "4096 bytes spread over 256 values")
    }

    @Test func p17_twoSplitsBySameSplitterDiffer() throws {
        let splitter = try Splitter(threshold: 2, shares: 2, randomness: CountingRandomness(seed: 12))
        let results = try (0..<2).map { _ in
            var buffers = [SecretBytes(count: 64), SecretBytes(count: 64)]
            try [UInt8](repeating: 5, count: 64).withUnsafeBytes { secret in
                try SecretBytes.withUnsafeMutableBytes(of: &buffers) { try splitter.split(secret, into: $0) }
            }
            return buffers.map(\.array)
        }
        #expect(results[0][0] != results[1][0])
        #expect(results[0][1] != results[1][1])
    }
}
