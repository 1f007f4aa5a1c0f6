import CGcrypt
import PDSecrets

/// One libgcrypt cipher with its key set, and the only place of this module that calls `gcry_cipher_*`.
///
/// Not copyable: a copy would share chaining and counter state, and lead to a nonce used twice.
package struct CipherHandle: ~Copyable, @unchecked Sendable {
    // @unchecked: the handle has one owner, and libgcrypt ties no handle to a thread.
    private let handle: OpaquePointer

    /// Algorithm and mode.
    package enum Algorithm: Sendable {
        case aes256GCM
        case aes256CBC
        case aes256CTR
        case chaCha20Poly1305

        fileprivate var identifiers: (cipher: gcry_cipher_algos, mode: gcry_cipher_modes) {
            switch self {
            case .aes256GCM: (GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_GCM)
            case .aes256CBC: (GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_CBC)
            case .aes256CTR: (GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_CTR)
            case .chaCha20Poly1305: (GCRY_CIPHER_CHACHA20, GCRY_CIPHER_MODE_POLY1305)
            }
        }
    }

    /// The key length of every algorithm here, in bytes.
    static let keyByteCount = 32
    /// The nonce length of both AEADs, in bytes (SP 800-38D section 8.2.1; RFC 8439 section 2.8).
    static let nonceByteCount = 12
    /// The tag length of both AEADs, in bytes.
    static let tagByteCount = 16

    /// A cipher with a key of 32 bytes.
    package init(_ algorithm: Algorithm, key: SecretBytes) throws(CryptoError) {
        guard key.count == Self.keyByteCount else { throw .byteCount(of: .key, key.count) }
        try Libgcrypt.ready()
        let (cipher, mode) = algorithm.identifiers
        var opened: OpaquePointer?
        try CryptoError.check(
            gcry_cipher_open(
                &opened, Int32(cipher.rawValue), Int32(mode.rawValue), UInt32(GCRY_CIPHER_SECURE.rawValue)))
        guard let opened else { throw .library(code: GPG_ERR_ENOMEM.rawValue) }
        do throws(CryptoError) {
            try Self.setKey(key, of: opened)
        } catch {
            gcry_cipher_close(opened)
            throw error
        }
        handle = opened
    }

    deinit {
        // Wipes the key schedule.
        gcry_cipher_close(handle)
    }

    /// Starts a CTR keystream over: another key, and a counter block of zeros. Setting the key alone would go
    /// on with the old counter, and with what is left of the old keystream's last block.
    func restartKeystream(_ key: SecretBytes) throws(CryptoError) {
        try Self.setKey(key, of: handle)
        try CryptoError.check(gcry_cipher_setctr(handle, nil, 0))
    }

    private static func setKey(_ key: SecretBytes, of handle: OpaquePointer) throws(CryptoError) {
        try CryptoError.check(key.withUnsafeBytes { gcry_cipher_setkey(handle, $0.baseAddress, $0.count) })
    }

    // MARK: AEAD

    /// Encrypts `message` to `output`, which holds the ciphertext and then the tag.
    func seal(
        _ message: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer,
        authenticating authenticated: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CryptoError) {
        precondition(output.count == message.count + Self.tagByteCount)
        try begin(nonce, authenticated)
        let ciphertext = UnsafeMutableRawBufferPointer(rebasing: output[..<message.count])
        let tag = UnsafeMutableRawBufferPointer(rebasing: output[message.count...])
        if message.count > 0 { try encrypt(message, into: ciphertext) }
        try CryptoError.check(gcry_cipher_gettag(handle, tag.baseAddress, tag.count))
    }

    /// Decrypts `sealed`, a ciphertext and then its tag, to `output`, which may be where the ciphertext is.
    ///
    /// - Throws: ``CryptoError/authenticationFailed``; then `output` holds zeros.
    func open(
        _ sealed: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer,
        authenticating authenticated: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CryptoError) {
        precondition(sealed.count == output.count + Self.tagByteCount)
        let ciphertext = UnsafeRawBufferPointer(rebasing: sealed[..<output.count])
        let tag = UnsafeRawBufferPointer(rebasing: sealed[output.count...])
        do throws(CryptoError) {
            try begin(nonce, authenticated)
            if output.count > 0 { try decrypt(ciphertext, into: output) }
            let verdict = gcry_cipher_checktag(handle, tag.baseAddress, tag.count)
            guard gcry_err_code(verdict) != GPG_ERR_CHECKSUM else { throw .authenticationFailed }
            try CryptoError.check(verdict)
        } catch {
            output.wipe()
            throw error
        }
    }

    private func begin(
        _ nonce: UnsafeRawBufferPointer, _ authenticated: UnsafeRawBufferPointer
    ) throws(CryptoError) {
        precondition(nonce.count == Self.nonceByteCount)
        try CryptoError.check(gcry_cipher_setiv(handle, nonce.baseAddress, nonce.count))
        if authenticated.count > 0 {
            try CryptoError.check(
                gcry_cipher_authenticate(handle, authenticated.baseAddress, authenticated.count))
        }
    }

    // MARK: Running modes

    /// Sets the initial vector of a CBC chain (16 bytes).
    package func setInitialVector(_ vector: UnsafeRawBufferPointer) throws(CryptoError) {
        try CryptoError.check(gcry_cipher_setiv(handle, vector.baseAddress, vector.count))
    }

    /// Encrypts; a CBC chain goes on from one call to the next.
    package func encrypt(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CryptoError) {
        try CryptoError.check(
            gcry_cipher_encrypt(handle, output.baseAddress, output.count, input.baseAddress, input.count))
    }

    /// As ``encrypt(_:into:)``, over the input itself.
    package func encryptInPlace(_ bytes: UnsafeMutableRawBufferPointer) throws(CryptoError) {
        try CryptoError.check(gcry_cipher_encrypt(handle, bytes.baseAddress, bytes.count, nil, 0))
    }

    /// Decrypts; a CBC chain goes on from one call to the next.
    package func decrypt(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CryptoError) {
        try CryptoError.check(
            gcry_cipher_decrypt(handle, output.baseAddress, output.count, input.baseAddress, input.count))
    }

    /// As ``decrypt(_:into:)``, over the input itself.
    package func decryptInPlace(_ bytes: UnsafeMutableRawBufferPointer) throws(CryptoError) {
        try CryptoError.check(gcry_cipher_decrypt(handle, bytes.baseAddress, bytes.count, nil, 0))
    }

    /// Overwrites `output` with the next bytes of the CTR keystream.
    func produceKeystream(into output: UnsafeMutableRawBufferPointer) throws(CryptoError) {
        output.wipe()
        // The keystream is what encrypts zeros.
        try encryptInPlace(output)
    }
}
