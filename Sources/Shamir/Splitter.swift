import PDSecrets

/// Splits a secret of any length, piece by piece, in bounded memory (Shamir, "How to share a secret", 1979).
///
/// For each byte s of the secret a fresh polynomial s + c₁x + … + c₍ₖ₋₁₎xᵏ⁻¹ over GF(2⁸) is drawn, with every
/// coefficient uniform over all 256 values, zero included; share x holds its value at x. Any k shares determine the
/// secret, and any fewer say nothing about it.
///
/// The scratch memory is wiped after each call, also when the call throws.
public final class Splitter<Randomness: ShareRandomness> {
    /// How many shares restore the secret.
    public let threshold: Int
    /// The shares' numbers, in the order of the buffers given to ``split(_:into:)``.
    public let points: [UInt8]

    private let randomness: Randomness
    /// Row j of `bytesPerFill` bytes holds the coefficients of xʲ⁺¹.
    private var coefficients: SecretBytes
    private var planes: SecretBytes
    private let layout: PlaneLayout
    private let bytesPerFill: Int

    /// Coefficients are drawn for at most so many bytes of memory at a time, so that a generator's cost per call
    /// does not matter and the memory stays bounded.
    private static var fillBudget: Int { 262_144 }

    /// - Parameters:
    ///   - threshold: how many shares restore the secret, 2...255.
    ///   - points: the shares' numbers: 2...255 distinct values from 1 to 255. Small numbers are faster.
    ///   - randomness: draws the coefficients.
    public init(threshold: Int, points: [UInt8], randomness: Randomness) throws(ShamirError) {
        guard 2...255 ~= threshold else { throw .thresholdOutOfRange(threshold) }
        guard 2...255 ~= points.count else { throw .shareCountOutOfRange(points.count) }
        guard threshold <= points.count else {
            throw .thresholdAboveShareCount(threshold: threshold, shares: points.count)
        }
        try Points.check(points)
        self.threshold = threshold
        self.points = points
        self.randomness = randomness
        let rows = threshold - 1
        let blocks = max(1, min(16, Self.fillBudget / (rows * PlaneLayout.blockBytes)))
        bytesPerFill = blocks * PlaneLayout.blockBytes
        coefficients = SecretBytes(count: rows * bytesPerFill)
        layout = PlaneLayout(points: points, rows: rows)
        planes = SecretBytes(count: PlaneLayout.scratchBytes)
    }

    /// The numbers 1...count.
    public convenience init(threshold: Int, shares count: Int, randomness: Randomness) throws(ShamirError) {
        guard 2...255 ~= count else { throw .shareCountOutOfRange(count) }
        try self.init(threshold: threshold, points: (1...UInt8(count)).map { $0 }, randomness: randomness)
    }

    /// Splits the next piece of the secret.
    ///
    /// - Parameters:
    ///   - secret: any number of bytes.
    ///   - shares: one buffer of `secret.count` bytes for each point. They must not overlap each other or the secret.
    /// - Throws: ``ShamirError`` where a buffer does not fit, or the generator failed; then the buffers hold zeros.
    public func split(
        _ secret: UnsafeRawBufferPointer, into shares: [UnsafeMutableRawBufferPointer]
    ) throws(ShamirError) {
        guard shares.count == points.count else {
            throw .bufferCount(expected: points.count, found: shares.count)
        }
        for (index, share) in shares.enumerated() where share.count != secret.count {
            throw .lengthsDiffer(index: index, expected: secret.count, found: share.count)
        }
        guard let source = secret.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
        let targets = shares.compactMap { $0.assumingMemoryBound(to: UInt8.self).baseAddress }
        do throws(ShamirError) {
            try splitPieces(source, count: secret.count, into: targets)
        } catch {
            for share in shares { share.wipe() }
            throw error
        }
    }

    private func splitPieces(
        _ secret: UnsafePointer<UInt8>, count: Int, into shares: [UnsafeMutablePointer<UInt8>]
    ) throws(ShamirError) {
        let rows = threshold - 1
        try coefficients.withUnsafeMutableBytes { coefficients throws(ShamirError) in
            try planes.withUnsafeMutableBytes { planes throws(ShamirError) in
                guard
                    let coefficientBytes = coefficients.assumingMemoryBound(to: UInt8.self).baseAddress,
                    let planeBytes = planes.assumingMemoryBound(to: UInt8.self).baseAddress
                else { return }
                let evaluation = layout.evaluation(planes: planeBytes, count: count)
                defer {
                    let used = rows * min(bytesPerFill, count)
                    UnsafeMutableRawBufferPointer(rebasing: coefficients[..<used]).wipe()
                    UnsafeMutableRawBufferPointer(rebasing: planes[..<evaluation.scratchBytes]).wipe()
                }
                var offset = 0
                while offset < count {
                    let piece = min(bytesPerFill, count - offset)
                    try randomness.draw(
                        UnsafeMutableRawBufferPointer(rebasing: coefficients[..<(rows * piece)]))
                    evaluation.evaluate(
                        constant: secret + offset, coefficients: coefficientBytes, count: piece,
                        into: shares, at: offset)
                    offset += piece
                }
            }
        }
    }
}
