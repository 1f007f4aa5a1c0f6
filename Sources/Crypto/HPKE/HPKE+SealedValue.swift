extension HPKE {
    /// One message, sealed to one recipient's key (RFC 9180 section 6.1), with the id of that key in front.
    public struct SealedValue: Equatable, Sendable {
        /// Key id (16 bytes), encapsulated key (32 bytes), ciphertext and tag, in this order.
        public let combined: [UInt8]

        private static let headerByteCount = KeyID.byteCount + Curve25519.keyByteCount

        /// Reads `id ‖ encapsulated key ‖ ciphertext ‖ tag`: at least 64 bytes.
        public init(combined: some Collection<UInt8>) throws(CryptoError) {
            guard combined.count >= Self.headerByteCount + CipherHandle.tagByteCount else {
                throw .byteCount(of: .sealedValue, combined.count)
            }
            self.combined = Array(combined)
        }

        /// Seals `message` to `recipientKey`. The key schedule binds that key, and with it the id, which follows from it.
        ///
        /// - Parameters:
        ///   - info: Names protocol, version and purpose.
        ///   - authenticated: Names the place and the revision of the value: see ``HPKE``.
        ///   - random: Gives the ephemeral key.
        /// - Throws: ``CryptoError/lowOrderPoint``.
        public init(
            sealing message: some Collection<UInt8>, to recipientKey: Curve25519.KeyAgreement.PublicKey,
            info: some Collection<UInt8>, authenticating authenticated: some Collection<UInt8>,
            random: some RandomSource
        ) throws(CryptoError) {
            var sender = try Sender(recipientKey: recipientKey, info: info, random: random)
            let sealed = try sender.seal(message, authenticating: authenticated)
            combined = KeyID(of: recipientKey).bytes + sender.encapsulatedKey + sealed
        }

        /// The id of the key that opens it, as the value says.
        public var keyID: KeyID { KeyID(combined.prefix(KeyID.byteCount)) }

        var encapsulatedKey: ArraySlice<UInt8> { combined[KeyID.byteCount..<Self.headerByteCount] }
        var sealed: ArraySlice<UInt8> { combined.dropFirst(Self.headerByteCount) }
    }
}
