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
        /// - Throws: ``CryptoError/lowOrderPoint``.
        public init(
            recipientKey: Curve25519.KeyAgreement.PublicKey, cipher: Cipher = .aes256GCM,
            info: some Collection<UInt8>, random: some RandomSource
        ) throws(CryptoError) {
            try self.init(
                recipientKey: recipientKey, cipher: cipher, info: info,
                ephemeral: Curve25519.KeyAgreement.PrivateKey(random: random))
        }

        init(
            recipientKey: Curve25519.KeyAgreement.PublicKey, cipher: Cipher, info: some Collection<UInt8>,
            ephemeral: Curve25519.KeyAgreement.PrivateKey, sequenceNumber: UInt64 = 0
        ) throws(CryptoError) {
            let (sharedSecret, encapsulatedKey) = try KEM.encapsulate(to: recipientKey, ephemeral: ephemeral)
            context = try Context(
                sharedSecret: sharedSecret, cipher: cipher, info: Array(info), sequenceNumber: sequenceNumber)
            self.encapsulatedKey = encapsulatedKey
        }

        /// Seals the next message: ciphertext and tag.
        ///
        /// - Throws: ``CryptoError/messageLimitReached``.
        public mutating func seal(
            _ message: some Collection<UInt8>, authenticating authenticated: some Collection<UInt8> = []
        ) throws(CryptoError) -> [UInt8] {
            try message.withContiguousBytes { message throws(CryptoError) in
                try context.seal(message, authenticating: authenticated)
            }
        }

        /// Derives a secret that both sides know.
        ///
        /// - Throws: ``CryptoError/byteCount(of:_:)`` above 8,160 bytes.
        public borrowing func exportSecret(
            context exporterContext: some Collection<UInt8>, outputByteCount: Int
        ) throws(CryptoError) -> SecretBytes {
            try context.export(context: Array(exporterContext), outputByteCount: outputByteCount)
        }
    }
}
