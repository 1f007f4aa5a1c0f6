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
}
