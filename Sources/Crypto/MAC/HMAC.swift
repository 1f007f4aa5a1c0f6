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
        public var byteCount: Int { Int(gcry_mac_get_algo_maclen(identifier)) }

        fileprivate var identifier: Int32 {
            switch self {
            case .sha256: Int32(GCRY_MAC_HMAC_SHA256.rawValue)
            case .sha384: Int32(GCRY_MAC_HMAC_SHA384.rawValue)
            case .sha512: Int32(GCRY_MAC_HMAC_SHA512.rawValue)
            }
        }
    }

    /// Begins a code.
    ///
    /// - Parameters:
    ///   - key: Any length; at least as long as the code is advised (RFC 2104 section 3).
    ///   - hash: The hash function.
    public init(key: SecretBytes, hash: Hash) throws(CryptoError) {
        try Libgcrypt.ready()
        var opened: OpaquePointer?
        try CryptoError.check(
            gcry_mac_open(&opened, hash.identifier, UInt32(GCRY_MAC_FLAG_SECURE.rawValue), nil))
        guard let opened else { throw .library(code: GPG_ERR_ENOMEM.rawValue) }
        let code = key.withUnsafeBytes { gcry_mac_setkey(opened, $0.baseAddress, $0.count) }
        guard code == 0 else {
            gcry_mac_close(opened)
            throw .library(code: code)
        }
        handle = opened
        self.hash = hash
    }

    deinit { gcry_mac_close(handle) }

    /// Adds bytes to the message.
    public mutating func update(_ bytes: some Collection<UInt8>) throws(CryptoError) {
        try CryptoError.check(bytes.withContiguousBytes { gcry_mac_write(handle, $0.baseAddress, $0.count) })
    }

    /// Adds a secret to the message.
    public mutating func update(_ secret: SecretBytes) throws(CryptoError) {
        try CryptoError.check(secret.withUnsafeBytes { gcry_mac_write(handle, $0.baseAddress, $0.count) })
    }

    /// The code over all bytes added.
    public consuming func finalize() throws(CryptoError) -> [UInt8] {
        try [UInt8](count: hash.byteCount) { output throws(CryptoError) in try read(into: output) }
    }

    /// The code as a secret, for use as a key.
    public consuming func finalizeSecret() throws(CryptoError) -> SecretBytes {
        try SecretBytes(count: hash.byteCount) { output throws(CryptoError) in try read(into: output) }
    }

    /// The leading bytes of the code, as many as `output` holds.
    package consuming func finalize(into output: UnsafeMutableRawBufferPointer) throws(CryptoError) {
        try read(into: output)
    }

    /// Writes the code, and begins another one with the same key.
    package mutating func restart(into output: UnsafeMutableRawBufferPointer) throws(CryptoError) {
        try read(into: output)
        try CryptoError.check(gcry_mac_ctl(handle, Int32(GCRYCTL_RESET.rawValue), nil, 0))
    }

    private borrowing func read(into output: UnsafeMutableRawBufferPointer) throws(CryptoError) {
        precondition(output.count <= hash.byteCount)
        var written = output.count
        try CryptoError.check(gcry_mac_read(handle, output.baseAddress, &written))
    }
}

extension HMAC {
    /// The code of one message.
    public static func authenticationCode(
        for message: some Collection<UInt8>, using key: SecretBytes, hash: Hash
    ) throws(CryptoError) -> [UInt8] {
        var mac = try HMAC(key: key, hash: hash)
        try mac.update(message)
        return try mac.finalize()
    }

    /// Whether `code` is the whole code of `message`, compared in constant time. A shortened code is not
    /// valid.
    public static func isValid(
        _ code: some Collection<UInt8>, for message: some Collection<UInt8>, using key: SecretBytes,
        hash: Hash
    ) throws(CryptoError) -> Bool {
        ConstantTime.isEqual(code, try authenticationCode(for: message, using: key, hash: hash))
    }
}
