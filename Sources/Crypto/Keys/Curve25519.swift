/// Curve25519: Ed25519 signatures (RFC 8032) and X25519 key agreement (RFC 7748).
public enum Curve25519 {
    /// What the keys refuse.
    public enum Error: Swift.Error, Equatable, Sendable {
        /// A key has 32 bytes.
        case keyByteCount(Int)
        /// The bytes name no point of the curve, or one that must not be a signing key.
        case invalidPublicKey
        /// The other side's public key is a point of low order, and the shared secret would be known to all.
        case lowOrderPoint
        /// The message is longer than what libgcrypt takes in one piece (2 GiB).
        case messageTooLong(Int)
    }

    /// The length of every key, in bytes.
    static let keyByteCount = 32

    /// Throws unless a key has the right length, private or public.
    static func check(keyByteCount count: Int) throws(Error) {
        guard count == keyByteCount else { throw .keyByteCount(count) }
    }
}

extension Curve25519.Error: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch self {
        case .keyByteCount(let count): "a Curve25519 key has 32 bytes, not \(count)"
        case .invalidPublicKey: "the bytes are not an Ed25519 public key"
        case .lowOrderPoint: "the public key is a point of low order"
        case .messageTooLong(let count): "a message of \(count) bytes is too long to sign in one piece"
        }
    }
}
