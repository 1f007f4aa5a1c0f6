import CGcrypt

/// A cryptographic hash function of FIPS 180-4, used in one call or piece by piece.
///
/// Input is any collection of bytes; arrays, slices and raw buffers are read in place, without a copy.
public protocol HashFunction: ~Copyable {
    /// The length of the digest in bytes.
    static var byteCount: Int { get }

    /// The digest of `bytes`, ``byteCount`` bytes long.
    static func hash(_ bytes: some Collection<UInt8>) -> [UInt8]

    /// Starts a digest of nothing.
    init()

    /// Appends `bytes` to what is hashed.
    mutating func update(_ bytes: some Collection<UInt8>)

    /// The digest of everything given to ``update(_:)``, ``byteCount`` bytes long.
    consuming func finalize() -> [UInt8]
}

/// SHA-256 (FIPS 180-4, section 6.2): digests of 32 bytes.
public struct SHA256: ~Copyable, HashFunction {
    /// 32 bytes.
    public static let byteCount = 32
    private var state = DigestState(.sha256)

    /// Starts a digest of nothing.
    public init() {}

    /// The digest of `bytes`.
    public static func hash(_ bytes: some Collection<UInt8>) -> [UInt8] { DigestState.hash(bytes, .sha256) }

    /// Appends `bytes` to what is hashed.
    public mutating func update(_ bytes: some Collection<UInt8>) { state.update(bytes) }

    /// The digest of everything so far.
    public consuming func finalize() -> [UInt8] { state.digest() }
}

/// SHA-384 (FIPS 180-4, section 6.5): digests of 48 bytes.
public struct SHA384: ~Copyable, HashFunction {
    /// 48 bytes.
    public static let byteCount = 48
    private var state = DigestState(.sha384)

    /// Starts a digest of nothing.
    public init() {}

    /// The digest of `bytes`.
    public static func hash(_ bytes: some Collection<UInt8>) -> [UInt8] { DigestState.hash(bytes, .sha384) }

    /// Appends `bytes` to what is hashed.
    public mutating func update(_ bytes: some Collection<UInt8>) { state.update(bytes) }

    /// The digest of everything so far.
    public consuming func finalize() -> [UInt8] { state.digest() }
}

/// SHA-512 (FIPS 180-4, section 6.4): digests of 64 bytes.
public struct SHA512: ~Copyable, HashFunction {
    /// 64 bytes.
    public static let byteCount = 64
    private var state = DigestState(.sha512)

    /// Starts a digest of nothing.
    public init() {}

    /// The digest of `bytes`.
    public static func hash(_ bytes: some Collection<UInt8>) -> [UInt8] { DigestState.hash(bytes, .sha512) }

    /// Appends `bytes` to what is hashed.
    public mutating func update(_ bytes: some Collection<UInt8>) { state.update(bytes) }

    /// The digest of everything so far.
    public consuming func finalize() -> [UInt8] { state.digest() }
}
