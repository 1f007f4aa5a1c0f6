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
        /// - Throws: ``HPKE/Error/encapsulatedKeyByteCount(_:)``, ``Curve25519/Error/lowOrderPoint``,
        ///   ``CryptoError``.
        public init(
            privateKey: Curve25519.KeyAgreement.PrivateKey, cipher: Cipher = .aes256GCM,
            info: some Collection<UInt8>, encapsulatedKey: some Collection<UInt8>
        ) throws {
            context = try Context(
                sharedSecret: KEM.decapsulate(Array(encapsulatedKey), with: privateKey), cipher: cipher,
                info: Array(info))
        }

        /// Opens the next message. One that is refused does not count: the same place can be tried again.
        ///
        /// - Throws: ``HPKE/Error/authenticationFailed``, ``HPKE/Error/messageLimitReached``,
        ///   ``CryptoError``.
        public mutating func open(
            _ sealed: some Collection<UInt8>, authenticating authenticated: some Collection<UInt8> = []
        ) throws -> SecretBytes {
            let sealed = ContiguousArray(sealed)
            return try sealed.withUnsafeBytes { try context.open($0, authenticating: authenticated) }
        }

        /// Derives a secret that both sides know. See ``HPKE/Sender/exportSecret(context:outputByteCount:)``.
        public borrowing func exportSecret(
            context exporterContext: some Collection<UInt8>, outputByteCount: Int
        ) throws -> SecretBytes {
            try context.export(context: Array(exporterContext), outputByteCount: outputByteCount)
        }
    }
}
