import CGcrypt
import PDShamir

/// The cryptography of share files, by libgcrypt. The only file of this tool that calls it.
struct GcryptShareCryptography: ShareCryptography {
    static let keyBytes = 32
    static let tagBytes = 16

    /// - Throws: ``ToolError`` where libgcrypt is missing something.
    init() throws(ToolError) {
        guard gcry_check_version("1.10.0") != nil else {
            throw ToolError("libgcrypt is older than 1.10.0: install a newer one")
        }
        if pd_gcry_is_initialized() == 0 {
            try Self.check(pd_gcry_init_secmem(65_536))
            try Self.check(pd_gcry_initialization_finished())
        }
    }

    func authenticate(
        _ parts: [UnsafeRawBufferPointer], key: UnsafeRawBufferPointer,
        into code: UnsafeMutableRawBufferPointer
    ) throws {
        var handle: gcry_mac_hd_t?
        try Self.check(gcry_mac_open(&handle, Int32(GCRY_MAC_HMAC_SHA256.rawValue), 0, nil))
        defer { gcry_mac_close(handle) }
        try Self.check(gcry_mac_setkey(handle, key.baseAddress, key.count))
        for part in parts { try Self.check(gcry_mac_write(handle, part.baseAddress, part.count)) }
        var length = code.count
        try Self.check(gcry_mac_read(handle, code.baseAddress, &length))
    }

    func deriveKey(
        passphrase: UnsafeRawBufferPointer, salt: [UInt8], cost: PassphraseCost,
        into key: UnsafeMutableRawBufferPointer
    ) throws {
        let parameters = [UInt(key.count), UInt(cost.passes), UInt(cost.memory), UInt(cost.lanes)]
        var handle: gcry_kdf_hd_t?
        try Self.check(
            gcry_kdf_open(
                &handle, Int32(GCRY_KDF_ARGON2.rawValue), Int32(GCRY_KDF_ARGON2ID.rawValue),
                parameters, UInt32(parameters.count), passphrase.baseAddress, passphrase.count,
                salt, salt.count, nil, 0, nil, 0))
        defer { gcry_kdf_close(handle) }
        try Self.check(gcry_kdf_compute(handle, nil))
        try Self.check(gcry_kdf_final(handle, key.count, key.baseAddress))
    }

    func seal(
        _ plaintext: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, nonce: [UInt8],
        authenticating additionalData: [UInt8], into sealed: UnsafeMutableRawBufferPointer
    ) throws {
        let handle = try Self.gcm(key: key, nonce: nonce, additionalData)
        defer { gcry_cipher_close(handle) }
        try Self.check(
            gcry_cipher_encrypt(
                handle, sealed.baseAddress, plaintext.count, plaintext.baseAddress, plaintext.count))
        let tag = UnsafeMutableRawBufferPointer(rebasing: sealed[plaintext.count...])
        try Self.check(gcry_cipher_gettag(handle, tag.baseAddress, tag.count))
    }

    func open(
        _ sealed: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, nonce: [UInt8],
        authenticating additionalData: [UInt8], into plaintext: UnsafeMutableRawBufferPointer
    ) throws -> Bool {
        let handle = try Self.gcm(key: key, nonce: nonce, additionalData)
        defer { gcry_cipher_close(handle) }
        try Self.check(
            gcry_cipher_decrypt(
                handle, plaintext.baseAddress, plaintext.count, sealed.baseAddress, plaintext.count))
        let tag = UnsafeRawBufferPointer(rebasing: sealed[plaintext.count...])
        let error = gcry_cipher_checktag(handle, tag.baseAddress, tag.count)
        if gcry_err_code(error) == GPG_ERR_CHECKSUM { return false }
        try Self.check(error)
        return true
    }

    private static func gcm(
        key: UnsafeRawBufferPointer, nonce: [UInt8], _ additionalData: [UInt8]
    ) throws(ToolError) -> gcry_cipher_hd_t? {
        var handle: gcry_cipher_hd_t?
        try check(
            gcry_cipher_open(
                &handle, Int32(GCRY_CIPHER_AES256.rawValue), Int32(GCRY_CIPHER_MODE_GCM.rawValue),
                GCRY_CIPHER_SECURE.rawValue))
        do throws(ToolError) {
            try check(gcry_cipher_setkey(handle, key.baseAddress, key.count))
            try check(gcry_cipher_setiv(handle, nonce, nonce.count))
            try check(gcry_cipher_authenticate(handle, additionalData, additionalData.count))
        } catch {
            gcry_cipher_close(handle)
            throw error
        }
        return handle
    }

    fileprivate static func check(_ error: gcry_error_t) throws(ToolError) {
        guard error != 0 else { return }
        throw ToolError(
            "libgcrypt: " + (gcry_strerror(error).map { String(cString: $0) } ?? "error \(error)"))
    }
}

/// Random bytes at the speed of AES: the key stream of AES-256-CTR under a key from libgcrypt's strongest generator,
/// which itself gives less than 0.1 GB/s.
final class KeystreamRandomness: ShareRandomness {
    private let handle: gcry_cipher_hd_t?

    /// - Parameter cryptography: proof that libgcrypt is ready.
    init(_ cryptography: GcryptShareCryptography) throws(ToolError) {
        var handle: gcry_cipher_hd_t?
        try GcryptShareCryptography.check(
            gcry_cipher_open(
                &handle, Int32(GCRY_CIPHER_AES256.rawValue), Int32(GCRY_CIPHER_MODE_CTR.rawValue),
                GCRY_CIPHER_SECURE.rawValue))
        self.handle = handle
        let key = SecretBytes(count: GcryptShareCryptography.keyBytes)
        try key.withUnsafeMutableBytes { key throws(ToolError) in
            gcry_randomize(key.baseAddress, key.count, GCRY_VERY_STRONG_RANDOM)
            try GcryptShareCryptography.check(gcry_cipher_setkey(handle, key.baseAddress, key.count))
        }
        let counter = [UInt8](repeating: 0, count: 16)
        try GcryptShareCryptography.check(gcry_cipher_setctr(handle, counter, counter.count))
    }

    deinit { gcry_cipher_close(handle) }

    func fill(_ buffer: UnsafeMutableRawBufferPointer) throws {
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
        try GcryptShareCryptography.check(
            gcry_cipher_encrypt(handle, buffer.baseAddress, buffer.count, nil, 0))
    }
}
