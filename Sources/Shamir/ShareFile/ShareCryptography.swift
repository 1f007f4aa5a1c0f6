/// The cryptography that share files need from elsewhere: this module has none of its own. What fails throws
/// ``ShareFileError/failed(_:)``.
public protocol ShareCryptography {
    /// HMAC-SHA256 (RFC 2104) of the concatenation of `parts`.
    ///
    /// - Parameter code: 32 bytes.
    func authenticate(
        _ parts: [UnsafeRawBufferPointer], key: UnsafeRawBufferPointer,
        into code: UnsafeMutableRawBufferPointer
    ) throws(ShareFileError)

    /// Argon2id (RFC 9106), version 1.3, without secret and associated data.
    ///
    /// - Parameter key: 32 bytes.
    func deriveKey(
        passphrase: UnsafeRawBufferPointer, salt: [UInt8], cost: PassphraseCost,
        into key: UnsafeMutableRawBufferPointer
    ) throws(ShareFileError)

    /// AES-256-GCM (NIST SP 800-38D).
    ///
    /// - Parameters:
    ///   - key: 32 bytes.
    ///   - nonce: 12 bytes.
    ///   - sealed: as many bytes as `plaintext`, and 16 for the tag.
    func seal(
        _ plaintext: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, nonce: [UInt8],
        authenticating additionalData: [UInt8], into sealed: UnsafeMutableRawBufferPointer
    ) throws(ShareFileError)

    /// The inverse of ``seal(_:key:nonce:authenticating:into:)``.
    ///
    /// - Parameter plaintext: 16 bytes less than `sealed`. Its contents mean nothing where the answer is false.
    /// - Returns: whether the tag is right.
    func open(
        _ sealed: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, nonce: [UInt8],
        authenticating additionalData: [UInt8], into plaintext: UnsafeMutableRawBufferPointer
    ) throws(ShareFileError) -> Bool
}

/// What one try of a passphrase costs: Argon2id's parameters (RFC 9106 section 3.1).
public struct PassphraseCost: Equatable, Sendable {
    /// Memory in KiB, 8 · lanes...1,048,576.
    public let memory: Int
    /// Passes over the memory, 1...16.
    public let passes: Int
    /// Lanes, 1...16.
    public let lanes: Int

    /// RFC 9106's second recommendation with one lane: 64 MiB, three passes; about a fifth of a second.
    public static let standard = PassphraseCost(checkedMemory: 65_536, passes: 3, lanes: 1)

    /// nil where a parameter is out of range. The limits keep a hostile share from taking the machine down.
    public init?(memory: Int, passes: Int, lanes: Int) {
        guard 1...16 ~= lanes, 1...16 ~= passes, (8 * lanes)...1_048_576 ~= memory else { return nil }
        self.init(checkedMemory: memory, passes: passes, lanes: lanes)
    }

    private init(checkedMemory memory: Int, passes: Int, lanes: Int) {
        self.memory = memory
        self.passes = passes
        self.lanes = lanes
    }
}
