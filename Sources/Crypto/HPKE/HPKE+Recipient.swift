import PDSecrets

extension HPKE {
    /// Opens the messages of one ``HPKE/Sender``, in the order in which they were sealed.
    public struct Recipient: ~Copyable, Sendable {
        private var context: Context

        /// - Parameters:
        ///   - privateKey: The recipient's private key.
        ///   - cipher: The sender's.
        ///   - info: The sender's.
        ///   - encapsulatedKey: ``HPKE/Sender/encapsulatedKey``, 32 bytes.
        /// - Throws: ``CryptoError/lowOrderPoint``.
        public init(
            privateKey: Curve25519.KeyAgreement.PrivateKey, cipher: Cipher = .aes256GCM,
            info: some Collection<UInt8>, encapsulatedKey: some Collection<UInt8>
        ) throws(CryptoError) {
            context = try Context(
                sharedSecret: KEM.decapsulate(Array(encapsulatedKey), with: privateKey), cipher: cipher,
                info: Array(info))
        }

        /// Opens the next message. One that is refused does not count: the same place can be tried again.
        ///
        /// - Throws: ``CryptoError/authenticationFailed``, ``CryptoError/messageLimitReached``.
        public mutating func open(
            _ sealed: some Collection<UInt8>, authenticating authenticated: some Collection<UInt8> = []
        ) throws(CryptoError) -> SecretBytes {
            try sealed.withContiguousBytes { sealed throws(CryptoError) in
                try context.open(sealed, authenticating: authenticated)
            }
        }

        /// Derives a secret that both sides know. See ``HPKE/Sender/exportSecret(context:outputByteCount:)``.
        public borrowing func exportSecret(
            context exporterContext: some Collection<UInt8>, outputByteCount: Int
        ) throws(CryptoError) -> SecretBytes {
            try context.export(context: Array(exporterContext), outputByteCount: outputByteCount)
        }
    }
}
