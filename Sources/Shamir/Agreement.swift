import PDSecrets

/// Whether more shares than the threshold lie on one polynomial, piece by piece.
///
/// To compare the secret of some shares with that of all is not enough: the weights of a share in both may be equal, and
/// then an error in it shifts both alike. So the first shares, as many as the threshold, are taken for right, and every
/// further share is compared with the value of their polynomial at its number. A single wrong share never passes: among
/// the further ones it differs itself, and among the first ones its weight in each further value is not zero.
public struct Agreement: Sendable {
    private let points: [UInt8]
    private let threshold: Int
    private let further: [Combiner]

    /// - Parameters:
    ///   - points: the numbers of the shares, distinct, none zero: more than the threshold.
    ///   - threshold: how many shares restore the secret, 2...254.
    public init(points: [UInt8], threshold: Int) throws(ShamirError) {
        guard 2...255 ~= threshold else { throw .thresholdOutOfRange(threshold) }
        guard 2...255 ~= points.count else { throw .shareCountOutOfRange(points.count) }
        guard threshold < points.count else {
            throw .thresholdAboveShareCount(threshold: threshold + 1, shares: points.count)
        }
        try Points.check(points)
        self.points = points
        self.threshold = threshold
        var further: [Combiner] = []
        for x in points[threshold...] {
            further.append(try Combiner(points: Array(points[..<threshold]), at: x))
        }
        self.further = further
    }

    /// Whether the next piece of every share lies on one polynomial.
    ///
    /// - Parameter shares: one buffer for each point, all of the same length.
    public func holds(_ shares: [UnsafeRawBufferPointer]) throws(ShamirError) -> Bool {
        var value = try scratch(shares)
        for (place, combiner) in zip(threshold..., further)
        where try !fits(shares[place], Array(shares[..<threshold]), combiner, &value) {
            return false
        }
        return true
    }

    /// The place of the one share without which a piece that does not hold would.
    ///
    /// - Parameter shares: as for ``holds(_:)``.
    /// - Returns: nil where there is none, so that more than one is wrong; also where only one share is there beyond the
    ///   threshold: then it would be any of them.
    public func misfit(_ shares: [UnsafeRawBufferPointer]) throws(ShamirError) -> Int? {
        var value = try scratch(shares)
        guard further.count > 1 else { return nil }
        var misfits: [Int] = []
        for (place, combiner) in zip(threshold..., further)
        where try !fits(shares[place], Array(shares[..<threshold]), combiner, &value) {
            misfits.append(place)
        }
        if misfits.count == 1 { return misfits[0] }
        // A wrong one among the first speaks against every other.
        guard misfits.count == further.count else { return nil }
        for left in 0..<threshold {
            let chosen = (0...threshold).filter { $0 != left }
            let bases = chosen.map { shares[$0] }
            var agree = true
            for place in (threshold + 1)..<points.count where agree {
                let combiner = try Combiner(points: chosen.map { points[$0] }, at: points[place])
                agree = try fits(shares[place], bases, combiner, &value)
            }
            if agree { return left }
        }
        return nil
    }

    /// Memory for one share's piece.
    private func scratch(_ shares: [UnsafeRawBufferPointer]) throws(ShamirError) -> SecretBytes {
        guard shares.count == points.count else {
            throw .bufferCount(expected: points.count, found: shares.count)
        }
        for (index, share) in shares.enumerated() where share.count != shares[0].count {
            throw .lengthsDiffer(index: index, expected: shares[0].count, found: share.count)
        }
        return SecretBytes(count: shares[0].count)
    }

    /// Whether a share is what the others make of it. The time does not depend on any share's bytes.
    private func fits(
        _ share: UnsafeRawBufferPointer, _ others: [UnsafeRawBufferPointer], _ combiner: Combiner,
        _ value: inout SecretBytes
    ) throws(ShamirError) -> Bool {
        try value.withUnsafeMutableBytes { value throws(ShamirError) in
            try combiner.combine(others, into: value)
            return ConstantTime.isEqual(share, UnsafeRawBufferPointer(value))
        }
    }
}
