import PDSecrets
import Testing

@testable import PDShamir

@Suite("Agreement of shares")
struct AgreementTests {
    private static func shares(_ threshold: Int, of count: Int, bytes: Int = 3) throws -> [[UInt8]] {
        let generator = CountingRandomness(seed: UInt64(threshold * 1000 + count))
        let secret = (0..<bytes).map { _ in generator.nextByte() }
        return try Shamir.shares(of: secret, threshold: threshold, shares: count, randomness: generator)
    }

    /// Gives arrays as buffers.
    private static func ask<Answer>(
        _ shares: [[UInt8]], _ question: ([UnsafeRawBufferPointer]) throws -> Answer
    ) throws -> Answer {
        let copies = shares.map { SecretBytes(copying: $0) }
        return try SecretBytes.withUnsafeBytes(of: copies, question)
    }

    @Test func sharesFurtherOnAreTheValuesOfThePolynomialOfTheFirst() throws {
        let shares = try Self.shares(4, of: 20)
        for x in UInt8(1)...20 {
            let combiner = try Combiner(points: [1, 2, 3, 4], at: x)
            var value = SecretBytes(count: 3)
            try Self.ask(Array(shares[..<4])) { shares in
                try value.withUnsafeMutableBytes { try combiner.combine(shares, into: $0) }
            }
            #expect(value.array == shares[Int(x) - 1])
        }
    }

    /// The secret of the first shares and that of all are equal for some of these, in spite of the wrong share.
    @Test func p06_oneWrongShareIsAlwaysNoticedAndNamedWhereTwoOthersSpeakAgainstIt() throws {
        var wrong: [String] = []
        for count in 3...30 {
            for threshold in 2..<count where count < 12 || threshold < 7 || count - threshold < 4 {
                let shares = try Self.shares(threshold, of: count)
                let agreement = try Agreement(
                    points: (1...UInt8(count)).map { $0 }, threshold: threshold)
                guard try Self.ask(shares, agreement.holds) else {
                    wrong.append("\(threshold) of \(count): good shares do not hold")
                    continue
                }
                for place in 0..<count {
                    var spoiled = shares
                    spoiled[place][place % 3] ^= UInt8(place + 1)
                    let holds = try Self.ask(spoiled, agreement.holds)
                    let misfit = try Self.ask(spoiled, agreement.misfit)
                    if holds || misfit != (count > threshold + 1 ? place : nil) {
                        wrong.append("\(threshold) of \(count), share \(place + 1): \(holds) \(misfit ?? -1)")
                    }
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func p06_twoWrongSharesAreNoticedAndNobodyIsBlamed() throws {
        let shares = try Self.shares(3, of: 7)
        let agreement = try Agreement(points: [1, 2, 3, 4, 5, 6, 7], threshold: 3)
        for first in 0..<7 {
            for second in (first + 1)..<7 {
                var spoiled = shares
                for place in [first, second] {
                    spoiled[place] = spoiled[place].map { $0 ^ UInt8(17 * place + 1) }
                }
                #expect(try !Self.ask(spoiled, agreement.holds))
                #expect(try Self.ask(spoiled, agreement.misfit) == nil)
            }
        }
    }

    @Test func p06_aThresholdThatIsTooLowIsNoticed() throws {
        let shares = try Self.shares(4, of: 7)
        let agreement = try Agreement(points: [1, 2, 3, 4, 5, 6, 7], threshold: 3)
        #expect(try !Self.ask(shares, agreement.holds))
        #expect(try Self.ask(shares, agreement.misfit) == nil)
    }

    @Test func p12_countsThatLeaveNothingToCompareAreRefused() throws {
        #expect(throws: ShamirError.thresholdOutOfRange(1)) {
            _ = try Agreement(points: [1, 2], threshold: 1)
        }
        #expect(throws: ShamirError.thresholdAboveShareCount(threshold: 4, shares: 3)) {
            _ = try Agreement(points: [1, 2, 3], threshold: 3)
        }
        #expect(throws: ShamirError.pointRepeated(2)) { _ = try Agreement(points: [1, 2, 2], threshold: 2) }
        #expect(throws: ShamirError.pointZero) { _ = try Agreement(points: [1, 2, 0], threshold: 2) }
        let agreement = try Agreement(points: [1, 2, 3], threshold: 2)
        #expect(throws: ShamirError.bufferCount(expected: 3, found: 2)) {
            _ = try Self.ask([[1], [2]], agreement.holds)
        }
        #expect(throws: ShamirError.lengthsDiffer(index: 2, expected: 1, found: 2)) {
            _ = try Self.ask([[1], [2], [3, 4]], agreement.misfit)
        }
    }
}
