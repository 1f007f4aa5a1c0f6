import CGcrypt
import PDSecrets

/// Curve25519: Ed25519 signatures (RFC 8032) and X25519 key agreement (RFC 7748).
public enum Curve25519 {
    /// X25519 (RFC 7748 section 5).
    public enum KeyAgreement {}

    /// The length of every key, in bytes.
    static let keyByteCount = 32

    /// Throws unless a key has the right length, private or public.
    static func check(keyByteCount count: Int) throws(CryptoError) {
        guard count == keyByteCount else { throw .byteCount(of: .key, count) }
    }
}

extension Curve25519.KeyAgreement {
    /// A private key.
    public struct PrivateKey: Sendable {
        /// The 32 bytes of the key as they were made or read; clamped on use.
        public let rawRepresentation: SecretBytes
        /// The public half.
        public let publicKey: PublicKey

        /// Makes a new key.
        public init(random: some RandomSource) throws(CryptoError) {
            try self.init(rawRepresentation: SecretBytes(count: Curve25519.keyByteCount, random: random))
        }

        /// Takes a key of 32 bytes.
        public init(rawRepresentation: SecretBytes) throws(CryptoError) {
            try Curve25519.check(keyByteCount: rawRepresentation.count)
            self.rawRepresentation = rawRepresentation
            publicKey = try PublicKey(
                rawRepresentation: [UInt8](count: Curve25519.keyByteCount) { point throws(CryptoError) in
                    try multiply(rawRepresentation, nil, into: point)
                })
        }

        /// Agrees on a secret with the holder of `publicKey`.
        ///
        /// - Throws: ``CryptoError/lowOrderPoint`` where the result is all zeros (RFC 7748 section 6.1).
        public func sharedSecretFromKeyAgreement(
            with publicKey: PublicKey
        ) throws(CryptoError) -> SharedSecret {
            let secret = try SecretBytes(count: Curve25519.keyByteCount) { output throws(CryptoError) in
                try publicKey.rawRepresentation.withContiguousBytes { point throws(CryptoError) in
                    try multiply(rawRepresentation, point, into: output)
                }
            }
            guard secret != SecretBytes(count: Curve25519.keyByteCount) else { throw .lowOrderPoint }
            return SharedSecret(bytes: secret)
        }
    }

    /// A public key.
    public struct PublicKey: Hashable, Sendable {
        /// The u-coordinate, 32 bytes, little-endian.
        public let rawRepresentation: [UInt8]

        /// Takes a key of 32 bytes. Any 32 bytes are a key (RFC 7748 section 5).
        public init(rawRepresentation: some Collection<UInt8>) throws(CryptoError) {
            try Curve25519.check(keyByteCount: rawRepresentation.count)
            self.rawRepresentation = Array(rawRepresentation)
        }
    }

    /// What both sides of an agreement know. Not uniform, so not a key: derive keys from it.
    public struct SharedSecret: Sendable {
        /// The u-coordinate of the shared point, 32 bytes.
        let bytes: SecretBytes

        /// Derives a key with ``HKDF`` over SHA-256.
        ///
        /// - Parameters:
        ///   - salt: Optional and not secret.
        ///   - sharedInfo: Say protocol and version, and both public keys (RFC 7748 section 7).
        ///   - outputByteCount: The length of the key.
        public func hkdfDerivedSymmetricKey(
            salt: some Collection<UInt8> = [], sharedInfo: some Collection<UInt8>, outputByteCount: Int = 32
        ) throws(CryptoError) -> SecretBytes {
            try HKDF.deriveKey(
                inputKeyMaterial: bytes, salt: salt, info: sharedInfo, outputByteCount: outputByteCount)
        }
    }

    /// X25519(`scalar`, `point`), with the base point where `point` is nil.
    private static func multiply(
        _ scalar: SecretBytes, _ point: UnsafeRawBufferPointer?, into output: UnsafeMutableRawBufferPointer
    ) throws(CryptoError) {
        try Libgcrypt.ready()
        let clamped = SecretBytes(count: Curve25519.keyByteCount) { buffer in
            scalar.withUnsafeBytes { buffer.copyMemory(from: $0) }
            // decodeScalar25519, RFC 7748 section 5.
            buffer[0] &= 248
            buffer[31] &= 127
            buffer[31] |= 64
        }
        let code = clamped.withUnsafeBytes { scalar in
            gcry_ecc_mul_point(
                Int32(GCRY_ECC_CURVE25519.rawValue), output.bindMemory(to: UInt8.self).baseAddress,
                scalar.bindMemory(to: UInt8.self).baseAddress, point?.bindMemory(to: UInt8.self).baseAddress)
        }
        try CryptoError.check(code)
    }
}
