/// SHA-256 (FIPS 180-4, section 6.2): digests of 32 bytes, in one call or piece by piece.
///
/// Input is any collection of bytes; arrays, slices and raw buffers are read in place, without a copy.
public struct SHA256: ~Copyable {
    /// 32 bytes.
    public static let byteCount = 32
    private let state = DigestState(.sha256)

    /// Starts a digest of nothing.
    public init() {}

    /// The digest of `bytes`.
    public static func hash(_ bytes: some Collection<UInt8>) -> [UInt8] { DigestState.hash(bytes, .sha256) }

    /// Appends `bytes` to what is hashed.
    public mutating func update(_ bytes: some Collection<UInt8>) { state.update(bytes) }

    /// The digest of everything so far.
    public consuming func finalize() -> [UInt8] { state.digest() }
}
