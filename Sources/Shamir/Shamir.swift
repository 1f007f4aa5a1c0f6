import PDSecrets

/// Secret sharing in one call, for secrets that fit in memory. For larger ones see ``Splitter`` and ``Combiner``.
public enum Shamir {
    /// Splits `secret` into shares numbered 1...shares.
    ///
    /// - Parameters:
    ///   - secret: at least one byte.
    ///   - threshold: how many shares restore it, 2...255.
    ///   - shares: how many there will be, threshold...255.
    ///   - randomness: draws (threshold − 1) · secret.count bytes.
    /// - Returns: the shares, each as long as the secret; the first is number 1.
    public static func split<Randomness: ShareRandomness>(
        _ secret: SecretBytes, threshold: Int, shares count: Int, randomness: Randomness
    ) throws(ShamirError) -> [SecretBytes] {
        let splitter = try Splitter(threshold: threshold, shares: count, randomness: randomness)
        guard secret.count > 0 else { throw .emptySecret }
        var shares = (0..<count).map { _ in SecretBytes(count: secret.count) }
        try secret.withUnsafeBytes { secret throws(ShamirError) in
            try SecretBytes.withUnsafeMutableBytes(of: &shares) { shares throws(ShamirError) in
                try splitter.split(secret, into: shares)
            }
        }
        return shares
    }

    /// Restores a secret. Too few or damaged shares yield a wrong secret: nothing in a bare share tells.
    ///
    /// - Parameter shares: at least as many as the threshold, by number, all equally long.
    public static func combine(
        _ shares: [(number: UInt8, bytes: SecretBytes)]
    ) throws(ShamirError) -> SecretBytes {
        let combiner = try Combiner(points: shares.map(\.number))
        var secret = SecretBytes(count: shares[0].bytes.count)
        try secret.withUnsafeMutableBytes { secret throws(ShamirError) in
            try SecretBytes.withUnsafeBytes(of: shares.map(\.bytes)) { shares throws(ShamirError) in
                try combiner.combine(shares, into: secret)
            }
        }
        return secret
    }
}
