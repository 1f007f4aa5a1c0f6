import PDSecrets

extension AES {
    /// AES-256 in Galois/Counter Mode (NIST SP 800-38D), with 12-byte nonces and 16-byte tags only.
    public enum GCM {
        /// Encrypts and authenticates `message`, and authenticates `authenticated`.
        ///
        /// The nonce is drawn from `random` and cannot be given, so that it is never used twice by mistake.
        /// At 96 random bits, do not seal more than 2^32 messages under one key (SP 800-38D section 8.3).
        ///
        /// - Parameters:
        ///   - message: What to encrypt.
        ///   - key: 32 bytes.
        ///   - authenticated: Associated data: not sent along, but must be the same to open the box.
        ///   - random: Gives the nonce.
        /// - Throws: ``AES/Error/keyByteCount(_:)``, ``CryptoError``.
        public static func seal(
            _ message: some Collection<UInt8>, using key: SecretBytes,
            authenticating authenticated: some Collection<UInt8> = [], random: some RandomSource
        ) throws -> SealedBox {
            try message.withContiguousBytes {
                try seal($0, using: key, authenticating: authenticated, random: random)
            }
        }

        /// Encrypts and authenticates a secret. See ``seal(_:using:authenticating:random:)``.
        public static func seal(
            _ secret: SecretBytes, using key: SecretBytes,
            authenticating authenticated: some Collection<UInt8> = [], random: some RandomSource
        ) throws -> SealedBox {
            try secret.withUnsafeBytes {
                try seal($0, using: key, authenticating: authenticated, random: random)
            }
        }

        private static func seal(
            _ message: UnsafeRawBufferPointer, using key: SecretBytes,
            authenticating authenticated: some Collection<UInt8>, random: some RandomSource
        ) throws -> SealedBox {
            try seal(
                message, using: key, nonce: random.bytes(count: CipherHandle.nonceByteCount),
                authenticating: authenticated)
        }

        /// Seals under a given nonce.
        static func seal(
            _ message: UnsafeRawBufferPointer, using key: SecretBytes, nonce: [UInt8],
            authenticating authenticated: some Collection<UInt8>
        ) throws -> SealedBox {
            let sealedByteCount = message.count + CipherHandle.tagByteCount
            let combined = try [UInt8](unsafeUninitializedCapacity: nonce.count + sealedByteCount) {
                buffer, count in
                let output = UnsafeMutableRawBufferPointer(buffer)
                output.copyBytes(from: nonce)
                let sealed = UnsafeMutableRawBufferPointer(
                    rebasing: output[nonce.count..<nonce.count + sealedByteCount])
                try seal(message, using: key, nonce: nonce, authenticating: authenticated, into: sealed)
                count = nonce.count + sealedByteCount
            }
            return try SealedBox(combined: combined)
        }

        /// Seals in place of the caller's choice and under its nonce: for formats of this package whose nonces count
        /// under a key of their own.
        ///
        /// - Parameters:
        ///   - nonce: 12 bytes, never the same twice under one key.
        ///   - sealed: 16 bytes more than `message`: the ciphertext, then the tag.
        package static func seal(
            _ message: UnsafeRawBufferPointer, using key: SecretBytes, nonce: [UInt8],
            authenticating authenticated: some Collection<UInt8>,
            into sealed: UnsafeMutableRawBufferPointer
        ) throws {
            let cipher = try CipherHandle(.aes256GCM, key: key)
            try nonce.withUnsafeBytes { nonce in
                try authenticated.withContiguousBytes {
                    try cipher.seal(message, nonce: nonce, authenticating: $0, into: sealed)
                }
            }
        }

        /// The inverse of ``seal(_:using:nonce:authenticating:into:)``.
        ///
        /// - Throws: ``AES/Error/authenticationFailed``; then `message` holds zeros.
        package static func open(
            _ sealed: UnsafeRawBufferPointer, using key: SecretBytes, nonce: UnsafeRawBufferPointer,
            authenticating authenticated: some Collection<UInt8>,
            into message: UnsafeMutableRawBufferPointer
        ) throws {
            let cipher = try CipherHandle(.aes256GCM, key: key)
            try authenticated.withContiguousBytes {
                try cipher.open(sealed, nonce: nonce, authenticating: $0, into: message)
            }
        }

        /// Checks and decrypts a box.
        ///
        /// - Throws: ``AES/Error/authenticationFailed``, ``AES/Error/keyByteCount(_:)``, ``CryptoError``. No
        ///   byte of the plaintext is released then.
        public static func open(
            _ box: SealedBox, using key: SecretBytes,
            authenticating authenticated: some Collection<UInt8> = []
        ) throws -> [UInt8] {
            try [UInt8](unsafeUninitializedCapacity: box.messageByteCount) { buffer, count in
                let output = UnsafeMutableRawBufferPointer(buffer)
                try open(
                    box, using: key, authenticating: authenticated,
                    into: UnsafeMutableRawBufferPointer(rebasing: output[..<box.messageByteCount]))
                count = box.messageByteCount
            }
        }

        /// Checks and decrypts a box whose content is a secret. See ``open(_:using:authenticating:)``.
        public static func openSecret(
            _ box: SealedBox, using key: SecretBytes,
            authenticating authenticated: some Collection<UInt8> = []
        ) throws -> SecretBytes {
            try SecretBytes(count: box.messageByteCount) {
                try open(box, using: key, authenticating: authenticated, into: $0)
            }
        }

        private static func open(
            _ box: SealedBox, using key: SecretBytes, authenticating authenticated: some Collection<UInt8>,
            into output: UnsafeMutableRawBufferPointer
        ) throws {
            try box.combined.withUnsafeBytes { combined in
                try open(
                    UnsafeRawBufferPointer(rebasing: combined[CipherHandle.nonceByteCount...]), using: key,
                    nonce: UnsafeRawBufferPointer(rebasing: combined[..<CipherHandle.nonceByteCount]),
                    authenticating: authenticated, into: output)
            }
        }
    }
}

extension AES.GCM {
    /// What ``AES/GCM`` seals: nonce, ciphertext and tag.
    public struct SealedBox: Equatable, Sendable {
        /// Nonce (12 bytes), ciphertext, tag (16 bytes), in this order.
        public let combined: [UInt8]

        /// Reads `nonce ‖ ciphertext ‖ tag`.
        ///
        /// - Throws: ``AES/Error/boxByteCount(_:)`` for less than 28 bytes.
        public init(combined: some Collection<UInt8>) throws {
            guard combined.count >= CipherHandle.nonceByteCount + CipherHandle.tagByteCount else {
                throw AES.Error.boxByteCount(combined.count)
            }
            self.combined = Array(combined)
        }

        /// Puts a box together from its parts.
        ///
        /// - Throws: ``AES/Error/nonceByteCount(_:)`` and ``AES/Error/tagByteCount(_:)``: shorter tags and
        ///   other nonces are legal GCM, and weaker.
        public init(
            nonce: some Collection<UInt8>, ciphertext: some Collection<UInt8>, tag: some Collection<UInt8>
        ) throws {
            guard nonce.count == CipherHandle.nonceByteCount else {
                throw AES.Error.nonceByteCount(nonce.count)
            }
            guard tag.count == CipherHandle.tagByteCount else { throw AES.Error.tagByteCount(tag.count) }
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

        /// The length of the message inside.
        var messageByteCount: Int {
            combined.count - CipherHandle.nonceByteCount - CipherHandle.tagByteCount
        }
    }
}
