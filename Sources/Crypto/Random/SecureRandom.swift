import CGcrypt

/// libgcrypt's generator, seeded by the kernel.
public struct SecureRandom: RandomSource {
    /// What the bytes are for (libgcrypt manual, "Quality of random numbers").
    public enum Purpose: Sendable {
        /// Nonces, salts and padding: fast, unpredictable, and of no worth to one who learns them.
        case nonce
        /// Session keys and other secrets with a short life.
        case sessionKey
        /// Keys that are kept. Each draw takes some milliseconds, in which libgcrypt gathers fresh entropy.
        case longTermKey
    }

    private let purpose: Purpose

    /// A generator whose bytes are good enough for `purpose`.
    public init(_ purpose: Purpose = .longTermKey) {
        self.purpose = purpose
    }

    /// Fills the buffer. libgcrypt ends the process rather than return weak bytes, so there is no error of
    /// its own.
    ///
    /// - Throws: ``CryptoError`` if libgcrypt cannot be initialised.
    public func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(CryptoError) {
        try Libgcrypt.ready()
        guard let start = buffer.baseAddress, buffer.count > 0 else { return }
        switch purpose {
        case .nonce: gcry_create_nonce(start, buffer.count)
        case .sessionKey: gcry_randomize(start, buffer.count, GCRY_STRONG_RANDOM)
        case .longTermKey: gcry_randomize(start, buffer.count, GCRY_VERY_STRONG_RANDOM)
        }
    }
}
