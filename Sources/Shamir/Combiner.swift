/// Restores a secret, or a further share, from shares, piece by piece, in bounded memory.
///
/// The value wanted is the sum of the shares, each times a weight that depends on the share numbers alone. The
/// products are folded into one chain: from the weights' highest bit down, double what is there and add the shares
/// whose weight has the bit set. So neither time nor memory access depends on the shares' bytes.
public struct Combiner: Sendable {
    /// The shares' numbers, in the order of the buffers given to ``combine(_:into:)``.
    public let points: [UInt8]
    private let weights: [UInt8]

    /// - Parameters:
    ///   - points: the numbers of the shares at hand: at least two, distinct, none zero. At least as many as the
    ///     threshold are needed, which the shares alone cannot tell; more do no harm.
    ///   - x: where the value of the polynomial is wanted: 0 for the secret, a number for that share.
    public init(points: [UInt8], at x: UInt8 = 0) throws(ShamirError) {
        guard 2...255 ~= points.count else { throw .shareCountOutOfRange(points.count) }
        try Points.check(points)
        self.points = points
        weights = Points.weights(of: points, at: x)
    }

    /// Combines the next piece.
    ///
    /// - Parameters:
    ///   - shares: one buffer for each point, all of the same length.
    ///   - secret: a buffer of that length for the value wanted, which must not overlap the shares.
    public func combine(
        _ shares: [UnsafeRawBufferPointer], into secret: UnsafeMutableRawBufferPointer
    ) throws(ShamirError) {
        guard shares.count == points.count else {
            throw .bufferCount(expected: points.count, found: shares.count)
        }
        for (index, share) in shares.enumerated() where share.count != secret.count {
            throw .lengthsDiffer(index: index, expected: secret.count, found: share.count)
        }
        guard let target = secret.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
        let sources = shares.compactMap { $0.assumingMemoryBound(to: UInt8.self).baseAddress }
        // Blocks small enough that the target and the shares stay in the first-level cache over the eight passes.
        let block = max(256, min(4096, 24_576 / (sources.count + 1) & ~63))
        let rowsOfBit = (0..<8).map { bit in sources.indices.filter { weights[$0] >> bit & 1 == 1 } }
        var offset = 0
        while offset < secret.count {
            let length = min(block, secret.count - offset)
            (target + offset).update(repeating: 0, count: length)
            for bit in (0..<8).reversed() {
                let rows = rowsOfBit[bit].map { sources[$0] + offset }
                ByteKernels.doubleAndAdd(target + offset, rows[...], count: length)
            }
            offset += length
        }
    }
}
