import PDCrypto
import PDSecrets
import PDShamir

/// The cryptography of share files, by ``PDCrypto``. The only file of this tool that calls it.
package struct CoreCryptography: ShareCryptography {
    /// - Throws: ``ToolError`` where libgcrypt is too old or does not start.
    package init() throws(ToolError) {
        do throws(CryptoError) {
            _ = try Libgcrypt.secureMemoryIsLocked
        } catch {
            throw ToolError("\(error)")
        }
    }

    /// Random bytes at the speed of AES, under a key from libgcrypt's strongest generator.
    package func randomness() throws -> some ShareRandomness { try KeystreamRandom() }

    package func authenticate(
        _ parts: [UnsafeRawBufferPointer], key: UnsafeRawBufferPointer,
        into code: UnsafeMutableRawBufferPointer
    ) throws {
        var mac = try HMAC(key: SecretBytes(copying: key), hash: .sha256)
        for part in parts { try mac.update(part) }
        try mac.finalize(into: code)
    }

    package func deriveKey(
        passphrase: UnsafeRawBufferPointer, salt: [UInt8], cost: PassphraseCost,
        into key: UnsafeMutableRawBufferPointer
    ) throws {
        let derived = try Argon2id.deriveKey(
            password: SecretBytes(copying: passphrase), salt: salt, memory: cost.memory,
            passes: cost.passes, lanes: cost.lanes, outputByteCount: key.count)
        derived.withUnsafeBytes { key.copyMemory(from: $0) }
    }

    package func seal(
        _ plaintext: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, nonce: [UInt8],
        authenticating additionalData: [UInt8], into sealed: UnsafeMutableRawBufferPointer
    ) throws {
        try AES.GCM.seal(
            plaintext, using: SecretBytes(copying: key), nonce: nonce,
            authenticating: additionalData,
            into: sealed)
    }

    package func open(
        _ sealed: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, nonce: [UInt8],
        authenticating additionalData: [UInt8], into plaintext: UnsafeMutableRawBufferPointer
    ) throws -> Bool {
        do {
            try nonce.withUnsafeBytes {
                try AES.GCM.open(
                    sealed, using: SecretBytes(copying: key), nonce: $0,
                    authenticating: additionalData, into: plaintext)
            }
            return true
        } catch AES.Error.authenticationFailed {
            return false
        }
    }
}

extension KeystreamRandom: ShareRandomness {}
