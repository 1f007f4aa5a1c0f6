import PDSecrets

extension HPKE {
    /// The name of a recipient's key: the first 16 bytes of SHA-256 over a label and the public key. Not secret.
    public struct KeyID: Equatable, Sendable, CustomStringConvertible {
        /// The length of an id, in bytes.
        public static let byteCount = 16
        /// The 16 bytes.
        public let bytes: [UInt8]

        /// The id of a public key.
        public init(of key: Curve25519.KeyAgreement.PublicKey) {
            let digest = SHA256.hash(Array("PenguinDome HPKE key id 1".utf8) + [0] + key.rawRepresentation)
            bytes = Array(digest.prefix(Self.byteCount))
        }

        init(_ bytes: ArraySlice<UInt8>) {
            self.bytes = Array(bytes)
        }

        /// 32 hexadecimal digits.
        public var description: String { BaseN.upperHexadecimal.text(bytes) }
    }
}
