import CGcrypt

/// Why an operation of this module failed; ``OpenPGP`` and ``PipeFrame`` have errors of their own. No case carries a
/// secret.
public enum CryptoError: Error, Equatable, Sendable {
    /// The installed libgcrypt is older than what this module was written for.
    case libraryTooOld(found: String, needed: String)
    /// libgcrypt answered with an error code of its own.
    case library(code: UInt32)
    /// A source of random bytes that is not of this module failed; the text says why.
    case noRandomness(String)
    /// Something has a number of bytes that its function does not take.
    case byteCount(of: Item, Int)
    /// A cost parameter of this name is outside the bounds that its function documents.
    case cost(String)
    /// The bytes name no point of the curve, or one that must not be a signing key.
    case invalidPublicKey
    /// The other side's public key is a point of low order, and the shared secret would be known to all.
    case lowOrderPoint
    /// Wrong key, associated data, info or order, or a changed message, which cannot be told apart. Nothing was decrypted.
    case authenticationFailed
    /// All sequence numbers are used (RFC 9180 section 5.2).
    case messageLimitReached
    /// The value is sealed to a key that is not in the ring.
    case unknownKey(HPKE.KeyID)

    /// What can be too short or too long, and what is wanted.
    public enum Item: String, Sendable {
        /// A key of AES-256, Ed25519 or X25519.
        case key = "a key of 32 bytes"
        /// HKDF's key between its two steps (RFC 5869 section 2.3).
        case pseudoRandomKey = "a pseudorandom key as long as the hash"
        /// What a key is derived to.
        case derivedKey = "a key that can be derived"
        /// The salt of Argon2id (RFC 9106 section 3.1).
        case salt = "a salt of at least 8 bytes"
        /// Nonces of other lengths are legal GCM, and weaker.
        case nonce = "a nonce of 12 bytes"
        /// Shorter tags are legal GCM, and weaker.
        case tag = "a tag of 16 bytes"
        /// Nonce, ciphertext and tag.
        case sealedBox = "a sealed box of at least 28 bytes"
        /// The key that HPKE sends along.
        case encapsulatedKey = "an encapsulated key of 32 bytes"
        /// Key id, encapsulated key, ciphertext and tag.
        case sealedValue = "a sealed value of at least 64 bytes"
        /// libgcrypt signs in one piece.
        case message = "a message of less than 2 GiB"
    }

    /// Throws where libgcrypt's answer is no success.
    package static func check(_ code: gcry_error_t) throws(CryptoError) {
        guard code == 0 else { throw .library(code: code) }
    }
}

extension CryptoError: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch self {
        case .libraryTooOld(let found, let needed):
            "libgcrypt \(found) is too old: version \(needed) or newer is needed"
        case .library(let code):
            "libgcrypt: " + (gcry_strerror(code).map { String(cString: $0) } ?? "error \(code)")
        case .noRandomness(let reason): "no random bytes: \(reason)"
        case .byteCount(let item, let count): "\(count) bytes where \(item.rawValue) is wanted"
        case .cost(let name): "the cost parameter \(name) is out of bounds"
        case .invalidPublicKey: "the bytes are not an Ed25519 public key"
        case .lowOrderPoint: "the public key is a point of low order"
        case .authenticationFailed: "wrong key, or the sealed data was changed"
        case .messageLimitReached: "no more messages can be sealed or opened in this context"
        case .unknownKey(let id): "the value is sealed to key \(id), which is not here"
        }
    }
}
