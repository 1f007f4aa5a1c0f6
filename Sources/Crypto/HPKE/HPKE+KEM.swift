import PDSecrets

extension HPKE {
    /// DHKEM(X25519, HKDF-SHA256) (RFC 9180 section 4.1).
    enum KEM {
        static let identifier: UInt16 = 0x0020
        private static let suite = Array("KEM".utf8) + identifier.bigEndianBytes

        /// The shared secret on the sender's side, and the key to send along.
        static func encapsulate(
            to recipient: Curve25519.KeyAgreement.PublicKey, ephemeral: Curve25519.KeyAgreement.PrivateKey
        ) throws(CryptoError) -> (sharedSecret: SecretBytes, encapsulatedKey: [UInt8]) {
            let encapsulatedKey = ephemeral.publicKey.rawRepresentation
            let sharedSecret = try extractAndExpand(
                ephemeral.sharedSecretFromKeyAgreement(with: recipient),
                context: encapsulatedKey + recipient.rawRepresentation)
            return (sharedSecret, encapsulatedKey)
        }

        /// The shared secret on the recipient's side.
        static func decapsulate(
            _ encapsulatedKey: [UInt8], with recipient: Curve25519.KeyAgreement.PrivateKey
        ) throws(CryptoError) -> SecretBytes {
            guard encapsulatedKey.count == Curve25519.keyByteCount else {
                throw .byteCount(of: .encapsulatedKey, encapsulatedKey.count)
            }
            let ephemeral = try Curve25519.KeyAgreement.PublicKey(rawRepresentation: encapsulatedKey)
            return try extractAndExpand(
                recipient.sharedSecretFromKeyAgreement(with: ephemeral),
                context: encapsulatedKey + recipient.publicKey.rawRepresentation)
        }

        private static func extractAndExpand(
            _ shared: Curve25519.KeyAgreement.SharedSecret, context: [UInt8]
        ) throws(CryptoError) -> SecretBytes {
            let extracted = try labeledExtract(suite: suite, label: "eae_prk", inputKeyMaterial: shared.bytes)
            return try labeledExpand(
                extracted, suite: suite, label: "shared_secret", info: context, outputByteCount: 32)
        }
    }

    /// LabeledExtract (RFC 9180 section 4).
    static func labeledExtract(
        salt: SecretBytes? = nil, suite: [UInt8], label: String, inputKeyMaterial: SecretBytes
    ) throws(CryptoError) -> SecretBytes {
        var mac = try HMAC(key: salt ?? SecretBytes(copying: []), hash: .sha256)
        try mac.update("HPKE-v1".utf8)
        try mac.update(suite)
        try mac.update(label.utf8)
        try mac.update(inputKeyMaterial)
        return try mac.finalizeSecret()
    }

    /// LabeledExpand (RFC 9180 section 4).
    static func labeledExpand(
        _ pseudoRandomKey: SecretBytes, suite: [UInt8], label: String, info: [UInt8], outputByteCount: Int
    ) throws(CryptoError) -> SecretBytes {
        guard let length = UInt16(exactly: outputByteCount) else {
            throw .byteCount(of: .derivedKey, outputByteCount)
        }
        return try HKDF.expand(
            pseudoRandomKey: pseudoRandomKey,
            info: length.bigEndianBytes + Array("HPKE-v1".utf8) + suite + Array(label.utf8) + info,
            outputByteCount: outputByteCount)
    }
}

extension FixedWidthInteger {
    /// The bytes of the number, the most significant one first.
    var bigEndianBytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}
