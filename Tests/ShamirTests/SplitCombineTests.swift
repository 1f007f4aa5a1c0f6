import PDSecrets
import Testing

@testable import PDShamir

@Suite("Splitting and combining")
struct SplitCombineTests {
    private let secret: [UInt8] = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7) }

    /// All choices of `size` elements.
    private func choices<Element>(_ size: Int, of list: [Element]) -> [[Element]] {
        guard size > 0 else { return [[]] }
        guard let first = list.first else { return [] }
        let rest = Array(list.dropFirst())
        return choices(size - 1, of: rest).map { [first] + $0 } + choices(size, of: rest)
    }

    @Test(arguments: [(2, 2), (2, 3), (3, 3), (3, 5), (4, 6), (5, 9)])
    func anyThresholdOfSharesRestoreTheSecret(threshold: Int, count: Int) throws {
        let shares = try Shamir.shares(
            of: secret, threshold: threshold, shares: count, randomness: CountingRandomness(seed: 1))
        for choice in choices(threshold, of: Array(zip((1...UInt8(count)), shares))) {
            #expect(try Shamir.secret(from: choice) == secret)
            #expect(try Shamir.secret(from: choice.reversed()) == secret)
        }
    }

    @Test func p06_moreSharesThanTheThresholdRestoreTheSecretToo() throws {
        let shares = try Shamir.shares(
            of: secret, threshold: 3, shares: 7, randomness: CountingRandomness(seed: 2))
        for count in 3...7 {
            #expect(try Shamir.secret(from: Array(zip(1...UInt8(count), shares))) == secret)
        }
    }

    @Test(arguments: [1, 2, 15, 1023, 1024, 1025, 16_383, 16_384, 16_385, 40_000])
    func everyLengthRoundTrips(length: Int) throws {
        let generator = CountingRandomness(seed: UInt64(length))
        let secret = (0..<length).map { _ in generator.nextByte() }
        let shares = try Shamir.shares(of: secret, threshold: 3, shares: 4, randomness: generator)
        #expect(try Shamir.secret(from: [(4, shares[3]), (1, shares[0]), (2, shares[1])]) == secret)
    }

    @Test func aSecretMayBeSplitAndCombinedInPieces() throws {
        let splitter = try Splitter(threshold: 2, shares: 3, randomness: CountingRandomness(seed: 3))
        var shares = [[UInt8]](repeating: [], count: 3)
        for piece in [0..<1, 1..<100, 100..<100, 100..<300] {
            var buffers = shares.map { _ in SecretBytes(count: piece.count) }
            try secret.withUnsafeBytes { secret in
                try SecretBytes.withUnsafeMutableBytes(of: &buffers) {
                    try splitter.split(UnsafeRawBufferPointer(rebasing: secret[piece]), into: $0)
                }
            }
            for (index, buffer) in buffers.enumerated() { shares[index] += buffer.array }
        }
        #expect(try Shamir.secret(from: [(1, shares[0]), (3, shares[2])]) == secret)
    }

    @Test(arguments: [[67, 70, 141, 233, 236], [255, 1, 128]] as [[UInt8]])
    func anyDistinctNumbersButZeroMayBeUsed(points: [UInt8]) throws {
        let splitter = try Splitter(threshold: 3, points: points, randomness: CountingRandomness(seed: 4))
        var buffers = points.map { _ in SecretBytes(count: secret.count) }
        try secret.withUnsafeBytes { secret in
            try SecretBytes.withUnsafeMutableBytes(of: &buffers) { try splitter.split(secret, into: $0) }
        }
        #expect(try Shamir.secret(from: Array(zip(points, buffers.map(\.array)).suffix(3))) == secret)
    }

    @Test func sharesAreTheValuesOfThePolynomialThatTheCoefficientsDefine() throws {
        // s + 3x + 5x² by a reference that knows nothing of planes.
        let shares = try Shamir.shares(
            of: [0x41], threshold: 3, shares: 255, randomness: ScriptedRandomness([3, 5]))
        for x in UInt8(1)...255 {
            let value = 0x41 ^ GF256.multiply(3, x) ^ GF256.multiply(5, GF256.multiply(x, x))
            #expect(shares[Int(x) - 1] == [value])
        }
    }

    @Test func p01_theNumberZeroIsRefusedWhenSplittingAndCombining() {
        #expect(throws: ShamirError.pointZero) {
            _ = try Splitter(threshold: 2, points: [1, 0], randomness: CountingRandomness(seed: 5))
        }
        #expect(throws: ShamirError.pointZero) { _ = try Shamir.secret(from: [(0, [1]), (1, [2])]) }
    }

    @Test(arguments: [-1, 0, 256, 300])
    func p01_countsThatWouldWrapAroundToZeroAreRefused(count: Int) {
        #expect(throws: ShamirError.shareCountOutOfRange(count)) {
            _ = try Splitter(threshold: 2, shares: count, randomness: CountingRandomness(seed: 5))
        }
    }

    @Test func p03_aNumberThatOccursTwiceIsRefused() {
        #expect(throws: ShamirError.pointRepeated(7)) { _ = try Shamir.secret(from: [(7, [1]), (7, [1])]) }
        #expect(throws: ShamirError.pointRepeated(2)) {
            _ = try Splitter(threshold: 2, points: [2, 3, 2], randomness: CountingRandomness(seed: 5))
        }
    }

    @Test(arguments: [0, 1, 2])
    func p10_sharesOfDifferentLengthsAreRefusedWhereverTheOddOneStands(odd: Int) {
        var shares: [(UInt8, [UInt8])] = [(1, [1, 2, 3]), (2, [1, 2, 3]), (3, [1, 2, 3])]
        shares[odd].1.removeLast()
        #expect(throws: ShamirError.self) { _ = try Shamir.secret(from: shares) }
    }

    @Test func p12_thresholdsAndCountsOutOfRangeAreRefused() {
        func split(_ threshold: Int, _ shares: Int) throws {
            _ = try Shamir.shares(
                of: [1], threshold: threshold, shares: shares, randomness: CountingRandomness(seed: 6))
        }
        #expect(throws: ShamirError.thresholdOutOfRange(0)) { try split(0, 3) }
        #expect(throws: ShamirError.thresholdOutOfRange(-1)) { try split(-1, 3) }
        #expect(throws: ShamirError.thresholdOutOfRange(256)) { try split(256, 3) }
        #expect(throws: ShamirError.thresholdAboveShareCount(threshold: 4, shares: 3)) { try split(4, 3) }
        #expect(throws: ShamirError.shareCountOutOfRange(0)) { try split(2, 0) }
        #expect(throws: ShamirError.shareCountOutOfRange(256)) { try split(2, 256) }
    }

    @Test func p13_aThresholdOfOneIsRefusedBecauseEachShareWouldBeTheSecret() {
        #expect(throws: ShamirError.thresholdOutOfRange(1)) {
            _ = try Shamir.shares(of: [1], threshold: 1, shares: 3, randomness: CountingRandomness(seed: 7))
        }
    }

    @Test func p14_anEmptySecretIsRefused() {
        #expect(throws: ShamirError.emptySecret) {
            _ = try Shamir.shares(of: [], threshold: 2, shares: 3, randomness: CountingRandomness(seed: 8))
        }
    }

    @Test func p18_aGeneratorThatFailsFailsTheSplitAndLeavesNothingInTheBuffers() throws {
        // Enough for the first piece of 16,384 bytes, not for the second.
        let splitter = try Splitter(
            threshold: 2, shares: 2, randomness: ScriptedRandomness([UInt8](repeating: 9, count: 16_384)))
        var buffers = [SecretBytes(count: 20_000), SecretBytes(count: 20_000)]
        #expect(throws: ShamirError.noRandomness("\(ScriptedRandomness.RanDry())")) {
            try [UInt8](repeating: 0x41, count: 20_000).withUnsafeBytes { secret in
                try SecretBytes.withUnsafeMutableBytes(of: &buffers) { try splitter.split(secret, into: $0) }
            }
        }
        for buffer in buffers { #expect(buffer.array.allSatisfy { $0 == 0 }) }
    }

    @Test func p37_twoHundredAndFiftyFiveSharesWithThatThresholdRoundTripInBoundedTime() throws {
        #if DEBUG
            let bytes = 2_048
        #else
            let bytes = 1_048_576
        #endif
        let generator = CountingRandomness(seed: 9)
        let secret = (0..<bytes).map { _ in generator.nextByte() }
        let start = ContinuousClock.now
        let shares = try Shamir.shares(of: secret, threshold: 255, shares: 255, randomness: generator)
        #expect(try Shamir.secret(from: Array(zip(UInt8(1)...255, shares))) == secret)
        #expect(ContinuousClock.now - start < .seconds(120))
    }

    @Test func `several secrets are read and changed at once, and those that share their bytes part`() {
        let one = SecretBytes(copying: [1, 2, 3])
        var list = [one, one, SecretBytes(copying: [4])]
        let sum = SecretBytes.withUnsafeBytes(of: list) { $0.joined().reduce(0, +) }
        #expect(sum == 16)
        SecretBytes.withUnsafeMutableBytes(of: &list) { buffers in
            #expect(buffers.map(\.count) == [3, 3, 1])
            buffers[0][0] = 7
            buffers[2][0] = 9
        }
        #expect(list.map(\.array) == [[7, 2, 3], [1, 2, 3], [9]])
        #expect(one.array == [1, 2, 3])
        #expect(SecretBytes.withUnsafeBytes(of: []) { $0.count } == 0)
    }
}
