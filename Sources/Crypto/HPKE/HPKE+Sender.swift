import PDSecrets

extension HPKE {
    /// Seals messages to one recipient, who opens them in the same order.
    public struct Sender: ~Copyable, Sendable {
        private var context: Context

        /// What the recipient needs to open the messages, 32 bytes. Not secret.
        public let encapsulatedKey: [UInt8]

        /// - Parameters:
        ///   - recipientKey: The recipient's public key.
        ///   - cipher: Must be the same on both sides.
        ///   - info: Names protocol, version and purpose; must be the same on both sides.
        ///   - random: Gives the ephemeral key.
        /// - Throws: ``Curve25519/Error/lowOrderPoint``, ``CryptoError``.
        public init(
            recipientKey: Curve25519.KeyAgreement.PublicKey, cipher: Cipher = .aes256GCM,
            info: some Collection<UInt8>, random: some RandomSource
        ) throws {
            try self.init(
                recipientKey: recipientKey, cipher: cipher, info: info,
                ephemeral: Curve25519.KeyAgreement.PrivateKey(random: random))
        }

        init(
            recipientKey: Curve25519.KeyAgreement.PublicKey, cipher: Cipher, info: some Collection<UInt8>,
            ephemeral: Curve25519.KeyAgreement.PrivateKey, sequenceNumber: UInt64 = 0
        ) throws {
            let (sharedSecret, encapsulatedKey) = try KEM.encapsulate(to: recipientKey, ephemeral: ephemeral)
            context = try Context(
                sharedSecret: sharedSecret, cipher: cipher, info: Array(info), sequenceNumber: sequenceNumber)
            self.encapsulatedKey = encapsulatedKey
        }

        /// Seals the next message: ciphertext and tag.
        ///
        /// - Throws: ``HPKE/Error/messageLimitReached``, ``CryptoError``.
        public mutating func seal(
            _ message: some Collection<UInt8>, authenticating authenticated: some Collection<UInt8> = []
        ) throws -> [UInt8] {
            // The message is borrowed by a closure that may not also change `self`.
            let message = ContiguousArray(message)
            return try message.withUnsafeBytes { try context.seal($0, authenticating: authenticated) }
        }

        /// Derives a secret that both sides know.
        ///
        /// - Throws: ``KDFError/outputByteCount(_:)`` above 8,160 bytes, ``CryptoError``.
        public borrowing func exportSecret(
            context exporterContext: some Collection<UInt8>, outputByteCount: Int
        ) throws -> SecretBytes {
            try context.export(context: Array(exporterContext), outputByteCount: outputByteCount)
        }
    }
}
