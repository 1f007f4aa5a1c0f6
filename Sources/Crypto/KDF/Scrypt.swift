import CGcrypt
import PDSecrets

/// The scrypt password-based key derivation function (RFC 7914), with block size r = 8.
public enum Scrypt {
    /// The most memory that one derivation may take, in bytes.
    public static let maximumMemory = 1 << 30

    /// Derives a key.
    ///
    /// - Parameters:
    ///   - password: Any length.
    ///   - salt: Any length but zero; 16 random bytes are advised.
    ///   - cost: N, a power of two above 1. Takes 1,024 × N bytes of memory.
    ///   - parallelization: p, 1 through 255; multiplies the time.
    ///   - outputByteCount: 1 through 1,024.
    /// - Throws: ``KDFError``, ``CryptoError``.
    public static func deriveKey(
        password: SecretBytes, salt: some Collection<UInt8>, cost: Int, parallelization: Int = 1,
        outputByteCount: Int = 32
    ) throws -> SecretBytes {
        guard cost > 1, cost <= maximumMemory / 1_024, cost & (cost - 1) == 0 else {
            throw KDFError.cost("N")
        }
        guard (1...255).contains(parallelization) else { throw KDFError.cost("p") }
        guard (1...1_024).contains(outputByteCount) else { throw KDFError.outputByteCount(outputByteCount) }
        guard salt.count > 0 else { throw KDFError.saltByteCount(0) }
        return try SecretBytes(count: outputByteCount) { output in
            try password.withUnsafeBytes { password in
                try salt.withContiguousBytes { salt in
                    // libgcrypt takes N in the place of a sub-algorithm, and p in that of the iterations.
                    try Libgcrypt.check(
                        gcry_kdf_derive(
                            password.baseAddress, password.count, Int32(GCRY_KDF_SCRYPT.rawValue),
                            Int32(cost),
                            salt.baseAddress, salt.count, UInt(parallelization), output.count,
                            output.baseAddress))
                }
            }
        }
    }
}
