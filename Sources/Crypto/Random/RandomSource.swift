import PDSecrets

/// Where random bytes come from. Whatever needs randomness takes one of these as a parameter.
public protocol RandomSource: Sendable {
    /// Fills the whole buffer, or throws and leaves nothing usable in it.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) throws
}

extension RandomSource {
    /// `count` random bytes that are not secret: nonces, salts, identifiers. For keys see
    /// ``PDSecrets/SecretBytes/init(count:random:)``.
    public func bytes(count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            try fill(UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]))
            filled = count
        }
    }
}

extension SecretBytes {
    /// Makes a new secret of `count` bytes from `random`.
    public init(count: Int, random: some RandomSource) throws {
        try self.init(count: count) { try random.fill($0) }
    }
}
