import CGcrypt
import PDSecrets

/// Keyed-hash message authentication codes (RFC 2104, FIPS 198-1) over SHA-2.
public struct HMAC: ~Copyable, @unchecked Sendable {
    // @unchecked: the handle has one owner, and libgcrypt ties no handle to a thread.
    private let handle: OpaquePointer
    private let hash: Hash

    /// The hash function underneath.
    public enum Hash: Sendable, CaseIterable {
        /// SHA-256: codes of 32 bytes.
        case sha256
        /// SHA-384: codes of 48 bytes.
        case sha384
        /// SHA-512: codes of 64 bytes.
        case sha512

        /// The length of a code, in bytes.
        public var byteCount: Int {
            switch self {
            case .sha256: 32
            case .sha384: 48
            case .sha512: 64
            }
        }

        fileprivate var identifier: gcry_mac_algos {
            switch self {
            case .sha256: GCRY_MAC_HMAC_SHA256
            case .sha384: GCRY_MAC_HMAC_SHA384
            case .sha512: GCRY_MAC_HMAC_SHA512
            }
        }
    }

    /// Begins a code.
    ///
    /// - Parameters:
    ///   - key: Any length; at least as long as the code is advised (RFC 2104 section 3).
    ///   - hash: The hash function.
    /// - Throws: ``CryptoError``.
    public init(key: SecretBytes, hash: Hash) throws {
        try Libgcrypt.ready()
        var opened: OpaquePointer?
        try Libgcrypt.check(
            gcry_mac_open(
                &opened, Int32(hash.identifier.rawValue), UInt32(GCRY_MAC_FLAG_SECURE.rawValue), nil))
        guard let opened else { throw CryptoError.library(code: GPG_ERR_ENOMEM.rawValue) }
        do {
            try Libgcrypt.check(key.withUnsafeBytes { gcry_mac_setkey(opened, $0.baseAddress, $0.count) })
        } catch {
            gcry_mac_close(opened)
            throw error
        }
        handle = opened
        self.hash = hash
    }

    deinit {
        gcry_mac_close(handle)
    }

    /// Adds bytes to the message.
    public mutating func update(_ bytes: some Collection<UInt8>) throws {
        try bytes.withContiguousBytes { try update($0) }
    }

    /// Adds a secret to the message.
    public mutating func update(_ secret: SecretBytes) throws {
        try secret.withUnsafeBytes { try update($0) }
    }

    /// Adds bytes to the message.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) throws {
        try Libgcrypt.check(gcry_mac_write(handle, bytes.baseAddress, bytes.count))
    }

    /// The code over all bytes added.
    public consuming func finalize() throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: hash.byteCount) { buffer, count in
            let output = UnsafeMutableRawBufferPointer(buffer)
            try read(into: UnsafeMutableRawBufferPointer(rebasing: output[..<hash.byteCount]))
            count = hash.byteCount
        }
    }

    /// The code as a secret, for use as a key.
    consuming func finalizeSecret() throws -> SecretBytes {
        try SecretBytes(count: hash.byteCount) { try read(into: $0) }
    }

    /// The leading bytes of the code, as many as `output` holds.
    package consuming func finalize(into output: UnsafeMutableRawBufferPointer) throws {
        try read(into: output)
    }

    /// Writes the code, and begins another one with the same key.
    package mutating func restart(into output: UnsafeMutableRawBufferPointer) throws {
        try read(into: output)
        try Libgcrypt.check(gcry_mac_ctl(handle, Int32(GCRYCTL_RESET.rawValue), nil, 0))
    }

    private borrowing func read(into output: UnsafeMutableRawBufferPointer) throws {
        precondition(output.count <= hash.byteCount)
        var written = output.count
        try Libgcrypt.check(gcry_mac_read(handle, output.baseAddress, &written))
    }
}

extension HMAC {
    /// The code of one message.
    ///
    /// - Throws: ``CryptoError``.
    public static func authenticationCode(
        for message: some Collection<UInt8>, using key: SecretBytes, hash: Hash
    ) throws -> [UInt8] {
        var mac = try HMAC(key: key, hash: hash)
        try mac.update(message)
        return try mac.finalize()
    }

    /// Whether `code` is the whole code of `message`, compared in constant time. A shortened code is not
    /// valid.
    ///
    /// - Throws: ``CryptoError``.
    public static func isValid(
        _ code: some Collection<UInt8>, for message: some Collection<UInt8>, using key: SecretBytes,
        hash: Hash
    ) throws -> Bool {
        ConstantTime.isEqual(code, try authenticationCode(for: message, using: key, hash: hash))
    }
}
