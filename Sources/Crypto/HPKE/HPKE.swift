/// Hybrid public key encryption (RFC 9180), base mode: anyone can seal to a recipient's public key.
///
/// KEM: DHKEM(X25519, HKDF-SHA256). KDF: HKDF-SHA256. Base mode says nothing about who sealed (section 9.7),
/// and an old message can be sent again: bind place and revision in the associated data.
public enum HPKE {
    /// The authenticated cipher that carries the messages (RFC 9180 section 7.3).
    public enum Cipher: UInt16, Sendable, CaseIterable {
        /// AES-256-GCM.
        case aes256GCM = 0x0002
        /// ChaCha20-Poly1305 (RFC 8439).
        case chaCha20Poly1305 = 0x0003

        var algorithm: CipherHandle.Algorithm {
            switch self {
            case .aes256GCM: .aes256GCM
            case .chaCha20Poly1305: .chaCha20Poly1305
            }
        }
    }

    /// What HPKE refuses.
    public enum Error: Swift.Error, Equatable, Sendable {
        /// An encapsulated key has 32 bytes.
        case encapsulatedKeyByteCount(Int)
        /// Wrong key, associated data, info or order, or a changed message. Nothing was decrypted.
        case authenticationFailed
        /// All sequence numbers are used (RFC 9180 section 5.2).
        case messageLimitReached
        /// A sealed value has at least 64 bytes.
        case sealedValueByteCount(Int)
        /// The value is sealed to a key that is not in the ring.
        case unknownKey(KeyID)
    }
}

extension HPKE.Error: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch self {
        case .encapsulatedKeyByteCount(let count): "an encapsulated key has 32 bytes, not \(count)"
        case .authenticationFailed: "wrong key, or the sealed data was changed"
        case .messageLimitReached: "no more messages can be sealed or opened in this context"
        case .sealedValueByteCount(let count): "a sealed value has at least 64 bytes, not \(count)"
        case .unknownKey(let id): "the value is sealed to key \(id), which is not here"
        }
    }
}
