import CGcrypt
import PDCrypto
import Testing

@testable import PDShamir

/// The cryptography of share files for tests, straight from libgcrypt.
struct TestCryptography: ShareCryptography {
    init() {
        // By the same hand as in the tests of the same process that need secure memory.
        #expect(throws: Never.self) { try Libgcrypt.secureMemoryIsLocked }
    }

    private func check(_ code: gcry_error_t) throws(ShareFileError) {
        if code != 0 { throw .failed("libgcrypt: \(code)") }
    }

    func authenticate(
        _ parts: [UnsafeRawBufferPointer], key: UnsafeRawBufferPointer,
        into code: UnsafeMutableRawBufferPointer
    ) throws(ShareFileError) {
        var handle: gcry_md_hd_t?
        try check(gcry_md_open(&handle, Int32(GCRY_MD_SHA256.rawValue), GCRY_MD_FLAG_HMAC.rawValue))
        defer { gcry_md_close(handle) }
        try check(gcry_md_setkey(handle, key.baseAddress, key.count))
        for part in parts { gcry_md_write(handle, part.baseAddress, part.count) }
        guard let digest = gcry_md_read(handle, Int32(GCRY_MD_SHA256.rawValue)) else {
            throw .failed("no digest")
        }
        code.copyMemory(from: UnsafeRawBufferPointer(start: digest, count: 32))
    }

    func deriveKey(
        passphrase: UnsafeRawBufferPointer, salt: [UInt8], cost: PassphraseCost,
        into key: UnsafeMutableRawBufferPointer
    ) throws(ShareFileError) {
        let parameters = [UInt(key.count), UInt(cost.passes), UInt(cost.memory), UInt(cost.lanes)]
        var handle: gcry_kdf_hd_t?
        try check(
            gcry_kdf_open(
                &handle, Int32(GCRY_KDF_ARGON2.rawValue), Int32(GCRY_KDF_ARGON2ID.rawValue), parameters, 4,
                passphrase.baseAddress, passphrase.count, salt, salt.count, nil, 0, nil, 0))
        defer { gcry_kdf_close(handle) }
        try check(gcry_kdf_compute(handle, nil))
        try check(gcry_kdf_final(handle, key.count, key.baseAddress))
    }

    func seal(
        _ plaintext: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, nonce: [UInt8],
        authenticating additionalData: [UInt8], into sealed: UnsafeMutableRawBufferPointer
    ) throws(ShareFileError) {
        let handle = try gcm(key, nonce, additionalData)
        defer { gcry_cipher_close(handle) }
        try check(
            gcry_cipher_encrypt(
                handle, sealed.baseAddress, plaintext.count, plaintext.baseAddress, plaintext.count))
        try check(gcry_cipher_gettag(handle, sealed.baseAddress?.advanced(by: plaintext.count), 16))
    }

    func open(
        _ sealed: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, nonce: [UInt8],
        authenticating additionalData: [UInt8], into plaintext: UnsafeMutableRawBufferPointer
    ) throws(ShareFileError) -> Bool {
        let handle = try gcm(key, nonce, additionalData)
        defer { gcry_cipher_close(handle) }
        try check(
            gcry_cipher_decrypt(
                handle, plaintext.baseAddress, plaintext.count, sealed.baseAddress, plaintext.count))
        return gcry_cipher_checktag(handle, sealed.baseAddress?.advanced(by: plaintext.count), 16) == 0
    }

    private func gcm(
        _ key: UnsafeRawBufferPointer, _ nonce: [UInt8], _ additionalData: [UInt8]
    ) throws(ShareFileError) -> gcry_cipher_hd_t? {
        var handle: gcry_cipher_hd_t?
        try check(
            gcry_cipher_open(
                &handle, Int32(GCRY_CIPHER_AES256.rawValue), Int32(GCRY_CIPHER_MODE_GCM.rawValue), 0))
        try check(gcry_cipher_setkey(handle, key.baseAddress, key.count))
        try check(gcry_cipher_setiv(handle, nonce, nonce.count))
        try check(gcry_cipher_authenticate(handle, additionalData, additionalData.count))
        return handle
    }
}
