/// The Advanced Encryption Standard (FIPS 197), with 256-bit keys only.
public enum AES {
    /// What AES refuses. A wrong key and a changed message cannot be told apart, and are one error.
    public enum Error: Swift.Error, Equatable, Sendable {
        /// The key is not 32 bytes long.
        case keyByteCount(Int)
        /// The nonce is not 12 bytes long.
        case nonceByteCount(Int)
        /// The tag is not 16 bytes long.
        case tagByteCount(Int)
        /// The sealed box is too short to hold a nonce and a tag.
        case boxByteCount(Int)
        /// Wrong key, wrong associated data, or a changed message. Nothing was decrypted.
        case authenticationFailed
    }
}

extension AES.Error: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch self {
        case .keyByteCount(let count): "an AES-256 key has 32 bytes, not \(count)"
        case .nonceByteCount(let count): "an AES-GCM nonce has 12 bytes, not \(count)"
        case .tagByteCount(let count): "an AES-GCM tag has 16 bytes, not \(count)"
        case .boxByteCount(let count): "a sealed box has at least 28 bytes, not \(count)"
        case .authenticationFailed: "wrong key, or the sealed data was changed"
        }
    }
}
