import PDSecrets

/// The Advanced Encryption Standard (FIPS 197), with 256-bit keys only.
public enum AES {
    /// AES-256 in Galois/Counter Mode (NIST SP 800-38D), with 12-byte nonces and 16-byte tags only.
    public enum GCM {}
}

extension AES.GCM {
    /// Encrypts and authenticates `message`, and authenticates `authenticated`.
    ///
    /// The nonce is drawn from `random` and cannot be given, so that it is never used twice by mistake.
    /// At 96 random bits, do not seal more than 2^32 messages under one key (SP 800-38D section 8.3).
    ///
    /// - Parameters:
    ///   - message: What to encrypt; that of a secret is read with ``PDSecrets/SecretBytes/withUnsafeBytes(_:)``.
    ///   - key: 32 bytes.
    ///   - authenticated: Associated data: not sent along, but must be the same to open the box.
    ///   - random: Gives the nonce.
    public static func seal(
        _ message: some Collection<UInt8>, using key: SecretBytes,
        authenticating authenticated: some Collection<UInt8> = [], random: some RandomSource
    ) throws(CryptoError) -> SealedBox {
        let nonce = try random.bytes(count: CipherHandle.nonceByteCount)
        let sealed = try message.withContiguousBytes { message throws(CryptoError) in
            try [UInt8](count: message.count + CipherHandle.tagByteCount) { sealed throws(CryptoError) in
                try seal(message, using: key, nonce: nonce, authenticating: authenticated, into: sealed)
            }
        }
        return try SealedBox(combined: nonce + sealed)
    }

    /// Seals in place of the caller's choice and under its nonce: for formats of this package whose nonces count
    /// under a key of their own.
    ///
    /// - Parameters:
    ///   - nonce: 12 bytes, never the same twice under one key.
    ///   - sealed: 16 bytes more than `message`: the ciphertext, then the tag.
    package static func seal(
        _ message: UnsafeRawBufferPointer, using key: SecretBytes, nonce: [UInt8],
        authenticating authenticated: some Collection<UInt8>, into sealed: UnsafeMutableRawBufferPointer
    ) throws(CryptoError) {
        let cipher = try CipherHandle(.aes256GCM, key: key)
        try nonce.withContiguousBytes { nonce throws(CryptoError) in
            try authenticated.withContiguousBytes { authenticated throws(CryptoError) in
                try cipher.seal(message, nonce: nonce, authenticating: authenticated, into: sealed)
            }
        }
    }

    /// The inverse of ``seal(_:using:nonce:authenticating:into:)``.
    ///
    /// - Throws: ``CryptoError/authenticationFailed``; then `message` holds zeros.
    package static func open(
        _ sealed: UnsafeRawBufferPointer, using key: SecretBytes, nonce: some Collection<UInt8>,
        authenticating authenticated: some Collection<UInt8>, into message: UnsafeMutableRawBufferPointer
    ) throws(CryptoError) {
        let cipher = try CipherHandle(.aes256GCM, key: key)
        try nonce.withContiguousBytes { nonce throws(CryptoError) in
            try authenticated.withContiguousBytes { authenticated throws(CryptoError) in
                try cipher.open(sealed, nonce: nonce, authenticating: authenticated, into: message)
            }
        }
    }

    /// Checks and decrypts a box.
    ///
    /// - Throws: ``CryptoError/authenticationFailed``. No byte of the plaintext is released then.
    public static func open(
        _ box: SealedBox, using key: SecretBytes,
        authenticating authenticated: some Collection<UInt8> = []
    ) throws(CryptoError) -> SecretBytes {
        let sealed = box.combined.dropFirst(CipherHandle.nonceByteCount)
        return try sealed.withContiguousBytes { sealed throws(CryptoError) in
            try SecretBytes(count: box.ciphertext.count) { message throws(CryptoError) in
                try open(sealed, using: key, nonce: box.nonce, authenticating: authenticated, into: message)
            }
        }
    }

    /// What ``AES/GCM`` seals: nonce, ciphertext and tag.
    public struct SealedBox: Equatable, Sendable {
        /// Nonce (12 bytes), ciphertext, tag (16 bytes), in this order.
        public let combined: [UInt8]

        /// Reads `nonce ‖ ciphertext ‖ tag`: at least 28 bytes.
        public init(combined: some Collection<UInt8>) throws(CryptoError) {
            guard combined.count >= CipherHandle.nonceByteCount + CipherHandle.tagByteCount else {
                throw .byteCount(of: .sealedBox, combined.count)
            }
            self.combined = Array(combined)
        }

        /// Puts a box together from its parts: a nonce of 12 bytes and a tag of 16.
        public init(
            nonce: some Collection<UInt8>, ciphertext: some Collection<UInt8>, tag: some Collection<UInt8>
        ) throws(CryptoError) {
            guard nonce.count == CipherHandle.nonceByteCount else {
                throw .byteCount(of: .nonce, nonce.count)
            }
            guard tag.count == CipherHandle.tagByteCount else { throw .byteCount(of: .tag, tag.count) }
            combined = Array(nonce) + Array(ciphertext) + Array(tag)
        }

        /// The nonce, 12 bytes.
        public var nonce: ArraySlice<UInt8> { combined.prefix(CipherHandle.nonceByteCount) }

        /// The ciphertext, as long as the message.
        public var ciphertext: ArraySlice<UInt8> {
            combined.dropFirst(CipherHandle.nonceByteCount).dropLast(CipherHandle.tagByteCount)
        }

        /// The tag, 16 bytes.
        public var tag: ArraySlice<UInt8> { combined.suffix(CipherHandle.tagByteCount) }
    }
}
