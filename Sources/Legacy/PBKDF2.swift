import CGcrypt
import PDCrypto
import PDSecrets

/// Password-based key derivation (RFC 8018 section 5.2) with HMAC-SHA-256.
///
/// Ask for at most 32 bytes, and stretch those with ``HKDF``: each further block costs the whole work again
/// for the defender, and nothing for one who guesses passwords.
public enum PBKDF2 {
    /// The most rounds that are carried out: some seconds of work.
    public static let maximumRounds = 20_000_000

    /// Derives a key of at most 32 bytes.
    ///
    /// - Parameters:
    ///   - password: Any length.
    ///   - salt: Any length; 16 random bytes are advised.
    ///   - rounds: The iteration count, 1 through ``maximumRounds``.
    ///   - outputByteCount: 1 through 32.
    public static func deriveKey(
        password: SecretBytes, salt: some Collection<UInt8>, rounds: Int, outputByteCount: Int = 32
    ) throws(CryptoError) -> SecretBytes {
        guard rounds > 0, rounds <= maximumRounds else { throw .cost("rounds") }
        guard outputByteCount > 0, outputByteCount <= 32 else {
            throw .byteCount(of: .derivedKey, outputByteCount)
        }
        guard salt.count > 0 else {
            return try deriveKeyWithoutSalt(
                password: password, rounds: rounds, outputByteCount: outputByteCount)
        }
        try Libgcrypt.ready()
        return try SecretBytes(count: outputByteCount) { output throws(CryptoError) in
            try password.withUnsafeBytes { password throws(CryptoError) in
                try salt.withContiguousBytes { salt throws(CryptoError) in
                    try CryptoError.check(
                        gcry_kdf_derive(
                            password.baseAddress, password.count, Int32(GCRY_KDF_PBKDF2.rawValue),
                            Int32(GCRY_MD_SHA256.rawValue), salt.baseAddress, salt.count, UInt(rounds),
                            output.count, output.baseAddress))
                }
            }
        }
    }

    /// The first block of RFC 8018 section 5.2, step 3. libgcrypt refuses an empty salt, which stored hashes
    /// may have.
    private static func deriveKeyWithoutSalt(
        password: SecretBytes, rounds: Int, outputByteCount: Int
    ) throws(CryptoError) -> SecretBytes {
        var mac = try HMAC(key: password, hash: .sha256)
        try mac.update([0, 0, 0, 1])
        return try SecretBytes(count: outputByteCount) { output throws(CryptoError) in
            // A secret only so that it is wiped.
            _ = try SecretBytes(count: HMAC.Hash.sha256.byteCount) { block throws(CryptoError) in
                try mac.restart(into: block)
                for index in output.indices { output[index] = block[index] }
                for _ in 1..<rounds {
                    try mac.update(UnsafeRawBufferPointer(block))
                    try mac.restart(into: block)
                    for index in output.indices { output[index] ^= block[index] }
                }
            }
        }
    }
}
