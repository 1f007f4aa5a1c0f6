import PDSecrets

/// Where random bytes come from. Whatever needs randomness takes one of these as a parameter.
public protocol RandomSource: Sendable {
    /// Fills the whole buffer, or throws and leaves nothing usable in it.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(CryptoError)
}

extension RandomSource {
    /// `count` random bytes that are not secret: nonces, salts, identifiers. For keys see
    /// ``PDSecrets/SecretBytes/init(count:random:)``.
    public func bytes(count: Int) throws(CryptoError) -> [UInt8] {
        try [UInt8](count: count) { buffer throws(CryptoError) in try fill(buffer) }
    }
}

extension SecretBytes {
    /// Makes a new secret of `count` bytes from `random`.
    public init(count: Int, random: some RandomSource) throws(CryptoError) {
        try self.init(count: count) { buffer throws(CryptoError) in try random.fill(buffer) }
    }
}
