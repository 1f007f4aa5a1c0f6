import CGcrypt
import PDSecrets

/// The Argon2id memory-hard function (RFC 9106), version 0x13.
public enum Argon2id {
    /// The most memory that one derivation may take, in KiB.
    public static let maximumMemory = 1 << 21

    /// Derives a key.
    ///
    /// - Parameters:
    ///   - password: Any length.
    ///   - salt: At least 8 bytes (RFC 9106 section 3.1); 16 random bytes are advised.
    ///   - memory: m, in KiB: at least 8 × `lanes`, at most ``maximumMemory``.
    ///   - passes: t, 1 through 1,000.
    ///   - lanes: p, 1 through 64. Computed one after the other.
    ///   - secret: K, an optional key kept elsewhere ("pepper").
    ///   - associated: X, optional associated data.
    ///   - outputByteCount: 4 through 64.
    public static func deriveKey(
        password: SecretBytes, salt: some Collection<UInt8>, memory: Int, passes: Int, lanes: Int,
        secret: SecretBytes? = nil, associated: some Collection<UInt8> = [], outputByteCount: Int = 32
    ) throws(CryptoError) -> SecretBytes {
        guard (1...64).contains(lanes) else { throw .cost("p") }
        guard (8 * lanes...maximumMemory).contains(memory) else { throw .cost("m") }
        guard (1...1_000).contains(passes) else { throw .cost("t") }
        guard (4...64).contains(outputByteCount) else { throw .byteCount(of: .derivedKey, outputByteCount) }
        guard salt.count >= 8 else { throw .byteCount(of: .salt, salt.count) }
        try Libgcrypt.ready()
        let parameters = [outputByteCount, passes, memory, lanes].map(UInt.init)
        // The library keeps the addresses that it is given until the last of these calls: all of them, and the copies
        // that a collection without storage becomes, live until then.
        return try SecretBytes(count: outputByteCount) { output throws(CryptoError) in
            try password.withUnsafeBytes { password throws(CryptoError) in
                try (secret ?? SecretBytes(count: 0)).withUnsafeBytes { secret throws(CryptoError) in
                    try salt.withContiguousBytes { salt throws(CryptoError) in
                        try associated.withContiguousBytes { associated throws(CryptoError) in
                            var opened: OpaquePointer?
                            try CryptoError.check(
                                gcry_kdf_open(
                                    &opened, Int32(GCRY_KDF_ARGON2.rawValue),
                                    Int32(GCRY_KDF_ARGON2ID.rawValue), parameters, UInt32(parameters.count),
                                    password.baseAddress, password.count, salt.baseAddress, salt.count,
                                    secret.baseAddress, secret.count, associated.baseAddress, associated.count
                                ))
                            defer { gcry_kdf_close(opened) }
                            try CryptoError.check(gcry_kdf_compute(opened, nil))
                            try CryptoError.check(gcry_kdf_final(opened, output.count, output.baseAddress))
                        }
                    }
                }
            }
        }
    }
}
