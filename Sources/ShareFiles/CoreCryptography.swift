import PDCrypto
import PDSecrets
import PDShamir

/// The cryptography of share files, by ``PDCrypto``. The only file of this room that calls it.
public struct CoreCryptography: ShareCryptography {
    /// Throws where libgcrypt is too old or does not start.
    public init() throws(ShareFileError) {
        _ = try Self.wrapping { () throws(CryptoError) in try Libgcrypt.secureMemoryIsLocked }
    }

    /// Random bytes at the speed of AES, under a key from libgcrypt's strongest generator.
    public func randomness() throws(ShareFileError) -> some ShareRandomness {
        try Self.wrapping { () throws(CryptoError) in try KeystreamRandom() }
    }

    /// See ``PDShamir/ShareCryptography``.
    public func authenticate(
        _ parts: [UnsafeRawBufferPointer], key: UnsafeRawBufferPointer,
        into code: UnsafeMutableRawBufferPointer
    ) throws(ShareFileError) {
        try Self.wrapping { () throws(CryptoError) in
            var mac = try HMAC(key: SecretBytes(copying: key), hash: .sha256)
            for part in parts { try mac.update(part) }
            try mac.finalize(into: code)
        }
    }

    /// See ``PDShamir/ShareCryptography``.
    public func deriveKey(
        passphrase: UnsafeRawBufferPointer, salt: [UInt8], cost: PassphraseCost,
        into key: UnsafeMutableRawBufferPointer
    ) throws(ShareFileError) {
        let derived = try Self.wrapping { () throws(CryptoError) in
            try Argon2id.deriveKey(
                password: SecretBytes(copying: passphrase), salt: salt, memory: cost.memory,
                passes: cost.passes, lanes: cost.lanes, outputByteCount: key.count)
        }
        derived.withUnsafeBytes { key.copyMemory(from: $0) }
    }

    /// See ``PDShamir/ShareCryptography``.
    public func seal(
        _ plaintext: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, nonce: [UInt8],
        authenticating additionalData: [UInt8], into sealed: UnsafeMutableRawBufferPointer
    ) throws(ShareFileError) {
        try Self.wrapping { () throws(CryptoError) in
            try AES.GCM.seal(
                plaintext, using: SecretBytes(copying: key), nonce: nonce, authenticating: additionalData,
                into: sealed)
        }
    }

    /// See ``PDShamir/ShareCryptography``.
    public func open(
        _ sealed: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, nonce: [UInt8],
        authenticating additionalData: [UInt8], into plaintext: UnsafeMutableRawBufferPointer
    ) throws(ShareFileError) -> Bool {
        do throws(CryptoError) {
            try AES.GCM.open(
                sealed, using: SecretBytes(copying: key), nonce: nonce, authenticating: additionalData,
                into: plaintext)
            return true
        } catch {
            guard error == .authenticationFailed else { throw .failed(error.description) }
            return false
        }
    }

    private static func wrapping<Result>(
        _ body: () throws(CryptoError) -> Result
    ) throws(ShareFileError) -> Result {
        do throws(CryptoError) { return try body() } catch { throw .failed(error.description) }
    }
}

extension KeystreamRandom: ShareRandomness {}
