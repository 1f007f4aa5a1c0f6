import PDSecrets

extension HPKE {
    /// A recipient's private keys: the one that new values are sealed to, and older ones, whose values still open.
    public struct KeyRing: Sendable {
        /// The public key that new values are sealed to.
        public let sealingKey: Curve25519.KeyAgreement.PublicKey
        private let keys: [(id: KeyID, key: Curve25519.KeyAgreement.PrivateKey)]

        /// - Parameters:
        ///   - current: The key that new values are sealed to.
        ///   - older: The keys before it.
        public init(
            current: Curve25519.KeyAgreement.PrivateKey, older: [Curve25519.KeyAgreement.PrivateKey] = []
        ) {
            sealingKey = current.publicKey
            keys = ([current] + older).map { (KeyID(of: $0.publicKey), $0) }
        }

        /// The ids of all keys, the current one first.
        public var keyIDs: [KeyID] { keys.map(\.id) }

        /// Opens a value with the key that it names.
        ///
        /// - Parameters:
        ///   - info: The sender's.
        ///   - authenticated: The sender's.
        /// - Throws: ``CryptoError/unknownKey(_:)``, ``CryptoError/authenticationFailed``,
        ///   ``CryptoError/lowOrderPoint``.
        public func open(
            _ value: SealedValue, info: some Collection<UInt8>,
            authenticating authenticated: some Collection<UInt8>
        ) throws(CryptoError) -> SecretBytes {
            let id = value.keyID
            guard let key = keys.first(where: { $0.id == id })?.key else { throw .unknownKey(id) }
            var recipient = try Recipient(
                privateKey: key, info: info, encapsulatedKey: value.encapsulatedKey)
            return try recipient.open(value.sealed, authenticating: authenticated)
        }
    }
}
